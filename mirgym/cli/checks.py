"""``mirgym bench`` and ``mirgym doctor``: what is measured and examined."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

_OPTIONS: dict[str, tuple[str, ...]] = {
    "engine": (),
    "env": ("seconds", "steps"),
    "size": ("steps", "seed"),
    "embed": ("steps", "seed"),
    "cache": ("seed",),
    "fuzz": ("steps", "csmith", "excluded", "replays", "seed"),
    "validate": ("sequences", "plants", "seed", "folder"),
    "runtime": ("programs", "repeats", "ranked", "variants", "seed", "folder"),
    "optimize": ("programs", "repeats"),
}


@dataclass(frozen=True)
class Bench:
    """Measure what the README claims; exit status 1 when a check fails."""

    name: Annotated[
        Literal[
            "engine", "env", "size", "embed", "cache", "fuzz", "validate", "runtime", "optimize"
        ],
        tyro.conf.Positional,
    ]
    """Steps against the bare pass manager, environments, the size reward, the encoder, the
    cache of compiles, robustness, what validation finds, dynamic_cost against the clock, or
    ``mirgym optimize`` as a whole command."""
    json: bool = False
    """Print one JSON object instead of tables."""
    steps: int | None = None
    """fuzz, size, env: how many steps."""
    csmith: int | None = None
    """fuzz: how many csmith programs."""
    excluded: bool = False
    """fuzz: draw from the excluded passes, too."""
    replays: int | None = None
    """fuzz: how many episodes to play again."""
    sequences: int | None = None
    """validate: how many random sequences of core passes."""
    plants: int | None = None
    """validate: how many planted miscompiles."""
    programs: int | None = None
    """runtime: on how many programs the cost is measured again and again; optimize: on how
    many the result is held against Oz."""
    repeats: int | None = None
    """runtime, optimize: how often."""
    ranked: int | None = None
    """runtime: for how many programs cost and time are compared."""
    variants: int | None = None
    """runtime: how many variants of each of them."""
    folder: Path | None = None
    """validate, runtime: where an interrupted run goes on from, and miscompiles are saved."""
    seed: int | None = None
    """fuzz, size, cache, validate, runtime: which random passes."""
    seconds: float | None = None
    """env: how long each rate is measured."""

    def run(self) -> int:
        """Run one benchmark.

        Raises:
            ValueError: An option that this benchmark does not have.
        """
        from ..bench import run

        takes = _OPTIONS[self.name]
        options = {}
        for option in sorted(set().union(*_OPTIONS.values())):
            value = getattr(self, option)
            if value is None or value is False:
                continue
            if option not in takes:
                expected = ", ".join(f"--{name}" for name in takes) or "no options"
                raise ValueError(f"bench {self.name} has no --{option}; it takes {expected}")
            options[option] = value
        return run(self.name, json=self.json, **options)


@dataclass(frozen=True)
class Doctor:
    """Check the installation: versions, compiler, cache, and a self-test."""

    json: bool = False

    def run(self) -> int:
        """Print the findings; 1 when something that is needed fails."""
        from ..doctor import examine, print_findings

        findings = examine()
        print_findings(findings, json=self.json)
        return 0 if all(f.ok or not f.needed for f in findings) else 1
