"""Unpack a zip archive that nobody trusts: the files that are wanted, within limits."""

from __future__ import annotations

import errno
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from ..errors import CacheError, DatasetError
from .cache import cannot_write, make_directory

LARGEST_MEMBER = 1 << 26
LARGEST_TOTAL = 1 << 29
MOST_MEMBERS = 20_000
CHUNK = 1 << 16
_LINK = 0o120000
_KIND = 0o170000


def unzip(archive: Path, folder: Path, wanted: Callable[[str], bool]) -> list[str]:
    """Unpack regular files that are wanted by name, and only below ``folder``.

    Returns:
        Their names, as in the archive.

    Raises:
        DatasetError: A damaged archive; a wanted member that is a link or leaves the folder;
            or more than a data set can need.
        CacheError: The disk is full, or ``folder`` cannot be written.
    """
    make_directory(folder)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [m for m in opened.infolist() if not m.is_dir() and wanted(m.filename)]
            _check_members(archive, members)
            for member in members:
                _write_member(opened, member, folder)
    except CacheError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise cannot_write(folder, error) from error
        raise _damaged(archive, error) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise _damaged(archive, error) from error
    return [member.filename for member in members]


def _damaged(archive: Path, error: Exception) -> DatasetError:
    return DatasetError(f"{archive.name} is damaged and cannot be unpacked: {error}")


def _check_members(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for member in members:
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
            raise DatasetError(f"{archive.name} is refused: {member.filename!r} leaves its folder")
        if (member.external_attr >> 16) & _KIND == _LINK:
            raise DatasetError(f"{archive.name} is refused: {member.filename!r} is a link")
        if member.filename in seen:
            raise zipfile.BadZipFile(f"{member.filename!r} is there twice")
        seen.add(member.filename)
    sizes = [member.file_size for member in members]
    if len(sizes) > MOST_MEMBERS or max(sizes, default=0) > LARGEST_MEMBER:
        raise _too_large(archive)
    if sum(sizes) > LARGEST_TOTAL:
        raise _too_large(archive)


def _too_large(archive: Path) -> DatasetError:
    return DatasetError(f"{archive.name} is refused: it is larger than a data set can be")


def _write_member(opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    """The reader stops at the size that the archive's directory gives, and checks the CRC."""
    target = folder / member.filename
    with opened.open(member) as content:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            file = target.open("xb")
        except OSError as error:
            raise cannot_write(target, error) from error
        with file:
            while chunk := content.read(CHUNK):
                try:
                    file.write(chunk)
                except OSError as error:
                    raise cannot_write(target, error) from error
