"""EXECUTE: what a run costs, how it can end, and that nothing else changes."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mirgym.errors import NotRunnableError, SessionError
from mirgym.execution import (
    Counters,
    Ending,
    Execution,
    ExecutionLimits,
    RunRequest,
    decode_execution,
)
from mirgym.session import InProcessSession, Session
from mirgym.worker import WorkerLimits, WorkerSession

CompileC = Callable[..., bytes]

SHORT = ExecutionLimits(cpu_seconds=1, wall_seconds=1.5, memory_bytes=256 << 20, file_bytes=1 << 20)

LOOP = b"""
define i32 @main() {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %loop ]
  %next = add i32 %i, 1
  %again = icmp slt i32 %next, 10
  br i1 %again, label %loop, label %exit
exit:
  ret i32 %next
}
"""


class Place:
    """A directory to run in, and what was printed there."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o711)
        self.directory = folder / "in"
        self.directory.mkdir()
        self.stdin, self.stdout, self.stderr = (folder / n for n in ("stdin", "out", "err"))

    def request(self, *arguments: str, stdin: str | None = None) -> RunRequest:
        if stdin is not None:
            self.stdin.write_text(stdin)
        given = "" if stdin is None else str(self.stdin)
        return RunRequest(str(self.directory), given, str(self.stdout), str(self.stderr), arguments)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def run(session: Session, module: bytes, request: RunRequest, **how: object) -> Execution:
    session.load(module)
    return session.execute([request], limits=SHORT, **how)  # type: ignore[arg-type]


class TestCost:
    def test_a_hand_computed_count(self, session: Session, place: Place) -> None:
        found = run(session, LOOP, place.request(), counters=Counters.BLOCKS)
        (function,) = found.functions
        assert function.name == "main"
        # A branch, an addition and a comparison cost one each, a phi and a return nothing.
        assert function.weights.tolist() == [1, 3, 0]
        assert function.counts.tolist() == [[1, 10, 1]]
        assert found.runs[0][:3] == (Ending.EXITED, 10, 1 + 10 * 3)

    def test_the_cost_is_that_of_the_counters(
        self, session: Session, place: Place, modules: dict[str, bytes]
    ) -> None:
        for name in ("loops", "strings"):
            found = run(session, modules[name], place.request("7"), counters=Counters.BLOCKS)
            counted = sum(int((f.weights * f.counts[0]).sum()) for f in found.functions)
            assert 0 < counted <= found.runs[0].cost  # charges come on top

    def test_it_is_the_same_every_time(
        self, session: Session, place: Place, modules: dict[str, bytes]
    ) -> None:
        session.load(modules["strings"])
        requests = [place.request("9")] * 5
        costs = {r.cost for _ in range(4) for r in session.execute(requests).runs}
        assert len(costs) == 1

    def test_both_sessions_agree(self, place: Place, modules: dict[str, bytes]) -> None:
        with InProcessSession() as local, WorkerSession() as worker:
            both = [run(s, modules["loops"], place.request()).runs[0] for s in (local, worker)]
        assert both[0][:3] == both[1][:3]

    def test_o2_is_cheaper(
        self, local: InProcessSession, place: Place, compile_c: CompileC
    ) -> None:
        text = (
            "int main(void) { int s = 0; for (int i = 0; i < 99; i++) s += i * i; return s & 7; }"
        )
        before = run(local, compile_c(text), place.request()).runs[0]
        local.step("default<O2>")
        after = local.execute([place.request()]).runs[0]
        assert after.code == before.code
        assert after.cost < before.cost / 10

    @pytest.mark.parametrize("call", ["memset(b, 1, n)", "memmove(b, b + n, n)", "calloc(n, 1)"])
    def test_memory_is_charged_by_length(
        self, local: InProcessSession, place: Place, compile_c: CompileC, call: str
    ) -> None:
        text = (
            "#include <stdlib.h>\n#include <string.h>\nchar b[8192]; int main(int c, char **v)"
            f"{{ int n = atoi(v[1]); {call}; return b[5]; }}"
        )
        module = compile_c(text)
        short, long = (run(local, module, place.request(n)).runs[0].cost for n in ("16", "4096"))
        assert long - short == (4096 - 16) / 16

    def test_strings_are_charged_by_length(
        self, local: InProcessSession, place: Place, compile_c: CompileC
    ) -> None:
        text = "#include <string.h>\nint main(int c, char **v) { return strlen(v[1]) == 1; }"
        module = compile_c(text)
        short, long = (run(local, module, place.request("x" * n)).runs[0].cost for n in (40, 4000))
        assert long - short == (4000 - 40) / 4

    def test_a_loop_that_became_memset_is_not_free(
        self, local: InProcessSession, place: Place, compile_c: CompileC
    ) -> None:
        text = (
            "#include <stdlib.h>\nchar b[65536]; int main(int c, char **v)"
            "{ int n = atoi(v[1]); for (int i = 0; i < n; i++) b[i] = 0; return b[3]; }"
        )
        before = run(local, compile_c(text), place.request("65536")).runs[0].cost
        local.step("default<O2>")
        assert b"memset" in local.emit("ll")
        after = local.execute([place.request("65536")]).runs[0].cost
        assert 65536 / 16 <= after < before / 10


