"""Environments, search and command line on what a program executes."""

from __future__ import annotations

import json
from pathlib import Path

import gymnasium as gym
import pytest

import mirgym  # noqa: F401
from mirgym.agents.explorer import SearchConfig
from mirgym.agents.optimize import optimize
from mirgym.agents.search import search
from mirgym.cli import main
from mirgym.dynamic_cost import CostMeter
from mirgym.errors import NotRunnableError
from mirgym.levels import measure_level
from mirgym.passes import Pass, find
from mirgym.programs import Program, Run, resolve
from mirgym.wire import NO_KEY
from mirgym.worker import WorkerSession

URI = "mirbench/primes"
OPTIONS = {"objective": "dynamic_cost", "baseline": "O3", "observation": "history"}


def actions(*names: str) -> list[Pass]:
    return [find(name) for name in names]


def test_costs_rewards_and_forks() -> None:
    level = Pass("O3", "default<O3>")
    env = gym.make("mir-llvm-v0", programs=URI, actions=[*actions("sroa", "gvn"), level], **OPTIONS)
    program = resolve(URI)
    with WorkerSession() as session:
        measure_level(session, program.bitcode(), "O3", NO_KEY)
        baseline = CostMeter(program).cost(session)
    rewards = []
    for _ in range(2):
        _, info = env.reset(seed=0)
        assert info["cost"] == info["start_cost"] > info["baseline_cost"] == baseline
        rewards.append([env.step(action)[1] for action in (0, 1, 1)])
    assert rewards[0] == rewards[1]
    assert rewards[0][0] > 0 and rewards[0][2] == 0
    twin = env.unwrapped.fork()  # type: ignore[attr-defined]
    assert twin.step(2)[4]["cost"] == env.step(2)[4]["cost"]
    twin.close()
    env.reset(seed=0)
    assert env.step(2)[1] == pytest.approx(1.0)
    env.close()


def test_params_and_vector_environments() -> None:
    env = gym.make("mir-llvm-params-v0", programs=URI, **OPTIONS)
    env.reset(seed=0)
    _, reward, *_ = env.step([0] * len(env.unwrapped.knobs))  # type: ignore[attr-defined]
    assert reward == pytest.approx(1.0)
    env.close()
    both = gym.make_vec(
        "mir-llvm-v0", 2, "vector_entry_point", programs=URI,
        actions=actions("sroa"), **OPTIONS,
    )  # fmt: skip
    both.reset(seed=0)
    _, rewards, *_ = both.step([0, 0])
    assert rewards[0] == rewards[1] > 0
    both.close()


def test_a_program_that_cannot_run(tmp_path: Path) -> None:
    source = tmp_path / "a.c"
    source.write_text("int main(void) { return 3; }")
    for runs, message in (((), "nothing says how"), ((Run(),), "exit code 3, expected 0")):
        program = Program(source.as_uri(), (source,), runs=runs)
        env = gym.make("mir-llvm-v0", programs=program, **OPTIONS)
        with pytest.raises(NotRunnableError, match=message):
            env.reset(seed=0)
        env.close()


def test_a_pass_that_breaks_the_program_ends_the_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    env = gym.make("mir-llvm-v0", programs=URI, actions=actions("sroa"), **OPTIONS)
    env.reset(seed=0)

    def broken(*_: object) -> int:
        raise NotRunnableError("it was killed by SIGSEGV")

    with monkeypatch.context() as patch:
        patch.setattr(CostMeter, "cost", broken)
        _, reward, terminated, truncated, info = env.step(0)
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert "SIGSEGV" in info["error"]
    env.reset(seed=0)
    assert env.step(0)[1] > 0
    env.close()


def test_search_and_optimize() -> None:
    config = SearchConfig("dynamic_cost", "O3", budget=12)
    program = resolve(URI)
    with pytest.raises(ValueError, match="dynamic_cost takes running a program"):
        search(program.bitcode(), config)
    found = search(program.bitcode(), config, program=program)
    assert found.cost <= found.baseline_cost < found.start_cost
    made = optimize(program, config, agent="search")
    assert made.result["dynamic_cost"] == found.cost
    assert made.baselines["O3"]["dynamic_cost"] == found.baseline_cost
    assert made.validated_runs == 2


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["optimize", URI, "--objective", "dynamic_cost", "--baseline", "O3", "--budget", "3"]
    assert main([*line, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["objective"] == "dynamic_cost"
    assert 0 < told["result"] <= told["baselines"]["O3"] < told["baselines"]["O0"]
    assert main(line) == 0
    assert "dynamic_cost" in capsys.readouterr().out
