"""From source packages to bitcode: each file is compiled alone, unoptimised.

The work folder, which a later run goes on from::

    downloads/KEY/            files of the registries, checked
    trees/KEY/                unpacked and configured
    modules/KEY/INDEX.bc      bitcode
    modules/KEY/manifest.jsonl   one line a module: index, source, sha256 of the source, licence
    modules/KEY/skipped.jsonl    one line a file that gave none: source, reason
    modules/KEY/finished      digest of all that decides the result; the package is done
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from ..errors import CacheError, InvalidModuleError, MirgymError
from ..programs.cache import make_directory, write_atomically
from ..programs.compile import SUFFIXES, clang_version, find_clang
from ..session import InProcessSession
from .front_end import FileCompiler
from .guard import is_evaluation_path
from .sources import Package, load_packages
from .trees import prepare

VERSION = 1
"""Part of the digest: raise it when the same package would give other modules."""

LARGEST_SOURCE = 4 << 20
_FOREIGN = re.compile(
    r"(^|/)(debian|win32|windows|win|msvc|msdos|dos|vms|os2|amiga|macos|mac|macosx|android|ios|"
    r"wince|conftest|CMakeFiles)(/|\.)",
    re.IGNORECASE,
)
"""Folders for other systems: their files need headers that are not here."""


@dataclass(frozen=True)
class Module:
    """One source file as bitcode."""

    package: str
    source: str
    """Path in the package."""
    path: Path
    """Its bitcode."""
    licence: str


@dataclass(frozen=True)
class Skipped:
    """A file, or with an empty ``source`` a package, that gave no module."""

    package: str
    source: str
    reason: str


Report = Callable[[str, int], None]
"""Called after each file with its package and the number of modules so far; −1 when it is
done. What it raises ends the package."""


class _StoppedError(Exception):
    """The run was interrupted: what is not finished must not look finished."""


def build_modules(
    work: Path, *, packages: Sequence[str] | None = None, jobs: int = 2, progress: bool = True
) -> tuple[list[Module], list[Skipped]]:
    """Download and compile the packages; what is done already is not done again.

    Args:
        work: The work folder, see above.
        packages: Keys such as ``deb_gsl``; None for all.
        jobs: Packages that are compiled side by side.
        progress: Draw a bar on a terminal.

    Returns:
        The modules in the order of the list, and what was left out and why.

    Raises:
        DatasetError: No such package.
        ToolMissingError: There is no clang.
    """
    chosen = load_packages(packages)
    find_clang()
    done: dict[str, tuple[list[Module], list[Skipped]]] = {}
    with _Bar(len(chosen), progress) as report, ThreadPoolExecutor(jobs) as pool:
        # The largest first: no core waits for one of them at the end.
        order = sorted(chosen, key=lambda one: -one.size_bytes)
        futures = {pool.submit(build_package, one, work, report): one for one in order}
        try:
            for future in as_completed(futures):
                done[futures[future].key] = future.result()
                report(futures[future].key, -1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            report.stopped = True
            raise
    modules = [module for one in chosen for module in done[one.key][0]]
    return modules, [skipped for one in chosen for skipped in done[one.key][1]]


def build_package(one: Package, work: Path, report: Report) -> tuple[list[Module], list[Skipped]]:
    """The modules of one package, compiled now or before."""
    folder = work / "modules" / one.key
    digest = _digest(one)
    if _read(folder / "finished") != digest:
        try:
            _compile_all(one, prepare(one, work), folder, report)
        except CacheError:
            raise  # the disk is full: no other package would fare better
        except (MirgymError, OSError) as error:
            return [], [Skipped(one.key, "", str(error).splitlines()[0])]
        write_atomically(folder / "finished", digest.encode())
    modules = [
        Module(one.key, line["source"], folder / f"{line['index']}.bc", line["licence"])
        for line in map(json.loads, _read(folder / "manifest.jsonl").splitlines())
    ]
    lines = map(json.loads, _read(folder / "skipped.jsonl").splitlines())
    return modules, [Skipped(one.key, line["source"], line["reason"]) for line in lines]


def _digest(one: Package) -> str:
    facts = [VERSION, asdict(one), clang_version(find_clang())]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def _compile_all(one: Package, root: Path, folder: Path, report: Report) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    make_directory(folder)
    manifest: list[dict[str, object]] = []
    skipped: list[dict[str, object]] = []
    seen: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="mirgym-") as stand_ins:
        compiler = FileCompiler(one, root, Path(stand_ins))
        for source in candidates(one, root):
            sha256 = hashlib.sha256((root / source).read_bytes()).hexdigest()
            if sha256 in seen:
                continue
            seen.add(sha256)
            bitcode, reason = compiler.compile(source)
            reason = reason or _refusal(bitcode)
            report(one.key, len(manifest) + (not reason))
            if reason:
                skipped.append({"source": source, "reason": reason})
                continue
            index = len(manifest)
            write_atomically(folder / f"{index}.bc", bitcode)
            facts = {"sha256": sha256, "licence": one.licence}
            manifest.append({"index": index, "source": source, **facts})
            if len(manifest) == one.cap:
                break
    for name, lines in (("manifest", manifest), ("skipped", skipped)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        write_atomically(folder / f"{name}.jsonl", text.encode())


def _refusal(bitcode: bytes) -> str:
    """Why the engine cannot use a module, if so."""
    with InProcessSession() as session:
        try:
            state = session.load(bitcode)
        except InvalidModuleError as error:
            return str(error).splitlines()[0]
    return "" if state.metrics["ir_instructions"] else "it defines no function"


def candidates(one: Package, root: Path) -> list[str]:
    """Paths of the files to compile, in the order to try them."""
    only, skip = one.values("only"), one.values("skip")
    paths = []
    for path in root.rglob("*"):
        source = path.relative_to(root).as_posix()
        if (
            path.suffix in SUFFIXES
            and path.is_file()
            and not path.is_symlink()
            and 0 < path.stat().st_size <= LARGEST_SOURCE
            and all(_matches(pattern, source) for pattern in only)
            and not any(_matches(pattern, source) for pattern in skip)
            and not _FOREIGN.search(source)
            and not is_evaluation_path(one.key, source)
        ):
            paths.append(source)
    return spread(sorted(paths), one.cap)


def _matches(pattern: str, source: str) -> bool:
    """Whether a flag's pattern fits; a slash before the path may be part of it."""
    return bool(re.search(pattern, source) or re.search(pattern, f"/{source}"))


