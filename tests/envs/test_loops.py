"""``mir-llvm-loops-v0``: a decision a loop, and what they add up to."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import mirgym  # noqa: F401
from mirgym.envs import LlvmLoopsEnv, LlvmLoopsVectorEnv
from mirgym.envs.loop_observations import FACTS, OwnChoice, own_choice
from mirgym.errors import NoLoopsError
from mirgym.loops import LoopFacts, LoopHints
from mirgym.programs import resolve

from .conftest import equal

KERNEL = "loops://8"
Loops = Callable[..., LlvmLoopsEnv]
SIZES = [6, 5, 5]

PROGRAM = """
#include <stdio.h>
static int a[1024];
__attribute__((noinline)) int sum(const int *p, int n) {
  int s = 0;
  for (int i = 0; i < n; i++) s += p[i];
  return s;
}
int main(int argc, char **argv) {
  for (int i = 0; i < 1024; i++) a[i] = (a[(i * 7) & 1023] + i) & 255;
  int total = 0;
  for (int k = 0; k < 50; k++) {
    for (int j = 0; j < 200 * argc; j++) a[j] += k;
    total = (total + sum(a, 1000 * argc)) & 0xfffff;
  }
  printf("%d\\n", total);
  return argv == 0;
}
"""
NONE = '#include <stdio.h>\nint main(void) { printf("0\\n"); return 0; }\n'


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("loops")
    (path / "sum.c").write_text(PROGRAM)
    (path / "none.c").write_text(NONE)
    programs = [
        f'[[program]]\nname = "{n}"\nsources = ["{n}.c"]\n[[program.run]]\n'
        for n in ("sum", "none")
    ]
    (path / "manifest.toml").write_text("\n".join(programs))
    return str(path)


@pytest.fixture
def loops(folder: str) -> Iterator[Loops]:
    made: list[LlvmLoopsEnv] = []

    def build(**arguments: Any) -> LlvmLoopsEnv:
        given = {"programs": f"file://{folder}/sum", "observation": "facts", **arguments}
        made.append(LlvmLoopsEnv(**given))
        return made[-1]

    yield build
    for env in made:
        env.close()


def play(env: LlvmLoopsEnv, action: Any) -> tuple[list[float], dict[str, Any]]:
    """Take the same action for every loop."""
    rewards = []
    while True:
        _, reward, terminated, truncated, info = env.step(action)
        rewards.append(reward)
        if terminated or truncated:
            return rewards, info


def test_gymnasium_check_env(folder: str) -> None:
    env = gym.make(
        "mir-llvm-loops-v0",
        programs=f"file://{folder}/sum",
        observation="facts",
        render_mode="ansi",
    )
    env.reset()  # third parties warn when they are imported
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped, skip_render_check=False)
    env.close()


@pytest.mark.parametrize("observation", ["facts", ("facts", "own", "embedding")], ids=str)
def test_stable_baselines_check_env(loops: Loops, observation: Any) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    env = loops(observation=observation)
    env.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checker.check_env(env, warn=True)


def test_zeros_are_o3(loops: Loops) -> None:
    env = loops()
    _, info = env.reset(seed=0)
    assert info["loops"] == len(env.facts) >= 2
    rewards, info = play(env, [0, 0, 0])
    assert rewards == [0.0] * info["loops"]
    assert info["cost"] == info["baseline_cost"] < info["start_cost"]
    assert env.hints == tuple(LoopHints(f.number) for f in env.episode.decisions)
    with pytest.raises(RuntimeError, match="call reset"):
        env.step([0, 0, 0])


def test_the_choice_is_in_the_module_and_in_the_reward(loops: Loops) -> None:
    rewards = {}
    for index, width in [(1, 1), (3, 4), (5, 16)]:
        env = loops(isolation="none")
        env.reset(seed=0)
        found, info = play(env, [index, 1, 1])
        assert info["error"] is None
        assert found[:-1] == [0.0] * (len(found) - 1)
        assert found[-1] == pytest.approx(math.log(info["baseline_cost"] / info["cost"]))
        rewards[width] = found[-1]
        assert {h[1:] for h in env.hints} == {(width, 1, 1)}
        assert env.episode.session is not None
        text = env.episode.session.emit("ll").decode()
        wide = {int(n) for n in re.findall(r"load <(\d+) x i32>", text)}
        assert wide == ({width} if width > 1 else set())
    assert rewards[1] < rewards[4]
    assert rewards[1] < -0.2  # no vectors at all


def test_observation(loops: Loops) -> None:
    env = loops(observation=("facts", "embedding"))
    observation, info = env.reset(seed=0)
    facts, left = observation["facts"][:-1], observation["facts"][-1]
    assert left == 1.0 and info["loop"] == env.episode.decisions[0].number
    assert np.allclose(facts, np.log1p([getattr(env.facts[0], name) for name in FACTS]))
    assert np.abs(observation["embedding"]).min() >= 0 and observation["embedding"].any()
    after, *_ = env.step([0, 0, 0])
    assert after["facts"][-1] == pytest.approx(1 - 1 / info["loops"])
    assert not np.array_equal(after["embedding"], observation["embedding"])
    assert env.observation_space.contains(after)


def test_own_choice_is_llvms(loops: Loops) -> None:
    """O3 makes vectors of four ``int`` of ``sum``, and looking leaves the episode as it was."""
    env, blind = loops(observation=("facts", "own"), isolation="none"), loops(isolation="none")
    observation, info = env.reset(seed=0)
    assert blind.reset(seed=0)[1] == info
    shown = []
    while True:
        shown.append(OwnChoice(*np.expm1(observation["own"])))
        observation, _, terminated, _, last = env.step([0, 0, 0])
        assert env.observation_space.contains(observation)
        if terminated:
            break
    assert play(blind, [0, 0, 0])[1] == last
    assert round(shown[0].width) == 4
    assert all(own.copies >= 1 and own.loops >= 1 for own in shown)


def test_no_own_choice_of_what_is_gone() -> None:
    facts = LoopFacts(*[0] * len(LoopFacts._fields))
    assert own_choice(facts, []) == OwnChoice(0, 1.0, 1.0, 0)
    assert own_choice(facts, [facts._replace(widest_bits=64)]) == OwnChoice(1, 1.0, 1.0, 0)
    narrow = facts._replace(widest_bits=32, loads_unit=2)
    wide = facts._replace(widest_bits=128, loads_unit=4, instructions=9)
    assert own_choice(narrow, [narrow, wide]) == OwnChoice(2, 4.0, 2.0, 9)


def test_masks(loops: Loops) -> None:
    env = loops()
    env.reset(seed=0)
    for facts in env.facts:
        mask = env.action_masks()
        assert mask.shape == (sum(SIZES),)
        assert mask.all() == bool(facts.vectorizable)
        assert mask[[0, 1, 6, 7]].all() and mask[11:].all()
        env.step([0, 0, 0])


def test_floating_point_results_stay(loops: Loops, tmp_path: Any) -> None:
    """A width is no leave to reorder sums: the program prints what it must."""
    text = PROGRAM.replace("int sum", "float sum").replace("int s = 0", "float s = 0.1f")
    text = (
        text.replace("+= p[i]", "+= p[i] * 0.37f")
        .replace('"%d', '"%a')
        .replace("int total", "float total")
    )
    text = text.replace(
        "(total + sum(a, 1000 * argc)) & 0xfffff", "total * 0.5f + sum(a, 1000 * argc)"
    )
    text = text.replace('printf("%a\\n", total)', 'printf("%a\\n", (double)total)')
    (tmp_path / "f.c").write_text(text)
    (tmp_path / "manifest.toml").write_text(
        '[[program]]\nname = "f"\nsources = ["f.c"]\n[[program.run]]\n'
    )
    env = loops(programs=str(tmp_path))
    env.reset(seed=0)
    _, info = play(env, [3, 2, 2])
    assert info["error"] is None
    assert env.validate(sanitize=False).verdict == "equal"


def test_twins_and_forks(loops: Loops) -> None:
    first, second = loops(), loops(isolation="none")
    a, b = first.reset(seed=0), second.reset(seed=0)
    assert equal(a[0], b[0]) and a[1] == b[1]
    first.step([3, 0, 2])
    second.step([3, 0, 2])
    twin = first.fork()
    try:
        ends = [play(env, [1, 1, 1]) for env in (first, second, twin)]
        assert ends[0][0] == ends[1][0] == ends[2][0]
        assert ends[0][1] == ends[1][1] == ends[2][1]
        assert first.hints == twin.hints
    finally:
        twin.close()


def test_vector(folder: str) -> None:
    envs = LlvmLoopsVectorEnv(2, programs=f"file://{folder}/sum", observation="facts")
    try:
        observations, infos = envs.reset(seed=0)
        assert observations in envs.observation_space
        for _ in range(int(infos["loops"][0])):
            _, rewards, terminated, truncated, _ = envs.step(np.array([[0, 0, 0], [1, 1, 1]]))
        assert terminated.all() and not truncated.any()
        assert rewards[0] == 0.0 > rewards[1]
    finally:
        envs.close()


def test_all_loops_and_a_limit(loops: Loops) -> None:
    innermost, everything, few = loops(), loops(loops="all"), loops(max_loops=1)
    for env in (innermost, everything, few):
        env.reset(seed=0)
    assert len(everything.facts) > len(innermost.facts) > len(few.facts) == 1
    assert not any(f.children for f in innermost.facts)
    _, _, terminated, _, _ = few.step([0, 0, 0])
    assert terminated


def test_programs_without_loops(loops: Loops, folder: str) -> None:
    env = loops(programs=folder)
    with pytest.raises(NoLoopsError, match="has no loops once it is inlined"):
        env.reset(options={"program": "none"})
    with pytest.warns(UserWarning, match="none is left out: the program has no loops"):
        for seed in range(8):
            _, info = env.reset(seed=seed)
            assert info["program"].endswith("/sum")
    alone = loops(programs=f"file://{folder}/none")
    with pytest.raises(NoLoopsError, match="choose another"):
        alone.reset(seed=0)


@pytest.mark.parametrize(
    ("action", "match"),
    [
        ([0, 0], "is not 3 integers"),
        ([0, 0, 0.5], "is not 3 integers"),
        (3, "is not 3 integers"),
        ([0, 0, 5], r"number 5 of unrolls, which is not in \[0, 5\)"),
        ([-1, 0, 0], "number -1 of widths"),
    ],
    ids=str,
)
def test_bad_actions(loops: Loops, action: Any, match: str) -> None:
    env = loops()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=match):
        env.step(action)
    assert env.step([0, 0, 0])[4]["error"] is None


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"objective": "text_size_bytes"}, ValueError, "expected one of .*dynamic_cost"),
        ({"objective": "ir_instructions"}, ValueError, "trade size for speed"),
        ({"objective": "dynamic"}, ValueError, "unknown objective"),
        ({"baseline": "Oz"}, ValueError, "does not vectorize code for size"),
        ({"loops": "inner"}, ValueError, "expected 'innermost' or 'all'"),
        ({"max_loops": 0}, ValueError, "max_loops=0: expected 1 to 45"),
        ({"widths": (1, 2)}, ValueError, "expected 0 first"),
        ({"interleaves": (0, 3)}, ValueError, "powers of two up to 16"),
        ({"observation": "fact"}, ValueError, "Did you mean 'facts'"),
        ({"observation": ()}, ValueError, "one or several distinct names"),
        ({"actions": "passes"}, TypeError, "unknown argument 'actions' for mir-llvm-loops-v0"),
    ],
    ids=str,
)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        LlvmLoopsEnv(**arguments)


def test_a_generated_kernel() -> None:
    env = gym.make("mir-llvm-loops-v0", programs=KERNEL)
    _, info = env.reset(seed=0)
    assert info["program"] == resolve(KERNEL).uri
    env.close()


# -- fusion ----------------------------------------------------------------------------

ADJACENT = """
#include <stdio.h>
#define N 4096
static int a[N], b[N], c[N];
__attribute__((noinline)) void kernel(int k) {
  for (int i = 0; i < N; i++) b[i] = a[i] * k;
  for (int i = 0; i < N; i++) c[i] += b[i] ^ a[i];
}
int main(int argc, char **argv) {
  for (int i = 0; i < N; i++) a[i] = i * 7 + argc;
  for (int k = 0; k < 20; k++) kernel(k);
  unsigned total = 0;
  for (int i = 0; i < N; i++) total = total * 31 + c[i];
  printf("%u\\n", total);
  return argv == 0;
}
"""


def test_fusion_is_a_choice_for_each_loop(loops: Loops, tmp_path: Any) -> None:
    (tmp_path / "adjacent.c").write_text(ADJACENT)
    manifest = '[[program]]\nname = "adjacent"\nsources = ["adjacent.c"]\n[[program.run]]\n'
    (tmp_path / "manifest.toml").write_text(manifest)
    env = loops(programs=f"file://{tmp_path}/adjacent", fusion=True)
    assert env.action_space.nvec.tolist() == [6, 5, 5, 2]
    env.reset(seed=0)
    assert env.action_masks().shape == (6 + 5 + 5 + 2,)
    rewards, _ = play(env, [0, 0, 0, 0])
    assert rewards[-1] == 0 and env.fused == ()
    kernel = [i for i, facts in enumerate(env.facts) if facts.loads_unit and facts.stores_unit]
    env.reset(seed=0)
    terminated, number = False, 0
    while not terminated:
        action = [0, 0, 0, int(number == kernel[0])]
        _, reward, terminated, truncated, info = env.step(np.array(action))
        assert not truncated, info["error"]  # the program prints what it printed
        number += 1
    assert len(env.fused) == 1 and reward > 0.02  # `a` and `b` are read once less
    env.reset(seed=0)
    env.step(np.array([0, 0, 0, 1]))
    twin = env.unwrapped.fork()
    assert twin.fused == env.fused == (twin.hints[0].loop,)
    twin.close()


def test_without_fusion_the_space_is_as_it_was(loops: Loops) -> None:
    env = loops()
    assert env.action_space.nvec.tolist() == [6, 5, 5]
    env.reset(seed=0)
    with pytest.raises(ValueError, match="not 3 integers"):
        env.step(np.array([0, 0, 0, 1]))
    with pytest.raises(ValueError, match="not 4 integers"):
        fusing = loops(fusion=True)
        fusing.reset(seed=0)
        fusing.step(np.array([0, 0, 0]))
