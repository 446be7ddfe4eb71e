"""What ``mir-llvm-loops-v0`` shows of a loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from ..errors import did_you_mean
from ..loops import STRIDES, LoopFacts
from ..views import FunctionView
from .observations import Observer, embedding_space

NAMES = ("facts", "own", "embedding")

FACTS = tuple(name for name in LoopFacts._fields if name not in ("function", "header", "parent"))
"""The facts shown, in order: those that say what the loop is, not where."""

_LARGEST = 64.0


class OwnChoice(NamedTuple):
    """What LLVM itself makes of a loop, read from what O3 leaves of the loop's function.

    Of the loops that the function then has, it is the one with the widest accesses, and of
    these the longest. A function with several loops so shows the same one for all of them.
    """

    loops: int
    """How many the function then has; vectors leave one for the rest of the elements."""
    width: float
    """Elements of a vector; 1 for no vectors."""
    copies: float
    """Loads and stores in its body for each of the original loop: interleaved or unrolled."""
    instructions: int


def own_choice(facts: LoopFacts, after: Sequence[LoopFacts]) -> OwnChoice:
    """What became of a loop, from the facts about its function's loops after O3."""
    if not after:
        return OwnChoice(0, 1.0, 1.0, 0)
    main = max(after, key=lambda found: (found.widest_bits, found.instructions))
    width = main.widest_bits / facts.widest_bits if facts.widest_bits else 1.0
    copies = _accesses(main) / max(_accesses(facts), 1)
    return OwnChoice(len(after), max(width, 1.0), max(copies, 1.0), main.instructions)


def _accesses(facts: LoopFacts) -> int:
    return sum(
        getattr(facts, f"{kind}_{stride}") for kind in ("loads", "stores") for stride in STRIDES
    )


class LoopCode(NamedTuple):
    """What the encoder sees of a loop: its function, and itself as a function if it can be."""

    function: FunctionView
    alone: FunctionView | None


class LoopObserver(Observer):
    """The spaces and arrays of the loop that is next. See ``LlvmLoopsEnv``."""

    def __init__(self, observation: str | Sequence[str], encoder: str = "tiny") -> None:
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
        self.encoder = encoder
        built = {name: _space(name, encoder) for name in names}
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


def own_vector(own: OwnChoice) -> np.ndarray:
    """``ln(1 + number)`` for each field."""
    return np.log1p(own).astype(np.float32)


def _space(name: str, encoder: str) -> spaces.Space[Any]:
    if name == "own":
        return spaces.Box(0.0, _LARGEST, (len(OwnChoice._fields),), np.float32)
    if name == "facts":
        return spaces.Box(0.0, _LARGEST, (len(FACTS) + 1,), np.float32)
    from ..encoder.weights import config_of

    return embedding_space(2 * config_of(encoder).d_embed)
