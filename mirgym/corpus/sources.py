"""The source packages of the corpus: what they are, and the sums of their files.

``data/packages.tsv`` has one package a line: kind (``deb``, ``pypi``, ``npm``), name,
version, cap (at most so many modules, 0 for all), and flags separated by ``;``:

=============== =========================================================================
flag            meaning
=============== =========================================================================
configure[=ARG] run the package's ``./configure`` before, with these arguments
cmd=COMMAND     run this shell command in the package's folder before
inc=FOLDER      look for headers there; ``../KEY/…`` is a folder of another package
D=NAME[=VALUE]  define a macro
cflags=FLAGS    more flags of clang
only=REGEX      compile only files whose path matches
skip=REGEX      compile no file whose path matches
=============== =========================================================================

``data/packages.lock.json`` has, by ``KIND_NAME``: version, sha256 of each file, bytes in
all, and the licence that the package states.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DatasetError, did_you_mean

_DATA = Path(__file__).parent / "data"
_VALUES = ("configure", "cmd", "inc", "D", "cflags", "only", "skip")


@dataclass(frozen=True)
class Package:
    """One source package and how its files are compiled."""

    kind: str
    """``deb``, ``pypi`` or ``npm``."""
    name: str
    version: str
    cap: int
    """At most so many modules; 0: all."""
    flags: tuple[str, ...]
    files: dict[str, str]
    """sha256 of each file to download."""
    licence: str
    size_bytes: int

    @property
    def key(self) -> str:
        """How the package is called everywhere, for example ``deb_gsl``."""
        return f"{self.kind}_{self.name}"

    def has(self, flag: str) -> bool:
        """Whether a flag is given, with or without a value."""
        return any(text.partition("=")[0] == flag for text in self.flags)

    def values(self, flag: str) -> list[str]:
        """What stands after ``flag=``, in order.

        >>> package("deb_nettle").values("configure")
        ['--disable-assembler']
        """
        pairs = [text.partition("=") for text in self.flags]
        return [value for name, equals, value in pairs if name == flag and equals]


@functools.cache
def _catalogue() -> dict[str, Package]:
    lock = json.loads((_DATA / "packages.lock.json").read_text())
    lines = (_DATA / "packages.tsv").read_text().splitlines()
    found = [_parse(line, lock) for line in lines if line.strip() and not line.startswith("#")]
    return {package.key: package for package in found}


def _parse(line: str, lock: dict[str, dict[str, object]]) -> Package:
    """One line of the table.

    Raises:
        DatasetError: A column is missing, a flag is unknown, or the lock lacks the package.
    """
    columns = line.split("\t")
    if len(columns) != 5:
        raise DatasetError(f"expected 5 columns between tabs, got {len(columns)}: {line!r}")
    kind, name, version, cap, text = columns
    flags = tuple(flag for flag in text.split(";") if flag)
    for flag in flags:
        if flag.partition("=")[0] not in _VALUES:
            raise DatasetError(
                f"{name}: unknown flag {flag!r}; expected one of {', '.join(_VALUES)}"
            )
    entry = lock.get(f"{kind}_{name}")
    if entry is None or entry["version"] != version:
        raise DatasetError(f"{kind}_{name} {version} is not in packages.lock.json")
    files, size_bytes = entry["files"], entry["bytes"]
    assert isinstance(files, dict)
    assert isinstance(size_bytes, int)
    return Package(kind, name, version, int(cap), flags, files, str(entry["licence"]), size_bytes)


def package(key: str) -> Package:
    """The package called ``key``.

    Raises:
        DatasetError: There is no such package in the list.
    """
    known = _catalogue()
    if key not in known:
        raise DatasetError(
            f"there is no package {key!r} in the corpus.{did_you_mean(key, known)} "
            f"Known: {', '.join(known)}"
        )
    return known[key]


def load_packages(keys: Sequence[str] | None = None) -> list[Package]:
    """The chosen packages, or all of them, in the order of the list."""
    if keys is None:
        return list(_catalogue().values())
    chosen = {package(key).key for key in keys}
    return [one for one in _catalogue().values() if one.key in chosen]
