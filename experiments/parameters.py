"""Which values of LLVM's parameters make a difference, and where.

For each value of ``mirgym.parameters``: a program of mirbench, at O3 or Oz, whose module after
the level differs from that of the default and of every other value of the knob; and a program
where a core pass that reads it does otherwise. What has neither does not belong into the
catalogue. Programs go from small to large until all values are told apart.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import tyro

from mirgym.envs.actions import sequence_knobs
from mirgym.parameters import Knob, Value, catalogue, render
from mirgym.passes import find
from mirgym.programs import Program, resolve_all
from mirgym.wire import Wanted
from mirgym.worker import WorkerSession

from .runs import RESULTS, write_run_json

LEVELS = {"O3": "default<O3>", "Oz": "default<O2>"}
KEY = Wanted.of((), key=True)
PREPARED = {
    "as loaded": "function(sroa)",
    "rotated": "function(sroa,early-cse,simplifycfg,loop-simplify,lcssa,loop(loop-rotate))",
    "half way": "function(sroa,early-cse<memssa>,simplifycfg),cgscc(inline),function(sroa,"
    "instcombine<no-verify-fixpoint>,loop-simplify,lcssa,loop(loop-rotate,indvars),"
    "instcombine<no-verify-fixpoint>)",
}
"""What runs before a single pass, since each pass needs its own kind of code."""


@dataclass(frozen=True)
class ParametersConfig:
    """What is measured."""

    programs: str = "mirbench"
    """The programs, taken from small to large."""
    folder: Path = field(default=RESULTS / "parameters")
    """Where ``run.json`` and ``effects.json`` go."""


class Apart:
    """Where each pair of a knob's values was first told apart."""

    def __init__(self, knobs: tuple[Knob, ...]) -> None:
        self.knobs = knobs
        self.where: dict[tuple[str, str, str], str] = {}

    def open(self, knob: Knob) -> list[Value]:
        """The values with a pair that nothing told apart yet; the default first."""
        pairs = combinations((v.name for v in knob.values), 2)
        names = {n for a, b in pairs if (knob.name, a, b) not in self.where for n in (a, b)}
        return [v for v in knob.values if v.name in names]

    def note(self, knob: Knob, keys: dict[str, int], place: str) -> None:
        """Take note of the modules' hashes at one place, by value."""
        for a, b in combinations(keys, 2):
            if keys[a] != keys[b]:
                self.where.setdefault((knob.name, a, b), place)

    def report(self) -> dict[str, dict[str, Any]]:
        """For each value, where it differs from the default, and what it is never apart from."""
        return {
            f"{knob.name}={value.name}": {
                "differs": self.where.get((knob.name, knob.values[0].name, value.name)),
                "same_as": [
                    other.name
                    for other in knob.values
                    if other.name != value.name
                    and not {(knob.name, a, b) for a, b in self._orders(other, value)}
                    & self.where.keys()
                ],
            }
            for knob in self.knobs
            for value in knob.values[1:]
        }

    @staticmethod
    def _orders(one: Value, other: Value) -> list[tuple[str, str]]:
        return [(one.name, other.name), (other.name, one.name)]


def levels_apart(session: WorkerSession, programs: list[Program]) -> Apart:
    """Each value in a level's whole pipeline."""
    apart = Apart(catalogue())
    for program in programs:
        todo = [(knob, apart.open(knob)) for knob in apart.knobs]
        if not any(values for _, values in todo):
            break
        for level, pipeline in LEVELS.items():
            for knob, values in todo:
                keys = {}
                for value in values:
                    session.load(program.bitcode(), level=level)
                    choice = {knob.name: value.name}
                    keys[value.name] = session.step(
                        *render(choice, pipeline=pipeline), wanted=KEY
                    ).key
                apart.note(knob, keys, f"{program.name} at {level}")
        print(program.name, "leaves", sum(len(apart.open(k)) for k in apart.knobs), flush=True)
    return apart


def passes_apart(session: WorkerSession, programs: list[Program]) -> Apart:
    """Each value in the single passes that read it."""
    apart = Apart(sequence_knobs())
    for program in programs:
        todo = [(knob, apart.open(knob)) for knob in apart.knobs]
        if not any(values for _, values in todo):
            break
        for prepared, before in PREPARED.items():
            session.load(program.bitcode(), level="O3")
            session.step(before)
            snapshot = session.snapshot()
            for knob, values in todo:
                for name in knob.passes if values else ():
                    keys = {}
                    for value in values:
                        session.restore(snapshot)
                        options = dict(value.options)
                        keys[value.name] = session.step(
                            find(name).pipeline, options, wanted=KEY
                        ).key
                    apart.note(knob, keys, f"{name} on {program.name}, {prepared}")
        print(program.name, "leaves", sum(len(apart.open(k)) for k in apart.knobs), flush=True)
    return apart


def main(config: ParametersConfig) -> None:
    """Measure, and write the folder."""
    with WorkerSession() as session:
        programs = sorted(
            resolve_all(config.programs),
            key=lambda p: session.load(p.bitcode()).metrics["ir_instructions"],
        )
        effects = {
            "passes": passes_apart(session, programs).report(),
            "levels": levels_apart(session, programs).report(),
        }
    figures = {
        where: {
            "values": len(found),
            "without_effect": [n for n, row in found.items() if row["differs"] is None],
            "same_as_another": [n for n, row in found.items() if row["same_as"]],
        }
        for where, found in effects.items()
    }
    write_run_json(config.folder, config, figures)
    text = json.dumps(effects, indent=1) + "\n"
    (config.folder / "effects.json").write_text(text, encoding="utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main(tyro.cli(ParametersConfig))