class TestTheModuleStays:
    def test_key_bitcode_and_code(self, session: Session, modules: dict[str, bytes]) -> None:
        session.load(modules["strings"])
        session.step("default<O1>")
        kinds = ("bc", "ll", "obj")
        key, before = session.observe().key, [session.emit(kind) for kind in kinds]
        request = RunRequest("/", "", os.devnull, os.devnull)
        session.execute([request], limits=SHORT)
        assert session.observe().key == key
        assert [session.emit(kind) for kind in kinds] == before

    def test_passes_go_on_as_without_it(
        self, place: Place, modules: dict[str, bytes], local: InProcessSession
    ) -> None:
        keys = []
        for executes in (False, True):
            local.load(modules["loops"])
            for pipeline in ("function(sroa,simplifycfg)", "default<O2>", "function(gvn)"):
                if executes:
                    local.execute([place.request()], limits=SHORT)
                key = local.step(pipeline).key
            keys.append(key)
        assert keys[0] == keys[1]


ENDS = {
    "returns": ("return 3;", Ending.EXITED, 3),
    "exits": ("exit(4);", Ending.EXITED, 4),
    "exits at once": ("_exit(5);", Ending.EXITED, 5),
    "exits in a handler": ("atexit(last); return 1;", Ending.EXITED, 6),
    "aborts": ("abort();", Ending.SIGNALLED, signal.SIGABRT),
    "reads null": ("return *(volatile int *)0;", Ending.SIGNALLED, signal.SIGSEGV),
    "overflows its stack": ("return deep(n);", Ending.SIGNALLED, signal.SIGSEGV),
    "loops for ever": ("for (;;) n++;", Ending.TIMED_OUT, 0),
    "sleeps for ever": ("for (;;) pause();", Ending.TIMED_OUT, 0),
    "cannot fork": ("return fork() == -1 ? 7 : 0;", Ending.EXITED, 7),
    "cannot start a program": ('return system("true") == 0;', Ending.EXITED, 0),
    "cannot signal its parent": ("return kill(getppid(), 9) == -1 ? 8 : 0;", Ending.EXITED, 8),
    "signals itself": ("raise(SIGTERM); return 0;", Ending.SIGNALLED, signal.SIGTERM),
    "cannot open a socket": ("return socket(2, 1, 0) == -1 ? 9 : 0;", Ending.EXITED, 9),
    "cannot have more memory": ("return malloc(1L << 29) ? 0 : 10;", Ending.EXITED, 10),
    "writes without end": ('for (;;) puts("more");', Ending.SIGNALLED, signal.SIGXFSZ),
    "has an open descriptor": ('return write(3, "", 1) + 12;', Ending.EXITED, 11),
}
HEAD = """
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
static void last(void) { _exit(6); }
static int deep(volatile int n) { volatile char b[4096]; b[n] = 1; return deep(n) + b[0]; }
"""


class TestEnds:
    @pytest.mark.parametrize("what", ENDS)
    def test_each_is_told(
        self, session: Session, place: Place, compile_c: CompileC, what: str
    ) -> None:
        body, ending, code = ENDS[what]
        module = compile_c(f"{HEAD}int main(int n, char **v) {{ {body} }}")
        started = time.monotonic()
        report = run(session, module, place.request()).runs[0]
        assert report[:2] == (ending, code)
        assert report.cost > 0
        assert time.monotonic() - started < 10
        # and the session goes on
        assert run(session, LOOP, place.request()).runs[0].cost == 31

    def test_cpu_time_is_limited(
        self, worker: WorkerSession, place: Place, compile_c: CompileC
    ) -> None:
        worker.load(compile_c("int main(void) { for (volatile int n = 0;; n++); }"))
        limits = ExecutionLimits(cpu_seconds=0, wall_seconds=30)
        report = worker.execute([place.request()], limits=limits).runs[0]
        assert report[:2] == (Ending.SIGNALLED, signal.SIGXCPU)

    def test_a_run_may_take_longer_than_a_step(self, place: Place, compile_c: CompileC) -> None:
        with WorkerSession(WorkerLimits(step_seconds=0.5, grace_seconds=0.1)) as session:
            session.load(compile_c("#include <unistd.h>\nint main(void) { sleep(1); return 2; }"))
            assert session.execute([place.request()]).runs[0].code == 2

    def test_no_child_is_left(self, local: InProcessSession, place: Place) -> None:
        children = Path(f"/proc/self/task/{os.getpid()}/children")
        before = children.read_text()
        run(local, LOOP, place.request())
        assert children.read_text() == before
        assert resource.getrlimit(resource.RLIMIT_CPU)[0] == resource.RLIM_INFINITY


