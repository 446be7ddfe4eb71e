"""What an environment is told: the keyword arguments of ``gym.make``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..errors import did_you_mean
from ..objective import LEVEL_PIPELINES, check_level, check_metric
from ..parameters import select
from ..passes import Pass
from ..session import DEFAULT_GROWTH_LIMIT
from ..worker import WorkerLimits


@dataclass(frozen=True)
class EpisodeConfig:
    """What every environment is told; keyword arguments of ``gym.make``."""

    programs: Any = "mirbench"
    """Programs to play on: a suite (``"mirbench"``, ``"mirbench:train"``, ``"cbench-v1"``),
    a URI, a path, a ``Program``, or a list of these."""
    objective: str = "text_size_bytes"
    """``text_size_bytes`` (bytes of machine code), ``ir_instructions``, ``dynamic_cost`` (weighted
    instructions that the program's first run executes) or ``runtime_ns`` (wall time of its last
    run). The last two run the program; what cannot run has no cost, and is an error."""
    baseline: str = "Oz"
    """``O0 O1 O2 O3 Os Oz``. Functions get this level's size attributes at reset, so that
    agent and baseline compete on the same footing."""
    observation: str | Sequence[str] = "embedding"
    """One or several of ``embedding``, ``instcount``, ``autophase``, ``history``, ``ir``."""
    isolation: str = "process"
    """``process``: a worker process, which a pass may crash. ``none``: in this process,
    faster on tiny modules, and a crash is yours."""
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    """Time and memory of the worker."""
    growth_limit: float = DEFAULT_GROWTH_LIMIT
    """The episode ends when the module grows past this many times its first size."""

    def __post_init__(self) -> None:
        check_metric(self.objective)
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
