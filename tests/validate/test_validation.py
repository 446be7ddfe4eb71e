"""Verdicts: equal, different, undefined, unknown; what is cached; what is missing."""

from __future__ import annotations

import pytest

from mirgym.errors import InvalidModuleError
from mirgym.programs import Program, Run, linking, resolve
from mirgym.programs.execute import Limits
from mirgym.session import InProcessSession
from mirgym.validate import reference, sanitizers, validate

OVERFLOW = 'int x = 2147483647 - (argc > 9); puts(x + argc > x ? "bigger" : "smaller");'
UNSET = 'int a[4]; if (argc > 5) a[2] = 1; puts(a[2] == 7 ? "7" : "not 7");'
NOTE = 'FILE *f = fopen("o", "w"); fputs("%s", f); fclose(f);'


def other(make_program, body: str, program: Program) -> bytes:
    """The module of a program that does something else."""
    return make_program(body, *program.runs).bitcode()


class TestVerdicts:
    def test_equal(self, make_program, object_of, nothing_left):
        program = make_program(
            'puts(argv[1]); fputs("e", stderr); return 3;', Run(("x",), exit_code=3)
        )
        for content in (program.bitcode(), object_of(program)):
            found = validate(program, content)
            assert (found.verdict, found.equal_runs) == ("equal", 1)
            assert str(found) == "1 runs, outputs equal"

    def test_ir_text(self, make_program):
        program = make_program('puts("x");')
        with InProcessSession() as session:
            session.load(program.bitcode())
            text = session.emit("ll")
        assert validate(program, text).verdict == "equal"
        assert validate(program, text.replace(b'c"x', b'c"y')).verdict == "different"

    @pytest.mark.parametrize(
        ("good", "bad", "what"),
        [
            ('puts("a");', 'puts("b");', "stdout"),
            ('fputs("a", stderr);', 'fputs("b", stderr);', "stderr"),
            ("", "return 4;", "exit code"),
            ("", "abort();", "end"),
            (NOTE % "a", NOTE % "b", "o"),
            (NOTE % "a", "", "o"),
        ],
    )
    def test_each_difference(self, make_program, good, bad, what):
        program = make_program(good, Run(outputs=(("o", None),)))
        found = validate(program, other(make_program, bad, program))
        assert (found.verdict, found.runs[0].what) == ("different", what)
        assert found.equal_runs == 0
        assert found.as_dict()["runs"][0]["what"] == what

    def test_each_input_has_its_verdict(self, make_program):
        program = make_program("puts(argv[1]);", Run(("1",)), Run(("2",)))
        found = validate(program, other(make_program, 'puts("1");', program))
        assert [run.verdict for run in found.runs] == ["equal", "different"]
        assert found.verdict == "different"
        assert str(found) == "2: different: stdout: line 1 is '1' instead of '2'"

    def test_does_not_link(self, make_program):
        program = make_program("")
        found = validate(program, other(make_program, "int gone(void); return gone();", program))
        assert (found.verdict, found.runs[0].what) == ("different", "link")
        assert "gone" in found.runs[0].detail

    def test_only_the_optimised_one_does_not_end(self, make_program, nothing_left):
        program = make_program("")
        endless = other(make_program, "for (volatile int i = 0;; ++i) ;", program)
        found = validate(program, endless, limits=Limits(seconds=0.3))
        assert (found.verdict, found.runs[0].what) == ("different", "end")
        assert "did not end within" in found.runs[0].detail

    def test_cpp(self, tmp_path):
        path = tmp_path / "a.cpp"
        path.write_text('#include <iostream>\nint main() { std::cout << "hi"; }\n')
        program = Program(path.as_uri(), (path,), runs=(Run(),))
        assert validate(program, program.bitcode()).verdict == "equal"

    def test_math_library(self, make_program):
        body = "double cos(double), floor(double); return (int)floor(cos(argc));"
        program = make_program(body, libs=("m",))
        assert validate(program, program.bitcode()).verdict == "equal"


