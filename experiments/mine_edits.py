"""Which edits of a good pipeline help: the order in which a search tries them.

For every training module and objective: the policy's first choices are compiled, and from the
pipeline of the best each single edit (``mirgym.agents.edits``) is tried once. What an edit
gains, on average over the modules (0 where it does not help), is its promise. Writes
``agents/data/edits.json``. A second start goes on where the first was interrupted.

    python -m experiments.mine_edits --corpus WORK/modules
"""

from __future__ import annotations

import json
import math
import os
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tyro

from mirgym.agents.actionset import llvm_release
from mirgym.agents.edits import Draft, Edit, all_edits, is_editable
from mirgym.agents.explorer import Explorer, SearchConfig
from mirgym.agents.guided import Guide, shipped_policy
from mirgym.errors import MirgymError
from mirgym.programs.cache import write_atomically

from .mine_coreset import in_processes
from .mining import OBJECTIVES
from .runs import RESULTS, write_run_json
from .training_modules import DrawConfig, TrainingModule

_DATA = Path(__file__).resolve().parent.parent / "agents" / "data" / "edits.json"
_LEAST = 1e-5
"""An edit that promises less is not worth a compile."""
_PLENTY = 10_000
"""Compiles: more than there are edits."""

Gains = list[tuple[str, str, str, float, str]]
"""Kind, what, value of an edit, ln(cost before ÷ after) once tried, 0 when it failed, and the
hash of the module it gives."""


@dataclass(frozen=True)
class EditsConfig(DrawConfig):
    """The run."""

    first: int = 10
    """The policy's choices that are compiled."""
    jobs: int = os.cpu_count() or 1
    folder: Path = RESULTS / "mine_edits"
    work: Path = Path("runs/mine_edits")
    output: Path = _DATA


def try_edits(module: TrainingModule, work: Path, first: int) -> dict[str, Gains]:
    """What each edit gains on a module, by objective; empty where there is no good pipeline."""
    target = work / f"{module.name.replace('/', '-')}.json"
    found: dict[str, Gains] = {}
    if target.exists():
        found = json.loads(target.read_text(encoding="utf-8"))
        return found
    for objective in OBJECTIVES:
        config = SearchConfig(objective=objective, budget=_PLENTY, transitions=work / "transitions")
        try:
            with Explorer(module.bitcode(), config) as explorer:
                found[objective] = _gains(explorer, first)
        except MirgymError:
            found[objective] = []
    write_atomically(target, json.dumps(found).encode())
    return found


def _gains(explorer: Explorer, first: int) -> Gains:
    guide = Guide(shipped_policy(explorer.config.objective), explorer)
    explorer.walk_each(explorer.root, guide.to_try(first))
    if not is_editable(explorer.best):
        return []
    draft = Draft.of(explorer.best)
    before = explorer.best.cost
    drafts = [(edit, draft.without(place)) for place, edit in draft.places().items()]
    drafts += [(edit, draft.edited(edit)) for edit in all_edits()]
    gains: Gains = []
    for edit, edited in drafts:
        reached = explorer.apply(explorer.root, edited.step())
        after, key = (before, "") if reached is None else (reached.cost, f"{reached.key:x}")
        gains.append((*edit, math.log(before / max(after, 1)), key))
    return gains


def promise(gains: list[Gains]) -> dict[Edit, float]:
    """Mean gain of each edit over the modules, counting losses as 0; best first.

    Of edits that give the same module only the first counts there: the second is a compile
    for nothing.

    >>> promise([[("set", "a", "1", 0.2, "x"), ("set", "b", "1", 0.2, "x")],
    ...          [("set", "a", "1", 0.1, "y"), ("set", "b", "1", -0.4, "z")]])
    {Edit(kind='set', what='a', value='1'): 0.15000000000000002}
    """
    names = sorted({Edit(kind, what, value) for one in gains for kind, what, value, *_ in one})  # type: ignore[arg-type]
    numbers = {edit: number for number, edit in enumerate(names)}
    worth = np.zeros((len(gains), len(names)))
    same: list[defaultdict[str, set[int]]] = [defaultdict(set) for _ in gains]
    results: list[list[set[str]]] = [[set() for _ in names] for _ in gains]
    for row, one in enumerate(gains):
        for kind, what, value, gain, key in one:
            number = numbers[Edit(kind, what, value)]  # type: ignore[arg-type]
            worth[row, number] = max(worth[row, number], gain)
            same[row][key].add(number)
            results[row][number].add(key)
    chosen: dict[Edit, float] = {}
    while worth.size and (best := worth.mean(0)).max() > _LEAST:
        number = int(best.argmax())
        chosen[names[number]] = float(best[number])
        for row in range(len(gains)):
            for key in results[row][number]:
                worth[row, list(same[row][key])] = 0.0
        worth[:, number] = 0.0
    return chosen


def main(config: EditsConfig) -> int:
    """Try, write, print the best."""
    modules = config.modules()
    work = partial(try_edits, work=config.work, first=config.first)
    tried = in_processes(config.jobs, "edits", modules, work)
    edits = {o: promise([one[o] for one in tried if one[o]]) for o in OBJECTIVES}
    rows = {o: [[*edit, round(gain, 6)] for edit, gain in edits[o].items()] for o in OBJECTIVES}
    content = {"llvm": llvm_release(), "modules": len(modules), "edits": rows}
    write_atomically(config.output, (json.dumps(content, indent=1) + "\n").encode())
    figures = {"modules": len(modules), "edits": {o: len(rows[o]) for o in OBJECTIVES}}
    write_run_json(config.folder, config, figures)
    for objective in OBJECTIVES:
        print(objective, *rows[objective][:12], sep="\n  ")
    return 0 if all(edits.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(EditsConfig)))
