"""A package's folder, ready to compile from: unpacked, and configured where asked for.

Configuring runs the package's own scripts. They get a folder of their own, a bare
environment, a time limit, a memory limit, and no network where the system allows that.
When they fail, the package is compiled as it is: a header that was not made is replaced
by an empty one later.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..errors import DatasetError
from ..programs.cache import locked, make_directory
from ..programs.compile import SUFFIXES, find_clang
from ..programs.unpack import unpack
from .download import obtain
from .sources import Package, package

MOST_MEMBERS = 300_000
SCRIPT_LIMIT_SECONDS = 300
MEMORY_LIMIT_BYTES = 4 << 30
NESTED = re.compile(r"\.tar\.(gz|bz2|xz)$|\.tgz$")
_HEADERS = re.compile(r"\.(h|hh|hpp|hxx|inc|def|in)$")


def prepare(one: Package, work: Path) -> Path:
    """The package's folder below ``work/trees``; made once, with what its flags ask for.

    Raises:
        DatasetError: It cannot be downloaded or unpacked.
    """
    root = make_directory(work / "trees") / one.key
    ready = root.with_name(f"{one.key}.ready")
    for sibling in _siblings(one):
        with contextlib.suppress(DatasetError):  # its headers are missing then
            prepare(sibling, work)
    with locked(root):
        if ready.exists():
            return root
        shutil.rmtree(root, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=".unpack-") as folder:
            for path in obtain(one, work):
                if NESTED.search(path.name) and ".debian.tar" not in path.name:
                    _unpack(one, path, Path(folder) / "tree")
            _single(Path(folder) / "tree").replace(root)
        _configure(one, root)
        ready.touch()
    return root


def _siblings(one: Package) -> list[Package]:
    """Packages whose headers this one needs."""
    found = (re.match(r"\.\./([^/]+)/", folder) for folder in one.values("inc"))
    return [package(match[1]) for match in found if match]


def _single(folder: Path) -> Path:
    """The folder in an archive that has all else, when there is one."""
    if not folder.is_dir():
        raise DatasetError("none of its files is an archive of sources")
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _unpack(one: Package, archive: Path, folder: Path) -> None:
    """Unpack, and what lies packed in it: Debian ships some sources that way."""
    only = one.values("only")
    whole = not only or one.has("configure") or one.has("cmd")

    def wanted(name: str) -> bool:
        return whole or bool(NESTED.search(name) or re.search(only[0], name))

    unpack(archive, folder, wanted=wanted, most_members=MOST_MEMBERS)
    root = _single(folder)
    for nested in sorted(p for p in root.iterdir() if p.is_file() and NESTED.search(p.name)):
        if not any(path.suffix in SUFFIXES for path in root.rglob("*")):
            unpack(nested, root, wanted=wanted, most_members=MOST_MEMBERS)
        nested.unlink()


def _configure(one: Package, root: Path) -> None:
    for arguments in one.values("configure") or ([""] if one.has("configure") else []):
        if (root / "configure").is_file():
            run_limited(["sh", "./configure", *shlex.split(arguments)], root)
    for command in one.values("cmd"):
        run_limited(["sh", "-c", command], root)


# -- running what a package brings ------------------------------------------------------


@functools.cache
def _without_network() -> tuple[str, ...]:
    """A prefix of commands that cuts them off from the network, where there is one."""
    prefix = ("unshare", "--map-root-user", "--net")
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        probe = subprocess.run([*prefix, "true"], capture_output=True, timeout=10, check=False)
        if probe.returncode == 0:
            return prefix
    return ()


def _environment(scratch: Path) -> dict[str, str]:
    compiler = shutil.which("cc") or str(find_clang())
    cpp = shutil.which("c++") or f"{find_clang()} --driver-mode=g++"
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LC_ALL": "C",
        "CC": compiler,
        "CXX": cpp,
        "FORCE_UNSAFE_CONFIGURE": "1",  # some refuse to be run by root
    }


def limited(command: Sequence[str], memory_bytes: int) -> list[str]:
    """The command under a limit of memory, and without core files."""
    return [
        "sh",
        "-c",
        f'ulimit -c 0; ulimit -v {memory_bytes >> 10}; exec "$@"',
        "sh",
        *command,
    ]


def run_limited(command: Sequence[str], folder: Path) -> bool:
    """Run a package's script in its folder; tell whether it went well."""
    full = limited([*_without_network(), *command], MEMORY_LIMIT_BYTES)
    with tempfile.TemporaryDirectory(prefix="mirgym-") as scratch:
        process = subprocess.Popen(
            full,
            cwd=folder,
            env=_environment(Path(scratch)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(SCRIPT_LIMIT_SECONDS) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
