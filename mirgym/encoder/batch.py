"""The arrays of one batch of functions as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from ..views import FunctionView
from .arrays import arrays


class Windows(NamedTuple):
    """See ``arrays.Windows``."""

    rows: torch.Tensor
    real: torch.Tensor


class FunctionBatch(NamedTuple):
    """See ``arrays.FunctionArrays``, whose fields these are."""

    tokens: torch.Tensor
    token_counts: torch.Tensor
    windows: list[Windows]
    places: torch.Tensor
    nodes: torch.Tensor
    node_counts: torch.Tensor
    edges: torch.Tensor
    edge_starts: torch.Tensor
    relations: torch.Tensor
    edge_weights: torch.Tensor

    def to(self, device: torch.device | str) -> FunctionBatch:
        """The same batch on a device."""
        windows = [Windows(w.rows.to(device), w.real.to(device)) for w in self.windows]
        tensors = {n: t.to(device) for n, t in self._asdict().items() if n != "windows"}
        return self._replace(windows=windows, **tensors)


def collate(views: Sequence[FunctionView], window: int = 128) -> FunctionBatch:
    """Tensors of one or more functions, each with at least one instruction."""
    made = arrays(views, window)
    windows = [Windows(torch.from_numpy(w.rows), torch.from_numpy(w.real)) for w in made.windows]
    fields = {n: torch.from_numpy(x) for n, x in made._asdict().items() if n != "windows"}
    return FunctionBatch(windows=windows, **fields)
