"""Fixtures of the environments' tests: environments that close themselves."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import mirgym  # noqa: F401  (registers the environments)
from mirgym.envs import LlvmEnv, LlvmVectorEnv
from mirgym.programs import resolve
from mirgym.session import InProcessSession

PRIMES = "mirbench/primes"
ADPCM = "mirbench/adpcm"
URI = "benchmark://mirbench/primes"
SMALL = {"programs": PRIMES, "objective": "ir_instructions"}
OBJECTIVES = ["ir_instructions", "text_size_bytes"]

Make = Callable[..., gym.Env[Any, Any]]
Bare = Callable[..., LlvmEnv]


def equal(a: Any, b: Any) -> bool:
    """Whether two observations are equal, dictionaries by their entries."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    return bool(np.array_equal(a, b))


def rollout(env: gym.Env[Any, Any], seed: int, steps: int = 25) -> list[Any]:
    """What a reset and some random steps give, the actions among it."""
    out: list[Any] = [env.reset(seed=seed)]
    env.action_space.seed(seed)
    for _ in range(steps):
        action = int(env.action_space.sample())
        out.append((action, *env.step(action)))
    return out


def replayed_key(commandline: str, program: str = PRIMES, level: str = "Oz") -> int:
    """The module's hash after what the ``opt`` commands say."""
    with InProcessSession() as session:
        session.load(resolve(program).bitcode(), level=level)
        for command in commandline.split(" | ") if commandline else ():
            words = shlex.split(command)
            assert words[0] == "opt"
            flags = dict(w[1:].split("=", 1) for w in words[1:] if "=" in w)
            session.step(flags.pop("passes"), flags)
        return session.observe().key


@pytest.fixture
def make() -> Iterator[Callable[..., gym.Env[Any, Any]]]:
    """``gym.make("mir-llvm-v0")`` on a small program; closed at the end."""
    made: list[gym.Env[Any, Any]] = []

    def build(**arguments: Any) -> gym.Env[Any, Any]:
        made.append(gym.make("mir-llvm-v0", **{**SMALL, **arguments}))
        return made[-1]

    yield build
    for env in made:
        env.close()


@pytest.fixture
def bare() -> Iterator[Callable[..., LlvmEnv]]:
    """``LlvmEnv`` without wrappers on a small program; closed at the end."""
    made: list[LlvmEnv] = []

    def build(**arguments: Any) -> LlvmEnv:
        made.append(LlvmEnv(**{**SMALL, **arguments}))
        return made[-1]

    yield build
    for env in made:
        env.close()


@pytest.fixture
def vector() -> Iterator[Callable[..., LlvmVectorEnv]]:
    """``LlvmVectorEnv`` of two copies on a small program; closed at the end."""
    made: list[LlvmVectorEnv] = []

    def build(num_envs: int = 2, **arguments: Any) -> LlvmVectorEnv:
        made.append(LlvmVectorEnv(num_envs, **{**SMALL, **arguments}))
        return made[-1]

    yield build
    for envs in made:
        envs.close()


@pytest.fixture(scope="session")
def exploding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small module that ``always-inline`` turns into 100,000 instructions."""
    lines = ["@g = global i32 0", "define void @f0() alwaysinline {"]
    lines += ["  store volatile i32 1, ptr @g", "  ret void", "}"]
    for depth in range(1, 6):
        attribute = "alwaysinline " if depth < 5 else ""
        lines.append(f"define void @f{depth}() {attribute}{{")
        lines += [f"  call void @f{depth - 1}()"] * 10
        lines += ["  ret void", "}"]
    path = tmp_path_factory.mktemp("exploding") / "exploding.ll"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
