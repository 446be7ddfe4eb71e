"""Programs by name: suites, URIs, paths and directories.

=================================== ====================================================
spec                                programs
=================================== ====================================================
``mirbench``                        the whole suite; ``mirbench:train``, ``mirbench:test``
``mirbench/crc``                    one program; ``benchmark://mirbench/crc`` in full
``cbench-v1``, ``cbench-v1/qsort``  after ``mirgym programs fetch cbench-v1``
``loopkernels``, ``loops://7``      a suite of generated kernels; any one by its seed
``csmith://7``                      generated; ``generator://csmith-v0/7`` as CompilerGym
``synth://7?profile=numeric``       generated with a chosen mix of constructs (see ``synth``)
``foo.c``, ``file:///x/foo.bc``     a file
``some/directory``                  each program of a directory (see ``manifest``)
=================================== ====================================================
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from ..errors import UnknownProgramError, did_you_mean
from . import cbench
from .csmith import csmith_program
from .fetch import install_directory
from .loopkernels import SCHEME as _LOOPS
from .loopkernels import kernel_program, suite
from .manifest import FILE_NAME, Manifest, read_directory
from .program import SOURCE_SUFFIXES, Program
from .synth import SCHEME as _SYNTH
from .synth import synth_program

Spec = str | Path | Program
BUNDLED = Path(__file__).parent / "mirbench"
_SCHEME = "benchmark://"
_CSMITH = ("csmith://", "generator://csmith-v0/")


@dataclass(frozen=True)
class Dataset:
    """A named set of programs. ``programs`` is empty when it was not fetched yet."""

    name: str
    programs: tuple[Program, ...]
    version: str = ""
    license: str = ""
    description: str = ""
    directory: Path | None = None

    def split(self, name: str) -> tuple[Program, ...]:
        """The programs of ``train`` or ``test``."""
        return tuple(p for p in self.programs if p.split == name)

    def __getitem__(self, name: str) -> Program:
        for program in self.programs:
            if program.name == name:
                return program
        names = [p.name for p in self.programs]
        hint = did_you_mean(name, names) or f" It holds {', '.join(names)}."
        raise UnknownProgramError(f"{self.name} has no program {name!r}.{hint}")


def _dataset(manifest: Manifest, directory: Path) -> Dataset:
    return Dataset(
        manifest.name,
        manifest.programs,
        manifest.version,
        manifest.license,
        manifest.description,
        directory,
    )


@functools.cache
def _mirbench() -> Dataset:
    return _dataset(read_directory(BUNDLED, f"{_SCHEME}mirbench/"), BUNDLED)


def _cbench() -> Dataset:
    directory = install_directory("cbench-v1")
    return Dataset(
        "cbench-v1",
        cbench.programs_in(directory) if directory.is_dir() else (),
        "1",
        "see the programs",
        "23 programs of cBench, LLVM 10 bitcode as CompilerGym publishes it",
        directory,
    )


def _loopkernels() -> Dataset:
    return Dataset(
        "loopkernels",
        suite(),
        "1",
        "Apache-2.0",
        "158 generated C programs around one loop nest each, in the style of TSVC",
    )


_DATASETS: dict[str, Callable[[], Dataset]] = {
    "mirbench": _mirbench,
    "cbench-v1": _cbench,
    "loopkernels": _loopkernels,
}


def datasets() -> dict[str, Dataset]:
    """The known data sets by name."""
    return {name: make() for name, make in _DATASETS.items()}


def resolve_all(spec: Spec | Iterable[Spec]) -> list[Program]:
    """The programs that a spec, or each of several, stands for.

    Raises:
        UnknownProgramError: Nothing has that name; says what is near.
    """
    if isinstance(spec, Program):
        return [spec]
    if isinstance(spec, Path):
        return _from_path(spec)
    if not isinstance(spec, str):
        return [program for one in spec for program in resolve_all(one)]
    for prefix in _CSMITH:
        if spec.startswith(prefix):
            return [csmith_program(spec.removeprefix(prefix))]
    if spec.startswith(_LOOPS):
        return [kernel_program(spec.removeprefix(_LOOPS))]
    if spec.startswith(_SYNTH):
        return [synth_program(spec.removeprefix(_SYNTH))]
    if spec.startswith("file://"):
        return _from_uri(spec)
    found = _from_dataset(spec.removeprefix(_SCHEME))
    if found is not None:
        return found
    if not spec or spec.startswith(_SCHEME) or not _looks_like_path(spec):
        raise _unknown(spec)
    return _from_path(Path(spec))


def resolve(spec: Spec | Sequence[Spec]) -> Program:
    """The one program that a spec stands for; several paths are linked into one.

    Raises:
        UnknownProgramError: Nothing has that name, or the spec stands for several.
    """
    if not isinstance(spec, (str, Path, Program)):
        programs = [resolve(one) for one in spec]
        if not programs:
            raise UnknownProgramError("no program was given where one is needed")
        return programs[0] if len(programs) == 1 else link(programs)
    found = resolve_all(spec)
    if len(found) != 1:
        raise UnknownProgramError(
            f"{spec} stands for {len(found)} programs where one is needed; name one, as in "
            f"{found[0].uri}"
        )
    return found[0]


def link(programs: Sequence[Program]) -> Program:
    """One program made of the sources of several."""
    sources = tuple(source for program in programs for source in program.sources)
    libs = tuple(dict.fromkeys(lib for program in programs for lib in program.libs))
    flags = {program.flags for program in programs}
    if len(flags) > 1:
        raise UnknownProgramError("programs that need different flags cannot be linked into one")
    uri = "link://" + "+".join(program.uri.split("://", 1)[-1] for program in programs)
    return Program(uri, sources, flags=flags.pop(), libs=libs)


def _from_dataset(spec: str) -> list[Program] | None:
    """Programs of ``name``, ``name:split`` or ``name/program``; None for other specs."""
    head, _, program = spec.partition("/")
    name, _, split = head.partition(":")
    if name not in _DATASETS or (split and program):
        return None
    dataset = _DATASETS[name]()
    if not dataset.programs:
        raise UnknownProgramError(
            f"{name} is not installed; fetch it with: mirgym programs fetch {name}"
        )
    if program:
        return [dataset[program]]
    if not split:
        return list(dataset.programs)
    chosen = list(dataset.split(split))
    if not chosen:
        raise UnknownProgramError(f"{name} has no split {split!r}; expected 'train' or 'test'")
    return chosen


def _looks_like_path(spec: str) -> bool:
    path = Path(spec)
    return path.exists() or path.suffix in SOURCE_SUFFIXES or spec.startswith((".", "/"))


def _from_uri(uri: str) -> list[Program]:
    """A ``file://`` URI, quoted or not; also one of a program of a directory."""
    path = Path(unquote(uri.removeprefix("file://")))
    if not path.exists():
        unquoted = Path(uri.removeprefix("file://"))
        if unquoted.exists():
            return _from_path(unquoted)
        if path.parent.is_dir() and path.suffix not in SOURCE_SUFFIXES:
            inside = [p for p in _from_path(path.parent) if p.name == path.name]
            if inside:
                return inside
    return _from_path(path)


