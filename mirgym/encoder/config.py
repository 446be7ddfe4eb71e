"""Sizes of the encoder, and the two that are shipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EMBEDDING_LIMIT = 100.0
"""No entry of an embedding is further from 0; those of the shipped encoders stay within 10."""
N_OPERANDS = 3
"""Operands of a token; they share a table of embeddings."""

Conv = Literal["relational", "ggnn", "gatv2", "pna"]
Modality = Literal["both", "text", "graph"]


@dataclass(frozen=True)
class EncoderConfig:
    """Shape of an ``Encoder``; it travels in the header of the weights."""

    d_model: int = 128
    """Width of tokens and nodes."""
    d_field: int = 24
    """Width of one code's embedding, before all fields are projected to ``d_model``."""
    text_layers: int = 3
    graph_layers: int = 3
    d_message: int = 0
    """Width of what nodes tell each other; 0 is ``d_model``."""
    heads: int = 4
    """Attention heads; 32 wide each."""
    feed_forward: int = 4
    """Width of the transformer's feed-forward network, in ``d_model``s."""
    d_embed: int = 256
    """Width of a function's embedding."""
    window: int = 128
    """Instructions that attend to each other; 86 % of functions fit in one."""
    conv: Conv = "relational"
    modality: Modality = "both"


BASE = EncoderConfig()
TINY = EncoderConfig(
    d_model=64,
    d_field=16,
    text_layers=2,
    graph_layers=2,
    d_message=32,
    heads=2,
    feed_forward=1,
    d_embed=128,
    window=32,
)
CONFIGS = {"base": BASE, "tiny": TINY}


def module_size(config: EncoderConfig) -> int:
    """Width of a module's embedding: its own code, what it calls, and two sizes."""
    return 2 * config.d_embed + 2
