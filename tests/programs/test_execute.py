"""Running programs: limits that hold, and what is left behind."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mirgym.programs import Run
from mirgym.programs import execute as executor
from mirgym.programs.execute import Limits, run_program

pytestmark = [
    pytest.mark.usefixtures("own_cache"),
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler"),
]
INCLUDES = "".join(
    f"#include <{name}.h>\n"
    for name in (
        "stdio",
        "stdlib",
        "string",
        "unistd",
        "signal",
        "sys/mman",
        "fcntl",
        "errno",
        "arpa/inet",
    )
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
        assert time.monotonic() - started < 30
        assert result.exit_code is None
        assert result.stopped.startswith("did not end within ")

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

    def test_the_kernel_keeps_the_time_too(self, build, monkeypatch):
        monkeypatch.setattr(executor, "WATCH_SECONDS", 30)
        result = run_program(build("for (;;) ;"), Run(), Limits(seconds=0.5))
        assert result.stopped == "did not end within the time limit (0.5 s)"

    def test_time_is_that_of_all_processes(self, build):
        body = "for (int i = 0; i < 400; ++i) if (!fork()) { for (;;) ; } else usleep(20000);"
        result = run_program(build(body), Run(), Limits(seconds=0.5, processes=500))
        assert result.stopped.startswith("did not end within")

    def test_many_files(self, build, monkeypatch):
        monkeypatch.setattr(executor, "LARGEST_FOLDER", 50)
        body = """char n[20]; for (int i = 0;; ++i) { sprintf(n, "%d", i % 5000);
        close(open(n, O_CREAT | O_WRONLY, 0600)); }"""
        assert run_program(build(body), Run()).stopped == "wrote more than 50 files"

    def test_many_large_files(self, build):
        body = """char n[20], b[4096] = {1}; for (int i = 0; i < 500; ++i) { sprintf(n, "%d", i);
        int f = open(n, O_CREAT | O_WRONLY, 0600);
        for (int j = 0; j < 256; ++j) write(f, b, 4096); close(f); } for (;;) pause();"""
        result = run_program(build(body), Run(), Limits(folder_bytes=16 << 20))
        assert result.stopped == "wrote more than 16 MiB of files"

    def test_no_network(self, build):
        body = """struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9),
        .sin_addr.s_addr = htonl(0xC0000201)}; /* reserved for documentation */
        connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&a, sizeof a); return errno;"""
        result = run_program(build(body), Run(), Limits(seconds=1))
        if not result.isolated:
            pytest.skip("this system allows no namespaces")
        assert result.exit_code == errno.ENETUNREACH

    def test_user_is_the_same(self, build):
        result = run_program(build('printf("%d %d", getuid(), getgid()); return 0;'), Run())
        if not result.isolated:
            pytest.skip("this system allows no namespaces")
        assert result.stdout.decode() == f"{os.getuid()} {os.getgid()}"

    def test_many_processes(self, build):
        """Slow, to be gentle."""
        body = "for (int i = 0; i < 400; ++i) { if (!fork()) { sleep(60); _exit(0); } usleep(2000);"
        body += "} sleep(60);"
        result = run_program(build(body), Run(), Limits(seconds=20, processes=8))
        assert result.stopped == "started more than 8 processes"
        assert result.seconds < 10

    @pytest.mark.parametrize("isolate", [True, False])
    @pytest.mark.parametrize("leave", ["", "setsid();", "setsid(); if (fork()) _exit(0);"])
    def test_processes_left_behind_are_ended(self, build, tmp_path, monkeypatch, isolate, leave):
        monkeypatch.setattr(executor, "ISOLATE", isolate)
        tmp_path.chmod(0o777)  # root gives the program another user
        for parent in tmp_path.parents[:3]:
            parent.chmod(parent.stat().st_mode | 0o011)
        mark = tmp_path / "alive"
        body = f"""if (!fork()) {{ {leave} for (;;) {{ close(open("{mark}", O_CREAT | O_WRONLY, 0600));
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
