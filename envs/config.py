"""What an environment is told: the keyword arguments of ``gym.make``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..errors import did_you_mean
from ..objective import LEVEL_PIPELINES, check_level, objective_name
from ..parameters import select
from ..passes import Pass
from ..session import DEFAULT_GROWTH_LIMIT
from ..worker import WorkerLimits
from .registration import DEFAULT_EPISODE_STEPS


@dataclass(frozen=True)
class EpisodeConfig:
    """What every environment is told; keyword arguments of ``gym.make``."""

    programs: Any = "mirbench"
    """Programs to play on: a suite (``"mirbench"``, ``"mirbench:train"``, ``"cbench-v1"``),
    a URI, a path, a ``Program``, or a list of these."""
    objective: str = "text_size_bytes"
    """``text_size_bytes`` (bytes of machine code), ``ir_instructions``, ``dynamic_cost`` (weighted
    instructions that the program's first run executes) or ``runtime_ns`` (wall time of its last
    run). The last two run the program; what cannot run has no cost, and is an error. Several with
    weights, ``{"text_size_bytes": 1, "dynamic_cost": 2}``: the reward is then the weighted sum of
    their log-ratios, and the cost a million × what that makes of the baseline."""
    baseline: str = "Oz"
    """``O0 O1 O2 O3 Os Oz``. Functions get this level's size attributes at reset, so that
    agent and baseline compete on the same footing."""
    observation: str | Sequence[str] = "embedding"
    """One or several of ``embedding``, ``instcount``, ``autophase``, ``history``, ``ir``."""
    encoder: str = "tiny"
    """Whose embedding is observed: ``tiny``, ``base``, or a path to weights that
    ``mirgym pretrain`` wrote."""
    isolation: str = "process"
    """``process``: a worker process, which a pass may crash. ``none``: in this process,
    faster on tiny modules, and a crash is yours."""
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    """Time and memory of the worker."""
    growth_limit: float = DEFAULT_GROWTH_LIMIT
    """The episode ends when the module grows past this many times its first size."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "objective", objective_name(self.objective))
        check_level(self.baseline)
        if self.isolation not in ("process", "none"):
            raise ValueError(f"unknown isolation {self.isolation!r}; expected 'process' or 'none'")


@dataclass(frozen=True)
class EnvConfig(EpisodeConfig):
    """What ``mir-llvm-v0`` is."""

    actions: str | Sequence[str | Pass] = "passes"
    """See ``actions.build_actions``: ``"passes"``, ``"passes+parameters+stop"``, a list …"""


@dataclass(frozen=True)
class ParamsConfig(EpisodeConfig):
    """What ``mir-llvm-params-v0`` is."""

    mode: str = "one-shot"
    """``one-shot``: one step that chooses every parameter. ``coordinates``: a step changes one
    parameter, or stops."""
    pipeline: str | None = None
    """The pipeline that the parameters belong to; None for that of the baseline's level."""
    knobs: Sequence[str] | None = None
    """Names of the parameters to choose, from ``mirgym.parameters``; None for all."""
    growth_limit: float = 4 * DEFAULT_GROWTH_LIMIT
    """Random parameters inline and unroll without regard to size: 25 times is common."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode not in MODES:
            raise ValueError(
                f"unknown mode {self.mode!r}; expected one of {list(MODES)}."
                + did_you_mean(str(self.mode), MODES)
            )
        if self.pipeline is None and LEVEL_PIPELINES[self.baseline] is None:
            raise ValueError(
                f"baseline={self.baseline!r} runs no pipeline that has parameters; give one, "
                "such as pipeline='default<O2>'"
            )
        select(self.knobs)

    @property
    def level_pipeline(self) -> str:
        """The pipeline, resolved."""
        found = self.pipeline or LEVEL_PIPELINES[self.baseline]
        assert found is not None  # __post_init__ saw to it
        return found


@dataclass(frozen=True)
class LoopsConfig(EpisodeConfig):
    """What ``mir-llvm-loops-v0`` is."""

    programs: Any = ("loopkernels", "mirbench")
    """As in every environment; programs without loops are left out."""
    objective: str = "dynamic_cost"
    """``dynamic_cost`` or ``runtime_ns``."""
    baseline: str = "O3"
    """What the reward compares with, and the attributes of functions: ``O0`` to ``O3``."""
    observation: str | Sequence[str] = ("facts", "embedding")
    """One or several of ``facts``, ``own`` and ``embedding``."""
    loops: str = "innermost"
    """Which loops to decide about: ``innermost`` or ``all``. Only innermost ones can be
    vectorized; the others are unrolled at most."""
    max_loops: int = 32
    """Steps of an episode at most; LLVM decides about the loops after these."""
    widths: Sequence[int] = (0, 1, 2, 4, 8, 16)
    """Elements of a vector to choose from; 0 leaves it to LLVM, 1 is no vectors."""
    interleaves: Sequence[int] = (0, 1, 2, 4, 8)
    """Numbers of vector bodies beside each other; 0 leaves it to LLVM."""
    unrolls: Sequence[int] = (0, 1, 2, 4, 8)
    """Unroll counts; 0 leaves it to LLVM, 1 is no unrolling."""
    fusion: bool = False
    """Whether a fourth choice for each loop makes one of it and the loop right after it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.objective not in SPEED:
            raise ValueError(
                f"objective={self.objective!r}: vectors and unrolling trade size for speed; "
                f"expected one of {list(SPEED)}. For size, see mir-llvm-v0"
            )
        if self.baseline not in ("O0", "O1", "O2", "O3"):
            raise ValueError(
                f"baseline={self.baseline!r}: LLVM does not vectorize code for size; expected "
                "one of ['O0', 'O1', 'O2', 'O3']"
            )
        if self.loops not in ("innermost", "all"):
            raise ValueError(f"unknown loops={self.loops!r}; expected 'innermost' or 'all'")
        if not 1 <= self.max_loops <= DEFAULT_EPISODE_STEPS:
            raise ValueError(
                f"max_loops={self.max_loops}: expected 1 to {DEFAULT_EPISODE_STEPS}, the "
                "longest episode"
            )
        check_choices("widths", self.widths, 64)
        check_choices("interleaves", self.interleaves, 16)
        check_choices("unrolls", self.unrolls, 64)


SPEED = ("dynamic_cost", "runtime_ns")
"""Objectives that vectors and unrolling are for."""


def check_choices(name: str, values: Sequence[int], largest: int) -> None:
    """Raise ``ValueError`` unless these are 0 and some distinct powers of two."""
    powers = [2**i for i in range(largest.bit_length())]
    wrong = [value for value in values if value and value not in powers]
    if wrong or len(set(values)) != len(values) or not values or values[0] != 0:
        raise ValueError(
            f"{name}={tuple(values)}: expected 0 first, then distinct powers of two up to {largest}"
        )


MODES = ("one-shot", "coordinates")

Config = TypeVar("Config", bound=EpisodeConfig)


def make_config(kind: type[Config], arguments: dict[str, Any], env_id: str) -> Config:
    """The config of these arguments.

    Raises:
        TypeError: An argument that there is not.
        ValueError: A bad value.
    """
    known = [f.name for f in dataclasses.fields(kind)]
    for name in arguments:
        if name not in known:
            raise TypeError(
                f"unknown argument {name!r} for {env_id}; expected some of {known}."
                + did_you_mean(name, known)
            )
    return kind(**arguments)
