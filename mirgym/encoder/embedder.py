"""Embeddings of functions and modules, cached by the key of a function's view.

A module's embedding is, with weights ``w`` = a function's share of the instructions::

    [ Σ w[f] e[f],                        what the code is
      Σ w[f] mean(e[g] for g called by f), what it calls
      ln(1 + instructions) / 10, ln(1 + functions) / 10 ]

so that a step that changes two functions costs two functions.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..views import FunctionView, ModuleView
from .config import EMBEDDING_LIMIT, EncoderConfig, module_size
from .light import LightEncoder
from .weights import load, read

if TYPE_CHECKING:
    from .model import Encoder

CACHED_FUNCTIONS = 65_536
BATCH_INSTRUCTIONS = 8_192
"""Instructions embedded at once: bounds the memory, and no smaller is faster."""

SCALE = 10.0
"""Divides the logarithms of sizes, so that they lie where the rest does."""


class MissingViewError(LookupError):
    """A function's arrays were left out and its embedding is no longer cached."""


class Embedder:
    """A frozen encoder with its cache; one serves any number of environments.

    Args:
        model: ``"tiny"``, ``"base"``, a path to weights, or an ``Encoder``.
        cached_functions: How many embeddings to keep, the least recently used going first.
        light: Embed without torch: see ``light``.

    Raises:
        MirgymError: See ``weights.load``.
    """

    def __init__(
        self,
        model: str | Path | Encoder = "tiny",
        *,
        cached_functions: int = CACHED_FUNCTIONS,
        light: bool = False,
    ) -> None:
        encode = _light(model) if light and isinstance(model, str | Path) else _full(model)
        self._encode, config = encode
        self.function_size = config.d_embed
        self.module_size = module_size(config)
        self._cached_functions = cached_functions
        self._cache: OrderedDict[int, np.ndarray] = OrderedDict()

    def functions(self, views: Sequence[FunctionView]) -> np.ndarray:
        """Embeddings of functions, shape ``(n, function_size)``, float32."""
        self.warm(views)
        return np.stack([self._known(view.key) for view in views]) if views else self._none()

    def module(self, module: ModuleView) -> np.ndarray:
        """Embedding of a module, shape ``(module_size,)``, float32; zeros without functions.

        Raises:
            MissingViewError: See the class of that name; ask for the view ``functions``.
        """
        out = np.zeros(self.module_size, np.float32)
        if not module.keys:
            return out
        self.warm(view for view in module.functions if view is not None)
        each = np.stack([self._known(key) for key in module.keys])  # (F, D)
        out[:-2] = (function_weights(module) @ each).ravel()
        out[-2:] = np.log1p([sum(module.instructions), len(module.keys)]) / SCALE
        return out

    def knows(self, module: ModuleView) -> bool:
        """Whether ``module`` would succeed."""
        return all(
            view is not None or key in self._cache
            for key, view in zip(module.keys, module.functions, strict=True)
        )

    def forget(self) -> None:
        """Empty the cache."""
        self._cache.clear()

    def warm(self, views: Iterable[FunctionView]) -> None:
        """Embed those functions that are not cached, in as few batches as fit."""
        missing = {view.key: view for view in views if view.key not in self._cache}
        batch: list[FunctionView] = []
        for view in missing.values():
            batch.append(view)
            if sum(v.tokens.shape[1] for v in batch) >= BATCH_INSTRUCTIONS:
                self._embed(batch)
                batch = []
        if batch:
            self._embed(batch)

    def _embed(self, batch: list[FunctionView]) -> None:
        rows = np.clip(self._encode(batch), -EMBEDDING_LIMIT, EMBEDDING_LIMIT)
        for view, row in zip(batch, rows, strict=True):
            self._cache[view.key] = row
        while len(self._cache) > max(self._cached_functions, len(batch)):
            self._cache.popitem(last=False)

    def _known(self, key: int) -> np.ndarray:
        try:
            self._cache.move_to_end(key)
            return self._cache[key]
        except KeyError:
            raise MissingViewError(f"function {key:#x} is not cached") from None

    def _none(self) -> np.ndarray:
        return np.zeros((0, self.function_size), np.float32)


_Encode = Callable[[Sequence[FunctionView]], np.ndarray]


def _light(model: str | Path) -> tuple[_Encode, EncoderConfig]:
    config, weights = read(model)
    return LightEncoder(config, weights), config


def _full(model: str | Path | Encoder) -> tuple[_Encode, EncoderConfig]:
    import torch

    from .batch import collate

    encoder = load(model) if isinstance(model, str | Path) else model
    encoder.eval().prepare_inference()

    def encode(views: Sequence[FunctionView]) -> np.ndarray:
        with torch.inference_mode():
            fused: np.ndarray = encoder(collate(views, encoder.config.window)).fused.float().numpy()
        return fused

    return encode, encoder.config


def function_weights(module: ModuleView) -> np.ndarray:
    """Weights of functions in a module's embedding, (2, F): own code, and what is called."""
    own = np.array(module.instructions, np.float32)
    own /= own.sum()
    # What is called, weighted by its callers: one row of weights instead of F × F.
    called = np.zeros_like(own)
    for weight, callees in zip(own, module.callees, strict=True):
        for callee in callees:
            called[callee] += weight / len(callees)
    return np.stack([own, called])


@functools.cache
def shared_embedder(model: str = "tiny") -> Embedder:
    """The embedder that this process shares between its environments."""
    return Embedder(model)


@functools.cache
def light_embedder(model: str = "tiny") -> Embedder:
    """The embedder without torch that this process shares."""
    return Embedder(model, light=True)
