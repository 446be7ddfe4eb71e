from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

pytest.importorskip("sb3_contrib", reason="training needs the extra 'train'")
import torch
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported

from mirgym.agents.evaluate import Score, by_program, evaluate, geomean, random_choice, rollouts
from mirgym.agents.ppo import PpoConfig, make_envs, policy_choice, train
from mirgym.agents.sb3 import CountsExtractor, Sb3VecEnv
from mirgym.envs.config import EnvConfig
from mirgym.envs.episode import Episode
from mirgym.programs import resolve

TINY = PpoConfig(
    programs=("mirbench/primes",),
    objective="ir_instructions",
    episode_steps=5,
    total_steps=40,
    num_envs=2,
    rollout_steps=10,
    batch_size=10,
    epochs=1,
    hidden=(16,),
    checkpoint_steps=20,
)
EASY_PASSES = ("mem2reg", "strip-dead-prototypes", "lcssa", "loop-simplify", "break-crit-edges")


def test_geomean_is_the_closed_form() -> None:
    assert geomean([2.0, 8.0]) == pytest.approx(4.0)
    assert geomean([1.0]) == 1.0


@pytest.mark.parametrize("bad", [[], [1.0, 0.0], [-1.0]])
def test_geomean_refuses_what_has_none(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="positive ratios"):
        geomean(bad)


def test_scores_by_program_are_ratios() -> None:
    score = Score("benchmark://mirbench/crc", cost=50, baseline=100, compiles=3)
    assert by_program([score]) == {"crc": 2.0}


def test_rollouts_count_every_compile_and_keep_the_best_on_the_way() -> None:
    program = resolve("mirbench/primes")
    episode = Episode(EnvConfig(programs=[program], objective="ir_instructions"), 4)
    mem2reg = episode.actions.names.index("mem2reg")
    reg2mem = episode.actions.names.index("reg2mem")
    script = iter([mem2reg, reg2mem, reg2mem, reg2mem])
    try:
        score = rollouts(episode, program, lambda *_: next(script), count=1)
        final = episode.cost
    finally:
        episode.close()
    assert score.compiles == 4
    assert score.cost < final


def test_a_choice_sees_what_the_environment_shows() -> None:
    program = resolve("mirbench/primes")
    config = EnvConfig(programs=[program], observation=("embedding", "history"))
    episode = Episode(config, 3)
    seen = []

    def choose(observation: Any, *_: Any) -> int:
        seen.append(observation)
        return 0

    try:
        rollouts(episode, program, choose, count=1)
        assert all(episode.observer.space.contains(one) for one in seen)
    finally:
        episode.close()
    assert len(seen) == 3


