"""A genetic algorithm over pass sequences: the strongest of the usual controls.

An individual is a sequence of passes, run as one pipeline: one compile. Steady state: a
child replaces the worst individual when it is no worse and its module is not there yet, so
that at a small budget every compile is selected from at once. Parents win tournaments; a
child is a crossover at one or two points, or a copy, and then has passes replaced, inserted
and deleted (Goldberg & Deb 1991 for the selection, Whitley 1989 for the steady state).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

from ..passes import Pass
from .explorer import Explorer
from .strategies import IDLE_RESTARTS, RANDOM_SEQUENCE_STEPS, as_whole

TOURNAMENT = 3
CROSSOVER = 0.7
"""Share of children with two parents."""
LONGEST = RANDOM_SEQUENCE_STEPS + 1
"""A random sequence behind the baseline."""
_LONGEST_FIRST = 16
"""Passes of a first individual. Longer ones take longer and are not better."""
_FROM_START = 0.75
"""Share of first individuals that build on the baseline; few random sequences reach it."""


class Individual(NamedTuple):
    """A sequence, what it costs, and the module it gives."""

    cost: int
    key: int
    steps: tuple[Pass, ...]


def population_size(budget: int) -> int:
    """Individuals for a budget: so many that each is replaced √budget times.

    >>> [population_size(budget) for budget in (1, 45, 300, 5000)]
    [4, 7, 17, 50]
    """
    return min(max(round(math.sqrt(budget)), 4), 50)


def genetic(explorer: Explorer, rng: random.Random) -> None:
    """Breed until the budget is spent, or nothing new comes."""
    start = explorer.best.path
    size = population_size(explorer.left)
    population: list[Individual] = []
    idle = 0
    while idle < IDLE_RESTARTS:
        before = explorer.compiles
        if len(population) < size:
            steps = first_steps(start, explorer.config.passes, rng)
        else:
            steps = breed(population, explorer.config.passes, rng)
        reached = explorer.walk(explorer.root, as_whole(steps))
        if reached is not None:
            admit(population, Individual(reached.cost, reached.key, steps), size)
        idle = idle + 1 if explorer.compiles == before else 0


def first_steps(
    start: tuple[Pass, ...], passes: Sequence[Pass], rng: random.Random
) -> tuple[Pass, ...]:
    """The baseline with one to eight passes before or after it, or a random sequence."""
    if not start or rng.random() >= _FROM_START:
        return tuple(rng.choices(passes, k=rng.randint(1, _LONGEST_FIRST)))
    some = tuple(rng.choices(passes, k=rng.randint(1, 8)))
    return (*start, *some) if rng.random() < 0.5 else (*some, *start)


def breed(
    population: Sequence[Individual], passes: Sequence[Pass], rng: random.Random
) -> tuple[Pass, ...]:
    """A child's sequence."""
    steps = select(population, rng).steps
    if rng.random() < CROSSOVER:
        steps = cross(steps, select(population, rng).steps, rng)
    changes = 1
    while rng.random() < 0.4:
        changes += 1
    for _ in range(changes):
        steps = mutate(steps, passes, rng)
    return steps[:LONGEST]


def select(population: Sequence[Individual], rng: random.Random) -> Individual:
    """The best of three drawn at random."""
    return min(rng.choices(population, k=TOURNAMENT), key=lambda one: one.cost)


def cross(
    first: tuple[Pass, ...], second: tuple[Pass, ...], rng: random.Random
) -> tuple[Pass, ...]:
    """A head of one and a tail of the other, or one with a piece of the other inside."""
    if rng.random() < 0.5:
        return first[: rng.randint(0, len(first))] + second[rng.randint(0, len(second)) :]
    start, end = sorted(rng.randint(0, len(first)) for _ in range(2))
    low, high = sorted(rng.randint(0, len(second)) for _ in range(2))
    return first[:start] + second[low:high] + first[end:]


def mutate(steps: tuple[Pass, ...], passes: Sequence[Pass], rng: random.Random) -> tuple[Pass, ...]:
    """One pass replaced, inserted or deleted."""
    kind = rng.choice(("replace", "insert", "delete")) if steps else "insert"
    if kind == "insert":
        at = rng.randint(0, len(steps))
        return (*steps[:at], rng.choice(passes), *steps[at:])
    at = rng.randrange(len(steps))
    new = (rng.choice(passes),) if kind == "replace" else ()
    return (*steps[:at], *new, *steps[at + 1 :])


def admit(population: list[Individual], child: Individual, size: int) -> None:
    """Let a child in: while there is room, and then in the place of the worst."""
    if any(one.key == child.key for one in population):
        return
    if len(population) < size:
        population.append(child)
        return
    worst = max(range(size), key=lambda index: population[index].cost)
    if child.cost <= population[worst].cost:
        population[worst] = child
