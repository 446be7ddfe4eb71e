"""What two runs of a program did differently."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from ..programs import Run
from ..programs.execute import RunResult

_SHOWN = 60
"""Characters of a line that a difference quotes."""


@dataclass(frozen=True)
class Difference:
    """The first difference between two runs."""

    what: str
    """``end``, ``exit code``, ``stdout``, ``stderr``, or the name of a file."""
    detail: str


def end_of(result: RunResult) -> str:
    """How a run ended, in words."""
    if result.exit_code is None:
        return result.stopped
    if result.exit_code < 0:
        return f"was killed by {_signal_name(-result.exit_code)}"
    return f"exit code {result.exit_code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def difference(run: Run, result: RunResult, reference: RunResult) -> Difference | None:
    """How a result differs from the reference's; None when it does not."""
    if result.exit_code != reference.exit_code:
        ended = result.exit_code is None or result.exit_code < 0
        detail = f"{end_of(result)}; the reference: {end_of(reference)}"
        return Difference("end" if ended else "exit code", detail)
    texts: dict[str, tuple[bytes | None, bytes | None]] = {
        "stdout": (result.stdout, reference.stdout),
        "stderr": (result.stderr, reference.stderr),
    }
    for name, _ in run.outputs:
        texts[name] = (result.outputs.get(name), reference.outputs.get(name))
    for name, (found, wanted) in texts.items():
        if found != wanted:
            return Difference(name, f"{name}: {_first_difference(found, wanted)}")
    return None


def unmet(run: Run, reference: RunResult) -> str:
    """What a run expects and its reference does not do; empty when it does all of it."""
    if reference.exit_code is None or reference.exit_code != run.exit_code:
        wanted = f", expected {run.exit_code}" if (reference.exit_code or 0) > 0 else ""
        return end_of(reference) + wanted
    if run.stdout is not None and reference.stdout != run.stdout.read_bytes():
        found = _first_difference(reference.stdout, run.stdout.read_bytes())
        return f"another standard output than {run.stdout.name}: {found}"
    for name, file in run.outputs:
        if file is not None and reference.outputs.get(name) != file.read_bytes():
            found = _first_difference(reference.outputs.get(name), file.read_bytes())
            return f"another content of {name} than {file.name}: {found}"
    return ""


def _first_difference(found: bytes | None, wanted: bytes | None) -> str:
    """The first line that differs, or that there is none on one side."""
    if found is None:
        return "was not written"
    if wanted is None:
        return "was written, and should not be"
    mine, theirs = found.split(b"\n"), wanted.split(b"\n")
    both = min(len(mine), len(theirs))
    index = next((i for i in range(both) if mine[i] != theirs[i]), both)
    pair = [_quote(lines[index]) if index < len(lines) else "the end" for lines in (mine, theirs)]
    return f"line {index + 1} is {pair[0]} instead of {pair[1]}"


def _quote(line: bytes) -> str:
    text = line.decode(errors="backslashreplace")
    return repr(text[:_SHOWN]) + ("…" if len(text) > _SHOWN else "")