class TestInputs:
    def test_arguments_input_and_files(
        self, session: Session, place: Place, compile_c: CompileC
    ) -> None:
        text = """
#include <stdio.h>
int main(int n, char **v) {
  char word[20];
  FILE *in = fopen("read.txt", "r"), *out = fopen("written.txt", "w");
  fscanf(in, "%19s", word);
  fprintf(out, "%s of %s", v[1], word);
  scanf("%19s", word);
  printf("%d %s %s %s", n, v[0], v[2], word);
  fprintf(stderr, "%d", v[n] == 0);
  return 0;
}
"""
        (place.directory / "read.txt").write_text("file")
        report = run(session, compile_c(text), place.request("one", "t w o", stdin="given")).runs[0]
        assert report[:2] == (Ending.EXITED, 0)
        assert place.stdout.read_text() == "3 program t w o given"
        assert place.stderr.read_text() == "1"
        assert (place.directory / "written.txt").read_text() == "one of file"

    def test_globals_are_fresh_in_each_run(
        self, session: Session, place: Place, compile_c: CompileC
    ) -> None:
        session.load(
            compile_c("#include <stdlib.h>\nint n; int main() { return ++n + rand() % 9; }")
        )
        codes = {r.code for _ in range(2) for r in session.execute([place.request()] * 2).runs}
        assert len(codes) == 1

    def test_constructors_thread_locals_and_exceptions(
        self, session: Session, place: Place, compile_c: CompileC
    ) -> None:
        text = """
extern "C" int printf(const char *, ...);
struct Said { const char *what; Said(const char *w) : what(w) { printf("+%s ", w); }
              ~Said() { printf("-%s ", what); } };
static Said global("global");
static thread_local int own = 4;
static int thrower(int n) { Said local("local"); if (n) throw n + own; return 0; }
int main(int n, char **) { try { thrower(n); } catch (int got) { printf("%d ", got); } }
"""
        module = compile_c(text, "-stdlib=libstdc++", cpp=True)
        session.load(module)
        report = session.execute([place.request()], libraries=["stdc++"]).runs[0]
        assert report[:2] == (Ending.EXITED, 0)
        assert place.stdout.read_text() == "+global +local -local 5 -global "

    def test_a_directory_that_is_not_there(self, session: Session, tmp_path: Path) -> None:
        request = RunRequest(str(tmp_path / "none"), "", os.devnull, os.devnull)
        report = run(session, LOOP, request).runs[0]
        assert report[:3] == (Ending.NOT_STARTED, 2, 0)


class TestCannotRun:
    @pytest.mark.parametrize(
        ("module", "message"),
        [
            (b"define i32 @f() {\n  ret i32 0\n}\n", "defines no function 'main'"),
            (b"define float @main() {\n  ret float 0.0\n}\n", "not a C program's main"),
            (
                b"declare void @nowhere_to_be_found()\ndefine i32 @main() {\n"
                b"  call void @nowhere_to_be_found()\n  ret i32 0\n}\n",
                "needs 'nowhere_to_be_found', which is neither in",
            ),
            (
                b'target triple = "i386-unknown-linux-gnu"\ndefine i32 @main() {\n  ret i32 0\n}\n',
                "is for i386-unknown-linux-gnu, which this machine cannot run",
            ),
        ],
    )
    def test_says_why(self, session: Session, place: Place, module: bytes, message: str) -> None:
        with pytest.raises(NotRunnableError, match=message):
            run(session, module, place.request())
        assert session.observe().metrics["ir_instructions"] > 0

    @pytest.mark.parametrize("library", ["no-such-library", "/tmp/x", "../x"])
    def test_libraries(self, session: Session, place: Place, library: str) -> None:
        with pytest.raises(NotRunnableError, match=r"cannot be loaded|is a path"):
            run(session, LOOP, place.request(), libraries=[library])

    def test_without_a_module(self, session: Session, place: Place) -> None:
        with pytest.raises((SessionError, ValueError), match="no module is loaded"):
            session.execute([place.request()])

    def test_a_truncated_request(self, local: InProcessSession) -> None:
        local.load(LOOP)
        engine = local._engine
        assert engine is not None
        for size in range(1, 34):
            assert engine.handle(b"\x0a" + bytes(size))[0] in (0, 7)


def test_decoding() -> None:
    reply = np.array([1, 2], np.uint64)
    packed = b"\0" + reply[:1].tobytes() + b"\1" + b"\x0b\0\0\0" + np.array([7, 8]).tobytes()
    found = decode_execution(packed, 1, counters=Counters.NONE)
    assert found.runs[0] == (Ending.SIGNALLED, 11, 7, 8)
    assert found.compile_ns == 1
