"""``cbench-v1``: the 23 programs of cBench as CompilerGym publishes them.

The archive holds ``cBench-v1/NAME.bc``, bitcode of LLVM 10, which is read as it is. The
run-time data are a second archive, ``runtime_data/…``; without it the programs cannot be
run, only optimised.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from .program import Program

NAMES = (
    "adpcm", "bitcount", "blowfish", "bzip2", "crc32", "dijkstra", "ghostscript", "gsm",
    "ispell", "jpeg-c", "jpeg-d", "lame", "patricia", "qsort", "rijndael", "sha",
    "stringsearch", "stringsearch2", "susan", "tiff2bw", "tiff2rgba", "tiffdither",
    "tiffmedian",
)  # fmt: skip


class Archive(NamedTuple):
    """A file to download, with the sum it must have."""

    file_name: str
    sha256: str


PROGRAMS = Archive(
    "llvm_bitcodes-10.0.0-cBench-v1-linux.tar.bz2",
    "601fff3944c866f6617e653b6eb5c1521382c935f56ca1f36a9f5cf1a49f3de5",
)
RUNTIME_DATA = Archive(
    "cBench-v0-runtime-data.tar.bz2",
    "a1b5b5d6b115e5809ccaefc2134434494271d184da67e2ee43d7f84d07329055",
)
DEFAULT_URL = "https://dl.fbaipublicfiles.com/compiler_gym"


def base_url() -> str:
    """Where the archives are; ``$MIRGYM_CBENCH_URL`` names a mirror."""
    return os.environ.get("MIRGYM_CBENCH_URL", DEFAULT_URL).rstrip("/")


def programs_in(directory: Path) -> tuple[Program, ...]:
    """The programs of an installed copy, in the order of their names."""
    found = {path.stem: path for path in directory.rglob("*.bc")}
    return tuple(
        Program(f"benchmark://cbench-v1/{name}", (found[name],), libs=("m",), split="test")
        for name in NAMES
        if name in found
    )
