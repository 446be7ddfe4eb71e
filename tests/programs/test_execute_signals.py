"""Signals act on a program as they would in a shell, although Python launches it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirgym.programs import Program, Run
from mirgym.programs.execute import Limits

LIMITS = Limits(seconds=5.0, file_bytes=1 << 16)
HEAD = "#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        # Python ignores these two, and a program that it becomes would, too.
        ("int e[2]; pipe(e); close(e[0]); write(e[1], v[0], 1); return 0;", "SIGPIPE"),
        ('FILE *f = fopen("f", "w"); for (;;) fwrite(v[0], 1, 16, f);', "SIGXFSZ"),
        ("volatile int *p = 0; return *p;", "SIGSEGV"),
        ("volatile int zero = 0; return n / zero;", "SIGFPE"),
        ("abort();", "SIGABRT"),
        ("raise(40); return 0;", "signal 40"),
    ],
)
def test_signal_is_deadly_and_named(make_file, run_module, body: str, message: str):
    path: Path = make_file("p.c", f"{HEAD}int main(int n, char **v) {{ {body} }}\n")
    program = Program(path.as_uri(), (path,), runs=(Run(stdout=make_file("nothing.txt")),))
    (told,) = run_module(program, limits=LIMITS)
    assert f"the unoptimised program is no reference: was killed by {message}" in told
