"""``mirgym doctor``: what is installed, and whether it works."""

from __future__ import annotations

import importlib.metadata
import json as jsonlib
import platform
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from .errors import MirgymError, ToolMissingError

PACKAGES = {"numpy": True, "gymnasium": True, "tyro": True, "rich": True, "platformdirs": True}
OPTIONAL_PACKAGES = ("torch", "stable-baselines3", "sb3-contrib", "matplotlib", "tensorboard")
SELF_TEST = "int square(int x) { return x * x; }\nint main(void) { return square(3) - 9; }\n"


@dataclass(frozen=True)
class Finding:
    """One line of the report; ``needed`` tells whether mirgym works without it."""

    name: str
    ok: bool
    detail: str
    needed: bool = True


def _versions() -> list[Finding]:
    from . import __version__

    findings = [
        Finding("mirgym", True, __version__),
        Finding("python", True, platform.python_version()),
    ]
    for name in (*PACKAGES, *OPTIONAL_PACKAGES):
        try:
            findings.append(Finding(name, True, importlib.metadata.version(name), name in PACKAGES))
        except importlib.metadata.PackageNotFoundError:
            how = "pip install mirgym" if name in PACKAGES else "pip install 'mirgym[train]'"
            findings.append(Finding(name, False, f"not installed; {how}", name in PACKAGES))
    return findings


def _try(name: str, work: Callable[[], str], needed: bool = True) -> Finding:
    try:
        return Finding(name, True, work(), needed)
    except Exception as error:  # whatever is broken is a finding
        told = str(error) if isinstance(error, MirgymError) else f"{type(error).__name__}: {error}"
        return Finding(name, False, told, needed)


def _engine() -> str:
    from . import _native

    return f"LLVM {_native.llvm_version()}, host {_native.host_triple()}"


def _clang() -> str:
    from .programs.compile import clang_version, find_clang

    return f"{clang_version(find_clang())} at {find_clang()}"


def _cache() -> str:
    from .programs.cache import cache_root, write_atomically

    probe = cache_root() / "doctor"
    write_atomically(probe, b"ok")
    probe.unlink()
    return f"{cache_root()} can be written"


def _linker() -> str:
    from .programs.linking import LINKERS

    found = next((path for name in LINKERS if (path := shutil.which(name))), None)
    if found is None:
        raise ToolMissingError("none; results are not run to check them. Install cc, gcc or clang")
    return found


def _csmith() -> str:
    from .programs.csmith import is_installed

    if not is_installed():
        raise ToolMissingError("not installed; csmith:// programs need it (apt-get install csmith)")
    return str(shutil.which("csmith"))


def _sanitizers() -> str:
    from .validate.sanitizers import available

    found, note = available()
    if not found:
        raise ToolMissingError(f"{note}; validation cannot tell undefined programs")
    return ", ".join(one.name for one in found)


def _suites() -> str:
    from .programs import datasets

    return ", ".join(f"{name} {len(d.programs)}" for name, d in datasets().items())


def _self_test() -> str:
    from .objective import measure_level
    from .programs import resolve
    from .wire import Wanted
    from .worker import WorkerSession

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "selftest.c"
        source.write_text(SELF_TEST)
        with WorkerSession() as session:
            wanted = Wanted.of(("text_size_bytes",))
            module = resolve(source).bitcode()
            before = session.load(module, level="Oz", wanted=wanted).metrics
            after = measure_level(session, module, "Oz", wanted)
            session.verify()
    return (
        f"C to bitcode to a worker to Oz: {before['ir_instructions']} to "
        f"{after['ir_instructions']} instructions, {after['text_size_bytes']} bytes of .text"
    )


def examine() -> list[Finding]:
    """Look at everything; no finding raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an unwritable cache is a finding of its own
        return _findings()


def _findings() -> list[Finding]:
    return [
        *_versions(),
        _try("engine", _engine),
        _try("clang", _clang),
        _try("cache", _cache),
        _try("suites", _suites),
        _try("linker", _linker, needed=False),
        _try("sanitizers", _sanitizers, needed=False),
        _try("csmith", _csmith, needed=False),
        _try("self-test", _self_test),
    ]


def print_findings(findings: list[Finding], *, json: bool) -> None:
    """Print as a table or as one JSON list."""
    if json:
        sys.stdout.write(jsonlib.dumps([asdict(f) for f in findings], indent=2) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("", "", "")
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[red]FAILED[/]" if finding.needed else "[dim]–[/]"
        table.add_row(finding.name, mark, finding.detail)
    Console().print(table)
