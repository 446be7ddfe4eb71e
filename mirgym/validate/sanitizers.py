"""Does a program have undefined behaviour? Its source, built with clang's sanitizers, tells."""

from __future__ import annotations

import dataclasses
import functools
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..errors import CompileError, MirgymError, ToolMissingError
from ..programs import Program, Run
from ..programs.compile import SUFFIXES, is_cpp
from ..programs.execute import Limits, run_program
from ..programs.linking import build_from_source

SLOWDOWN = 10
"""Times the CPU time that a sanitized run may take."""
EXIT_CODE = 86
"""What the runtime exits with after a report."""


@dataclass(frozen=True)
class Sanitizer:
    """One way to build a program that reports."""

    name: str
    flags: tuple[str, ...]
    reports: bool = True
    """Whether it says what is wrong; else it is killed by SIGILL."""
    libraries: bool = True
    """Whether libraries may be built without it; those of C are known to it."""


_COMMON = ("-O0", "-g", "-fno-sanitize-recover=all")
# Without -unwindlib the wheel's clang would link its own libunwind, which no loader finds.
_RUNTIME = (*_COMMON, "-unwindlib=libgcc")
SANITIZERS = (
    Sanitizer("UBSan and ASan", (*_RUNTIME, "-fsanitize=undefined,address")),
    Sanitizer("MSan", (*_RUNTIME, "-fsanitize=memory"), libraries=False),
)
TRAPPING = Sanitizer(
    "UBSan without its runtime",
    ("-O0", "-fsanitize=undefined", "-fno-sanitize=vptr", "-fsanitize-trap=undefined"),
    reports=False,
)
_PROBES = {
    "MSan": "int main(int n, char **v) { int a[2]; if (n > 1) a[0] = a[1] = 1; return !a[0]; }\n",
    "": "int main(int n, char **v) { int big = 2147483647; return big + n == 0; }\n",
}


@dataclass(frozen=True)
class Finding:
    """What the sanitizers said about one run."""

    undefined: str = ""
    """The first report; empty when there was none."""
    note: str = ""
    """What could not be examined, and why."""


def find_undefined(program: Program, run: Run, limits: Limits) -> Finding:
    """Look for undefined behaviour in one run of a program; needs its source."""
    if not all(source.suffix in SUFFIXES for source in program.sources):
        return Finding(note="undefined behaviour was not looked for: there is no C or C++ source")
    chosen, note = available()
    if not chosen:
        return Finding(note=note)
    with tempfile.TemporaryDirectory(prefix="mirgym-sanitize-") as folder:
        # Root runs it as another user, whose symbolizer must find the executable.
        Path(folder).chmod(0o755)
        for index, sanitizer in enumerate(chosen):
            if not sanitizer.libraries and _uses_libraries(program):
                continue
            try:
                build_from_source(program, sanitizer.flags, Path(folder) / str(index))
            except CompileError as error:
                note = f"it could not be built with {sanitizer.name}: {error}"
                continue
            report, trouble = _run(Path(folder) / str(index), sanitizer, run, limits)
            if report:
                return Finding(report, note)
            note = trouble or note
    return Finding(note=note)


def _uses_libraries(program: Program) -> bool:
    return any(map(is_cpp, program.sources)) or not set(program.libs) <= {"m"}


@functools.cache
def available() -> tuple[tuple[Sanitizer, ...], str]:
    """The sanitizers that work here, and what is missing."""
    try:
        found = tuple(one for one in SANITIZERS if _works(one))
        if found:
            return found, ""
        note = "clang's sanitizer runtime is missing: UBSan alone, which cannot say what is wrong"
        if _works(TRAPPING):
            return (TRAPPING,), note
    except ToolMissingError as error:
        return (), f"undefined behaviour was not looked for: {error}"
    return (), "undefined behaviour was not looked for: clang's sanitizers do not work here"


def _works(sanitizer: Sanitizer) -> bool:
    """Whether it finds what is there to find."""
    with tempfile.TemporaryDirectory(prefix="mirgym-probe-") as folder:
        source, out = Path(folder) / "probe.c", Path(folder) / "probe"
        source.write_text(_PROBES.get(sanitizer.name, _PROBES[""]))
        try:
            build_from_source(Program(source.as_uri(), (source,)), sanitizer.flags, out)
            return bool(_run(out, sanitizer, Run(), Limits())[0])
        except ToolMissingError:
            raise
        except MirgymError:
            return False


def _run(executable: Path, sanitizer: Sanitizer, run: Run, limits: Limits) -> tuple[str, str]:
    """The report of one run, and what went wrong with the run."""
    options = f"exitcode={EXIT_CODE}:detect_leaks=0:allocator_may_return_null=1"
    if limits.memory_bytes:
        options += f":hard_rss_limit_mb={max(limits.memory_bytes >> 20, 1)}"
    # Address space is no measure here: the runtime reserves terabytes.
    own = dataclasses.replace(limits, seconds=limits.seconds * SLOWDOWN, memory_bytes=0)
    names = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "MSAN_OPTIONS")
    result = run_program(executable, run, own, dict.fromkeys(names, options))
    if result.stopped:
        return "", f"the program built with {sanitizer.name} {result.stopped}"
    if not sanitizer.reports:
        return ("executes undefined behaviour" if result.exit_code == -4 else ""), ""
    return (_report(result.stderr) if result.exit_code == EXIT_CODE else ""), ""


def _report(stderr: bytes) -> str:
    """The sanitizer's message in one line, without process numbers and addresses."""
    text = stderr.decode(errors="replace")
    overflow = re.search(r"([^\s:]+:\d+:\d+): runtime error: (.*)", text)
    if overflow:
        return f"{Path(overflow[1]).name}: {overflow[2]}"
    kind = re.search(r"(?:ERROR|WARNING): \w+Sanitizer: ([\w-]+)", text)
    if not kind:
        return ""
    # "    #0 0x55cb21b10183 in main /some/where/m.c:4:124": the first frame of the program's own
    frames = re.findall(r"#\d+ 0x[0-9a-f]+ in (\S+) (/[^:\n]*):(\d+)", text, re.MULTILINE)
    own = next((one for one in frames if Path(one[1]).is_file()), None)
    return kind[1] + (f" in {own[0]}, {Path(own[1]).name}:{own[2]}" if own else "")
