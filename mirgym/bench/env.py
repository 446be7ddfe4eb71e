"""Steps per second of the environment, and CompilerGym's operations at its sizes."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from ..envs.llvm_env import LlvmEnv
from ..envs.vector import LlvmVectorEnv
from ..programs import resolve_all
from .modules import module_near
from .report import Check, Report

EPISODE = 45

COMPILERGYM_MS: dict[int, dict[str, float]] = {
    571: {"step": 0.54, "step, size reward": 19, "cold reset": 150, "warm reset": 1.9, "fork": 7},
    2852: {"step": 0.82, "step, size reward": 33, "cold reset": 240, "warm reset": 5.8, "fork": 12},
    7691: {"step": 2.0, "step, size reward": 61, "cold reset": 740, "warm reset": 8.7, "fork": 12},
}
"""CompilerGym 0.2.5, wall medians on a 2-core x86-64 machine, by instructions."""

AIMS = {"step": 8.0, "step, size reward": 5.0, "cold reset": 10.0, "fork": 10.0}
"""How many times faster we aim to be at about 570 instructions."""


def _throughput(env: LlvmEnv, programs: list[Any], seconds: float) -> tuple[float, float]:
    """Random-action steps per second, with and without the time of the resets."""
    generator = np.random.default_rng(0)
    n = len(env.passes)
    steps = 0
    resetting = 0.0
    start = time.perf_counter()
    episode = 0
    # Whole rounds over the suite, so that each program weighs the same.
    while time.perf_counter() - start < seconds or episode % len(programs):
        begin = time.perf_counter()
        env.reset(options={"program": programs[episode % len(programs)]})
        resetting += time.perf_counter() - begin
        episode += 1
        for _ in range(EPISODE):
            _, _, _, truncated, _ = env.step(generator.integers(n))
            steps += 1
            if truncated:
                break
    total = time.perf_counter() - start
    return steps / total, steps / (total - resetting)


def _measure_throughput(report: Report, seconds: float) -> None:
    programs = resolve_all("mirbench")
    rows = {}
    for isolation in ("process", "none"):
        env = LlvmEnv(
            programs="mirbench",
            objective="ir_instructions",
            observation="autophase",
            isolation=isolation,
        )
        try:
            for program in programs:  # compile and measure the baselines first
                env.reset(options={"program": program})
            whole, steps_only = _throughput(env, programs, seconds)
        finally:
            env.close()
        rows[isolation] = {"steps/s with resets": whole, "steps/s": steps_only}
    report.figures["one environment, autophase, ir_instructions"] = rows
    value = rows["process"]["steps/s with resets"]
    name = "random steps per second, isolated, resets included"
    report.checks.append(Check(name, value, 1000, at_most=False))


def _vector_env(workers: int) -> LlvmVectorEnv:
    envs = LlvmVectorEnv(
        workers, programs="mirbench", objective="ir_instructions", observation="autophase"
    )
    envs.reset(seed=0, options={"program": [p.uri for p in resolve_all("mirbench")[:1]] * workers})
    for program in resolve_all("mirbench"):
        envs.episodes[0].pool.costs(program, envs.episodes[0].session)  # type: ignore[arg-type]
    envs.reset(seed=0)
    return envs


def _asynchronous(envs: LlvmVectorEnv, steps: int) -> float:
    """Steps per second when no copy waits for another."""
    generator = np.random.default_rng(0)
    n = len(envs.passes)
    start = time.perf_counter()
    envs.send(generator.integers(n, size=envs.num_envs))
    done = 0
    while done < steps:
        batch = envs.receive()
        done += len(batch.indices)
        envs.send(generator.integers(n, size=len(batch.indices)), batch.indices)
    rate = done / (time.perf_counter() - start)
    envs.receive(envs.num_envs)
    return rate


def _synchronous(envs: LlvmVectorEnv, steps: int) -> float:
    """Steps per second of ``step``: all copies wait for the slowest."""
    generator = np.random.default_rng(0)
    rounds = steps // envs.num_envs
    start = time.perf_counter()
    for _ in range(rounds):
        envs.step(generator.integers(len(envs.passes), size=envs.num_envs))
    return rounds * envs.num_envs / (time.perf_counter() - start)


def _measure_vector(report: Report, steps: int) -> None:
    rows: dict[str, dict[str, float]] = {}
    for workers in (1, 2, 16):
        samples: dict[str, list[float]] = {"asynchronous": [], "synchronous": []}
        for _ in range(3):
            envs = _vector_env(workers)
            try:
                samples["synchronous"].append(_synchronous(envs, steps))
                samples["asynchronous"].append(_asynchronous(envs, steps))
            finally:
                envs.close()
        rows[f"{workers} workers"] = {
            f"{kind} steps/s": statistics.median(values) for kind, values in samples.items()
        }
    report.figures["LlvmVectorEnv"] = rows
    one, two = rows["1 workers"], rows["2 workers"]
    for kind in ("asynchronous", "synchronous"):
        speedup = two[f"{kind} steps/s"] / one[f"{kind} steps/s"]
        report.figures[f"speed-up of 2 workers, {kind}"] = speedup
    value = report.figures["speed-up of 2 workers, asynchronous"]
    name = "LlvmVectorEnv send/receive, 2 workers / 1"
    report.checks.append(Check(name, value, 1.7, at_most=False))


def _median_step_ms(env: LlvmEnv, program: Path, episodes: int) -> float:
    generator = np.random.default_rng(0)
    samples = []
    for _ in range(episodes):
        env.reset(options={"program": str(program)})
        for _ in range(EPISODE):
            action = generator.integers(len(env.passes))
            start = time.perf_counter()
            _, _, _, truncated, _ = env.step(action)
            samples.append((time.perf_counter() - start) * 1e3)
            if truncated:
                break
    return statistics.median(samples)


def _median_ms(work: Any, repeats: int) -> float:
    samples = []
    for index in range(repeats):
        start = time.perf_counter()
        work(index)
        samples.append((time.perf_counter() - start) * 1e3)
    return statistics.median(samples)


def _operations(folder: Path, wished: int) -> dict[str, float]:
    """Medians in ms of CompilerGym's operations on a module of about ``wished``."""
    module = module_near(wished)
    copies = [folder / f"{wished}-{i}.bc" for i in range(8)]
    for copy in copies:
        copy.write_bytes(module.bitcode)
    paths = [str(copy) for copy in copies]
    common: dict[str, Any] = {"programs": paths, "observation": "autophase"}
    env = LlvmEnv(objective="ir_instructions", **common)
    sized = LlvmEnv(objective="text_size_bytes", **common)
    try:
        first = _median_ms(lambda _: env.reset(options={"program": paths[0]}), 1)
        cold = _median_ms(lambda i: env.reset(options={"program": paths[i + 1]}), 7)
        warm = _median_ms(lambda i: env.reset(options={"program": paths[0]}), 9)
        twins: list[LlvmEnv] = []
        fork = _median_ms(lambda _: twins.append(env.fork()), 9)
        for twin in twins:
            twin.close()
        step = _median_step_ms(env, copies[0], 6)
        size_step = _median_step_ms(sized, copies[0], 6)
    finally:
        env.close()
        sized.close()
    return {
        "instructions": module.instructions,
        "step": step,
        "step, size reward": size_step,
        "first reset, worker start included": first,
        "cold reset": cold,
        "warm reset": warm,
        "fork": fork,
    }


def _measure_operations(report: Report) -> None:
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for wished, theirs in COMPILERGYM_MS.items():
            ours = _operations(Path(folder), wished)
            rows[f"{wished}: mirgym, ms"] = ours
            rows[f"{wished}: CompilerGym 0.2.5, ms"] = {"instructions": wished, **theirs}
            rows[f"{wished}: times faster"] = {k: theirs[k] / ours[k] for k in theirs}
    report.figures["operations, wall median"] = rows
    report.figures["aims at 571 instructions, times faster"] = AIMS


def measure(seconds: float = 10.0, steps: int = 3000) -> Report:
    """Measure everything; about ``10 × seconds`` in all."""
    report = Report("env")
    _measure_throughput(report, seconds)
    _measure_vector(report, steps)
    _measure_operations(report)
    return report
