"""What an environment shows of a module: spaces, and arrays from a session's views."""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from ..errors import did_you_mean
from ..features import AUTOPHASE_NAMES, INSTCOUNT_NAMES
from ..views import ModuleView
from ..wire import State

if TYPE_CHECKING:
    from ..encoder.embedder import Embedder

NAMES = ("embedding", "instcount", "autophase", "history", "parameters", "ir")
_OWN = ("history", "parameters")  # what the environment knows without asking the session
COUNT_LIMIT = 2**31 - 1
LOG_RATIO_LIMIT = 8.0
"""``history`` clips its logarithms of cost ratios to this."""
IR_LIMIT = 1 << 26
"""Longest IR text in characters that the ``ir`` space allows."""


@dataclass
class History:
    """What the agent did so far in this episode, as numbers.

    The vector is float32 with ``number of actions + 3`` entries: how often each action
    was taken divided by the episode's length, the fraction of steps that remain,
    ``ln(cost / start)`` and ``ln(cost / baseline)``, the last two clipped to ±8.
    """

    n_actions: int
    horizon: int
    counts: np.ndarray = field(init=False)
    steps: int = 0

    def __post_init__(self) -> None:
        self.counts = np.zeros(self.n_actions, np.float32)

    def record(self, action: int) -> None:
        """Count one action."""
        self.counts[action] += 1.0
        self.steps += 1

    def vector(self, cost: int, start: int, baseline: int) -> np.ndarray:
        """The observation, shape ``(n_actions + 3,)``, float32."""
        out = np.empty(self.n_actions + 3, np.float32)
        np.minimum(self.counts / self.horizon, 1.0, out=out[:-3])
        out[-3] = max(0.0, 1.0 - self.steps / self.horizon)
        out[-2] = _log_ratio(cost, start)
        out[-1] = _log_ratio(cost, baseline)
        return out


def _log_ratio(cost: int, reference: int) -> float:
    ratio = math.log(max(cost, 1) / max(reference, 1))
    return min(max(ratio, -LOG_RATIO_LIMIT), LOG_RATIO_LIMIT)


def one_hot(choice: Sequence[int], sizes: Sequence[int]) -> np.ndarray:
    """The ``parameters`` observation: a 1 at each knob's value, shape ``(sum(sizes),)``."""
    out = np.zeros(sum(sizes), np.float32)
    if sizes:
        out[np.cumsum([0, *sizes[:-1]]) + np.asarray(choice)] = 1.0
    return out


def _space(name: str, n_actions: int, knob_sizes: Sequence[int], encoder: str) -> spaces.Space[Any]:
    if name == "parameters":
        if not knob_sizes:
            raise ValueError(
                "observation 'parameters' shows what actions set; add a group that sets "
                "parameters: actions='passes+parameters'"
            )
        return spaces.Box(0.0, 1.0, (sum(knob_sizes),), np.float32)
    if name == "instcount":
        return spaces.Box(0, COUNT_LIMIT, (len(INSTCOUNT_NAMES),), np.int64)
    if name == "autophase":
        return spaces.Box(0, COUNT_LIMIT, (len(AUTOPHASE_NAMES),), np.int64)
    if name == "history":
        high = np.ones(n_actions + 3, np.float32)
        high[-2:] = LOG_RATIO_LIMIT
        low = np.zeros_like(high)
        low[-2:] = -LOG_RATIO_LIMIT
        return spaces.Box(low, high, dtype=np.float32)
    if name == "embedding":
        from ..encoder.config import module_size
        from ..encoder.weights import config_of

        return embedding_space(module_size(config_of(encoder)))
    return spaces.Text(IR_LIMIT, min_length=0, charset=frozenset(string.printable))


def embedding_space(size: int) -> spaces.Box:
    """The space of an encoder's vectors."""
    from ..encoder.config import EMBEDDING_LIMIT

    return spaces.Box(-EMBEDDING_LIMIT, EMBEDDING_LIMIT, (size,), np.float32)


class Observer:
    """Builds the observations of the chosen kinds.

    One name gives that observation itself; several give a ``Dict`` space with one entry
    for each name. Work is in two halves, so that several environments share one batch of the
    encoder: ``look`` at each state, then ``finish`` all looks together.
    """

    def __init__(
        self,
        observation: str | Sequence[str],
        n_actions: int,
        knob_sizes: Sequence[int] = (),
        encoder: str = "tiny",
    ) -> None:
        names = (observation,) if isinstance(observation, str) else tuple(observation)
        for name in names:
            if name not in NAMES:
                raise ValueError(
                    f"unknown observation {name!r}; expected one or several of {list(NAMES)}."
                    + did_you_mean(name, NAMES)
                )
        if not names or len(set(names)) != len(names):
            raise ValueError(f"observation={observation!r}: expected one or several distinct names")
        self.names = names
        self.single = isinstance(observation, str)
        self.encoder = encoder
        self.views = tuple(
            "new_functions" if n == "embedding" else n for n in names if n not in _OWN
        )
        built = {name: _space(name, n_actions, knob_sizes, encoder) for name in names}
        self.space: spaces.Space[Any] = built[names[0]] if self.single else spaces.Dict(built)

    def look(
        self,
        state: State,
        own: dict[str, np.ndarray],
        all_functions: Callable[[], ModuleView],
    ) -> dict[str, Any]:
        """What ``finish`` needs of a state; arrays are copies that the caller owns.

        ``own`` holds ``history`` and ``parameters``. ``all_functions`` is asked when the cache
        has lost a function's embedding.
        """
        parts: dict[str, Any] = {}
        for name in self.names:
            if name in _OWN:
                parts[name] = own[name]
            elif name == "embedding":
                module = state.views["new_functions"]
                assert isinstance(module, ModuleView)
                parts[name] = module if self.embedder.knows(module) else all_functions()
            else:
                view = state.views[name]
                parts[name] = view.copy() if isinstance(view, np.ndarray) else view
        return parts

    def finish(self, looks: Sequence[dict[str, Any]]) -> list[Any]:
        """The observations; functions that several states share are embedded once."""
        if "embedding" in self.names:
            modules: list[ModuleView] = [look["embedding"] for look in looks]
            self.embedder.warm(v for m in modules for v in m.functions if v is not None)
            for look, module in zip(looks, modules, strict=True):
                look["embedding"] = self.embedder.module(module)
        return [look[self.names[0]] if self.single else look for look in looks]

    @property
    def embedder(self) -> Embedder:
        """The encoder that this process shares; loaded when first needed."""
        from ..encoder.embedder import shared_embedder

        return shared_embedder(self.encoder)
