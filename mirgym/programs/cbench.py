"""``cbench-v1``: the 23 programs of cBench as CompilerGym publishes them.

The archive holds ``cBench-v1/NAME.bc``, bitcode of LLVM 10, which is read as it is. The
run-time data are a second archive, ``runtime_data/…``; without it the programs cannot be
run, only optimised. Neither holds expected outputs: the reference is what the program
does before it is optimised.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from .program import Program, Run

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
RUNTIME_FOLDER = "runtime_data"
RUNS_FILE = "_finfo_dataset"
"""Each program reads from this file how often to repeat its work."""

INPUTS = (1, 2)
"""Of the 20 inputs of a program; CompilerGym's CI uses these two."""


class _Command(NamedTuple):
    """How a program is run on input number ``{i}``; input files stand beside it."""

    args: str
    files: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


# From CompilerGym's validators. Left out, as there: adpcm and lame (too slow or not
# repeatable), ghostscript, ispell and rijndael (fail before any optimisation), sha (prints
# uninitialised memory). stringsearch2 needs minutes and crashes on some inputs.
COMMANDS = {
    "blowfish": _Command(
        "d {i}.benc output.txt 1234567890abcdeffedcba0987654321",
        ("office_data/{i}.benc",),
        ("output.txt",),
    ),
    "bzip2": _Command("-d -k -f -c {i}.bz2", ("bzip2_data/{i}.bz2",)),
    "crc32": _Command("{i}.pcm", ("telecom_data/{i}.pcm",)),
    "dijkstra": _Command("{i}.dat", ("network_dijkstra_data/{i}.dat",)),
    "gsm": _Command("-fps -c {i}.au", ("telecom_gsm_data/{i}.au",)),
    "jpeg-c": _Command(
        "-dct int -progressive -outfile output.jpeg {i}.ppm",
        ("consumer_jpeg_data/{i}.ppm",),
        ("output.jpeg",),
    ),
    "jpeg-d": _Command(
        "-dct int -outfile output.ppm {i}.jpg", ("consumer_jpeg_data/{i}.jpg",), ("output.ppm",)
    ),
    "patricia": _Command("{i}.udp", ("network_patricia_data/{i}.udp",)),
    "qsort": _Command("{i}.dat", ("automotive_qsort_data/{i}.dat",), ("sorted_output.dat",)),
    "stringsearch": _Command(
        "{i}.txt {i}.s.txt output.txt",
        ("office_data/{i}.txt", "office_data/{i}.s.txt"),
        ("output.txt",),
    ),
    "susan": _Command(
        "{i}.pgm corners.pgm -c", ("automotive_susan_data/{i}.pgm",), ("corners.pgm",)
    ),
    "tiff2bw": _Command("{i}.tif output.tif", ("consumer_tiff_data/{i}.tif",), ("output.tif",)),
    "tiff2rgba": _Command("{i}.tif output.tif", ("consumer_tiff_data/{i}.tif",), ("output.tif",)),
    "tiffdither": _Command(
        "{i}.bw.tif output.tif", ("consumer_tiff_data/{i}.bw.tif",), ("output.tif",)
    ),
    "tiffmedian": _Command(
        "{i}.nocomp.tif output.tif", ("consumer_tiff_data/{i}.nocomp.tif",), ("output.tif",)
    ),
}
DEFAULT_URL = "https://dl.fbaipublicfiles.com/compiler_gym"


def base_url() -> str:
    """Where the archives are; ``$MIRGYM_CBENCH_URL`` names a mirror."""
    return os.environ.get("MIRGYM_CBENCH_URL", DEFAULT_URL).rstrip("/")


def programs_in(directory: Path) -> tuple[Program, ...]:
    """The programs of an installed copy, in the order of their names."""
    found = {p.stem: p for pattern in ("*.bc", "*/*.bc") for p in directory.glob(pattern)}
    return tuple(
        Program(
            f"benchmark://cbench-v1/{name}",
            (found[name],),
            libs=("m", "z") if name == "ghostscript" else ("m",),
            runs=_runs(name, directory / RUNTIME_FOLDER),
            split="test",
        )
        for name in NAMES
        if name in found
    )


def _runs(name: str, runtime: Path) -> tuple[Run, ...]:
    """Runs of a program, as far as their input files are installed."""
    repeat = runtime / RUNS_FILE
    if name == "bitcount" and repeat.is_file():
        return tuple(Run((count,), files=(repeat,)) for count in ("512", "1125000"))
    command = COMMANDS.get(name)
    runs = []
    for i in INPUTS if command and repeat.is_file() else ():
        assert command is not None
        files = tuple(runtime / file.format(i=i) for file in command.files)
        if all(file.is_file() for file in files):
            runs.append(
                Run(
                    args=tuple(command.args.format(i=i).split()),
                    files=(*files, repeat),
                    outputs=tuple((output, None) for output in command.outputs),
                )
            )
    return tuple(runs)
