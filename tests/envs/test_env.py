"""``mir-llvm-v0``: the Gymnasium contract, rewards, programs, actions, masks, fork."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from mirgym.envs import LlvmEnv
from mirgym.envs.actions import build_actions
from mirgym.envs.pool import ProgramPool
from mirgym.errors import UnknownPassError, UnknownProgramError
from mirgym.objective import Scale
from mirgym.passes import Pass, catalogue
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.wire import Wanted

from .conftest import ADPCM, PRIMES

Make = Callable[..., gym.Env[Any, Any]]
Bare = Callable[..., LlvmEnv]
OBSERVATIONS = ["autophase", "instcount", "history", ["autophase", "history"]]
OBJECTIVES = ["ir_instructions", "text_size_bytes"]
URI = "benchmark://mirbench/primes"


def index(env: gym.Env[Any, Any], name: str) -> int:
    return env.unwrapped.passes.index(name)  # type: ignore[attr-defined]


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    return bool(np.array_equal(a, b))


# -- the Gymnasium contract -----------------------------------------------------------


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("observation", [*OBSERVATIONS, "ir"], ids=str)
def test_gymnasium_check_env(make: Make, observation: Any, objective: str) -> None:
    env = make(observation=observation, objective=objective).unwrapped
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=False)
    assert env.unwrapped.episode.program.uri == URI


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("observation", OBSERVATIONS, ids=str)
def test_stable_baselines_check_env(bare: Bare, observation: Any, objective: str) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    env = bare(observation=observation, objective=objective)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checker.check_env(env, warn=True, skip_render_check=False)
    assert env.episode.taken


def test_make_with_module_prefix() -> None:
    env = gym.make("mirgym:mir-llvm-v0", programs=PRIMES)
    try:
        assert isinstance(env.unwrapped, LlvmEnv)
        assert env.spec is not None and env.spec.max_episode_steps == 45
        assert env.unwrapped.config.objective == "text_size_bytes"
        assert env.unwrapped.config.baseline == "Oz"
    finally:
        env.close()


def test_import_loads_no_torch() -> None:
    code = (
        "import sys, mirgym, mirgym.envs; "
        "print([m for m in ('torch', 'stable_baselines3', 'mirgym._native') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("observation", [*OBSERVATIONS, "ir"], ids=str)
def test_spaces_contain_a_random_episode(make: Make, observation: Any) -> None:
    env = make(observation=observation, programs=ADPCM)
    seen, _ = env.reset(seed=3)
    env.action_space.seed(3)
    steps, over = 0, False
    while not over:
        assert seen in env.observation_space
        seen, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        assert isinstance(reward, float) and math.isfinite(reward)
        steps, over = steps + 1, terminated or truncated
    assert seen in env.observation_space
    assert steps == 45


def test_observations_are_the_callers_own(make: Make) -> None:
    env = make()
    first, _ = env.reset(seed=0)
    kept = first.copy()
    first[:] = -1
    again, _ = env.reset(seed=0)
    assert np.array_equal(again, kept)


# -- rewards --------------------------------------------------------------------------


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_rewards_telescope(make: Make, objective: str) -> None:
    env = make(objective=objective)
    _, info = env.reset(seed=5)
    env.action_space.seed(5)
    total, costs = 0.0, [info["cost"]]
    for _ in range(45):
        before = info["cost"]
        _, reward, _, _, info = env.step(env.action_space.sample())
        scale = Scale(info["start_cost"], info["baseline_cost"])
        assert reward == scale.reward(before, info["cost"])
        total += reward
        costs.append(info["cost"])
    start, baseline = info["start_cost"], info["baseline_cost"]
    assert costs[0] == start and len(set(costs)) > 1
    expected = math.log(start / costs[-1]) / max(math.log(start / baseline), math.log(1.01))
    assert total == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("baseline", ["O1", "O3", "Oz"])
def test_reaching_the_baseline_earns_one(bare: Bare, baseline: str, objective: str) -> None:
    level = {"O1": "default<O1>", "O3": "default<O3>", "Oz": "default<O2>"}[baseline]
    whole = Pass("whole-level", level)
    env = bare(baseline=baseline, objective=objective, actions=[whole])
    env.reset()
    _, reward, _, _, info = env.step(0)
    assert info["cost"] == info["baseline_cost"] < info["start_cost"]
    assert reward == pytest.approx(1.0, abs=1e-12)


def test_baseline_without_gain_uses_the_floor(bare: Bare) -> None:
    env = bare(baseline="O0", actions=["mem2reg"])
    _, info = env.reset()
    assert info["baseline_cost"] == info["start_cost"]
    _, reward, _, _, after = env.step(0)
    assert after["cost"] < info["cost"]
    assert reward == pytest.approx(math.log(info["cost"] / after["cost"]) / math.log(1.01))


def test_costs_are_those_of_a_session(bare: Bare) -> None:
    env = bare(objective="text_size_bytes")
    _, info = env.reset()
    wanted = Wanted.of(("text_size_bytes",))
    with InProcessSession() as session:
        start = session.load(resolve(PRIMES).bitcode(), level="Oz", wanted=wanted)
        after = session.step("default<O2>", wanted=wanted)
    assert info["start_cost"] == info["cost"] == start.metrics["text_size_bytes"]
    assert info["baseline_cost"] == after.metrics["text_size_bytes"]


# -- programs and seeds -----------------------------------------------------------------


def rollout(env: gym.Env[Any, Any], seed: int, steps: int = 25) -> list[Any]:
    out: list[Any] = [env.reset(seed=seed)]
    env.action_space.seed(seed)
    for _ in range(steps):
        action = int(env.action_space.sample())
        out.append((action, *env.step(action)))
    return out


def test_twins_with_one_seed_are_equal(make: Make) -> None:
    programs = [PRIMES, ADPCM, "mirbench/crc"]
    observation = ["autophase", "history"]
    first, second = (
        rollout(make(programs=programs, observation=observation), seed=11) for _ in range(2)
    )
    assert equal(first[0][0], second[0][0]) and first[0][1] == second[0][1]
    for a, b in zip(first[1:], second[1:], strict=True):
        assert a[0] == b[0] and equal(a[1], b[1]) and a[2:] == b[2:]


def test_seed_decides_the_programs(bare: Bare) -> None:
    programs = [PRIMES, ADPCM, "mirbench/crc"]

    def drawn(seed: int) -> list[str]:
        env = bare(programs=programs)
        infos = [env.reset(seed=seed)[1], *(env.reset()[1] for _ in range(7))]
        return [info["program"] for info in infos]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(4)}) > 1
    assert len(set(drawn(1))) > 1


def test_sampler_covers_the_suite() -> None:
    pool = ProgramPool("mirbench", "ir_instructions", "Oz")
    generator = np.random.default_rng(0)
    counts: dict[str, int] = {p.uri: 0 for p in pool.members}
    for _ in range(100 * len(counts)):
        counts[pool.sample(generator).uri] += 1
    assert len(counts) >= 24
    assert min(counts.values()) > 50 and max(counts.values()) < 160


@pytest.mark.parametrize("how", ["name", "short", "uri", "path", "program", "outside"])
def test_reset_chooses_the_program(bare: Bare, how: str, tmp_path: Path) -> None:
    env = bare(programs=[ADPCM, PRIMES])
    path = tmp_path / "copy of primes.bc"
    path.write_bytes(resolve(PRIMES).bitcode())
    spec, uri = {
        "name": ("primes", URI),
        "short": (PRIMES, URI),
        "uri": (URI, URI),
        "path": (str(path), path.as_uri()),
        "program": (resolve(PRIMES), URI),
        "outside": ("mirbench/crc", "benchmark://mirbench/crc"),
    }[how]
    for _ in range(2):
        _, info = env.reset(options={"program": spec})
        assert info["program"] == uri
    assert env.step(0)[4]["program"] == uri


def test_unknown_program_says_what_is_near(bare: Bare) -> None:
    env = bare(programs=[ADPCM, PRIMES])
    with pytest.raises(UnknownProgramError, match="Did you mean 'primes'"):
        env.reset(options={"program": "prines"})
    with pytest.raises(UnknownProgramError, match="prines"):
        env.reset(options={"program": "mirbench/prines"})
    assert env.reset(options={"program": "primes"})[1]["program"] == URI


# -- the end of an episode ----------------------------------------------------------------


@pytest.mark.parametrize("limit", [None, 7])
def test_time_limit(make: Make, limit: int | None) -> None:
    more = {} if limit is None else {"max_episode_steps": limit, "horizon": limit}
    env = make(observation="history", **more)
    for _ in range(2):
        observation, _ = env.reset(seed=0)
        assert observation[-3] == 1.0
        remaining = []
        for step in range(1, (limit or 45) + 1):
            observation, _, terminated, truncated, info = env.step(step % 3)
            remaining.append(float(observation[-3]))
            assert not terminated and truncated == (step == (limit or 45))
            assert info["error"] is None
        assert remaining == sorted(remaining, reverse=True) and remaining[-1] == 0.0
        assert observation[:-3].sum() == pytest.approx(1.0, abs=1e-5)


def test_no_time_limit(make: Make) -> None:
    env = make(observation="history", max_episode_steps=-1)
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space and observation[-3] == 1.0
    for _ in range(50):
        observation, _, terminated, truncated, _ = env.step(0)
        assert observation in env.observation_space
        assert not terminated and not truncated


def test_stop_terminates(make: Make) -> None:
    env = make(actions="passes+stop")
    assert env.unwrapped.passes[-1] == "stop"  # type: ignore[attr-defined]
    first, info = env.reset(seed=0)
    last, reward, terminated, truncated, after = env.step(115)
    assert (reward, terminated, truncated) == (0.0, True, False)
    assert np.array_equal(first, last) and after == info
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)
    assert env.reset()[1]["error"] is None


def test_history_counts_actions_and_costs(bare: Bare) -> None:
    env = bare(observation="history", actions=["mem2reg", "adce"])
    observation, info = env.reset()
    start, baseline = info["start_cost"], info["baseline_cost"]
    expected = [0, 0, 1, 0, math.log(start / baseline)]
    assert observation == pytest.approx(np.float32(expected))
    for action in (0, 0, 1):
        observation, _, _, _, info = env.step(action)
    cost = info["cost"]
    expected = [2 / 45, 1 / 45, 42 / 45, math.log(cost / start), math.log(cost / baseline)]
    assert observation == pytest.approx(np.float32(expected))


# -- actions ----------------------------------------------------------------------------


def test_action_sets() -> None:
    core = build_actions("passes")
    assert len(core.passes) == 115 and core.stop == -1
    assert core.passes == catalogue("core")
    stopping = build_actions("passes + stop")
    assert stopping.names == (*core.names, "stop") and stopping.stop == 115
    assert build_actions(["gvn", "stop", "mem2reg"]).names == ("gvn", "stop", "mem2reg")
    assert build_actions("opt-in").passes == catalogue("opt-in")
    own = Pass("mine", "function(mem2reg,gvn)")
    assert build_actions([own, "-sroa"]).names[0] == "mine"
    compilergym = build_actions("compilergym")
    assert "mem2reg" in compilergym.names and "attributor" not in compilergym.names
    assert len(set(compilergym.names)) == len(compilergym.names) > 60


@pytest.mark.parametrize(
    ("actions", "error", "match"),
    [
        ("pases", UnknownPassError, r"unknown action group 'pases'.*Did you mean 'passes'"),
        (["mem2regg"], UnknownPassError, r"unknown pass 'mem2regg'.*Did you mean 'mem2reg'"),
        (["-attributor"], UnknownPassError, r"no counterpart in LLVM 23"),
        (["gvn", "adce", "gvn"], ValueError, r"\['gvn'\] more than once"),
        ("stop+passes+stop", ValueError, r"\['stop'\] more than once"),
        ([], ValueError, "holds no pass"),
        ("stop", ValueError, "holds no pass"),
        ("", UnknownPassError, "unknown action group ''"),
    ],
)
def test_bad_actions(bare: Bare, actions: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        bare(actions=actions)


# -- masks ------------------------------------------------------------------------------


def test_masks_follow_the_module(bare: Bare) -> None:
    env = bare(actions=["mem2reg", "instcombine<no-verify-fixpoint>", "stop"])
    env.reset()
    assert env.action_masks().tolist() == [True, True, True]
    assert env.step(0)[4]["changed"]
    assert env.action_masks().tolist() == [True, True, True]
    assert not env.step(0)[4]["changed"]
    assert env.action_masks().tolist() == [False, True, True]
    assert env.step(1)[4]["changed"]
    assert env.action_masks().tolist() == [True, True, True]
    env.step(0)
    while env.step(1)[4]["changed"]:
        env.step(0)
    env.step(0)
    assert env.action_masks().tolist() == [False, False, True]
    env.reset()
    assert env.action_masks().all()


def test_all_masked_gives_all_true(bare: Bare) -> None:
    env = bare(actions=["mem2reg"])
    env.reset()
    env.step(0)
    assert not env.step(0)[4]["changed"]
    mask = env.action_masks()
    assert mask.dtype == bool and mask.tolist() == [True]
    mask[:] = False  # the caller's own
    assert env.action_masks().tolist() == [True]


def test_masks_never_lie(make: Make) -> None:
    env = make()
    env.reset(seed=9)
    env.action_space.seed(9)
    for _ in range(30):
        env.step(env.action_space.sample())
    masked = np.flatnonzero(~env.unwrapped.action_masks())  # type: ignore[attr-defined]
    assert len(masked) > 0
    episode = env.unwrapped.episode  # type: ignore[attr-defined]
    for action in masked:
        chosen = episode.actions.passes[action]
        assert not episode.session.step(chosen.pipeline).changed


def test_known_no_op_is_skipped_and_counts(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    env = bare(actions=["mem2reg", "adce"], observation="history")
    env.reset()
    env.step(0)
    before = env.step(0)
    assert not before[4]["changed"]
    sent: list[str] = []
    session = env.episode.session
    original = session.send_step  # type: ignore[union-attr]
    monkeypatch.setattr(
        session, "send_step", lambda p, *a, **k: (sent.append(p), original(p, *a, **k))
    )
    after = env.step(0)
    assert sent == [] and env.episode.taken == [0, 0, 0]
    assert after[1:] == before[1:] and after[1] == 0.0
    assert after[0][0] == np.float32(3 / 45) and after[0][-3] == np.float32(42 / 45)
    env.step(1)
    assert sent == ["function(adce)"]


# -- fork, render, isolation --------------------------------------------------------------


@pytest.mark.parametrize("isolation", ["process", "none"])
def test_fork(bare: Bare, isolation: str) -> None:
    env = bare(isolation=isolation, observation=["autophase", "history"])
    env.reset(seed=2)
    for name in ("mem2reg", "adce", "mem2reg"):
        env.step(index(env, name))
    twin = env.fork()
    try:
        assert twin.episode.key == env.episode.key
        assert np.array_equal(twin.action_masks(), env.action_masks())
        assert equal(twin.episode.observation(), env.episode.observation())
        key = env.episode.key
        twin.step(index(env, "simplifycfg"))
        assert env.episode.key == key != twin.episode.key
        assert len(env.episode.taken) == 3 and len(twin.episode.taken) == 4
        env.step(index(env, "simplifycfg"))
        assert env.episode.key == twin.episode.key
        for name in ("gvn", "dse", "adce", "gvn"):
            a, b = (e.step(index(env, name)) for e in (env, twin))
            assert equal(a[0], b[0]) and a[1:] == b[1:]
        assert env.episode.key == twin.episode.key
        env.close()
        assert twin.step(index(env, "adce"))[4]["error"] is None
        assert twin.reset(seed=2)[1]["cost"] == twin.episode.costs.start
    finally:
        twin.close()


def test_fork_needs_an_episode(bare: Bare) -> None:
    env = bare()
    with pytest.raises(RuntimeError, match="no running episode to fork"):
        env.fork()
    with pytest.raises(RuntimeError, match="no running episode"):
        _ = env.episode.key


def opt_line(text: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith("opt -passes='")]
    return line.removeprefix("opt -passes='").removesuffix("'")


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_render_replays(make: Make, objective: str) -> None:
    env = make(render_mode="ansi", actions="passes+stop", objective=objective)
    assert "call reset() first" in env.unwrapped.render()  # type: ignore[operator]
    env.reset(seed=4)
    assert opt_line(env.render()) == ""  # type: ignore[arg-type]
    rng = np.random.default_rng(4)
    for action in rng.integers(0, 115, 20):
        _, _, _, _, info = env.step(action)
    text = env.render()
    episode = env.unwrapped.episode  # type: ignore[attr-defined]
    wanted = Wanted.of((objective,) if objective == "text_size_bytes" else ())
    with InProcessSession() as session:
        session.load(resolve(PRIMES).bitcode(), level="Oz")
        state = session.step(opt_line(text), wanted=wanted)  # type: ignore[arg-type]
        assert session.observe().key == episode.key
    assert state.metrics[objective] == info["cost"]
    assert f"program  {URI}" in text and "steps    20 of 45" in text
    table = {row.split()[0]: row.split()[1:] for row in text.splitlines()[-3:]}  # type: ignore[union-attr]
    assert table["now"][0] == str(info["cost"])
    assert table["start"][0] == str(info["start_cost"])
    assert table["Oz"] == [str(info["baseline_cost"]), "1.000"]
    env.step(115)
    assert opt_line(env.render()) == opt_line(text)  # type: ignore[arg-type]


def test_info_keys(make: Make) -> None:
    env = make()
    keys = {"program", "cost", "start_cost", "baseline_cost", "changed", "error"}
    _, info = env.reset(seed=0)
    assert set(info) == keys
    assert info["cost"] == info["start_cost"] and not info["changed"]
    _, _, _, _, info = env.step(index(env, "mem2reg"))
    assert set(info) == keys and info["changed"] is True and info["error"] is None
    assert all(type(info[k]) is int for k in ("cost", "start_cost", "baseline_cost"))


def test_isolation_makes_no_difference(make: Make) -> None:
    first, second = (
        rollout(make(isolation=kind, programs=ADPCM, observation="instcount"), seed=21, steps=40)
        for kind in ("process", "none")
    )
    assert equal(first[0][0], second[0][0]) and first[0][1] == second[0][1]
    for a, b in zip(first[1:], second[1:], strict=True):
        assert a[0] == b[0] and equal(a[1], b[1]) and a[2:] == b[2:]


# -- bad arguments ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"objective": "text_size"}, ValueError, "Did you mean 'text_size_bytes'"),
        ({"baseline": "O4"}, ValueError, "unknown baseline 'O4'.*'O3'"),
        ({"observation": "autofase"}, ValueError, "Did you mean 'autophase'"),
        ({"observation": []}, ValueError, "one or several distinct names"),
        ({"observation": ["ir", "ir"]}, ValueError, "one or several distinct names"),
        ({"isolation": "thread"}, ValueError, "unknown isolation 'thread'"),
        ({"objectiv": "x"}, TypeError, "unknown argument 'objectiv'.*Did you mean 'objective'"),
        ({"render_mode": "human"}, ValueError, "unknown render_mode 'human'"),
    ],
)
def test_bad_arguments(
    bare: Bare,
    vector: Callable[..., Any],
    arguments: dict[str, Any],
    error: type[Exception],
    match: str,
) -> None:
    with pytest.raises(error, match=match):
        bare(**arguments)
    with pytest.raises(error, match=match):
        vector(**arguments)


@pytest.mark.parametrize("programs", ["mirbench/prines", "mirbensch", "nowhere.c", []])
def test_bad_programs(bare: Bare, programs: Any) -> None:
    env = bare(programs=programs)  # a constructor does no work
    with pytest.raises(UnknownProgramError):
        env.reset()


def test_bad_reset_and_step(bare: Bare) -> None:
    env = bare()
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)
    with pytest.raises(ValueError, match=r"unknown reset options \['programm'\]"):
        env.reset(options={"programm": PRIMES})
    env.reset()
    for action in (-1, 115):
        with pytest.raises(ValueError, match=rf"action {action} is not in \[0, 115\)"):
            env.step(action)
    assert env.episode.taken == []
    assert env.step(0)[4]["error"] is None
    env.close()
    env.close()
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)
