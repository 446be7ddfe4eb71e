"""Fetch a data set: resumable download, checked sum, safe unpacking, atomic install."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from ..errors import DatasetError
from . import cbench
from .cache import cache_root, locked, make_directory

Progress = Callable[[str, int, int], None]
"""Called with the file's name, bytes so far and bytes in all (0 when not known)."""

TIMEOUT_SECONDS = 30
CHUNK = 1 << 16
LARGEST_MEMBER = 1 << 30
LARGEST_TOTAL = 4 << 30
MOST_MEMBERS = 20_000


def _no_progress(name: str, done: int, total: int) -> None:
    """Report nothing."""


def install_directory(name: str) -> Path:
    """Where a fetched data set lives."""
    return cache_root() / "datasets" / name


def fetch(name: str, source: Path | None = None, progress: Progress = _no_progress) -> Path:
    """Install a data set and return its directory; do nothing when it is there.

    Args:
        name: ``cbench-v1``.
        source: A local archive, or a directory that was unpacked from one, instead of the
            download.
        progress: See ``Progress``.

    Raises:
        DatasetError: No such data set; the download fails; the sum is wrong; the archive is
            damaged or would write outside its directory.
    """
    if name != "cbench-v1":
        raise DatasetError(f"there is no data set {name!r} to fetch; expected 'cbench-v1'")
    target = install_directory(name)
    # Of two processes that fetch at once, the second waits and then finds the work done.
    with locked(target):
        if not target.is_dir():
            if source is None:
                _install_download(target, progress)
            else:
                _install_local(Path(source), target)
    return target


def _install_download(target: Path, progress: Progress) -> None:
    downloads = make_directory(cache_root() / "downloads")
    programs = download(cbench.PROGRAMS, downloads, progress)
    archives = [programs]
    try:
        archives.append(download(cbench.RUNTIME_DATA, downloads, progress))
    except DatasetError as error:
        # The programs can be optimised without it.
        progress(f"without run-time data: {error}", 0, 0)
    _install_archives(archives, target)
    for archive in archives:
        archive.unlink(missing_ok=True)


def _install_local(source: Path, target: Path) -> None:
    if source.is_dir():
        make_directory(target.parent)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".install-") as folder:
            staged = Path(folder) / target.name
            shutil.copytree(source, staged, symlinks=False, ignore_dangling_symlinks=True)
            _finish(staged, target)
    elif source.is_file():
        known = {cbench.PROGRAMS.file_name: cbench.PROGRAMS.sha256}
        expected = known.get(source.name)
        if expected:
            _check_sum(source, expected)
        _install_archives([source], target)
    else:
        raise DatasetError(f"{source} is neither an archive nor a directory")


def _install_archives(archives: list[Path], target: Path) -> None:
    make_directory(target.parent)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".install-") as folder:
        staged = Path(folder) / target.name
        staged.mkdir()
        for archive in archives:
            unpack(archive, staged)
        _finish(staged, target)


def _finish(staged: Path, target: Path) -> None:
    if not cbench.programs_in(staged):
        raise DatasetError(
            f"this does not hold cbench-v1: expected files such as cBench-v1/{cbench.NAMES[0]}.bc"
        )
    staged.replace(target)


def download(archive: cbench.Archive, folder: Path, progress: Progress = _no_progress) -> Path:
    """Download one archive, going on where an earlier try stopped.

    Raises:
        DatasetError: No connection, an error of the server, or a wrong sum.
    """
    final = folder / archive.file_name
    if final.is_file():
        return final
    part = folder / f"{archive.file_name}.part"
    url = f"{cbench.base_url()}/{archive.file_name}"
    try:
        _download_part(url, part, progress)
    except (OSError, http.client.HTTPException) as error:
        raise DatasetError(
            f"cannot download {url}: {error}. What has come is kept: try again to go on, or "
            "fetch the file elsewhere and give it with --from"
        ) from error
    try:
        _check_sum(part, archive.sha256)
    except DatasetError:
        part.unlink(missing_ok=True)
        raise
    part.replace(final)
    return final


def _download_part(url: str, part: Path, progress: Progress) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return  # everything is here already; the sum decides
        raise
    with response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        done = have if resumed else 0
        left = int(response.headers.get("Content-Length") or 0)
        total = done + left
        with part.open("ab" if resumed else "wb") as file:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                done += len(chunk)
                progress(url.rsplit("/", 1)[-1], done, total)
    if left and done < total:
        raise http.client.IncompleteRead(b"", total - done)


def _check_sum(path: Path, expected: str) -> None:
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != expected:
        raise DatasetError(
            f"{path.name} is not the published file: its sha256 is {actual}, expected "
            f"{expected}. Fetch it again"
        )


def unpack(archive: Path, folder: Path) -> None:
    """Unpack regular files and directories only, and only below ``folder``.

    Raises:
        DatasetError: A damaged archive; a link, device, absolute path, ``..``; or more
            than a data set can need.
    """
    try:
        with tarfile.open(archive, "r:*") as tar:
            total = 0
            for count, member in enumerate(tar):
                total += member.size
                _check_member(archive, member, count, total)
                _write_member(tar, member, folder)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{archive.name} is damaged and cannot be unpacked: {error}") from error


def _check_member(archive: Path, member: tarfile.TarInfo, count: int, total: int) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or not member.name:
        raise DatasetError(f"{archive.name} is refused: {member.name!r} leaves its directory")
    if not (member.isreg() or member.isdir()):
        raise DatasetError(f"{archive.name} is refused: {member.name!r} is a link or a device")
    if count > MOST_MEMBERS or member.size > LARGEST_MEMBER or total > LARGEST_TOTAL:
        raise DatasetError(f"{archive.name} is refused: it is larger than a data set can be")


def _write_member(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    target = folder / member.name
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    assert content is not None
    with content, target.open("xb") as file:
        shutil.copyfileobj(content, file)
