"""Fetch a data set: resumable download, checked sum, safe unpacking, atomic install.

An installed ``cbench-v1`` is one directory: the ``.bc`` files, wherever its archive has
them, and ``runtime_data/`` where the second archive was installed, too.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from pathlib import Path

from ..errors import DatasetError
from . import cbench
from .cache import cache_root, cannot_write, locked, make_directory
from .download import Progress, RemoteFile, check_sum, download_file, no_progress
from .unpack import unpack


def install_directory(name: str) -> Path:
    """Where a fetched data set lives."""
    return cache_root() / "datasets" / name


def fetch(name: str, source: Path | None = None, progress: Progress = no_progress) -> Path:
    """Install a data set and return its directory.

    What is installed already is not downloaded again. A ``source`` replaces it.

    Args:
        name: ``cbench-v1``.
        source: Instead of the download: a local archive, a directory that was unpacked from
            one, or a directory that holds the published archives.
        progress: See ``Progress``.

    Raises:
        DatasetError: No such data set; the download fails; the sum is wrong; the archive is
            damaged or would write outside its directory.
        CacheError: The disk is full, or the cache cannot be written.
    """
    if name != "cbench-v1":
        raise DatasetError(f"there is no data set {name!r} to fetch; expected 'cbench-v1'")
    target = install_directory(name)
    # Of two processes that fetch at once, the second waits and then finds the work done.
    with locked(target):
        if source is None:
            _install_download(target, progress)
        else:
            _install_local(Path(source), target)
    return target


def _has_programs(target: Path) -> bool:
    return target.is_dir() and bool(cbench.programs_in(target))


def _has_runtime(target: Path) -> bool:
    return (target / cbench.RUNTIME_FOLDER).is_dir()


# -- install ----------------------------------------------------------------------------


def _install_download(target: Path, progress: Progress) -> None:
    downloads = make_directory(cache_root() / "downloads")
    if not _has_programs(target):
        _install_archive(download(cbench.PROGRAMS, downloads, progress), target, once=True)
    if _has_runtime(target):
        return
    try:
        archive = download(cbench.RUNTIME_DATA, downloads, progress)
    except DatasetError as error:
        warnings.warn(
            f"cbench-v1 is installed without its run-time data, so its programs can be "
            f"optimised but not run: {error}",
            stacklevel=3,
        )
    else:
        _install_archive(archive, target, once=True)


def _install_local(source: Path, target: Path) -> None:
    known = {archive.file_name: archive for archive in (cbench.PROGRAMS, cbench.RUNTIME_DATA)}
    if source.is_dir():
        archives = [source / name for name in known if (source / name).is_file()]
        if not archives:
            _install_directory(source, target)
    elif source.is_file():
        archives = [source]
    else:
        raise DatasetError(f"{source} is neither an archive nor a directory")
    for path in archives:
        if path.name in known:
            check_sum(path, known[path.name].sha256)
        _install_archive(path, target)


def _install_archive(archive: Path, target: Path, once: bool = False) -> None:
    """Unpack and install; ``once`` removes the archive then."""
    make_directory(target.parent)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".install-") as folder:
        unpack(archive, Path(folder) / "unpacked")
        _install_directory(Path(folder) / "unpacked", target)
    if once:
        archive.unlink(missing_ok=True)


def _install_directory(source: Path, target: Path) -> None:
    """Copy what belongs to the data set, then put it in place at once."""
    bitcode = {p.sources[0].name: p.sources[0] for p in cbench.programs_in(source)}
    runtime = _runtime_in(source)
    if not bitcode and not (runtime and _has_programs(target)):
        raise DatasetError(
            f"{source.name} does not hold cbench-v1: expected files such as "
            f"cBench-v1/{cbench.NAMES[0]}.bc"
        )
    for path in bitcode.values():
        with path.open("rb") as file:
            if not file.read(4).startswith((b"BC\xc0\xde", b"\xde\xc0\x17\x0b")):
                raise DatasetError(f"{path.name} is refused: it is not LLVM bitcode")
    make_directory(target.parent)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".install-") as folder:
        staged = Path(folder) / target.name
        try:
            old = target if target.is_dir() else None
            _gather(staged, bitcode or _bitcode_of(old), runtime or _runtime_of(old))
            if old:
                old.replace(Path(folder) / "replaced")
            staged.replace(target)
        except OSError as error:
            raise cannot_write(target, error) from error


def _bitcode_of(old: Path | None) -> dict[str, Path]:
    return {p.sources[0].name: p.sources[0] for p in cbench.programs_in(old)} if old else {}


def _runtime_of(old: Path | None) -> Path | None:
    return old / cbench.RUNTIME_FOLDER if old and _has_runtime(old) else None


def _runtime_in(source: Path) -> Path | None:
    if source.name == cbench.RUNTIME_FOLDER:
        return source
    found = (source / cbench.RUNTIME_FOLDER, *source.glob(f"*/{cbench.RUNTIME_FOLDER}"))
    return next((path for path in found if path.is_dir()), None)


def _gather(staged: Path, bitcode: dict[str, Path], runtime: Path | None) -> None:
    (staged / "cBench-v1").mkdir(parents=True)
    for name, path in bitcode.items():
        shutil.copyfile(path, staged / "cBench-v1" / name)
    if runtime is not None:
        copy = staged / cbench.RUNTIME_FOLDER
        # The data are large, and nobody writes into the cache's own copy.
        own = runtime.is_relative_to(cache_root())
        shutil.copytree(runtime, copy, copy_function=os.link if own else shutil.copyfile)
        (copy / cbench.RUNS_FILE).unlink(missing_ok=True)
        (copy / cbench.RUNS_FILE).write_text("1\n")


# -- download ---------------------------------------------------------------------------


def download(archive: cbench.Archive, folder: Path, progress: Progress = no_progress) -> Path:
    """Download one archive from the mirror in use; raises what ``download_file`` does."""
    url = f"{cbench.base_url()}/{archive.file_name}"
    return download_file(RemoteFile(archive.file_name, url, archive.sha256), folder, progress)
