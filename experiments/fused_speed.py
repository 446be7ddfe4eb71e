"""What each pipeline of the agent ``speed`` does to mirbench, and what to tell it by.

All programs are run at O2, the code that the networks of execution learnt from, with snapshots,
and once more for the profile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.progress import track

from mirgym.agents.explorer import Explorer, SearchConfig
from mirgym.agents.search import default_baseline
from mirgym.agents.speed import known_pipelines
from mirgym.agents.strategies import o_level
from mirgym.dynamic_cost import CostMeter
from mirgym.encoder.embedder import shared_embedder
from mirgym.errors import DatasetError
from mirgym.passes import Pass
from mirgym.programs import Program
from mirgym.session import InProcessSession
from mirgym.worker import WorkerLimits

from .execution_data import DataConfig, traced
from .execution_net import ExecutionNet
from .fused_programs import Seen, columns, stacked
from .runs import kept

PROFILE = "profile"
_OBJECTIVE = "dynamic_cost"
_O3 = "default<O3>"
_PATIENT = WorkerLimits(step_seconds=120)
"""So that no pipeline fails because the machine has other work."""


class Suite(NamedTuple):
    """P programs and A pipelines.

    Attributes:
        names: Of the programs.
        features: Of each name (P, d).
        gains: ln(cost of O3 ÷ cost) of each pipeline, 0 where O3 is better: (P, A).
    """

    names: list[str]
    features: dict[str, np.ndarray]
    gains: np.ndarray


@dataclass(frozen=True)
class Describer:
    """How programs are run and described; a file each is kept in the folder."""

    traces: DataConfig
    nets: Mapping[str, ExecutionNet]
    folder: Path

    def features(self, program: Program) -> dict[str, np.ndarray]:
        """Every feature set of a program, by name."""
        path = self.folder / f"{program.name}.npz"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(".part.npz")
            np.savez_compressed(temporary, **self._described(program))  # type: ignore[arg-type]
            temporary.replace(path)
        with np.load(path) as file:
            return dict(file)

    def _described(self, program: Program) -> dict[str, np.ndarray]:
        with InProcessSession() as session:
            session.load(program.bitcode(), level="O2")
            session.step("default<O2>")
            meter = CostMeter(program)
            seen = Seen.of(session, traced(meter, session, self.traces))
            profile = meter.profile(session).vector()
        return {**columns(seen, self.nets, shared_embedder("tiny")), PROFILE: profile}


def suite(
    programs: Sequence[Program], describer: Describer, work: Path, pipelines: int = 0
) -> Suite:
    """Measure and describe programs.

    Args:
        programs: P of them.
        describer: Describes them.
        work: Keeps what they cost.
        pipelines: The agent's first so many; 0 for all that it knows.
    """
    steps = known_pipelines()[: pipelines or None]
    ratios = [costs(one, steps, work) for one in track(programs, "costs of pipelines")]
    rows = [describer.features(one) for one in track(programs, "traces of programs")]
    names = [one.name for one in programs]
    return Suite(
        names, stacked(rows), np.log(np.maximum(np.reshape(ratios, (-1, len(steps))), 1.0))
    )


def costs(program: Program, steps: Sequence[Pass], work: Path) -> list[float]:
    """O3 ÷ cost after each pipeline; 0 where that fails."""
    digest = hashlib.sha256(repr(steps).encode()).hexdigest()[:12]
    return kept(work / f"{program.name}-{digest}.json", partial(_ratios, program, steps))


def _ratios(program: Program, steps: Sequence[Pass]) -> list[float]:
    search = SearchConfig(_OBJECTIVE, default_baseline(_OBJECTIVE), len(steps) + 1, limits=_PATIENT)
    with Explorer(program.bitcode(), search, program=program) as explorer:
        baseline = explorer.apply(explorer.root, o_level(_O3))
        if baseline is None:
            raise DatasetError(f"{program.name} does not run at O3: {explorer.failures[-1].error}")
        reached = [explorer.apply(explorer.root, step) for step in steps]
    return [0.0 if one is None else baseline.cost / max(one.cost, 1) for one in reached]
