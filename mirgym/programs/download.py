"""Download a file whose sum is known, going on where an earlier try stopped."""

from __future__ import annotations

import hashlib
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..errors import CacheError, DatasetError
from .cache import cannot_write

Progress = Callable[[str, int, int], None]
"""Called with the file's name, bytes so far and bytes in all (0 when not known)."""

TIMEOUT_SECONDS = 30
CHUNK = 1 << 16
LARGEST_DOWNLOAD = 2 << 30
_PART = ".part"
"""Ends the name of a file that has not come whole."""


class RemoteFile(NamedTuple):
    """A published file, and the sum it must have."""

    file_name: str
    url: str
    sha256: str


def no_progress(name: str, done: int, total: int) -> None:
    """Report nothing."""


def download_file(
    remote: RemoteFile, folder: Path, progress: Progress = no_progress, option: str = "--from"
) -> Path:
    """Download one file into a folder; one that is there already is not asked for again.

    Args:
        remote: The file.
        folder: Exists; also keeps the part of a download that broke off.
        progress: See ``Progress``.
        option: How the user gives the command a local file instead, for messages.

    Raises:
        DatasetError: No connection, an error of the server, or a wrong sum.
        CacheError: The disk is full.
    """
    final = folder / remote.file_name
    if final.is_file():
        return final
    part = folder / (remote.file_name + _PART)
    try:
        _download_part(remote.url, part, progress)
    except CacheError:
        raise
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DatasetError(
            f"cannot download {remote.url}: {error}. What has come is kept: try again to go on, "
            f"or fetch the file elsewhere and give it with {option}"
        ) from error
    try:
        check_sum(part, remote.sha256)
    except DatasetError:
        part.unlink(missing_ok=True)
        raise
    part.replace(final)
    return final


def check_sum(path: Path, expected: str) -> None:
    """Hold a file against its published sum.

    Raises:
        DatasetError: It has another one.
    """
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != expected:
        raise DatasetError(
            f"{path.name.removesuffix(_PART)} is not the published file: its sha256 is {actual}, "
            f"expected {expected}. Fetch it again"
        )


def _download_part(url: str, part: Path, progress: Progress) -> None:
    if not url.startswith(("http://", "https://")):
        raise ValueError("expected a URL that begins with http:// or https://")
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            part.touch()
            return  # everything is here already; the sum decides
        raise
    with response:
        resumed = have > 0 and _starts_at(response, have)
        _receive(response, part, have if resumed else 0, progress)


def _starts_at(response: http.client.HTTPResponse, offset: int) -> bool:
    """Whether the server sends what was asked for, rather than the whole file again."""
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        return False
    start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if start is None or int(start[1]) != offset:
        raise http.client.HTTPException(f"the server sent another part than from byte {offset}")
    return True


def _receive(response: http.client.HTTPResponse, part: Path, done: int, progress: Progress) -> None:
    name = part.name.removesuffix(_PART)
    left = int(response.headers.get("Content-Length") or 0)
    total = done + left if left else 0
    try:
        file = part.open("ab" if done else "wb")
    except OSError as error:
        raise cannot_write(part, error) from error
    with file:
        while chunk := response.read(CHUNK):
            try:
                file.write(chunk)
            except OSError as error:
                raise cannot_write(part, error) from error
            done += len(chunk)
            if done > LARGEST_DOWNLOAD:
                raise http.client.HTTPException(f"more than {LARGEST_DOWNLOAD} bytes were sent")
            progress(name, done, total)
    if done < total:
        raise http.client.IncompleteRead(b"", total - done)
