from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from mirgym.agents import transitions
from mirgym.agents.explorer import Explorer, SearchConfig
from mirgym.agents.search import ALGORITHMS, agents_for, random_search, search
from mirgym.agents.transitions import (
    Transition,
    TransitionCache,
    action_key,
    first_state,
    is_fact,
    key_of,
    next_state,
)
from mirgym.errors import (
    CacheError,
    ModuleTooLargeError,
    SessionCrashedError,
    SessionTimeoutError,
    WorkerStartError,
)
from mirgym.passes import Pass, find
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.wire import Wanted
from mirgym.worker import WorkerLimits, WorkerSession

TEXT, IR = "text_size_bytes", "ir_instructions"
SOME = Transition(2**64 - 5, True, 10, 99, microseconds=1234)
CRASH = Transition(0, False, 0, None, "SessionCrashedError: it crashed")
MEM2REG, GVN, DCE = find("mem2reg"), find("gvn"), find("dce")


@pytest.fixture(scope="module")
def module() -> bytes:
    return resolve("mirbench/primes").bitcode()


# -- what is kept -----------------------------------------------------------------------


def test_round_trip(tmp_path: Path) -> None:
    with TransitionCache(tmp_path) as cache:
        assert cache.get(-1, 2, TEXT) is None
        cache.put(-1, 2, TEXT, SOME)
        assert cache.get(-1, 2, TEXT) == SOME
        assert (cache.hits, cache.misses) == (1, 1)
    with TransitionCache(tmp_path) as cache:
        assert cache.get(-1, 2, TEXT) == SOME
        assert cache.get(2, -1, TEXT) is None
        assert len(cache) == 1


@pytest.mark.parametrize("written", [False, True])
def test_machine_code_is_a_matter_of_its_own(tmp_path: Path, written: bool) -> None:
    counted = Transition(7, True, 10, None)
    with TransitionCache(tmp_path) as cache:
        cache.put(1, 1, IR, counted)
        cache.put(2, 2, TEXT, SOME)
        cache.put(3, 3, TEXT, CRASH)
        if written:
            cache.flush()
        assert cache.get(1, 1, TEXT) is None  # it was not measured
        assert cache.get(2, 2, IR) == SOME
        assert cache.get(3, 3, IR) is None  # only the code generator may have crashed
        assert cache.get(3, 3, TEXT) == CRASH
        cache.put(3, 3, IR, counted)
        cache.flush()
        assert cache.get(3, 3, IR) == counted
        assert cache.get(3, 3, TEXT) == CRASH


def test_states_are_ways(module: bytes) -> None:
    limits = WorkerLimits()
    first = first_state(module, "Oz", limits, 16.0)
    others = [
        first_state(module + b"\0", "Oz", limits, 16.0),
        first_state(module, "O0", limits, 16.0),
        first_state(module, "Oz", replace(limits, memory_bytes=1), 16.0),
        first_state(module, "Oz", limits, 8.0),
    ]
    assert len({first, *others}) == 5
    assert first_state(module, "Oz", replace(limits, step_seconds=1.0), 16.0) == first
    a, b = key_of(MEM2REG), key_of(GVN)
    assert next_state(next_state(first, a), b) != next_state(next_state(first, b), a)


def test_an_action_is_what_it_runs() -> None:
    assert key_of(MEM2REG) == key_of(MEM2REG._replace(name="other", group="mine"))
    options = (("inline-threshold", "5"),)
    assert action_key("inline") != action_key("inline", options)
    assert action_key("inline", options) != action_key("inline", (("inline-threshold", "6"),))


def test_only_what_would_come_again_is_kept() -> None:
    assert is_fact(SessionCrashedError("the worker process crashed: SIGSEGV"))
    assert is_fact(ModuleTooLargeError("grew"))
    assert not is_fact(SessionCrashedError("the worker process was killed by SIGKILL"))
    assert not is_fact(SessionTimeoutError("slow"))
    assert not is_fact(WorkerStartError("full"))


def test_the_version_holds_for_these_keys_and_costs() -> None:
    """When this fails, the engine's keys or costs changed: raise ``transitions.VERSION``."""
    text = (
        b'target triple = "x86_64-unknown-linux-gnu"\n'
        b"define i32 @f(i32 %x) {\n  %p = alloca i32\n  store i32 %x, ptr %p\n"
        b"  %y = load i32, ptr %p\n  %z = mul i32 %y, 3\n  ret i32 %z\n}\n"
    )
    wanted = Wanted.of((TEXT,))
    with InProcessSession() as session:
        session.load(text, level="Oz")
        state = session.step("function(mem2reg)", wanted=wanted)
    found = (transitions.VERSION, state.key, state.metrics[IR], state.metrics[TEXT])
    assert found == (2, 8928645653649372434, 2, 4)


