"""Each example runs in its own framework, and its agent sees the code."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.foreign.conftest import EXAMPLES, load_example

TINY_SIZE = 258


def run(name: str, *arguments: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    root = str(EXAMPLES.parent)
    environment["PYTHONPATH"] = os.pathsep.join([root, environment.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_sb3_script_runs_as_a_command(model: str) -> None:
    pytest.importorskip("stable_baselines3")
    assert "total_timesteps" in run("sb3_script", "--total-steps", "24", "--model", model)


def test_sb3_script_trains(model: str) -> None:
    pytest.importorskip("stable_baselines3")
    agent = load_example("sb3_script").train(24, model)
    assert agent.num_timesteps == 24
    losses = {k: v for k, v in agent.logger.name_to_value.items() if k.startswith("train/")}
    assert {"train/loss", "train/value_loss"} <= set(losses)
    assert all(math.isfinite(value) for value in losses.values())
    assert all(bool(p.isfinite().all()) for p in agent.policy.parameters())
    assert agent.observation_space["embedding"].shape == (TINY_SIZE,)


def test_sb3_script_sees_what_a_pipeline_changes(model: str) -> None:
    pytest.importorskip("stable_baselines3")
    env = load_example("sb3_script").make_env(model)
    try:
        first, _ = env.reset(seed=0)
        assert env.observation_space.contains(first)
        second, reward, *_ = env.step(0)
        assert reward > 0
        assert not np.allclose(first["embedding"], second["embedding"], atol=1e-3)
    finally:
        env.close()


def test_cleanrl_style_trains(model: str) -> None:
    example = load_example("cleanrl_style")
    config = example.Config(total_steps=32, num_envs=2, rollout_steps=8, epochs=1, model=model)
    updates = example.train(config)
    assert len(updates) == 2
    assert np.isfinite(np.array(updates)).all()


def test_cleanrl_style_sees_what_a_pass_changes(model: str) -> None:
    example = load_example("cleanrl_style")
    envs = example.make_envs(example.Config(num_envs=2, model=model))
    try:
        first, _ = envs.reset(seed=0)
        assert first["embedding"].shape == (2, TINY_SIZE)
        assert envs.observation_space.contains(first)
        sroa, nothing = example.PASSES.index("sroa"), example.PASSES.index("reg2mem")
        second = envs.step(np.array([sroa, nothing]))[0]
        assert not np.allclose(first["embedding"][0], second["embedding"][0], atol=1e-3)
    finally:
        envs.close()


def test_cleanrl_style_advantages_are_the_closed_form() -> None:
    torch = pytest.importorskip("torch")
    example = load_example("cleanrl_style")
    config = example.Config(gamma=0.5, gae_lambda=0.5)
    rewards, values = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[4.0], [5.0], [6.0]])
    dones, last = torch.tensor([[0.0], [1.0], [0.0]]), torch.tensor([8.0])
    third = 3 + 0.5 * 8 - 6
    second = 2 - 5
    first = 1 + 0.5 * 5 - 4 + 0.25 * second
    got = example.gae(rewards, values, dones, last, config)
    assert got.squeeze(1).tolist() == pytest.approx([first, second, third])


@pytest.mark.filterwarnings("ignore")  # TorchRL's own
def test_torchrl_script_trains(tiny: None) -> None:
    pytest.importorskip("torchrl")
    losses = load_example("torchrl_script").train(24, rollout_steps=12)
    assert len(losses) == 2
    assert all(math.isfinite(loss) for loss in losses)


@pytest.mark.filterwarnings("ignore")  # TorchRL's own
def test_torchrl_script_sees_what_a_pass_changes(tiny: None) -> None:
    pytest.importorskip("torchrl")
    env = load_example("torchrl_script").make_env()
    try:
        first = env.reset()
        assert env.observation_spec["observation"].shape == (TINY_SIZE,)
        first["action"] = env.action_spec.zero() + env.unwrapped.passes.index("mem2reg")
        second = env.step(first)["next"]
        assert env.observation_spec["observation"].contains(second["observation"])
        assert not first["observation"].allclose(second["observation"], atol=1e-3)
    finally:
        env.close()


def test_every_example_is_tested() -> None:
    names = {path.stem for path in Path(EXAMPLES).glob("*.py")}
    assert names == {"sb3_script", "cleanrl_style", "torchrl_script"}
