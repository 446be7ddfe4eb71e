"""The shortest failing sequence, and the folder that it is saved in.

No core pass is known to miscompile. What stands in for one is a program that is undefined,
judged without sanitizers: its output changes after two passes together.
"""

from __future__ import annotations

import json
import shutil

import pytest

from mirgym import cli
from mirgym.errors import UnknownProgramError
from mirgym.passes import find, parse_passes
from mirgym.programs import Program, Run
from mirgym.validate import (
    load_case,
    optimised_object,
    save_case,
    shortest_failing,
    validate,
)

BODY = """int x = 2147483647 - (argc > 9), y = x + argc;
if (argc < 20) puts(y > x ? "bigger" : "smaller");"""
NEEDED = ("mem2reg", "instcombine<no-verify-fixpoint>")
NOISE = ("adce", "simplifycfg", "licm", "sccp", "globaldce", "dse", "loop-rotate")


@pytest.fixture
def program(make_program) -> Program:
    return make_program(BODY, Run(("a",)), Run(("b",)))


def sequence(*names: str):
    return tuple(find(name) for name in names)


def test_only_the_passes_that_it_takes(program):
    first, second = NEEDED
    passes = sequence(*NOISE[:2], first, *NOISE[2:], second, *NOISE)
    shortest = shortest_failing(program, passes)
    assert tuple(one.name for one in shortest) == NEEDED


def test_no_single_pass_can_go(program):
    passes = sequence(*NOISE, *NEEDED, *NOISE, *NEEDED)
    shortest = shortest_failing(program, passes)
    for index in range(len(shortest)):
        rest = shortest[:index] + shortest[index + 1 :]
        found = validate(program, optimised_object(program, rest), sanitize=False)
        assert found.verdict == "equal"


def test_nothing_to_reduce(program):
    with pytest.raises(ValueError, match="there is nothing to reduce"):
        shortest_failing(program, sequence("adce"))


def test_a_case_stands_alone(program, tmp_path, capsys, monkeypatch):
    passes = sequence(*NEEDED)
    found = validate(program, optimised_object(program, passes), sanitize=False)
    given = tmp_path / "given.txt"
    given.write_text("x")
    with_files = Program(
        program.uri, program.sources, runs=(Run(("a",), stdin=given, files=(given,)), *program.runs)
    )
    folder = save_case(tmp_path / "case", with_files, passes, found)
    moved = tmp_path / "elsewhere"
    shutil.move(folder, moved)
    program.sources[0].unlink()
    given.unlink()
    case = load_case(moved)
    assert (case.passes, case.level, case.verdict) == (passes, "Oz", "different")
    assert case.program.runs[0].files[0].read_text() == "x"
    assert "validate --case ." in (moved / "README.md").read_text()
    monkeypatch.chdir(moved)
    assert cli.main(["validate", "--case", ".", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [run["verdict"] for run in told["runs"]] == ["different"] * 3
    assert "there is no C or C++ source" in told["runs"][0]["note"]


@pytest.mark.parametrize("content", [None, "{}", "[]", "nonsense", '{"libs": 3}'])
def test_what_is_no_case(tmp_path, content, capsys):
    if content is not None:
        (tmp_path / "case.json").write_text(content)
    with pytest.raises(UnknownProgramError, match="is no case"):
        load_case(tmp_path)
    assert cli.main(["validate", "--case", str(tmp_path)]) == 2
    assert "is no case" in capsys.readouterr().err


class TestCommand:
    def test_equal(self, make_program, capsys):
        program = make_program('puts("x");')
        path = str(program.sources[0])
        assert cli.main(["validate", path, "--args", "", "--passes", "mem2reg,gvn"]) == 0
        assert "equal" in capsys.readouterr().out

    def test_different_is_reduced_and_saved(self, program, tmp_path, capsys):
        path, case = str(program.sources[0]), tmp_path / "case"
        passes = ",".join(("adce", *NEEDED, "dse"))
        command = ["validate", path, "--args", "a b", "--passes", passes]
        assert cli.main([*command, "--save", str(case), "--no-sanitize"]) == 1
        assert (
            "still differs after mem2reg,instcombine<no-verify-fixpoint>" in capsys.readouterr().out
        )
        assert tuple(one.name for one in load_case(case).passes) == NEEDED
        assert load_case(case).program.runs[0].args == ("a", "b")

    def test_undefined_is_no_answer(self, program, capsys):
        command = ["validate", str(program.sources[0]), "--args", "", "--passes", "default<O2>"]
        assert cli.main(command) == 2
        assert "signed integer overflow" in capsys.readouterr().out

    def test_a_module(self, make_program, tmp_path, capsys):
        program, wrong = make_program('puts("x");'), make_program('puts("y");')
        (tmp_path / "wrong.bc").write_bytes(wrong.bitcode())
        command = ["validate", str(program.sources[0]), "--args", ""]
        assert cli.main([*command, "--module", str(tmp_path / "wrong.bc")]) == 1
        assert "'y' instead of 'x'" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("mirbench/primes",), "give one of --passes, --module and --case"),
            (("--passes", "gvn"), "give a program, or a folder with --case"),
            (("mirbench/primes", "--passes", "mem2regg"), "Did you mean 'mem2reg'"),
            (("mirbench/primes", "--passes", "nonsense<x>"), "nonsense"),
            (("mirbench/prime", "--passes", "gvn"), "Did you mean"),
            (("mirbench/primes", "--module", "/none.bc"), "cannot read /none.bc: No such file"),
        ],
    )
    def test_wrong_usage_does_not_say_different(self, arguments, message, capsys):
        assert cli.main(["validate", *arguments]) == 2
        assert message in capsys.readouterr().err

    def test_no_runs(self, make_program, capsys):
        path = str(make_program("").sources[0])
        assert cli.main(["validate", path, "--passes", "gvn"]) == 2
        assert "--args gives its arguments" in capsys.readouterr().out


def test_text_of_passes():
    text = "mem2reg, function(sroa,gvn<no-load-pre>),default<O2>,globaldce,"
    assert [one.pipeline for one in parse_passes(text)] == [
        find("mem2reg").pipeline,
        "function(sroa,gvn<no-load-pre>)",
        "default<O2>",
        "globaldce",
    ]
    assert parse_passes("") == ()
