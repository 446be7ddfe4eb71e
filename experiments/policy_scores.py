"""How good a policy is on validation modules: the scores in the experiments' tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mirgym.agents.memory import Memory
from mirgym.agents.policy import Policy
from mirgym.agents.regression import States, best_of_lists, best_of_top

from .policy_data import Data


class Split(NamedTuple):
    """States of training and of validation modules, and of both those as loaded."""

    train: States
    valid: States
    first_train: States
    first_valid: States


def split(data: Data, objective: str, names: Sequence[str]) -> Split:
    """The states with these observations."""
    states = States(data.observation(objective, names), data.values[objective])
    held, first = data.is_validation, data.is_first
    rows = (~held, held, ~held & first, held & first)
    return Split(*(states[np.flatnonzero(some)] for some in rows))


def remember(policy: Policy, *some: States) -> Policy:
    """The policy with the memory of these states, which are of modules as loaded."""
    keys = np.concatenate([policy.hidden(states.parts) for states in some])
    values = np.concatenate([states.values[:, :-1] for states in some])
    return Policy(policy.config, policy.actions, policy.weights, Memory.of(keys, values))


def score(policy: Policy, parts: Split) -> dict[int, float]:
    """Ratio to Oz of the best of the first k on validation modules; they are not remembered."""
    knowing = remember(policy, parts.first_train)
    lists = [
        knowing.ranked(parts.first_valid[np.array([row])].parts, 30)
        for row in range(len(parts.first_valid.values))
    ]
    return best_of_lists(lists, parts.first_valid.values)


def greedy(policy: Policy, parts: Split) -> float:
    """Ratio to Oz that the first choice of the logits alone gives in all validation states."""
    return best_of_top(policy.logits(parts.valid.parts), parts.valid.values, (1,))[1]


def scores(policy: Policy, parts: Split) -> dict[str, float]:
    """Both, as columns of a table."""
    return {"greedy": round(greedy(policy, parts), 5), **named(score(policy, parts))}


def named(values: Mapping[int, float]) -> dict[str, float]:
    """Scores of the first k as columns of a table."""
    return {f"top{k}": round(value, 5) for k, value in values.items()}
