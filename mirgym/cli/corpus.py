"""``mirgym corpus``: build the corpus for pre-training, or show what is in one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from ..errors import DatasetError
from .output import console


@dataclass(frozen=True)
class CorpusBuild:
    """Download source packages, compile them, and write shards of functions.

    Goes on where an earlier run stopped. Packages that cannot be had here are reported and
    left out.
    """

    output: Path
    """Folder for the shards and ``corpus.json``."""
    work: Path | None = None
    """Folder for downloads, sources and bitcode (about 6 GB); default in the cache."""
    packages: tuple[str, ...] = ()
    """Only these, such as ``deb_gsl``; default all that are listed."""
    sequences: int = 1
    """Random pass sequences of each module, besides the module as it is."""
    jobs: int = 2
    """Processes side by side."""

    def run(self) -> int:
        """Build, and print what came of it."""
        from ..corpus.builder import build_modules
        from ..corpus.shards import all_states, evaluation_guard, write_shards
        from ..programs.cache import cache_root

        work = self.work or cache_root() / "corpus"
        modules, skipped = build_modules(work, packages=self.packages or None, jobs=self.jobs)
        whole = [one for one in skipped if not one.source]
        for one in whole:
            console().print(f"{one.package} was left out: {one.reason}")
        if not modules:
            raise DatasetError(
                "no package could be fetched and compiled; see the reasons above, and check that "
                "the package registries can be reached"
            )
        states = _with_progress(
            all_states(modules, work, sequences=self.sequences, jobs=self.jobs), len(modules)
        )
        summary = write_shards(states, self.output, guard=evaluation_guard())
        _print(self.output)
        console().print(
            f"{len(skipped) - len(whole)} files gave no module, {len(summary.failed)} modules "
            f"could not be loaded ({work / 'modules'} and {self.output / 'corpus.json'} say why)"
        )
        return 0


@dataclass(frozen=True)
class CorpusShow:
    """Show what a corpus holds."""

    folder: Annotated[Path, tyro.conf.Positional]
    """Folder of the shards."""

    def run(self) -> int:
        """Print a table."""
        _print(self.folder)
        return 0


def _with_progress(items: Any, total: int) -> list[Any]:
    from rich.progress import track

    return list(track(items, "states under passes", total=total, transient=True))


def _print(folder: Path) -> None:
    from rich.table import Table

    path = folder / "corpus.json"
    if not path.is_file():
        raise DatasetError(f"{folder} holds no corpus.json; make it with `mirgym corpus build`")
    table = Table("corpus", str(folder))
    try:
        for name, count in _rows(json.loads(path.read_text(encoding="utf-8"))):
            table.add_row(name, count)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{path} is no summary of a corpus, or of another version of mirgym ({error!r}); "
            "make it again with `mirgym corpus build`"
        ) from error
    console().print(table)


def _rows(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "modules", f"{summary['modules']:,}"
    yield "functions", f"{summary['functions']:,}"
    yield "rows (function, state)", f"{summary['rows']:,}"
    yield "instructions", f"{summary['instructions']:,}"
    for group in ("splits", "left_out"):
        for name, count in sorted(summary[group].items()):
            yield f"{group.replace('_', ' ')}: {name}", f"{count:,}"
    yield "packages", str(len(summary["licences"]))
    yield "size", f"{summary['size_bytes'] / 1e6:.1f} MB"


@dataclass(frozen=True)
class Corpus:
    """The corpus for pre-training: build, show."""

    command: (
        Annotated[CorpusBuild, tyro.conf.subcommand("build", prefix_name=False)]
        | Annotated[CorpusShow, tyro.conf.subcommand("show", prefix_name=False)]
    )

    def run(self) -> int:
        """Run the subcommand."""
        return self.command.run()