def test_evaluation_is_deterministic_by_seed() -> None:
    config = EnvConfig(objective="ir_instructions")
    programs = [resolve("mirbench/primes")]
    runs = [
        evaluate(config, random_choice(3), programs=programs, horizon=8, count=2) for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert runs[0][0].compiles == 16


def test_the_adapter_speaks_sb3() -> None:
    envs = Sb3VecEnv(
        2,
        max_episode_steps=3,
        programs="mirbench/primes",
        objective="ir_instructions",
        observation=("autophase", "history"),
    )
    try:
        observations = envs.reset()
        assert observations["autophase"].shape == (2, 56)
        assert is_masking_supported(envs)
        assert get_action_masks(envs).shape == (2, envs.action_space.n)
        for step in range(3):
            observations, rewards, dones, infos = envs.step(np.array([0, 1]))
            assert rewards.dtype == np.float32
            assert all(dones) == (step == 2)
        assert all("terminal_observation" in info for info in infos)
        assert all(info["TimeLimit.truncated"] for info in infos)
        assert infos[0]["program"] == "benchmark://mirbench/primes"
    finally:
        envs.close()


def test_counts_become_logarithms_and_shares() -> None:
    space = spaces.Dict(
        {
            "autophase": spaces.Box(0, 2**31 - 1, (3,), np.int64),
            "history": spaces.Box(-1.0, 1.0, (2,), np.float32),
        }
    )
    extractor = CountsExtractor(space)
    assert extractor.features_dim == 3 * 2 + 2
    out = extractor(
        {"autophase": torch.tensor([[0, 3, 10]]), "history": torch.tensor([[0.5, -0.5]])}
    )
    expected = [0.0, np.log(4) / 8, np.log(11) / 8, 0.0, 0.3, 1.0, 0.5, -0.5]
    assert out[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_the_extractor_refuses_what_it_cannot_read() -> None:
    with pytest.raises(ValueError, match="vectors only"):
        CountsExtractor(spaces.Box(0, 1, (2, 2), np.float32))


def test_training_writes_a_checkpoint_and_goes_on_from_it(tmp_path: Path) -> None:
    model = train(TINY, tmp_path, seed=0, progress=False)
    assert model.num_timesteps == 40
    assert (tmp_path / "checkpoint.zip").exists()
    assert (tmp_path / "progress.csv").exists()
    assert list(tmp_path.glob("events.out.tfevents.*"))
    again = train(TINY, tmp_path, seed=0, progress=False)
    assert again.num_timesteps == 40
    import dataclasses

    longer = train(dataclasses.replace(TINY, total_steps=60), tmp_path, seed=0, progress=False)
    assert longer.num_timesteps == 60


def test_an_interrupted_training_keeps_its_checkpoint_and_no_child(tmp_path: Path) -> None:
    from stable_baselines3.common.callbacks import BaseCallback

    class Interrupt(BaseCallback):
        def _on_step(self) -> bool:
            if self.num_timesteps >= 20:
                raise KeyboardInterrupt
            return True

    with pytest.raises(KeyboardInterrupt):
        train(TINY, tmp_path, seed=0, callback=Interrupt(), progress=False)
    assert (tmp_path / "checkpoint.zip").exists()
    children = subprocess.run(
        ["ps", "--ppid", str(subprocess.os.getpid()), "-o", "args="],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert "module.serve" not in children


def test_ppo_learns_which_pass_helps(tmp_path: Path) -> None:
    """Of five passes one shrinks the module: the policy must come to prefer it."""
    import dataclasses

    from sb3_contrib import MaskablePPO
    from stable_baselines3.common.vec_env import VecMonitor

    config = dataclasses.replace(TINY, episode_steps=1)
    envs = VecMonitor(
        Sb3VecEnv(
            4,
            max_episode_steps=1,
            programs="mirbench/primes",
            objective="ir_instructions",
            observation=("autophase", "history"),
            actions=EASY_PASSES,
        )
    )
    try:
        model = MaskablePPO(
            "MultiInputPolicy",
            envs,
            seed=0,
            n_steps=16,
            batch_size=64,
            n_epochs=10,
            learning_rate=3e-3,
            policy_kwargs={"features_extractor_class": CountsExtractor, "net_arch": [16]},
            device="cpu",
        )
        model.learn(1280)
        choose = policy_choice(model)
        observation = {key: value[0] for key, value in envs.reset().items()}
        mask = np.ones(len(EASY_PASSES), bool)
        assert choose(observation, mask, True) == EASY_PASSES.index("mem2reg")
    finally:
        envs.close()
    assert config.episode_steps == 1


def test_training_environments_are_the_configured_ones() -> None:
    envs = make_envs(TINY)
    try:
        assert envs.num_envs == 2
        assert set(envs.observation_space.spaces) == {"autophase", "history"}
    finally:
        envs.close()


def test_importing_the_search_does_not_load_torch() -> None:
    code = "import sys, mirgym.agents.search, mirgym.agents.optimize; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.timeout(240)
def test_the_experiment_writes_its_results(tmp_path: Path) -> None:
    from experiments.train_ppo import TrainConfig, main

    config = TrainConfig(
        ppo=TINY,
        seeds=(0,),
        held_out="mirbench/crc",
        rollouts=2,
        evaluations=2,
        folder=tmp_path / "results",
        runs=tmp_path / "runs",
    )
    assert main(config) in (0, 1)
    run = json.loads((tmp_path / "results" / "run.json").read_text())
    assert {"config", "git", "machine", "packages", "figures"} <= set(run)
    row = run["figures"]["seeds"][0]
    assert row["compiles"] == row["random_compiles"] == 2 * TINY.episode_steps
    assert len(row["curve"]) >= 2
    assert (tmp_path / "results" / "curve.png").stat().st_size > 5000
    assert (tmp_path / "results" / "programs.csv").read_text().startswith("program,seed")
