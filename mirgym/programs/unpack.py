"""Unpack an archive that nobody trusts: regular files and directories, within limits.

``tarfile``'s own filters are not relied on: Python 3.11.0 lacks them, and they bound
neither sizes nor numbers.
"""

from __future__ import annotations

import contextlib
import errno
import lzma
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Self

from ..errors import CacheError, DatasetError
from .cache import cannot_write, make_directory

LARGEST_MEMBER = 1 << 30
LARGEST_TOTAL = 4 << 30
MOST_MEMBERS = 20_000
LARGEST_HEADER = 1 << 16
"""tarfile reads an extended header (long names, pax) into memory whole."""

_EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class _BoundedTarInfo(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        if member.type in _EXTENDED and member.size > LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {member.size} bytes")
        return member


def unpack(
    archive: Path,
    folder: Path,
    *,
    wanted: Callable[[str], bool] | None = None,
    most_members: int | None = None,
) -> None:
    """Unpack regular files and directories only, and only below ``folder``.

    Args:
        archive: A tar archive, compressed or not.
        folder: Where its members go.
        wanted: For a source package: which files to take, by name. Links, which such
            packages have, are left out then, and times and execute bits are kept, which
            ``make`` and ``configure`` go by.
        most_members: Refuse an archive of more; 20,000 by default.

    Raises:
        DatasetError: A damaged archive; a link, device, absolute path, ``..``; or more
            than a data set can need.
        CacheError: The disk is full, or ``folder`` cannot be written.
    """
    make_directory(folder)
    try:
        with tarfile.open(archive, "r:*", tarinfo=_BoundedTarInfo) as tar:
            total = 0
            for count, member in enumerate(tar):
                if count >= (most_members or MOST_MEMBERS):
                    raise _too_large(archive)
                if wanted and not (member.isdir() or (member.isreg() and wanted(member.name))):
                    continue
                total += member.size
                _check_member(archive, member, total)
                _write_member(tar, member, folder)
                if wanted and member.isreg():
                    _restore(folder / member.name, member)
            _check_end(archive, tar)
    except CacheError:
        raise
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise cannot_write(folder, error) from error
        reason = str(error).splitlines()[0].rstrip(":")
        # tarfile's words when no way of reading it fits; it lists them all below.
        reason = reason.replace("file could not be opened successfully", "not a tar archive")
        raise DatasetError(f"{archive.name} is damaged and cannot be unpacked: {reason}") from error


def _too_large(archive: Path) -> DatasetError:
    return DatasetError(f"{archive.name} is refused: it is larger than a data set can be")


def _restore(path: Path, member: tarfile.TarInfo) -> None:
    path.chmod(0o755 if member.mode & 0o100 else 0o644)
    with contextlib.suppress(OSError, OverflowError, ValueError):  # a time that cannot be
        os.utime(path, (member.mtime, member.mtime))


def _check_member(archive: Path, member: tarfile.TarInfo, total: int) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or not member.name:
        raise DatasetError(f"{archive.name} is refused: {member.name!r} leaves its directory")
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise DatasetError(f"{archive.name} is refused: {member.name!r} is a link or a device")
    if member.size > LARGEST_MEMBER or total > LARGEST_TOTAL:
        raise _too_large(archive)


def _write_member(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    target = folder / member.name
    content = tar.extractfile(member)
    try:
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        file = target.open("xb")
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise tarfile.ReadError(f"{member.name!r} is there twice") from None
    except OSError as error:
        raise cannot_write(target, error) from error
    assert content is not None
    with content, file:
        shutil.copyfileobj(content, file)


def _check_end(archive: Path, tar: tarfile.TarFile) -> None:
    """Tell the end of the archive from damage, where tarfile stops as well."""
    assert tar.fileobj is not None
    tar.fileobj.seek(tar.offset)
    block = tar.fileobj.read(tarfile.BLOCKSIZE)
    if block.strip(b"\0"):
        raise tarfile.ReadError(f"{archive.name} has a damaged header at byte {tar.offset}")
