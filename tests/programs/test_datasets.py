"""Specs: suites, URIs, paths, directories, and what each says when nothing is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mirgym import programs
from mirgym.errors import DatasetError, InvalidModuleError, UnknownProgramError
from mirgym.programs import Program, datasets, link, resolve, resolve_all
from mirgym.programs.datasets import BUNDLED

TEST_SPLIT = {"bignum", "connect4", "crc", "dct", "json", "radixtrie", "sparse", "spell"}
ONE = "int main(void) { return 0; }\n"


class TestBundledSuite:
    def test_spec_is_the_whole_suite(self):
        found = resolve_all("mirbench")
        assert found == list(datasets()["mirbench"].programs)
        assert len(found) >= 24

    def test_names_and_uris_are_distinct(self):
        found = resolve_all("mirbench")
        assert len({p.name for p in found}) == len({p.uri for p in found}) == len(found)

    def test_splits_divide_it(self):
        train = {p.name for p in resolve_all("mirbench:train")}
        test = {p.name for p in resolve_all("mirbench:test")}
        assert test == TEST_SPLIT
        assert not train & test
        assert train | test == {p.name for p in resolve_all("mirbench")}

    def test_full_uri_takes_splits(self):
        assert resolve_all("benchmark://mirbench:test") == resolve_all("mirbench:test")

    @pytest.mark.parametrize("spec", ["mirbench/crc", "benchmark://mirbench/crc"])
    def test_one_program(self, spec):
        program = resolve(spec)
        assert program.uri == "benchmark://mirbench/crc"
        assert program.name == "crc"
        assert program.split == "test"
        assert program.domain == "checksums"

    def test_each_program_is_self_contained(self):
        for program in resolve_all("mirbench"):
            assert len(program.sources) == 1
            text = program.sources[0].read_text()
            assert not re.search(r'#\s*include\s*"', text), program.name
            for run in program.runs:
                paths = [run.stdout, run.stdin, *run.files]
                assert all(path.is_relative_to(BUNDLED) for path in paths if path), program.name

    def test_each_program_has_a_small_and_a_large_run(self):
        for program in resolve_all("mirbench"):
            assert len(program.runs) >= 2, program.name
            assert all(run.stdout for run in program.runs), program.name

    def test_each_program_says_what_it_is(self):
        for program in resolve_all("mirbench"):
            assert program.domain, program.name
            assert program.description, program.name

    def test_no_source_is_left_out(self):
        named = {p.sources[0].name for p in resolve_all("mirbench")}
        assert named == {path.name for path in BUNDLED.glob("*.c")}

    def test_suite_knows_itself(self):
        suite = datasets()["mirbench"]
        assert suite.license == "Apache-2.0"
        assert suite.version == "1"
        assert suite.description.startswith(f"{len(suite.programs)} ")

    def test_suite_gives_a_program_by_name(self):
        assert datasets()["mirbench"]["sha2"].name == "sha2"
        with pytest.raises(UnknownProgramError, match="mirbench has no program 'sha'.*'sha2'"):
            datasets()["mirbench"]["sha"]


class TestUnknownNames:
    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            ("mirbench/crcc", "mirbench has no program 'crcc'. Did you mean 'crc'"),
            ("benchmark://mirbench/qsortt", "has no program 'qsortt'"),
            ("mirbnch", "unknown program 'mirbnch'. Did you mean 'mirbench'"),
            ("mirbench:tset", "mirbench has no split 'tset'; expected 'train' or 'test'"),
            ("benchmark://mirbnch/crc", "Did you mean 'mirbench/crc'"),
            ("mirbench:test/crc", "unknown program"),
            ("zzzzzz", "`mirgym programs list` shows all"),
            ("", "unknown program ''"),
            ("/no/such/place", "there is no file or directory /no/such/place"),
        ],
    )
    def test_says_what_is_near(self, spec, message):
        with pytest.raises(UnknownProgramError, match=re.escape(message)):
            resolve_all(spec)

    def test_names_all_programs_when_none_is_near(self):
        with pytest.raises(UnknownProgramError, match=r"It holds .*crc, .*sha2"):
            resolve("mirbench/zzzzzz")

    def test_cbench_says_how_to_fetch_it(self, own_cache):
        with pytest.raises(UnknownProgramError, match="mirgym programs fetch cbench-v1"):
            resolve("cbench-v1/qsort")

    def test_misspelt_file_names_the_one_beside_it(self, make_file):
        path = make_file("quicksort.c", ONE)
        with pytest.raises(UnknownProgramError, match=r"Did you mean 'quicksort\.c'"):
            resolve(path.with_name("quiksort.c"))

    def test_several_where_one_is_needed(self):
        with pytest.raises(UnknownProgramError, match=r"mirbench stands for \d+ programs"):
            resolve("mirbench")

    def test_nothing_where_one_is_needed(self):
        with pytest.raises(UnknownProgramError, match="no program"):
            resolve([])


class TestFiles:
    def test_path_and_text_and_uri_are_the_same(self, make_file):
        path = make_file("one.c", ONE)
        assert resolve(path) == resolve(str(path)) == resolve(f"file://{path}")
        assert resolve(path).name == "one.c"

    def test_relative_path(self, make_file, monkeypatch):
        path = make_file("one.c", ONE)
        monkeypatch.chdir(path.parent)
        assert resolve("one.c").sources == (path,)
        assert resolve("./one.c") == resolve(path)

    @pytest.mark.parametrize("name", ["with space.c", "per%20cent.c", "a#b.c", "a?b.c", "ä.c"])
    def test_uri_round_trip(self, make_file, name):
        path = make_file(f"some dir/{name}", ONE)
        program = resolve(path)
        assert resolve(program.uri) == program
        assert program.sources == (path,)
        assert program.name == name

    def test_quoted_space(self, make_file):
        path = make_file("with space.c", ONE)
        quoted = f"file://{path.parent}/with%20space.c"
        assert resolve(quoted).sources == (path,)
        assert resolve(f"file://{path}").sources == (path,)

    def test_program_stands_for_itself(self):
        program = resolve("mirbench/crc")
        assert resolve(program) is program
        assert resolve_all([program, "mirbench/sha2"]) == [program, resolve("mirbench/sha2")]

    def test_unknown_suffix(self, make_file):
        with pytest.raises(UnknownProgramError, match=r"cannot tell what this is.*\.c, \.cc"):
            resolve(make_file("one.rs", "fn main() {}"))


class TestLink:
    CALLER = '#include <stdio.h>\nint twice(int);\nint main(void){printf("%d\\n", twice(21));}\n'

    def test_two_files_that_call_each_other(self, make_file, run_module):
        main = make_file("main.c", self.CALLER + "int base(void) { return 21; }\n")
        other = make_file("twice.c", "int base(void);\nint twice(int x) { return x + base(); }\n")
        program = resolve([main, str(other)])
        assert program.sources == (main, other)
        assert program.uri.startswith("link://")
        expected = make_file("expected.txt", "42\n")
        runnable = Program(program.uri, program.sources, runs=(programs.Run(stdout=expected),))
        assert run_module(runnable) == []
        assert run_module(runnable, level="Oz", pipeline="default<O2>") == []

    def test_one_in_a_list_is_itself(self, make_file):
        path = make_file("one.c", ONE)
        assert resolve([path]) == resolve(path)

    def test_defined_twice(self, make_file):
        program = resolve([make_file("a.c", ONE), make_file("b.c", ONE)])
        with pytest.raises(InvalidModuleError, match="main"):
            program.bitcode()

    def test_flags_differ(self, make_file):
        path = make_file("one.c", ONE)
        with pytest.raises(UnknownProgramError, match="different flags"):
            link([Program("file:///a", (path,)), Program("file:///b", (path,), flags=("-DX",))])

    def test_libraries_are_joined(self, make_file):
        path = make_file("one.c", ONE)
        first, second = (
            Program("file:///a", (path,), libs=("m",)),
            Program("file:///b", (path,), libs=("m", "z")),
        )
        assert link([first, second]).libs == ("m", "z")


class TestDirectory:
    def test_without_manifest(self, make_file):
        make_file("suite/b.c", ONE)
        make_file("suite/a.c", ONE)
        make_file("suite/notes.txt", "not a program")
        found = resolve_all(make_file("suite/c.ll", "").parent)
        assert [p.name for p in found] == ["a", "b", "c"]
        assert {p.split for p in found} == {None}

    def test_its_programs_have_uris_that_resolve(self, make_file):
        directory = make_file("a suite/a.c", ONE).parent
        (program,) = resolve_all(directory)
        assert resolve(program.uri) == program
        assert resolve(program.uri).sources == program.sources

    def test_equal_stems_are_two_programs(self, make_file):
        make_file("suite/a.c", ONE)
        found = resolve_all(make_file("suite/a.ll", "").parent)
        assert [p.name for p in found] == ["a.c", "a.ll"]

    def test_with_manifest(self, make_file, run_module):
        make_file(
            "suite/src/a.c",
            "#include <math.h>\n#include <stdio.h>\n"
            'int main(int n, char **v) { printf("%s %d\\n", v[1], N); return n + 1; }\n',
        )
        make_file("suite/out.txt", "x 3\n")
        manifest = make_file(
            "suite/manifest.toml",
            '[dataset]\nname = "mine"\nsplit_test = ["a"]\n'
            '[[program]]\nname = "a"\nsources = ["src/a.c"]\nflags = ["-DN=3"]\nlibs = ["m"]\n'
            '[[program.run]]\nargs = ["x"]\nstdout = "out.txt"\nexit_code = 3\n',
        )
        (program,) = resolve_all(str(manifest.parent))
        assert (program.name, program.split, program.libs) == ("a", "test", ("m",))
        assert run_module(program) == []
        assert resolve(program.uri) == program

    def test_empty(self, tmp_path: Path):
        with pytest.raises(DatasetError, match=r"holds no programs: neither a manifest\.toml"):
            resolve_all(tmp_path)
