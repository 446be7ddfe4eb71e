"""What the leaderboard has to know of an agent besides its name.

``ALGORITHMS`` (``agents.search``) says which agents there are; an agent that is not in
``TRAITS`` is one that plans with its budget, draws random numbers and has no data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

from .controls import CORESETS, POLICIES
from .edits import EDITS
from .speed import SPEED_DATA


@dataclass(frozen=True)
class Traits:
    """How an agent behaves."""

    anytime: bool = False
    """Its first N compiles are the same whatever the budget, so one run at the largest budget
    holds the results of all smaller ones. ``genetic`` is not: its population grows with the
    budget. Nor are those that keep compiles for pruning."""
    seedless: bool = False
    """The same for every seed."""
    data_version: Callable[[str], str] | None = None
    """What tells one version of the agent's data (weights, sequences) for an objective from
    another; None when it has none."""


def coreset_version(objective: str) -> str:
    """The first digits of the coreset's hash."""
    return _hash(CORESETS[objective])


def listed_version(objective: str) -> str:
    """The same of all that the list of ``best_first.listed`` is made of."""
    return _hash(CORESETS[objective], *CORESETS.values(), "actions.json")


def unguided_version(objective: str) -> str:
    """The same of the coreset and the edits."""
    return _hash(CORESETS[objective], EDITS)


def policy_version(objective: str) -> str:
    """The first digits of the hash of the shipped policy and its edits."""
    return _hash(f"policies/{POLICIES[objective]}.safetensors", EDITS)


def best_first_version(objective: str) -> str:
    """The same of the shipped value network."""
    return _hash(f"values/{POLICIES[objective]}.safetensors")


def speed_version(objective: str) -> str:
    """The same of the known pipelines and edits for speed."""
    return _hash(SPEED_DATA)


def _hash(*names: str) -> str:
    data = files(__package__) / "data"
    content = b"".join((data / name).read_bytes() for name in names)
    return hashlib.sha256(content).hexdigest()[:12]


TRAITS: dict[str, Traits] = {
    "sequences": Traits(anytime=True),
    "optuna": Traits(anytime=True),
    "fixed": Traits(anytime=True, seedless=True, data_version=coreset_version),
    "oz_twice": Traits(anytime=True, seedless=True),
    "unguided": Traits(data_version=unguided_version),
    "policy": Traits(data_version=policy_version),
    "best_first": Traits(anytime=True, seedless=True, data_version=best_first_version),
    "cheapest_first": Traits(anytime=True, seedless=True, data_version=listed_version),
    "speed": Traits(data_version=speed_version),
    "profiled": Traits(seedless=True),
}
"""Agents that are not as most are; a test holds the first 45 compiles of an ``anytime`` one
against a run of 45."""

_ORDINARY = Traits()


def traits_of(agent: str) -> Traits:
    """The traits of an agent."""
    return TRAITS.get(agent, _ORDINARY)


def data_version(agent: str, objective: str) -> str:
    """The version of an agent's data for an objective; empty when it has none."""
    version = traits_of(agent).data_version
    return "" if version is None else version(objective)
