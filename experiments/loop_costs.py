"""What each choice for a loop costs, one loop at a time; the others are LLVM's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mirgym.encoder.embedder import shared_embedder
from mirgym.envs.loop_decisions import BEFORE, REST, Decision, decisions, own_choices
from mirgym.envs.loop_observations import FACTS, LoopObserver, fact_vector, own_vector
from mirgym.errors import MirgymError
from mirgym.loops import LoopHints
from mirgym.objective import Meter, run_meter
from mirgym.programs import Program
from mirgym.tasks.loop_labels import CHOICES, LoopLabel, gains
from mirgym.wire import NO_KEY, NOTHING
from mirgym.worker import WorkerSession


class LoopCosts(NamedTuple):
    """A measured loop."""

    program: str
    split: str
    family: str
    loop: int
    observation: list[float]
    """What ``mir-llvm-loops-v0`` shows of it as the only loop: facts, then embedding."""
    own: list[float]
    """What it shows LLVM's own choice to be."""
    costs: list[int | None]
    """By choice; None where LLVM or the program failed."""

    def gains(self) -> np.ndarray:
        """``ln(LLVM's cost ÷ cost)`` of each choice; a failure is left to LLVM, so 0."""
        return gains(self.costs)

    def label(self) -> LoopLabel:
        """What the task ``vectorize`` reads of it."""
        facts = self.observation[: len(FACTS) + 1]
        return LoopLabel(
            self.program, self.split, self.family, self.loop, facts, self.own, self.costs
        )


class LoopMeter:
    """Measures choices on one program; equal modules are run once."""

    def __init__(self, session: WorkerSession, program: Program, objective: str) -> None:
        self.program = program
        self.session = session
        session.load(program.bitcode(), level="O3", wanted=NO_KEY)
        session.step(BEFORE.pipeline, dict(BEFORE.options), wanted=NO_KEY)
        self.decisions = decisions(session, innermost=True)
        self.own = own_choices(session, self.decisions)
        self.functions = [record.name for record in session.functions()]
        self._snapshot = session.snapshot()
        meter = run_meter(objective, program, "O3")
        assert meter is not None
        self._meter: Meter = meter
        self._known: dict[int, int] = {}
        self.cost([])  # what the program prints is learnt from LLVM's own module

    def cost(self, hints: Sequence[LoopHints]) -> int:
        """Cost of the program after the rest of O3."""
        self.session.restore(self._snapshot)
        self.session.hint_loops(hints, wanted=NO_KEY)
        key = self.session.step(REST.pipeline, dict(REST.options), wanted=NOTHING).key
        if key not in self._known:
            self._known[key] = self._meter.cost(self.session)
        return self._known[key]

    def try_cost(self, hints: Sequence[LoopHints]) -> int | None:
        """As ``cost``, and None where that fails."""
        try:
            return self.cost(hints)
        except MirgymError as error:
            print(f"{self.program.name} {hints}: {error}", flush=True)
            if self.session.pid is None:
                self.session.load(self.program.bitcode(), level="O3", wanted=NO_KEY)
            return None


def measure(
    session: WorkerSession, program: Program, objective: str, limit: int
) -> Iterator[LoopCosts]:
    """Every choice for the loops of a program that LLVM can vectorize, up to ``limit``.

    In a generated kernel these are the loops of the kernel, whether vectorizable or not.
    """
    meter = LoopMeter(session, program, objective)
    generated = program.uri.startswith("loops://")
    for decision, own in zip(meter.decisions, meter.own, strict=True):
        kernel = meter.functions[decision.facts.function] == "kernel"
        if limit and (kernel if generated else decision.facts.vectorizable):
            limit -= 1
            costs = [meter.try_cost([LoopHints(decision.number, *c)]) for c in CHOICES]
            yield LoopCosts(
                program.uri,
                program.split or "",
                program.domain,
                decision.number,
                _observation(decision),
                _rounded(own_vector(own)),
                costs,
            )


def _observation(decision: Decision) -> list[float]:
    observer = LoopObserver("embedding")
    (embedding,) = observer.finish([{"embedding": decision.code}])
    facts = fact_vector(decision.facts, 1.0)
    assert len(embedding) == 2 * shared_embedder("tiny").function_size
    return _rounded(np.concatenate([facts, embedding]))


def _rounded(numbers: np.ndarray) -> list[float]:
    return [round(float(x), 6) for x in numbers]


def read(path: Path) -> list[LoopCosts]:
    """The measured loops of a file, a line each."""
    if not path.exists():
        return []
    return [LoopCosts(**json.loads(line)) for line in path.read_text().splitlines()]


def append(path: Path, loop: LoopCosts) -> None:
    """Write a line, so that a second start goes on where the first was interrupted."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(loop._asdict()) + "\n")
