"""Programs that harm the machine unless they are held: each must end in one clear error."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..programs import Program, Run
from ..programs.execute import Limits
from ..validate import validate

LIMITS = Limits(seconds=2.0, folder_bytes=64 << 20)

_HEADERS = "".join(
    f"#include <{name}.h>\n" for name in ("fcntl", "stdio", "stdlib", "sys/mman", "unistd")
)
# The bombs count in shared memory and end at 2,000: should a limit not hold, the machine lives.
_BOMB = """int *n = mmap(0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
while (__sync_fetch_and_add(n, 1) < 2000) { %s }
for (;;) pause();"""
_WRITE = "static char block[1 << 20]; for (long i = 0; i < 100000; ++i) { %s }"

HOSTILE: Mapping[str, tuple[str, str]] = {
    "fork bomb": (_BOMB % "fork();", "started more than 64 processes"),
    "fork bomb that detaches itself": (
        _BOMB % "if (!fork()) setsid();",
        "started more than 64 processes",
    ),
    "endless loop": ("for (volatile int i = 0;; ++i) ;", "did not end within"),
    "endless wait": ("for (;;) pause();", "did not end within"),
    "100 GB write": (
        'FILE *f = fopen("big", "w");' + _WRITE % "fwrite(block, 1, sizeof block, f);",
        "was killed by SIGXFSZ",
    ),
    "100 GB write to many files": (
        "char name[20];"
        + _WRITE
        % """sprintf(name, "%ld", i / 32);
        int f = open(name, O_CREAT | O_APPEND | O_WRONLY, 0600);
        if (write(f, block, sizeof block) < 0) return 1; close(f);""",
        "wrote more than 64 MiB of files",
    ),
    "100 GB of output": (
        _WRITE % "write(1, block, sizeof block);",
        "was killed by SIGXFSZ",
    ),
    "crash": ("volatile int *p = 0; return *p;", "was killed by SIGSEGV"),
}
"""C bodies of main by name, and what the error must say."""


@contextlib.contextmanager
def own_temporary_folder() -> Iterator[Path]:
    """Let runs use a folder of their own, in which nobody else leaves anything."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="mirgym-hostile-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)  # root runs programs as another user
        tempfile.tempdir = str(folder)
        try:
            yield folder
        finally:
            tempfile.tempdir = before


def left_behind(folder: Path) -> list[str]:
    """Files in a temporary folder, and processes that run what is or was in it."""
    found = [str(path.relative_to(folder)) for path in folder.iterdir()]
    for path in Path("/proc").glob("[0-9]*/exe"):
        with contextlib.suppress(OSError):
            if path.readlink().is_relative_to(folder):
                found.append(f"process {path.parent.name}")
    return found


def hostile_program(name: str, folder: Path) -> Program:
    """One of ``HOSTILE`` as a program, written to a folder."""
    source = folder / f"{name.replace(' ', '_')}.c"
    source.write_text(f"{_HEADERS}int main(void) {{\n{HOSTILE[name][0]}\nreturn 0; }}\n")
    return Program(source.as_uri(), (source,), runs=(Run(),))


def run_hostile() -> dict[str, dict[str, Any]]:
    """Validate each; rows of what was said, how long it took, and what was left behind."""
    rows = {}
    for name, (_, expected) in HOSTILE.items():
        with tempfile.TemporaryDirectory() as sources, own_temporary_folder() as folder:
            program = hostile_program(name, Path(sources))
            started = time.perf_counter()
            found = validate(program, program.bitcode(), limits=LIMITS)
            rows[name] = {
                "verdict": found.verdict,
                "error": str(found),
                "as expected": found.verdict != "equal" and expected in str(found),
                "seconds": round(time.perf_counter() - started, 2),
                "left behind": len(left_behind(folder)),
            }
    return rows
