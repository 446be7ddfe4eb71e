"""The work of the processes that mine a coreset: search a module, score it, check it.

Each leaves one JSON file, written at once, and is not done again where that file is. An
interrupted one is quick the second time: its compiles are in the transition cache.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mirgym.agents.actionset import build
from mirgym.agents.explorer import BudgetSpentError, Explorer, SearchConfig
from mirgym.agents.maker import as_runs
from mirgym.agents.pipelines import as_module, parse, render
from mirgym.agents.search import ALGORITHMS
from mirgym.agents.strategies import o_level
from mirgym.errors import CodegenError, DatasetError, MirgymError, SessionError, VerifyError
from mirgym.passes import Pass
from mirgym.programs import Program, resolve
from mirgym.programs.cache import write_atomically
from mirgym.validate import validate
from mirgym.worker import WorkerSession

from .training_modules import TrainingModule

OBJECTIVES = ("text_size_bytes", "ir_instructions")
OZ = "default<O2>"


@dataclass(frozen=True)
class Searches:
    """What is run on each module."""

    algorithms: tuple[str, ...] = ("search", "genetic", "sequences")
    """Thinning O2, a genetic algorithm, random sequences."""
    budget: int = 300
    """Compiles of each search."""
    seeds: tuple[int, ...] = (0,)
    groups: str = "core+stages+o2-less"
    """Actions that sequences are made of. Those with LLVM options cannot stand in the middle
    of one pipeline and are left out. Random sequences are of single passes only: 45 stages
    in a row take long and lead nowhere."""


def search_module(module: TrainingModule, searches: Searches, folder: Path) -> list[dict[str, Any]]:
    """The sequences that beat Oz on a module, shortened; empty when it cannot be compiled.

    Each is ``pipeline`` and ``options``; what takes several runs of ``opt`` is left out.
    """
    target = folder / "searches" / f"{_digest(module.name, asdict(searches))}.json"
    if target.exists():
        known: list[dict[str, Any]] = _read(target)
        return known
    found = []
    actions = tuple(action for action in build(searches.groups).actions if not action.options)
    passes = tuple(action for action in actions if action.group == "core") or actions
    for objective in OBJECTIVES:
        config = SearchConfig(
            objective=objective,
            budget=searches.budget,
            transitions=folder / "transitions",
        )
        for algorithm in searches.algorithms:
            some = passes if algorithm in ("sequences", "random") else actions
            for seed in searches.seeds:
                one = replace(config, candidates=some, seed=seed)
                found += _search(module, algorithm, one)
    write_atomically(target, json.dumps(found).encode())
    return found


def _search(module: TrainingModule, algorithm: str, config: SearchConfig) -> list[dict[str, Any]]:
    bitcode = module.bitcode()
    try:
        result = ALGORITHMS[algorithm](bitcode, config)
    except MirgymError:
        return []  # Oz itself fails here
    if result.interrupted:
        raise KeyboardInterrupt
    runs = as_runs(result.pipeline)
    if len(runs) != 1:
        return []
    options = dict(runs[0].options)
    pipeline, cost = shorten(bitcode, runs[0], config)
    if cost >= result.baseline_cost:
        return []
    entry = {"module": module.name, "algorithm": algorithm, "objective": config.objective}
    found = {"pipeline": pipeline, "options": options}
    return [{**entry, **found, "ratio": result.baseline_cost / max(cost, 1)}]


def shorten(bitcode: bytes, run: Pass, config: SearchConfig) -> tuple[str, int]:
    """Leave out the parts of a pipeline that do not help, last first; with its cost then.

    One compile for each part at its top level, and one for the whole; not in the budget.
    """
    parts = [render((part,)) for part in parse(run.pipeline)]
    budget = len(parts) + 1
    with Explorer(bitcode, replace(config, budget=budget)) as explorer:
        reached = explorer.apply(explorer.root, run)
        if reached is None:
            return run.pipeline, explorer.root.cost
        cost = reached.cost
        for index in reversed(range(len(parts))):
            fewer = parts[:index] + parts[index + 1 :]
            if not fewer:
                break
            try:
                trial = run._replace(pipeline=as_module(",".join(fewer)))
                reached = explorer.apply(explorer.root, trial)
            except BudgetSpentError:
                break
            if reached is not None and reached.cost <= cost:
                parts, cost = fewer, reached.cost
    return as_module(",".join(parts)), cost


def score_module(
    module: TrainingModule, sequences: Sequence[Pass], folder: Path
) -> dict[str, list[float]]:
    """By objective, Oz ÷ cost of each sequence on a module; 0 where it fails.

    Empty when Oz itself fails.
    """
    target = folder / "scores" / f"{_digest(module.name, list(sequences))}.json"
    scores: dict[str, list[float]] = {}
    if target.exists():
        scores = _read(target)
        return scores
    try:
        for objective in OBJECTIVES:  # text first: its compiles count instructions too
            scores[objective] = _score(module.bitcode(), sequences, objective, folder)
    except MirgymError:
        scores = {}
    write_atomically(target, json.dumps(scores).encode())
    return scores


def _score(bitcode: bytes, sequences: Sequence[Pass], objective: str, folder: Path) -> list[float]:
    config = SearchConfig(
        objective=objective, budget=len(sequences) + 1, transitions=folder / "transitions"
    )
    with Explorer(bitcode, config) as explorer:
        oz = explorer.measure(o_level(OZ))
        ratios = []
        for sequence in sequences:
            reached = explorer.apply(explorer.root, sequence)
            ratios.append(oz / max(reached.cost, 1) if reached is not None else 0.0)
    return ratios


def check_module(module: TrainingModule, sequences: Sequence[Pass], folder: Path) -> list[Pass]:
    """The sequences after which a program does not do what its reference does.

    Raises:
        DatasetError: The program cannot be compared with its reference here.
    """
    target = folder / "checks" / f"{_digest(module.name)}.json"
    known: dict[str, bool] = _read(target) if target.exists() else {}
    program = resolve(module.name)
    differing = []
    with WorkerSession() as session:
        for sequence in sequences if program.runs else ():
            try:
                session.load(program.bitcode(), level="Oz")
                key = str(session.step(sequence.pipeline, dict(sequence.options)).key)
                if key not in known:
                    session.verify()
                    known[key] = _misbehaves(program, session.emit("obj"))
                    write_atomically(target, json.dumps(known).encode())
                wrong = known[key]
            except (SessionError, VerifyError, CodegenError):
                wrong = True
            differing += [sequence] * wrong
    return differing


def _misbehaves(program: Program, object_code: bytes) -> bool:
    found = validate(program, object_code, sanitize=False)
    if found.verdict == "unknown":
        raise DatasetError(
            f"{program.uri} cannot be compared with its reference: {found}. Mend that, or mine "
            "with --no-check"
        )
    return found.verdict != "equal"


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
