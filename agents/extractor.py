"""Fine-tune the encoder inside Stable-Baselines3.

``mirgym.embed`` and the observation ``embedding`` are frozen. To train the encoder with the
policy, observe the functions' arrays instead and embed them in the features extractor:

    >>> env = FunctionArrays(gym.make("mir-llvm-v0", programs="mirbench/crc"))
    >>> kwargs = {"features_extractor_class": FineTunedExtractor}
    >>> PPO("MultiInputPolicy", env, n_steps=64, batch_size=16, policy_kwargs=kwargs)

Observations have a fixed size, so a module is cut to ``ArrayLimits``; at the default limits
one takes 100 KB in a rollout buffer. Each step of gradient descent embeds every function of
its batch again: expect tens of milliseconds for each observation, and keep ``batch_size`` small.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from ..encoder.batch import collate
from ..encoder.config import module_size
from ..encoder.embedder import SCALE, function_weights
from ..encoder.model import Encoder
from ..encoder.weights import load
from ..errors import SessionError
from ..views import FIELD_SIZES, NODE_SIZES, FunctionView, ModuleView
from ..wire import Wanted

_FUNCTIONS = Wanted.of(views=("functions",), key=False)


@dataclass(frozen=True)
class ArrayLimits:
    """Rows of an observation. Float32 of a rollout buffer holds all of them exactly."""

    functions: int = 64
    instructions: int = 1024
    nodes: int = 3072
    """Instructions, variables, constants, globals; twice the instructions, as a rule."""
    edges: int = 6144
    """In ``views.FunctionView``; five for each instruction, as a rule."""

    def space(self) -> spaces.Dict:
        """The observation space; the rows behind the used ones are 0.

        ============ ================ ===============================================
        ``counts``   ``(3, F)`` i32   instructions, nodes and edges of each function
        ``weights``  ``(2, F)`` f32   share of the module's own code, and of its calls
        ``sizes``    ``(2,)`` f32     ``ln(1 + n) / 10`` of instructions and functions
        ``tokens``   ``(8, T)`` i32   the functions' arrays one behind the other, see
        ``nodes``    ``(2, N)`` i32   ``mirgym.views``; edges count nodes from their
        ``edges``    ``(2, E)`` i32   function's first
        ``kinds``    ``(E,)`` i32     kinds of the edges
        ============ ================ ===============================================
        """

        def codes(limit: int, *shape: int) -> spaces.Box:
            return spaces.Box(0, limit, shape, np.int32)

        largest = max(self.instructions, self.nodes, self.edges)
        return spaces.Dict(
            {
                "counts": codes(largest, 3, self.functions),
                "weights": spaces.Box(0.0, 1.0, (2, self.functions), np.float32),
                "sizes": spaces.Box(0.0, 10.0, (2,), np.float32),
                "tokens": codes(max(FIELD_SIZES), len(FIELD_SIZES), self.instructions),
                "nodes": codes(max(NODE_SIZES), len(NODE_SIZES), self.nodes),
                "edges": codes(self.nodes, 2, self.edges),
                "kinds": codes(255, self.edges),
            }
        )


def functions_of(env: gym.Env[Any, Any]) -> ModuleView:
    """The functions of the module that a ``mir-llvm-v0`` is at."""
    view: ModuleView = env.unwrapped.episode.session.observe(_FUNCTIONS).views["functions"]  # type: ignore[attr-defined]
    return view


class FunctionArrays(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Observes the arrays of a module's functions, which ``FineTunedExtractor`` embeds.

    They replace the environment's own observation. The largest functions come first, each
    whole while it fits in what is left of ``limits`` and left out if not. Only the largest
    is ever cut, to its first instructions, when it exceeds the limits alone. When the step that
    ended an episode took the session with it, the observation is the one before.

    Args:
        env: A ``mir-llvm-v0``, or any other environment with ``view``.
        view: Gives the functions of ``env``'s current module; for an environment that holds
            bitcode, ``lambda env: program_embedder.view(env.unwrapped.bitcode)``.
        limits: Sizes of the observation.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        *,
        view: Callable[[gym.Env[Any, Any]], ModuleView] = functions_of,
        limits: ArrayLimits = ArrayLimits(),
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, view=view, limits=limits)
        gym.ObservationWrapper.__init__(self, env)
        self._view, self._limits = view, limits
        self._last: dict[str, np.ndarray] | None = None
        self.observation_space = limits.space()

    def observation(self, observation: Any) -> dict[str, np.ndarray]:
        """The arrays, as in ``ArrayLimits.space``."""
        try:
            module = self._view(self.env)
        except SessionError:
            if self._last is None:
                raise
            return {name: array.copy() for name, array in self._last.items()}
        self._last = pack(module, self._limits)
        return {name: array.copy() for name, array in self._last.items()}

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """See ``gym.Env.reset``."""
        self._last = None
        return super().reset(**kwargs)


def pack(module: ModuleView, limits: ArrayLimits) -> dict[str, np.ndarray]:
    """A module's functions as arrays of fixed size; every function's view must be there."""
    out: dict[str, np.ndarray] = {}
    for name, box in limits.space().items():
        assert box.shape is not None
        out[name] = np.zeros(box.shape, box.dtype)
    if not module.keys:
        return out
    chosen = _choose(module, limits)
    views = list(chosen.values())
    starts = {"tokens": 0, "nodes": 0, "edges": 0, "kinds": 0}
    for function, view in enumerate(views):
        out["counts"][:, function] = _sizes(view)
        parts = {
            "tokens": view.tokens,
            "nodes": view.nodes,
            "edges": view.edges,
            "kinds": view.edge_kinds,
        }
        for name, part in parts.items():
            end = starts[name] + part.shape[-1]
            out[name][..., starts[name] : end] = part
            starts[name] = end
    weights = function_weights(module)  # (2, functions of the module)
    kept = weights[:, list(chosen)]
    # What is left out counts as if it were like the rest.
    scale = weights.sum(1) / np.maximum(kept.sum(1), 1e-12)
    out["weights"][:, : len(views)] = np.minimum(kept * scale[:, None], 1.0)
    out["sizes"][:] = np.log1p([sum(module.instructions), len(module.keys)]) / SCALE
    return out


def _choose(module: ModuleView, limits: ArrayLimits) -> dict[int, FunctionView]:
    """The functions that fit, by position in the module, largest first."""
    left = np.array([limits.instructions, limits.nodes, limits.edges])
    order = sorted(range(len(module.keys)), key=lambda i: (-module.instructions[i], i))
    chosen: dict[int, FunctionView] = {}
    for i in order:
        view = module.functions[i]
        assert view is not None, "pack needs the view 'functions', with all arrays"
        length = limits.instructions
        while not chosen and (_sizes(view) > left).any():
            view = _cut(view, min(length, view.tokens.shape[1]))
            length = length * 3 // 4
        if len(chosen) < limits.functions and (_sizes(view) <= left).all():
            chosen[i] = view
            left -= _sizes(view)
    return chosen


def _sizes(view: FunctionView) -> np.ndarray:
    return np.array([view.tokens.shape[1], view.nodes.shape[1], view.edges.shape[1]])


def _cut(view: FunctionView, length: int) -> FunctionView:
    """The first instructions of a function, and the nodes that they touch."""
    if length < 1:
        raise ValueError("ArrayLimits are too small for one instruction with its operands")
    n_old, n_nodes = view.tokens.shape[1], view.nodes.shape[1]
    instruction = np.arange(n_nodes) < n_old
    first = np.arange(n_nodes) < length
    source, destination = view.edges
    dropped = instruction & ~first
    kept_edges = ~dropped[source] & ~dropped[destination]
    kept_nodes = first.copy()
    kept_nodes[view.edges[:, kept_edges]] = True
    place = np.cumsum(kept_nodes) - 1
    return FunctionView(
        view.key,
        view.tokens[:, :length],
        view.nodes[:, kept_nodes],
        place[view.edges[:, kept_edges]].astype(np.int32),
        view.edge_kinds[kept_edges],
    )


class FineTunedExtractor(BaseFeaturesExtractor):
    """Features: the module's embedding, with gradients into the encoder.

    Equal to ``mirgym.embed`` of the same module while the weights are those of ``model`` and
    the module is within the limits. Give the policy a small learning rate (1e-4 or less).

    Args:
        observation_space: That of ``FunctionArrays``.
        model: ``"tiny"``, ``"base"``, a path to weights, or an ``Encoder``, which is copied.
    """

    def __init__(
        self, observation_space: spaces.Space[Any], model: str | Path | Encoder = "tiny"
    ) -> None:
        names = set(ArrayLimits().space())
        if not isinstance(observation_space, spaces.Dict) or set(observation_space) != names:
            raise ValueError(
                f"FineTunedExtractor takes {sorted(names)}, not {observation_space}; "
                "wrap the environment in FunctionArrays"
            )
        encoder = copy.deepcopy(model) if isinstance(model, Encoder) else load(model)
        super().__init__(observation_space, module_size(encoder.config))
        self.encoder = encoder
        for embedding in (encoder.embed_tokens, encoder.embed_nodes):
            embedding.fused = None  # tables kept for inference would hide the weights

    def apply(self, fn: Callable[[nn.Module], None]) -> Self:
        """Change nothing: a policy's ``ortho_init`` would overwrite the trained weights."""
        return self

    def forward(self, observations: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Arrays of n modules to (n, features_dim)."""
        counts = observations["counts"].long()  # (n, 3, F)
        weights = observations["weights"]  # (n, 2, F)
        each = self._embed(observations, counts)  # (n, F, D)
        own_and_called = torch.bmm(weights, each).flatten(1)  # (n, 2 D)
        return torch.cat([own_and_called, observations["sizes"]], 1)

    def _embed(
        self, observations: Mapping[str, torch.Tensor], counts: torch.Tensor
    ) -> torch.Tensor:
        """Embeddings of the functions of all modules, (n, F, D), 0 where there is none."""
        used = counts[:, 0] > 0  # (n, F)
        device, wide = counts.device, self.encoder.config.d_embed
        arrays = {
            name: observations[name].long().cpu().numpy()
            for name in ("counts", "tokens", "nodes", "edges", "kinds")
        }
        views = [
            view
            for row in range(len(counts))
            for view in _unpack({name: array[row] for name, array in arrays.items()})
        ]
        out = torch.zeros(*used.shape, wide, device=device)
        if not views:
            return out
        # A module seen twice in a batch, or a function in two modules, is embedded once.
        distinct = list({view.key: view for view in views}.values())
        place = {view.key: i for i, view in enumerate(distinct)}
        index = torch.tensor([place[view.key] for view in views], device=device)
        fused = self.encoder(collate(distinct, self.encoder.config.window).to(device)).fused
        return out.index_put((used,), fused.float()[index])


def _unpack(arrays: Mapping[str, np.ndarray]) -> list[FunctionView]:
    """The functions of one observation; keys are equal where arrays are."""
    counts = arrays["counts"]
    used = counts[:, counts[0] > 0]
    views = []
    for (t, n, e), (t_end, n_end, e_end) in zip(used.T, used.cumsum(1).T, strict=True):
        tokens = arrays["tokens"][:, t_end - t : t_end]
        nodes = arrays["nodes"][:, n_end - n : n_end]
        edges = arrays["edges"][:, e_end - e : e_end]
        kinds = arrays["kinds"][e_end - e : e_end]
        key = hash((tokens.tobytes(), nodes.tobytes(), edges.tobytes(), kinds.tobytes()))
        views.append(FunctionView(key, tokens, nodes, edges, kinds))
    return views
