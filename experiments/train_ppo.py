"""Train PPO on mirbench's training programs and score it on the held-out ones.

Writes ``results/train_ppo/``: ``run.json``, ``curve.csv``, ``curve.png``,
``programs.csv``, and one folder a seed with the checkpoint, TensorBoard events and
``progress.csv`` (under ``runs/``, not committed). A second start goes on where the first
was interrupted.

    python -m experiments.train_ppo --help
"""

from __future__ import annotations

import csv
import json
import shutil
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tyro
from stable_baselines3.common.callbacks import BaseCallback

from mirgym.agents.evaluate import Score, by_program, evaluate, geomean, random_choice
from mirgym.agents.ppo import PpoConfig, policy_choice, train
from mirgym.envs.config import EnvConfig

from .figures import plot_curves
from .runs import RESULTS, write_run_json


@dataclass(frozen=True)
class TrainConfig:
    """The experiment."""

    ppo: PpoConfig = field(default_factory=PpoConfig)
    """The training run of each seed."""
    seeds: tuple[int, ...] = (0, 1, 2)
    held_out: str = "mirbench:test"
    """Programs that are never trained on."""
    rollouts: int = 10
    """Episodes a program at evaluation: one greedy, the others sampled. Random search gets
    as many episodes of as many passes."""
    temperature: float = 1.5
    """Of the sampled episodes; chosen on training programs."""
    evaluations: int = 6
    """Points of the learning curve."""
    folder: Path = RESULTS / "train_ppo"
    runs: Path = Path("runs/train_ppo")
    """Where checkpoints and logs go."""
    fresh: bool = False
    """Forget earlier checkpoints instead of going on with them."""


def _env_config(config: TrainConfig) -> EnvConfig:
    return EnvConfig(
        objective=config.ppo.objective,
        observation=config.ppo.observation,
        encoder=config.ppo.encoder,
        actions=config.ppo.actions,
    )


def _score(config: TrainConfig, choose: Any, rollouts: int, seed: int) -> list[Score]:
    return evaluate(
        _env_config(config),
        choose,
        programs=config.held_out,
        horizon=config.ppo.episode_steps,
        count=rollouts,
        seed=seed,
    )


class HeldOutCurve(BaseCallback):  # type: ignore[misc]
    """Scores the agent's greedy rollout on the held-out programs now and then."""

    def __init__(self, config: TrainConfig, path: Path) -> None:
        super().__init__()
        self.config = config
        self.path = path
        self.points: list[tuple[int, float]] = json.loads(path.read_text()) if path.exists() else []
        self._every = max(1, config.ppo.total_steps // config.evaluations)

    def evaluate_now(self) -> None:
        """Add one point at the present step."""
        scores = _score(self.config, policy_choice(self.model), 1, 0)
        self.points.append((self.num_timesteps, geomean(s.ratio for s in scores)))
        self.path.write_text(json.dumps(self.points))

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        last = self.points[-1][0] if self.points else -self._every
        if self.num_timesteps - last >= self._every:
            self.evaluate_now()

    def _on_training_end(self) -> None:
        self.evaluate_now()


def run_seed(config: TrainConfig, seed: int) -> dict[str, Any]:
    """Train one seed, then score the agent and random search at equal compiles."""
    folder = config.runs / f"seed{seed}"
    if config.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    curve = HeldOutCurve(config, folder / "curve.json")
    started = time.perf_counter()
    model = train(config.ppo, folder, seed, callback=curve, progress=sys.stderr.isatty())
    trained = time.perf_counter() - started
    agent = _score(config, policy_choice(model, config.temperature, seed), config.rollouts, seed)
    control = _score(config, random_choice(seed), config.rollouts, seed)
    agent_one = _score(config, policy_choice(model), 1, seed)
    control_one = _score(config, random_choice(seed), 1, seed)
    return {
        "seed": seed,
        "train_seconds": round(trained, 1),
        "compiles": sum(s.compiles for s in agent),
        "random_compiles": sum(s.compiles for s in control),
        "agent": geomean(s.ratio for s in agent),
        "random": geomean(s.ratio for s in control),
        "agent_one_rollout": geomean(s.ratio for s in agent_one),
        "random_one_rollout": geomean(s.ratio for s in control_one),
        "agent_programs": by_program(agent),
        "random_programs": by_program(control),
        "curve": curve.points,
    }


def _mean(rows: list[dict[str, Any]], name: str) -> float:
    return float(statistics.mean(row[name] for row in rows))


def _write_tables(config: TrainConfig, rows: list[dict[str, Any]]) -> None:
    with (config.folder / "curve.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["seed", "steps", "geomean_vs_baseline"])
        for row in rows:
            writer.writerows([row["seed"], steps, f"{value:.4f}"] for steps, value in row["curve"])
    with (config.folder / "programs.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["program", "seed", "agent_vs_Oz", "random_vs_Oz"])
        for row in rows:
            for name, ratio in row["agent_programs"].items():
                other = row["random_programs"][name]
                writer.writerow([name, row["seed"], f"{ratio:.4f}", f"{other:.4f}"])


def main(config: TrainConfig) -> int:
    """Run all seeds; return 1 when the agent does not beat random search at equal compiles.

    The verdict is on one episode (as many compiles as it has steps); the longer search is
    printed beside it.
    """
    config.folder.mkdir(parents=True, exist_ok=True)
    rows = [run_seed(config, seed) for seed in config.seeds]
    _write_tables(config, rows)
    plot_curves(config.folder / "curve.png", rows, title=f"PPO, {config.ppo.objective}")
    names = ("agent", "random", "agent_one_rollout", "random_one_rollout")
    means = {name: _mean(rows, name) for name in names}
    figures = {**means, "seconds": _mean(rows, "train_seconds"), "seeds": rows}
    write_run_json(config.folder, config, figures)
    steps = config.ppo.episode_steps
    print(
        f"held out, geomean of Oz ÷ agent, {config.ppo.objective}, mean of {len(rows)} seeds:\n"
        f"  {steps} compiles a program:   PPO, greedy {means['agent_one_rollout']:.4f}   "
        f"random {means['random_one_rollout']:.4f}\n"
        f"  {steps * config.rollouts} compiles a program:  PPO, sampled {means['agent']:.4f}   "
        f"random {means['random']:.4f}"
    )
    return 0 if means["agent_one_rollout"] > means["random_one_rollout"] else 1


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(TrainConfig)))
