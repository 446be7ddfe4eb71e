"""What every subcommand does alike: consoles, and the file that it writes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MirgymError

if TYPE_CHECKING:
    from rich.console import Console

_PIPED_WIDTH = 200
"""Columns of a table that goes to a file or a pipe, where nothing should be folded."""


class OutputError(MirgymError, OSError):
    """The file that the user asked for cannot be written."""


def console() -> Console:
    """The console of standard output."""
    from rich.console import Console

    plain = Console()
    return plain if plain.is_terminal else Console(width=_PIPED_WIDTH)


def check_writable(path: Path) -> None:
    """Refuse a path that cannot be written, before the work and not after it.

    Raises:
        OutputError: It is a directory, or the directory it is in cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a directory; give a file name")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no directory {path.parent}")
    target = path if path.exists() else path.parent
    if not os.access(target, os.W_OK):
        raise OutputError(f"cannot write {path}: no permission; choose another place for -o")


def write_output(path: Path, content: bytes) -> None:
    """Write a file all at once: it is whole, or as it was before.

    Raises:
        OutputError: Full disk, no permission.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)  # a device or a pipe
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            temporary.chmod(_mode(path))
            temporary.replace(path.resolve())
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _mode(path: Path) -> int:
    """The mode of the file that is there, else what the umask leaves of rw-rw-rw-."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
