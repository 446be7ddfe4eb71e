"""The encoder inside a policy: arrays of fixed size, gradients, and SB3 around them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("stable_baselines3", reason="fine-tuning needs the extra 'train'")
import torch
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

import mirgym  # noqa: F401  (registers the environment)
from mirgym.agents.extractor import (
    ArrayLimits,
    FineTunedExtractor,
    FunctionArrays,
    _choose,
    _sizes,
    _unpack,
    pack,
)
from mirgym.encoder.config import TINY
from mirgym.encoder.embedder import Embedder
from mirgym.encoder.model import Encoder
from mirgym.errors import SessionCrashedError
from mirgym.programs import resolve
from mirgym.views import ModuleView
from tests.encoder.conftest import view_of

LARGE = ArrayLimits(functions=64, instructions=4096, nodes=12288, edges=24576)
SMALL = ArrayLimits(functions=4, instructions=256, nodes=768, edges=1536)
CALLS = """
define i32 @a(i32 %x) {
  %1 = call i32 @b(i32 %x)
  %2 = call i32 @b(i32 %1)
  %3 = add i32 %1, %2
  ret i32 %3
}
define i32 @b(i32 %x) {
  %1 = mul i32 %x, 3
  ret i32 %1
}
define i32 @c() {
  ret i32 7
}
"""


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(TINY).eval()


@pytest.fixture(scope="module")
def crc() -> ModuleView:
    return view_of(resolve("mirbench/crc").bitcode(), "function(sroa)")


@pytest.fixture
def env() -> Iterator[FunctionArrays]:
    made = FunctionArrays(
        gym.make(
            "mir-llvm-v0",
            programs="mirbench/primes",
            objective="ir_instructions",
            observation="history",
            actions=("sroa", "simplifycfg", "instcombine"),
            max_episode_steps=4,
        ),
        limits=SMALL,
    )
    yield made
    made.close()


def tensors(*packed: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """A batch as SB3 makes it: everything float32."""
    return {k: torch.from_numpy(np.stack([p[k] for p in packed])).float() for k in packed[0]}


def test_equal_to_the_embedding(encoder: Encoder, crc: ModuleView) -> None:
    extractor = FineTunedExtractor(LARGE.space(), encoder).eval()
    small = view_of(CALLS)
    features = extractor(tensors(pack(crc, LARGE), pack(small, LARGE))).detach().numpy()
    embedder = Embedder(copy.deepcopy(encoder))
    assert features.shape == (2, extractor.features_dim)
    assert np.allclose(features[0], embedder.module(crc), atol=1e-4)
    assert np.allclose(features[1], embedder.module(small), atol=1e-4)


def test_packing_loses_nothing_within_the_limits(crc: ModuleView) -> None:
    packed = pack(crc, LARGE)
    assert LARGE.space().contains(packed)
    assert all(np.array_equal(a, a.astype(np.float32)) for a in packed.values())
    by_size = sorted(crc.functions, key=lambda view: -view.tokens.shape[1])
    unpacked = _unpack({k: v.astype(np.int64) for k, v in packed.items()})
    for before, after in zip(by_size, unpacked, strict=True):
        for name in ("tokens", "nodes", "edges", "edge_kinds"):
            assert np.array_equal(getattr(before, name), getattr(after, name))


def test_the_largest_functions_stay(crc: ModuleView) -> None:
    limits = ArrayLimits(functions=2, instructions=4096, nodes=12288, edges=24576)
    largest = sorted(range(len(crc.keys)), key=lambda i: (-crc.instructions[i], i))[:2]
    assert list(_choose(crc, limits)) == largest
    packed = pack(crc, limits)
    assert packed["weights"][0].sum() == pytest.approx(1.0)
    assert packed["sizes"][1] == pytest.approx(np.log1p(len(crc.keys)) / 10)


@pytest.mark.parametrize(
    "limits",
    [ArrayLimits(4, 24, 768, 1536), ArrayLimits(4, 256, 40, 1536), ArrayLimits(4, 256, 768, 40)],
)
def test_a_function_beyond_the_limits_is_cut(
    encoder: Encoder, crc: ModuleView, limits: ArrayLimits
) -> None:
    packed = pack(crc, limits)
    assert limits.space().contains(packed)
    assert packed["counts"][0, 0] > 0
    views = _unpack({k: v.astype(np.int64) for k, v in packed.items()})
    for view in views:
        assert view.edges.max(initial=0) < view.nodes.shape[1]
    total = sum(_sizes(view) for view in views)
    assert (total <= [limits.instructions, limits.nodes, limits.edges]).all()
    features = FineTunedExtractor(limits.space(), encoder)(tensors(packed))
    assert bool(features.isfinite().all())


def test_limits_too_small_for_anything(crc: ModuleView) -> None:
    with pytest.raises(ValueError, match="too small for one instruction"):
        pack(crc, ArrayLimits(functions=1, instructions=8, nodes=0, edges=0))


def test_empty_module(encoder: Encoder) -> None:
    packed = pack(ModuleView([], [], [], [], []), SMALL)
    assert not any(array.any() for array in packed.values())
    assert not FineTunedExtractor(SMALL.space(), encoder)(tensors(packed)).any()


def test_gradients_reach_the_encoder(encoder: Encoder) -> None:
    extractor = FineTunedExtractor(SMALL.space(), encoder)
    extractor(tensors(pack(view_of(CALLS), SMALL))).square().sum().backward()
    without = [n for n, p in extractor.encoder.named_parameters() if p.grad is None]
    assert not without
    for part in ("embed_tokens.tables.0.weight", "text.position", "graph.convs.0.project.weight"):
        gradient = extractor.encoder.get_parameter(part).grad
        assert gradient is not None
        assert bool(gradient.isfinite().all())
        assert bool(gradient.any())
    assert all(p.grad is None for p in encoder.parameters())  # a copy is trained


def test_an_encoder_prepared_for_inference_still_learns(encoder: Encoder) -> None:
    prepared = copy.deepcopy(encoder).prepare_inference()
    extractor = FineTunedExtractor(SMALL.space(), prepared)
    batch = tensors(pack(view_of(CALLS), SMALL))
    before = extractor(batch).detach()
    with torch.no_grad():
        extractor.encoder.embed_tokens.tables[0].weight.mul_(2.0)
    assert not torch.allclose(before, extractor(batch))
    assert prepared.embed_tokens.fused is not None


def test_other_spaces_are_refused() -> None:
    with pytest.raises(ValueError, match="wrap the environment in FunctionArrays"):
        FineTunedExtractor(spaces.Box(0, 1, (3,)))


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version.*")
def test_the_wrapper_passes_the_checker(env: FunctionArrays) -> None:
    check_env(env, skip_render_check=True)


def test_steps_change_the_arrays(env: FunctionArrays) -> None:
    first, _ = env.reset(seed=0)
    second = env.step(0)[0]
    assert env.observation_space.contains(second)
    assert not np.array_equal(first["tokens"], second["tokens"])


def test_the_end_of_a_session_repeats_the_last_arrays(env: FunctionArrays) -> None:
    first, _ = env.reset(seed=0)

    def crash(_: Any) -> ModuleView:
        raise SessionCrashedError("gone")

    env._view = crash
    again = env.step(0)[0]
    assert all(np.array_equal(first[name], again[name]) for name in first)
    with pytest.raises(SessionCrashedError, match="gone"):
        env.reset()


def test_ppo_trains_the_encoder(env: FunctionArrays, encoder: Encoder) -> None:
    from stable_baselines3 import PPO

    agent = PPO(
        "MultiInputPolicy",
        env,
        n_steps=32,
        batch_size=16,
        n_epochs=1,
        learning_rate=1e-3,
        seed=0,
        device="cpu",
        policy_kwargs={
            "features_extractor_class": FineTunedExtractor,
            "features_extractor_kwargs": {"model": encoder},
            "net_arch": [16],
        },
    )
    inside = agent.policy.features_extractor.encoder
    # SB3's orthogonal initialisation has left the weights alone.
    for name, parameter in encoder.named_parameters():
        assert torch.equal(parameter, inside.get_parameter(name)), name
    agent.learn(64)
    assert agent.num_timesteps == 64
    assert all(bool(p.isfinite().all()) for p in agent.policy.parameters())
    changed = [
        name
        for name, parameter in encoder.named_parameters()
        if not torch.equal(parameter, inside.get_parameter(name))
    ]
    assert "text.position" in changed
    assert "graph.convs.0.project.weight" in changed