def spread(paths: Sequence[str], cap: int) -> list[str]:
    """All paths; at first ``cap`` that lie evenly apart, then those to fall back on.

    At most three times ``cap``, so that a package that cannot be compiled ends soon.

    >>> spread(list("abcdef"), 3)
    ['a', 'c', 'e', 'b', 'd', 'f']
    """
    if not cap or len(paths) <= cap:
        return list(paths)
    first = [i * len(paths) // cap for i in range(cap)]
    chosen = set(first)
    rest = [i for i in range(len(paths)) if i not in chosen]
    step = max(1, -(-len(rest) // (2 * cap)))
    return [paths[i] for i in [*first, *rest[::step]]]


class _Bar:
    """A progress bar on standard error, when that is a terminal."""

    def __init__(self, total: int, wanted: bool) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        self.stopped = False
        self._counts: dict[str, int] = {}
        self._bars = Progress(
            TextColumn("packages"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[modules]} modules"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not (wanted and sys.stderr.isatty()),
        )
        self._task = self._bars.add_task("packages", total=total, modules=0)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, key: str, modules: int) -> None:
        if self.stopped:
            raise _StoppedError
        if modules < 0:
            self._bars.advance(self._task)
        else:
            self._counts[key] = modules
            self._bars.update(self._task, modules=sum(self._counts.values()))
