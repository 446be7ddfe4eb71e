"""The transition cache: a lookup, and a whole search, against compiling."""

from __future__ import annotations

import dataclasses
import random
import statistics
import tempfile
import time
from pathlib import Path

from ..agents.explorer import SearchConfig
from ..agents.search import search
from ..agents.transitions import Transition, TransitionCache, next_state
from .modules import module_near
from .report import Check, Report

TEXT = "text_size_bytes"


def measure(transitions: int = 200_000, budget: int = 100, seed: int = 0) -> Report:
    """Fill a cache, look half of it up in random order, and run one search cold and warm."""
    report = Report("cache")
    module = module_near(500)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        put_us, hit_us, miss_us, row_bytes = _lookups(folder, transitions, seed)
        config = SearchConfig(budget=budget, seed=seed, transitions=folder)
        cold, warm = (search(module.bitcode, config) for _ in range(2))
    timeless = [
        dataclasses.replace(found, seconds=0, cached=0, saved_seconds=0) for found in (cold, warm)
    ]
    same = timeless[0] == timeless[1]
    compile_us = (cold.seconds - warm.seconds) / cold.compiles * 1e6
    report.figures = {
        "transitions": transitions,
        "bytes a transition": row_bytes,
        "put, µs": put_us,
        "hit, median µs": hit_us,
        "miss, median µs": miss_us,
        "instructions of the module": module.instructions,
        "compile in a search, mean µs": compile_us,
        "search, compiles": cold.compiles,
        "search cold, s": cold.seconds,
        "search warm, s": warm.seconds,
    }
    report.checks = [
        Check("compile ÷ hit", compile_us / hit_us, 100.0, at_most=False),
        Check("same result from a warm cache", float(same), 1.0, at_most=False),
        Check("compiles that a warm cache answered", warm.cached / warm.compiles, 1.0, False),
    ]
    return report


def _lookups(folder: Path, count: int, seed: int) -> tuple[float, float, float, float]:
    known = Transition(2**63, True, 1000, 4000)
    states = [next_state(number, seed) for number in range(count)]
    with TransitionCache(folder) as cache:
        started = time.perf_counter()
        for state in states:
            cache.put(state, 1, TEXT, known)
        cache.flush()
        put_us = (time.perf_counter() - started) / count * 1e6
    random.Random(seed).shuffle(states)
    with TransitionCache(folder) as cache:
        hits = _times(cache, states[: count // 2], 1)
        misses = _times(cache, states[: count // 10], 2)
        assert (cache.hits, cache.misses) == (len(hits), len(misses))
        row_bytes = cache.path.stat().st_size / count
    return put_us, statistics.median(hits), statistics.median(misses), row_bytes


def _times(cache: TransitionCache, states: list[int], action: int) -> list[float]:
    times = []
    for state in states:
        started = time.perf_counter()
        cache.get(state, action, TEXT)
        times.append((time.perf_counter() - started) * 1e6)
    return times
