"""The columns of the probes' table: counters, and encoders of several kinds."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from mirgym.encoder.config import BASE
from mirgym.encoder.embedder import Embedder
from mirgym.encoder.model import Encoder
from mirgym.features import FUNCTION_FEATURES

from .probe_data import Described
from .probe_programs import DescribedProgram

COUNTERS = {"InstCount": "instcount", "Autophase": "autophase", "IR2Vec": "ir2vec"}


class Column(NamedTuple):
    """How functions and whole programs become rows of features, (n, d) float32."""

    name: str
    functions: Callable[[Sequence[Described]], np.ndarray]
    programs: Callable[[Sequence[DescribedProgram]], np.ndarray]


def counter(name: str, vocabulary: np.ndarray | None = None) -> Column:
    """Integer features; times a vocabulary, if given."""

    def rows(features: list[np.ndarray]) -> np.ndarray:
        picked = np.stack(features)[:, FUNCTION_FEATURES[COUNTERS[name]]].astype(np.float32)
        return picked if vocabulary is None else picked @ vocabulary

    return Column(
        name,
        lambda functions: rows([one.features for one in functions]),
        lambda programs: rows([one.features for one in programs]),
    )


def encoder(name: str, model: str | Path | Encoder) -> Column:
    """Frozen embeddings; each function is embedded once."""
    embedder = Embedder(model, cached_functions=500_000)
    return Column(
        name,
        lambda functions: embedder.functions([one.view for one in functions]),
        lambda programs: np.stack([embedder.module(one.module) for one in programs]),
    )


def untrained() -> Encoder:
    """The base encoder with random weights."""
    torch.manual_seed(0)
    return Encoder(BASE)


def packaged_vocabulary() -> Path | None:
    """IR2Vec's, from its package; found without importing, which would load a second LLVM."""
    spec = importlib.util.find_spec("ir2vec")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "seedEmbeddingVocab.txt"
    return path if path.is_file() else None