# -- many processes ---------------------------------------------------------------------


def fill(folder: Path, start: int, count: int) -> None:
    with TransitionCache(folder) as cache:
        for state in range(start, start + count):
            cache.put(state, 1, TEXT, SOME)
            assert cache.get(state, 1, TEXT) == SOME


def test_several_writers(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=fill, args=(tmp_path, n * 1000, 500)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        assert writer.exitcode == 0
    with TransitionCache(tmp_path) as cache:
        assert len(cache) == 1500


def test_a_killed_writer_leaves_a_sound_file(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mirgym.agents.transitions import *\n"
        "cache = TransitionCache(Path(sys.argv[1]))\n"
        "for n in range(10**9):\n"
        "    cache.put(n, 1, 'text_size_bytes', Transition(n, True, 10, 99))\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    path = tmp_path / transitions.file_name()
    with TransitionCache(tmp_path) as cache:
        deadline = time.monotonic() + 60
        while len(cache) < 500 and time.monotonic() < deadline:
            time.sleep(0.02)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        assert len(cache) >= 500
        assert cache.get(100, 1, TEXT) == Transition(100, True, 10, 99)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_forked_child_has_its_own_connection(tmp_path: Path) -> None:
    with TransitionCache(tmp_path) as cache, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of other tests
        cache.put(1, 1, TEXT, SOME)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                cache.put(2, 2, TEXT, SOME)
                cache.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(pid, 0)[1] == 0
        assert cache.get(1, 1, TEXT) == cache.get(2, 2, TEXT) == SOME


def test_a_locked_file_delays_writes_only(tmp_path: Path) -> None:
    with TransitionCache(tmp_path) as cache:
        other = sqlite3.connect(cache.path, isolation_level=None)
        cache._connection.execute("PRAGMA busy_timeout = 10")
        other.execute("BEGIN IMMEDIATE")
        cache.put(1, 1, TEXT, SOME)
        cache.flush()
        assert cache.get(1, 1, TEXT) == SOME
        other.execute("COMMIT")
        other.close()
    with TransitionCache(tmp_path) as cache:
        assert cache.get(1, 1, TEXT) == SOME


# -- bounds and damage ------------------------------------------------------------------


def test_bounded(tmp_path: Path) -> None:
    with TransitionCache(tmp_path, max_bytes=200_000) as cache:
        for number in range(12_000):
            state = next_state(number, 0)
            cache.put(state, 1, TEXT, SOME)
        cache.flush()
        assert 500 < len(cache) < 8000
        assert cache.get(state, 1, TEXT) == SOME  # the latest are there
        assert cache.path.stat().st_size < 400_000


def test_something_else_in_its_place_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / transitions.file_name()
    path.write_bytes(b"not a database " * 1000)
    with pytest.warns(UserWarning, match="is damaged .*a new cache begins"):
        cache = TransitionCache(tmp_path)
    with cache:
        cache.put(1, 1, TEXT, SOME)
    with TransitionCache(tmp_path) as cache:
        assert cache.get(1, 1, TEXT) == SOME
    assert path.with_suffix(".damaged").read_bytes().startswith(b"not a database")


def test_damage_while_in_use_is_one_warning(tmp_path: Path) -> None:
    fill(tmp_path, 0, 4000)
    path = tmp_path / transitions.file_name()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    with TransitionCache(tmp_path) as cache:
        with pytest.warns(UserWarning, match="is damaged") as caught:
            assert cache.get(3999, 1, TEXT) is None
        assert len(caught) == 1
        cache.put(5, 1, TEXT, SOME)
        cache.flush()
        assert cache.get(5, 1, TEXT) == SOME


def test_another_process_that_set_it_aside_is_followed(tmp_path: Path) -> None:
    path = tmp_path / transitions.file_name()
    with TransitionCache(tmp_path) as first:
        first._inode = -1  # as if it had opened a file that is gone
        with TransitionCache(tmp_path) as second:
            second.put(1, 1, TEXT, SOME)
            second.flush()
            first._set_aside(sqlite3.DatabaseError("malformed"))  # without a warning
            assert first.get(1, 1, TEXT) == SOME
    assert path.exists()
    assert not path.with_suffix(".damaged").exists()


def test_a_full_disk_is_one_warning(tmp_path: Path) -> None:
    with TransitionCache(tmp_path) as cache:
        cache._connection.execute("PRAGMA max_page_count = 1")
        for number in range(1000):
            cache._pending[number, 1, True] = SOME
        with pytest.warns(UserWarning, match="going on without the transition cache") as caught:
            cache.flush()
        assert len(caught) == 1
        cache.put(1, 1, TEXT, SOME)
        cache.flush()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="MIRGYM_CACHE"):
        TransitionCache(tmp_path / "file")


# -- under a search ---------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(agents_for("text_size_bytes")))
def test_a_warm_cache_changes_only_the_time(module: bytes, tmp_path: Path, name: str) -> None:
    config = SearchConfig(budget=60, seed=5, transitions=tmp_path)
    cold = ALGORITHMS[name](module, replace(config, transitions=None))
    filling, warm = (ALGORITHMS[name](module, config) for _ in range(2))
    assert (cold.cached, filling.cached, warm.cached) == (0, 0, warm.compiles)
    for found in (filling, warm):
        assert replace(found, seconds=0, cached=0, saved_seconds=0) == replace(cold, seconds=0)
    assert filling.saved_seconds == 0
    assert 0 < warm.saved_seconds < filling.seconds


def test_other_seeds_share(module: bytes, tmp_path: Path) -> None:
    config = SearchConfig(budget=60, transitions=tmp_path)
    search(module, config)
    assert 0 < random_search(module, config).cached < 60


def test_a_lookup_counts_like_a_compile(module: bytes, tmp_path: Path) -> None:
    for _ in range(2):
        with Explorer(module, SearchConfig(budget=9, transitions=tmp_path)) as explorer:
            node = explorer.walk(explorer.root, (MEM2REG, GVN))
            assert explorer.walk(explorer.root, (MEM2REG, GVN)) is node
            assert explorer.compiles == 2
    assert explorer.cached == 2


def test_from_known_states_into_unknown_ones(module: bytes, tmp_path: Path) -> None:
    """The worker is nowhere near a node that the cache led to; it must get there."""
    config = SearchConfig(budget=9, transitions=tmp_path)
    with Explorer(module, config) as explorer:
        explorer.walk(explorer.root, (MEM2REG, GVN))
    with (
        Explorer(module, config) as explorer,
        Explorer(module, replace(config, transitions=None)) as plain,
    ):
        steps = (MEM2REG, GVN, find("simplifycfg"), DCE)
        reached, expected = (e.walk(e.root, steps) for e in (explorer, plain))
        assert explorer.cached == 2
        assert (reached.key, reached.cost) == (expected.key, expected.cost)
        assert not explorer.failures


def test_crashes_are_remembered(tmp_path: Path) -> None:
    crashing = resolve("mirbench/hashtable").bitcode()
    crash = Pass("unify-loop-exits", find("unify-loop-exits").pipeline)
    told = []
    for _ in range(2):
        with Explorer(crashing, SearchConfig(budget=9, transitions=tmp_path)) as explorer:
            node = explorer.apply(explorer.root, MEM2REG)
            assert explorer.apply(node, crash) is None
            told.append((explorer.failures, explorer.compiles))
    assert explorer.cached == 2
    assert told[0] == told[1]


def test_options_are_part_of_an_action(tmp_path: Path, module: bytes) -> None:
    always, never = (
        Pass("inline", "cgscc(inline)", options=(("inline-threshold", value),))
        for value in ("100000", "-100000")
    )
    with Explorer(module, SearchConfig(budget=9, transitions=tmp_path)) as explorer:
        node = explorer.apply(explorer.root, MEM2REG)
        first, second = (explorer.apply(node, step) for step in (always, never))
        assert explorer.compiles == 3
        assert first is not second


def test_a_machine_without_room_for_workers_ends_a_search(module: bytes, monkeypatch) -> None:
    step = WorkerSession.step

    def full(self, pipeline, *arguments, **options):
        if pipeline != "default<O2>":
            raise WorkerStartError("cannot start a worker process: too many")
        return step(self, pipeline, *arguments, **options)

    monkeypatch.setattr(WorkerSession, "step", full)
    with pytest.raises(WorkerStartError, match="cannot start a worker process"):
        search(module, SearchConfig(budget=20))


def test_a_lookup_is_far_cheaper_than_a_compile(module: bytes, tmp_path: Path) -> None:
    """On the smallest program, and with a wide margin: 8 µs against 300 when all is quiet."""
    fill(tmp_path, 0, 2000)
    with TransitionCache(tmp_path) as cache:
        lookups = []
        for state in range(2000):
            started = time.perf_counter()
            cache.get(state, 1, TEXT)
            lookups.append(time.perf_counter() - started)
    with InProcessSession() as session:
        compiles = []
        for _ in range(5):
            session.load(module, level="Oz")
            started = time.perf_counter()
            session.step("default<O2>", wanted=Wanted.of((TEXT,)))
            compiles.append(time.perf_counter() - started)
    assert sorted(lookups)[1000] * 20 < min(compiles)
