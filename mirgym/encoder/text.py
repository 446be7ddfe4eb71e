"""The text modality: a transformer over windows of instruction tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from .batch import Windows
from .config import EncoderConfig


class TransformerLayer(nn.Module):
    """Attention and a feed-forward network, each after a LayerNorm and added back."""

    def __init__(self, d_model: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)
        wide = feed_forward * d_model
        self.wide, self.narrow = nn.Linear(d_model, wide), nn.Linear(wide, d_model)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``x`` (W, L, d); ``mask`` (W, 1, 1, L) True where a key is real."""
        w, length, d = x.shape
        qkv = self.qkv(self.norm1(x)).view(w, length, 3, self.heads, d // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (W, H, L, d/H)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.out(attended.transpose(1, 2).reshape(w, length, d))
        return x + self.narrow(F.relu(self.wide(self.norm2(x))))


class TextEncoder(nn.Module):
    """Rows of tokens in, rows of the same shape out; windows do not see each other."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        d = config.d_model
        self.position = nn.Parameter(torch.randn(config.window, d) * 0.02)
        self.layers = nn.ModuleList(
            TransformerLayer(d, config.heads, config.feed_forward)
            for _ in range(config.text_layers)
        )
        self.norm = nn.LayerNorm(d)

    def forward(
        self, tokens: torch.Tensor, windows: list[Windows], places: torch.Tensor
    ) -> torch.Tensor:
        """(T, d) to (T, d)."""
        slots = []
        for rows, real in windows:
            x = tokens[rows] + self.position[: rows.shape[1]]  # (W, L, d)
            for layer in self.layers:
                x = layer(x, real[:, None, None, :])
            slots.append(self.norm(x).flatten(0, 1))
        out: torch.Tensor = torch.cat(slots)[places].to(tokens.dtype)
        return out
