"""Running programs: limits that hold, what is compared, and what is left behind."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mirgym.errors import CompileError, ToolMissingError
from mirgym.programs import Program, Run
from mirgym.programs import execute as executor
from mirgym.programs.execute import (
    Limits,
    RunResult,
    check_output,
    difference,
    link_executable,
    run_program,
)
from mirgym.session import InProcessSession

pytestmark = [
    pytest.mark.usefixtures("own_cache"),
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler"),
]
INCLUDES = "".join(
    f"#include <{name}.h>\n"
    for name in ("stdio", "stdlib", "string", "unistd", "signal", "sys/mman", "fcntl")
)
Build = Callable[[str], Path]


@pytest.fixture
def build(make_file) -> Build:
    """``build("return 3;")`` gives an executable whose main has that body."""

    def make(body: str) -> Path:
        text = f"{INCLUDES}int main(int argc, char **argv) {{ (void)argc; (void)argv; {body} }}\n"
        source = make_file("program.c", text)
        out = source.with_suffix("")
        subprocess.run(["cc", "-w", str(source), "-o", str(out)], check=True)
        return out

    return make


@pytest.fixture
def object_of() -> Callable[[Program], bytes]:
    """Object code of a program as it is."""

    def emit(program: Program) -> bytes:
        with InProcessSession() as session:
            session.load(program.bitcode())
            return session.emit("obj")

    return emit


class TestRun:
    def test_output_error_and_exit_code(self, build):
        body = 'printf("out %s", argv[1]); fprintf(stderr, "err"); return 7;'
        result = run_program(build(body), Run(args=("a b; $HOME",)))
        assert result.stdout == b"out a b; $HOME"
        assert (result.stderr, result.exit_code, result.stopped) == (b"err", 7, "")
        assert 0 < result.seconds < 10

    def test_standard_input(self, build, make_file):
        program = build("int c; while ((c = getchar()) != EOF) putchar(c); return 0;")
        assert run_program(program, Run(stdin=make_file("in", b"\0\xff"))).stdout == b"\0\xff"
        assert run_program(program, Run()).stdout == b""

    def test_files_in_and_out(self, build, make_file):
        body = """char s[9] = {0}; FILE *in = fopen("in.txt", "r"); fread(s, 1, 8, in);
        FILE *out = fopen("out.txt", "w"); fprintf(out, "<%s>", s); fclose(out); return 0;"""
        given = make_file("in.txt", "hi")
        outputs = (("out.txt", None), ("absent.txt", None))
        result = run_program(build(body), Run(files=(given,), outputs=outputs))
        assert result.outputs == {"out.txt": b"<hi>"}
        assert given.read_text() == "hi"

    def test_input_files_are_copies(self, build, make_file):
        given = make_file("in.txt", "hi")
        run_program(build('unlink("in.txt"); return 0;'), Run(files=(given,)))
        assert given.read_text() == "hi"

    def test_environment_is_small(self, build, monkeypatch):
        monkeypatch.setenv("SECRET", "x")
        program = build("extern char **environ; for (char **e = environ; *e; ++e) puts(*e);")
        names = {line.split(b"=")[0] for line in run_program(program, Run()).stdout.splitlines()}
        assert names <= {b"PATH", b"LC_ALL", b"HOME", b"LC_CTYPE"}

    def test_directory_is_fresh_and_goes_away(self, build):
        program = build('char d[999]; puts(getcwd(d, 999)); fopen("x", "w"); return 0;')
        first, second = (run_program(program, Run()).stdout.strip() for _ in range(2))
        assert first != second
        assert not Path(os.fsdecode(first)).exists()

    def test_no_open_files_are_inherited(self, build, make_file):
        program = build("for (int i = 3; i < 64; ++i) if (fcntl(i, F_GETFD) >= 0) return i;")
        with make_file("held", "x").open():
            assert run_program(program, Run()).exit_code == 0

    def test_crash(self, build):
        result = run_program(build("raise(SIGSEGV);"), Run())
        assert result.exit_code == -signal.SIGSEGV

    def test_output_that_is_a_link_out_of_the_directory(self, build):
        run = Run(outputs=(("out", None),))
        result = run_program(build('symlink("/dev/zero", "out"); return 0;'), run)
        assert result.outputs == {}


class TestLimits:
    def test_endless_loop(self, build):
        started = time.monotonic()
        result = run_program(build("for (;;) ;"), Run(), Limits(seconds=0.3))
        assert time.monotonic() - started < 5
        assert result.exit_code is None
        assert result.stopped == "did not end within the time limit (0.3 s)"

    def test_sleep(self, build):
        result = run_program(build("sleep(60);"), Run(), Limits(seconds=0.2))
        assert result.exit_code is None

    def test_program_that_ignores_signals(self, build):
        body = "for (int i = 1; i < 32; ++i) signal(i, SIG_IGN); for (;;) pause();"
        assert run_program(build(body), Run(), Limits(seconds=0.2)).exit_code is None

    def test_large_output(self, build):
        program = build("char b[4096] = {1}; for (;;) if (write(1, b, 4096) < 0) return 1;")
        result = run_program(program, Run(), Limits(seconds=5, file_bytes=1 << 20))
        assert result.exit_code in (1, -signal.SIGXFSZ)
        assert len(result.stdout) == 1 << 20

    def test_large_file(self, build):
        body = """FILE *f = fopen("big", "w"); char b[4096] = {1};
        for (;;) if (fwrite(b, 1, 4096, f) != 4096) return 1;"""
        limits = Limits(seconds=5, file_bytes=1 << 20)
        result = run_program(build(body), Run(outputs=(("big", None),)), limits)
        assert result.exit_code in (1, -signal.SIGXFSZ)
        assert len(result.outputs["big"]) <= 1 << 20

    def test_much_memory(self, build):
        body = """for (;;) { char *p = malloc(1 << 20); if (!p) return 42;
        memset(p, 1, 1 << 20); }"""
        limits = Limits(seconds=10, memory_bytes=64 << 20)
        assert run_program(build(body), Run(), limits).exit_code == 42

    def test_many_processes(self, build):
        """Bounded also for root, whom RLIMIT_NPROC does not hold; slow, to be gentle."""
        body = "for (int i = 0; i < 400; ++i) { if (!fork()) { sleep(60); _exit(0); } usleep(2000);"
        body += "} sleep(60);"
        result = run_program(build(body), Run(), Limits(seconds=20, processes=8))
        assert result.stopped == "started more than 8 processes"
        assert result.seconds < 10

    def test_processes_left_behind_are_ended(self, build, tmp_path):
        mark = tmp_path / "alive"
        body = f"""if (!fork()) {{ for (;;) {{ close(open("{mark}", O_CREAT | O_WRONLY, 0600));
        usleep(10000); }} }} usleep(50000); return 0;"""
        assert run_program(build(body), Run()).exit_code == 0
        time.sleep(0.1)
        mark.unlink(missing_ok=True)
        time.sleep(0.2)
        assert not mark.exists()

    def test_no_core_file(self, build):
        result = run_program(build("abort();"), Run(outputs=(("core", None),)))
        assert result.exit_code == -signal.SIGABRT
        assert result.outputs == {}

    def test_limits_are_not_the_callers(self, build):
        import resource

        before = resource.getrlimit(resource.RLIMIT_AS)
        run_program(build("return 0;"), Run(), Limits(memory_bytes=1 << 30))
        assert resource.getrlimit(resource.RLIMIT_AS) == before


class TestDifference:
    GOOD = RunResult(b"out", b"", 0, {"f": b"1"}, 0.1)

    def run(self, make_file, stdout: str = "out", content: str = "1") -> Run:
        files = (("f", make_file("want.f", content)),)
        return Run(stdout=make_file("want.txt", stdout), outputs=files)

    def test_none(self, make_file):
        assert difference(self.run(make_file), self.GOOD) is None

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"exit_code": 3}, "exit code 3, expected 0"),
            ({"exit_code": -11}, "was killed by SIGSEGV"),
            ({"exit_code": -63}, "was killed by signal 63"),
            ({"exit_code": None, "stopped": "too slow"}, "too slow"),
            ({"stdout": b"other"}, r"another standard output than want\.txt"),
            ({"outputs": {"f": b"2"}}, r"another content of f than want\.f"),
            ({"outputs": {}}, r"another content of f than want\.f"),
        ],
    )
    def test_each_kind(self, make_file, change, message):
        result = dataclasses.replace(self.GOOD, **change)
        found = difference(self.run(make_file), result)
        assert found is not None
        assert found == message.replace("\\", "")

    def test_reference_stands_in(self):
        run = Run(outputs=(("f", None),))
        assert difference(run, self.GOOD) is None
        assert difference(run, self.GOOD, self.GOOD) is None
        other = dataclasses.replace(self.GOOD, stdout=b"x")
        assert difference(run, self.GOOD, other) == "another standard output than the reference"
        other = dataclasses.replace(self.GOOD, outputs={})
        assert difference(run, self.GOOD, other) == "another content of f than the reference"


class TestCheckOutput:
    SOURCE = (
        '#include <stdio.h>\nint main(void) { FILE *f = fopen("o", "w"); fputs("o", f);'
        ' fclose(f); printf("%d\\n", N); return N; }\n'
    )

    def program(self, path: Path, number: int, **fields) -> Program:
        run = Run(exit_code=number, outputs=(("o", None),))
        return Program(f"file://{path}", (path,), flags=(f"-DN={number}",), runs=(run,), **fields)

    def test_made_reference(self, make_file, object_of):
        path = make_file("n.c", self.SOURCE)
        three, four = self.program(path, 3), self.program(path, 4)
        assert check_output(three, object_of(three)) == []
        (found,) = check_output(three, object_of(dataclasses.replace(four, uri="file:///4.c")))
        assert found == "n.c : exit code 4, expected 3"

    def test_program_that_is_no_reference(self, make_file, object_of):
        path = make_file("n.c", self.SOURCE)
        program = dataclasses.replace(self.program(path, 3), runs=(Run(),))
        (found,) = check_output(program, object_of(program))
        assert found == "n.c : the program is no reference, for it exit code 3, expected 0"

    def test_cpp_links_its_library(self, make_file, object_of):
        path = make_file("a.cpp", '#include <iostream>\nint main() { std::cout << "hi"; }\n')
        run = Run(stdout=make_file("out", "hi"))
        program = Program(f"file://{path}", (path,), runs=(run, Run()))
        assert check_output(program, object_of(program)) == []

    def test_math_library(self, make_file, object_of):
        text = "#include <math.h>\nint main(int c, char **v) { return (int)floor(cos(c)); }\n"
        path = make_file("a.c", text)
        program = Program(f"file://{path}", (path,), libs=("m",), runs=(Run(),))
        assert check_output(program, object_of(program)) == []

    def test_does_not_link(self, make_file, object_of):
        path = make_file("a.c", "int gone(void);\nint main(void) { return gone(); }\n")
        program = Program(f"file://{path}", (path,), runs=(Run(),))
        with pytest.raises(CompileError, match=r"(?s)linking failed:.*gone"):
            check_output(program, object_of(program))

    def test_no_linker(self, tmp_path, monkeypatch):
        monkeypatch.setattr(executor, "LINKERS", ("no-such-compiler",))
        with pytest.raises(ToolMissingError, match="no linker was found; install a C compiler"):
            link_executable(b"", (), tmp_path / "out")

    def test_linker_that_does_not_finish(self, tmp_path, make_file, monkeypatch):
        slow = make_file("slow", "#!/bin/sh\nexec sleep 60\n")
        slow.chmod(0o755)
        monkeypatch.setattr(executor, "LINKERS", (str(slow),))
        monkeypatch.setattr(executor, "LINK_LIMIT_SECONDS", 0.1)
        with pytest.raises(CompileError, match=r"linking did not finish within 0\.1 s"):
            link_executable(b"", (), tmp_path / "out")