class TestUndefined:
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (OVERFLOW, "signed integer overflow: 2147483647 + 1 cannot be represented"),
            ("char *p = malloc(4); printf(\"%d\", p[argc + 3]);", "heap-buffer-overflow in main"),
            (UNSET, "use-of-uninitialized-value in main"),
        ],
    )  # fmt: skip
    def test_the_program_is_to_blame(self, make_program, body, message):
        if sanitizers.available()[0][-1].name != "MSan":
            pytest.skip("needs clang's sanitizers")
        program = make_program(body)
        found = validate(program, other(make_program, 'puts("?");', program))
        assert found.verdict == "undefined"
        assert message in found.runs[0].undefined
        assert program.sources[0].name in found.runs[0].undefined

    def test_after_a_real_pass(self, make_program):
        program = make_program(OVERFLOW)
        with InProcessSession() as session:
            session.load(program.bitcode(), level="Oz")
            session.step("default<O2>")
            optimised = session.emit("obj")
        assert validate(program, optimised).verdict == "undefined"
        assert validate(program, optimised, sanitize=False).verdict == "different"

    def test_a_defined_program_is_not(self, make_program):
        program = make_program('puts("a");')
        found = validate(program, other(make_program, 'puts("b");', program))
        assert (found.verdict, found.runs[0].note) == ("different", "")

    def test_ir_has_no_source(self, tmp_path):
        path = tmp_path / "a.ll"
        path.write_text("define i32 @main() {\n  ret i32 0\n}\n")
        program = Program(path.as_uri(), (path,), runs=(Run(),))
        found = validate(program, path.read_bytes().replace(b"i32 0", b"i32 1"))
        assert found.verdict == "different"
        assert "there is no C or C++ source" in found.runs[0].note

    def test_runtime_is_missing(self, make_program, monkeypatch):
        monkeypatch.setattr(sanitizers, "SANITIZERS", ())
        sanitizers.available.cache_clear()
        try:
            program = make_program(OVERFLOW)
            found = validate(program, other(make_program, 'puts("?");', program))
            monkeypatch.setattr(
                sanitizers, "TRAPPING", sanitizers.Sanitizer("none", ("-nonsense",))
            )
            sanitizers.available.cache_clear()
            without = validate(make_program(OVERFLOW + ";"), make_program('puts("?");').bitcode())
        finally:
            sanitizers.available.cache_clear()
        assert found.verdict == "undefined"
        assert "clang's sanitizer runtime is missing" in found.runs[0].note
        assert without.verdict == "different"
        assert "clang's sanitizers do not work here" in without.runs[0].note


class TestUnknown:
    def test_nothing_says_how_to_run_it(self, make_program):
        found = validate(Program("file:///a.c", ()), b"")
        assert (found.verdict, str(found)) == ("unknown", "nothing says how to run this program")

    def test_the_reference_is_not_what_is_expected(self, make_program):
        program = make_program("return 3;")
        found = validate(program, program.bitcode())
        assert found.verdict == "unknown"
        assert "the unoptimised program is no reference: exit code 3, expected 0" in str(found)

    def test_the_program_is_not_repeatable(self, make_program):
        program = make_program('printf("%d", rand()); srand(getpid()); printf("%p", (void *)argv);')
        found = validate(program, program.bitcode())
        assert found.verdict == "unknown"
        assert "two runs differ: stdout" in str(found)

    def test_no_linker(self, make_program, monkeypatch):
        program = make_program("")
        monkeypatch.setattr(linking, "LINKERS", ())
        found = validate(program, program.bitcode())
        assert found.verdict == "unknown"
        assert "no linker was found" in str(found)

    def test_the_program_does_not_link(self, make_program):
        program = make_program("int gone(void); return gone();")
        found = validate(program, program.bitcode())
        assert found.verdict == "unknown"
        assert "there is no reference: linking failed" in str(found)

    def test_foreign_target(self, tmp_path):
        path = tmp_path / "a.ll"
        path.write_text(
            'target triple = "hexagon-unknown-elf"\ndefine i32 @main() {\n  ret i32 0\n}\n'
        )
        program = Program(path.as_uri(), (path,), runs=(Run(),))
        found = validate(program, path.read_bytes())
        assert found.verdict == "unknown"
        assert "hexagon" in str(found)

    def test_what_is_no_module_is_an_error(self, make_program):
        with pytest.raises(InvalidModuleError):
            validate(make_program(""), b"nonsense")


class TestReferencesAreKept:
    @pytest.fixture
    def runs(self, monkeypatch) -> list[Run]:
        """The runs of references that were not taken from the cache."""
        seen: list[Run] = []

        def count(executable, run, *rest):
            seen.append(run)
            return run_program(executable, run, *rest)

        run_program = reference.run_program
        monkeypatch.setattr(reference, "run_program", count)
        return seen

    def test_once_for_each_content(self, make_program, runs, tmp_path):
        given = tmp_path / "in.txt"
        given.write_text("x")
        program = make_program("putchar(getchar());", Run(stdin=given))
        for _ in range(2):
            assert validate(program, program.bitcode()).verdict == "equal"
        assert len(runs) == 2  # both of the first validation
        given.write_text("y")
        assert validate(program, program.bitcode()).verdict == "equal"
        assert len(runs) == 4

    def test_damage_is_seen(self, make_program, runs, own_cache):
        program = make_program('puts("x");')
        validate(program, program.bitcode())
        for entry in (own_cache / "references").iterdir():
            entry.write_bytes(entry.read_bytes()[:-5])
        assert validate(program, program.bitcode()).verdict == "equal"
        assert len(runs) == 4

    def test_a_cache_that_cannot_be_written(self, make_program, runs, tmp_path, monkeypatch):
        program = make_program('puts("x");')
        module = program.bitcode()
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("MIRGYM_CACHE", str(tmp_path / "file"))
        with pytest.warns(UserWarning, match="reference was not kept"):
            assert validate(program, module).verdict == "equal"

    def test_what_was_stopped_is_not_kept(self, make_program, runs, nothing_left):
        program = make_program("for (;;) pause();")
        for _ in range(2):
            validate(program, program.bitcode(), limits=Limits(seconds=0.1))
        assert len(runs) == 2


def test_a_bundled_program():
    program = resolve("mirbench/primes")
    found = validate(program, program.bitcode())
    assert (found.verdict, found.equal_runs) == ("equal", 2)
