"""What ``mir-llvm-loops-v0`` shows of a loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from ..errors import did_you_mean
from ..loops import LoopFacts
from ..views import FunctionView
from .observations import Observer, embedding_space

NAMES = ("facts", "embedding")

FACTS = tuple(name for name in LoopFacts._fields if name not in ("function", "header", "parent"))
"""The facts shown, in order: those that say what the loop is, not where."""

_LARGEST = 64.0


class LoopCode(NamedTuple):
    """What the encoder sees of a loop: its function, and itself as a function if it can be."""

    function: FunctionView
    alone: FunctionView | None


class LoopObserver(Observer):
    """The spaces and arrays of the loop that is next. See ``LlvmLoopsEnv``."""

    def __init__(self, observation: str | Sequence[str]) -> None:
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
        self.views = ()
        built = {name: _space(name) for name in names}
        self.space = built[names[0]] if self.single else spaces.Dict(built)

    def finish(self, looks: Sequence[dict[str, Any]]) -> list[Any]:
        """The observations; code that several loops share is embedded once."""
        if "embedding" in self.names:
            codes: list[LoopCode] = [look["embedding"] for look in looks]
            self.embedder.warm(view for code in codes for view in code if view is not None)
            for look, code in zip(looks, codes, strict=True):
                look["embedding"] = self._embed(code)
        return [look[self.names[0]] if self.single else look for look in looks]

    def _embed(self, code: LoopCode) -> np.ndarray:
        size = self.embedder.function_size
        out = np.zeros(2 * size, np.float32)
        out[:size] = self.embedder.functions([code.function])[0]
        if code.alone is not None:
            out[size:] = self.embedder.functions([code.alone])[0]
        return out


def fact_vector(facts: LoopFacts, left: float) -> np.ndarray:
    """``ln(1 + fact)`` for each of ``FACTS``, then the share of the loops that is left."""
    numbers = [max(getattr(facts, name), 0) for name in FACTS]
    return np.append(np.log1p(numbers), left).astype(np.float32)


def _space(name: str) -> spaces.Space[Any]:
    if name == "facts":
        return spaces.Box(0.0, _LARGEST, (len(FACTS) + 1,), np.float32)
    from ..encoder.config import CONFIGS

    return embedding_space(2 * CONFIGS["tiny"].d_embed)
