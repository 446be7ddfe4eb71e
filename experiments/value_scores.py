"""How well a value network knows validation modules, and what it gives a search on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.progress import track

from mirgym.agents.best_first import CostAlone, Learned, Outlook, exhaust, expansions, listed
from mirgym.agents.explorer import Explorer, SearchConfig
from mirgym.agents.search import run
from mirgym.agents.strategies import Strategy
from mirgym.agents.value import Value
from mirgym.agents.walker import Node
from mirgym.errors import MirgymError
from mirgym.passes import Pass

from .training_modules import TrainingModule
from .value_data import Examples


def calibration(value: Value, train: Examples, valid: Examples) -> dict[str, float]:
    """What the network's promises are worth in states of validation modules.

    ``optimistic`` is the share of states in which no lower cost was found than promised: the
    heuristic is admissible there. ``r`` correlates promised and found ln(best ÷ cost), and
    ``r_to_baseline`` ln(best ÷ baseline), which differs less. ``gap`` is by how much more is
    promised than found, in the median. ``skill`` is the share of the pinball loss of one number
    for all states (the training modules' quantile of ln(best ÷ baseline)) that is saved.
    """
    gains = value.gains(valid.parts)
    here = valid.parts["progress"][:, 1]
    quantile = value.config.quantile
    constant = np.quantile(train.best, quantile) * np.ones(len(valid))
    loss = _pinball(gains + here, valid.best, quantile)
    trivial = _pinball(np.minimum(constant, here), valid.best, quantile)
    return {
        "optimistic": round(float((gains <= valid.gains + 1e-9).mean()), 4),
        "r": round(_correlation(gains, valid.gains), 4),
        "r_to_baseline": round(_correlation(gains + here, valid.best), 4),
        "gap": round(float(np.median(valid.gains - gains)), 4),
        "skill": round(1 - loss / trivial, 4),
        "states": len(valid),
        "modules": len(set(valid.modules)),
    }


def _pinball(predicted: np.ndarray, true: np.ndarray, quantile: float) -> float:
    short = true - predicted
    return float(np.maximum(quantile * short, (quantile - 1) * short).mean())


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


class Mixed:
    """An outlook with the promises of one and the actions of another."""

    def __init__(self, promises: Outlook, orders: Outlook) -> None:
        self._promises = promises
        self._orders = orders

    def promise(self, node: Node, tried: int) -> float:
        """See ``agents.best_first.Outlook``."""
        return self._promises.promise(node, tried)

    def actions(self, node: Node) -> Sequence[Pass]:
        """See ``agents.best_first.Outlook``."""
        return self._orders.actions(node)


def strategies(value: Value) -> dict[str, Strategy]:
    """Each head of a value network with and without the other."""

    def strategy(choose: Callable[[Outlook, Outlook], Outlook]) -> Strategy:
        def search(explorer: Explorer, _: object) -> None:
            control = CostAlone(listed(explorer.config.objective))
            exhaust(expansions(explorer, choose(Learned(value, explorer), control)))

        return search

    return {
        "best_first": strategy(lambda learned, _: learned),
        "value, listed actions": strategy(Mixed),
        "cost, learned actions": strategy(lambda learned, control: Mixed(control, learned)),
        "cheapest_first": strategy(lambda _, control: control),
    }


def searches(
    value: Value, modules: Sequence[TrainingModule], budgets: Sequence[int], transitions: Path
) -> dict[str, dict[int, float]]:
    """By search and budget, the geometric mean over modules of Oz ÷ cost.

    Args:
        value: Whose heads are tried.
        modules: Validation modules; those that the baseline fails on are left out.
        budgets: Compiles; one search with the most holds the results of the others.
        transitions: Folder of a cache.
    """
    config = SearchConfig(value.config.objective, budget=max(budgets), transitions=transitions)
    logs: dict[str, dict[int, list[float]]] = {}
    for module in track(modules, "searches"):
        try:
            bitcode = module.bitcode()
            found = {n: run(one, 0.0, bitcode, config) for n, one in strategies(value).items()}
        except MirgymError:
            continue
        for name, result in found.items():
            for budget in budgets:
                best = min(cost for compiles, cost in result.history if compiles <= budget)
                ratio = math.log(max(result.baseline_cost, 1) / max(best, 1))
                logs.setdefault(name, {}).setdefault(budget, []).append(ratio)
    return {name: _means(by_budget) for name, by_budget in logs.items()}


def _means(logs: Mapping[int, Sequence[float]]) -> dict[int, float]:
    return {budget: round(float(np.exp(np.mean(some))), 5) for budget, some in logs.items()}
