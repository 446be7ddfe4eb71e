"""Published files of a task: where they are, what they must be, and how they are installed.

Every file is named by repository, commit and path, with its size and sha256. The data are
the user's own copy (``mirgym tasks fetch``); none of them comes with mirgym.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import DatasetError
from ..programs.cache import cache_root, cannot_write, locked, make_directory
from ..programs.download import Progress, RemoteFile, check_sum, download_file, no_progress
from ..programs.unzip import unzip

DEFAULT_URL = "https://raw.githubusercontent.com"
IR_FOLDER = "kernels_ir"


class PublishedFile(NamedTuple):
    """One file of a public repository at a fixed commit."""

    repository: str
    commit: str
    path: str
    size_bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.path.rsplit("/", 1)[-1]

    def remote(self) -> RemoteFile:
        """Where it is; ``$MIRGYM_TASKS_URL`` names a mirror with the same paths."""
        base = os.environ.get("MIRGYM_TASKS_URL", DEFAULT_URL).rstrip("/")
        url = f"{base}/{self.repository}/{self.commit}/{self.path}"
        return RemoteFile(self.name, url, self.sha256)


def install_directory(task: str) -> Path:
    """Where a task's files live."""
    return cache_root() / "datasets" / task


def installed(task: str, files: Sequence[PublishedFile]) -> bool:
    """Whether everything is there; a task that makes its data has no files."""
    if not files:
        return True
    folder = install_directory(task)
    tables = [file.name for file in files if not file.name.endswith(".zip")]
    return all((folder / name).is_file() for name in tables) and (folder / IR_FOLDER).is_dir()


def require(task: str, files: Sequence[PublishedFile]) -> Path:
    """The folder of an installed task.

    Raises:
        DatasetError: It is not installed; says how to.
    """
    if not installed(task, files):
        raise DatasetError(f"{task} is not installed; fetch it with: mirgym tasks fetch {task}")
    return install_directory(task)


def install(
    task: str,
    files: Sequence[PublishedFile],
    source: Path | None = None,
    progress: Progress = no_progress,
) -> Path:
    """Download or copy the files of a task, check them, and put them in place at once.

    What is installed already is not downloaded again; a ``source`` replaces it.

    Args:
        task: Its name.
        files: Tables, and one zip archive with the kernels' IR.
        source: A folder that holds the published files, instead of the download.
        progress: See ``Progress``.

    Raises:
        DatasetError: The download fails, a file is missing or is not the published one, or
            an archive is damaged; or the task has no files.
        CacheError: The disk is full, or the cache cannot be written.
    """
    if not files:
        raise DatasetError(f"{task} makes its own data; run it with: mirgym tasks run {task}")
    target = install_directory(task)
    # Of two processes that fetch at once, the second waits and then finds the work done.
    with locked(target):
        if source is not None:
            _put(target, _local(files, source))
        elif not installed(task, files):
            downloads = make_directory(cache_root() / "downloads" / task)
            _put(
                target, [download_file(f.remote(), downloads, progress, "--source") for f in files]
            )
            shutil.rmtree(downloads, ignore_errors=True)
    return target


def _local(files: Sequence[PublishedFile], source: Path) -> list[Path]:
    if not source.is_dir():
        raise DatasetError(f"{source} is not a folder; give one that holds {_names(files)}")
    missing = [file for file in files if not (source / file.name).is_file()]
    if missing:
        raise DatasetError(f"{source} does not hold {_names(missing)}; expected {_names(files)}")
    for file in files:
        size = (source / file.name).stat().st_size
        if size != file.size_bytes:
            raise DatasetError(
                f"{file.name} is not the published file: it has {size} bytes, expected "
                f"{file.size_bytes}"
            )
        check_sum(source / file.name, file.sha256)
    return [source / file.name for file in files]


def _names(files: Sequence[PublishedFile]) -> str:
    return ", ".join(file.name for file in files)


def _put(target: Path, paths: Sequence[Path]) -> None:
    make_directory(target.parent)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".install-") as folder:
        staged = make_directory(Path(folder) / target.name)
        try:
            for path in paths:
                if path.suffix == ".zip":
                    _unzip_kernels(path, staged)
                else:
                    shutil.copyfile(path, staged / path.name)
            if target.is_dir():
                target.replace(Path(folder) / "replaced")
            staged.replace(target)
        except OSError as error:
            raise cannot_write(target, error) from error


def _unzip_kernels(archive: Path, folder: Path) -> None:
    def wanted(name: str) -> bool:
        return name.startswith(f"{IR_FOLDER}/") and name.endswith(".ll")

    if not unzip(archive, folder, wanted):
        raise DatasetError(f"{archive.name} does not hold {IR_FOLDER}/*.ll")