def _from_path(path: Path) -> list[Program]:
    if path.is_dir():
        prefix = f"{path.resolve().as_uri().rstrip('/')}/"
        return list(read_directory(path, prefix).programs)
    if not path.is_file():
        raise _unknown(str(path))
    if path.suffix not in SOURCE_SUFFIXES:
        raise UnknownProgramError(
            f"{path}: cannot tell what this is; expected a name that ends in one of "
            f"{', '.join(SOURCE_SUFFIXES)}, or a directory with a {FILE_NAME}"
        )
    return [Program(path.resolve().as_uri(), (path.resolve(),))]


def _unknown(spec: str) -> UnknownProgramError:
    path = Path(spec)
    if path.suffix in SOURCE_SUFFIXES or spec.startswith((".", "/")):
        beside = path.parent.iterdir() if path.parent.is_dir() else ()
        hint = did_you_mean(path.name, [p.name for p in beside])
        return UnknownProgramError(f"there is no file or directory {spec}.{hint}")
    known = list(datasets())
    known += [f"{d.name}/{p.name}" for d in datasets().values() for p in d.programs]
    hint = did_you_mean(spec.removeprefix(_SCHEME), known)
    return UnknownProgramError(
        f"unknown program {spec!r}.{hint} `mirgym programs list` shows all; a file is given by "
        "its path"
    )
