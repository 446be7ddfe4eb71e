"""Traces of branches and loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mirgym.dynamic_cost import CostMeter
from mirgym.errors import NotRunnableError
from mirgym.programs import resolve
from mirgym.session import InProcessSession, Session
from mirgym.traces import SiteKind, Trace, trace_request
from mirgym.wire import Wanted

from .test_branches import SWITCH
from .test_execute import SHORT, Place

LOADS = b"""
@table = global [4 x i32] [i32 5, i32 6, i32 7, i32 8]
define i32 @main() {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %where = getelementptr i32, ptr @table, i64 %i
  %got = load i32, ptr %where
  %next = add i64 %i, 1
  %again = icmp slt i64 %next, 4
  br i1 %again, label %loop, label %exit
exit:
  %last = load volatile i16, ptr @table
  ret i32 %got
}
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def traced(session: Session, module: bytes, place: Place, **how: int) -> Trace:
    session.load(module)
    done = session.trace([place.request()], limits=SHORT, **how)  # type: ignore[arg-type]
    return done.traces[0]


def test_events_by_hand(session: Session, place: Place) -> None:
    trace = traced(session, LOADS, place)
    assert trace.functions == ("main",)
    assert trace.site_functions.tolist() == [0, 0, 0]
    assert trace.site_instructions.tolist() == [3, 6, 7]
    assert trace.site_kinds.tolist() == [SiteKind.LOAD, SiteKind.BRANCH, SiteKind.LOAD]
    assert trace.sites.tolist() == [0, 1] * 4 + [2]
    assert trace.of(SiteKind.BRANCH)[1].tolist() == [0, 0, 0, 1]
    addresses = trace.of(SiteKind.LOAD)[1]
    assert (addresses - addresses[0]).tolist() == [0, 4, 8, 12, 0]
    assert (trace.total, trace.skipped, trace.left_out) == (9, 0, 0)


def test_the_ways_of_a_switch(session: Session, place: Place) -> None:
    trace = traced(session, SWITCH, place)
    sites, ways = trace.of(SiteKind.BRANCH)
    assert trace.functions == ("pick", "never", "main")
    assert trace.site_functions.tolist() == [0, 1, 2]
    # x = i mod 5: the ways of 0, 1 and 2 are 1, 2 and 3, the default's is 0.
    assert ways[sites == 0].tolist() == [1, 2, 3, 0, 0] * 2 + [1, 2]
    assert ways[sites == 2].tolist() == [0] * 11 + [1]


@pytest.mark.parametrize(("skip", "limit"), [(0, 4), (3, 4), (7, 4), (100, 4), (0, 0), (2**63, 1)])
def test_a_part_of_it(session: Session, place: Place, skip: int, limit: int) -> None:
    whole = traced(session, LOADS, place)
    part = traced(session, LOADS, place, skip=skip, limit=limit)
    assert part.sites.tolist() == whole.sites[skip : skip + limit].tolist()
    assert part.total == 9 and part.left_out == 9 - len(part.sites)
    assert part.skipped == min(skip, 9)


def test_each_run_has_its_own(session: Session, place: Place) -> None:
    session.load(LOADS)
    first, second = session.trace([place.request()] * 2).traces
    assert first.sites.tolist() == second.sites.tolist()


def test_what_is_refused(session: Session, place: Place) -> None:
    session.load(LOADS)
    with pytest.raises(
        ValueError, match="2 traces of 33554433 events are too long; at most 67108864 "
    ):
        session.trace([place.request()] * 2, limit=(1 << 25) + 1)
    with pytest.raises(ValueError, match="expected no negative numbers"):
        session.trace([place.request()], skip=-1)
    session.load(b"define i32 @f() {\n  ret i32 0\n}\n")
    with pytest.raises(NotRunnableError, match="defines no function 'main'"):
        session.trace([place.request()])


def test_a_truncated_request(local: InProcessSession, place: Place) -> None:
    local.load(LOADS)
    engine = local._engine
    assert engine is not None
    whole = trace_request([place.request("x")], ["m"], SHORT, limit=5, skip=1)
    assert engine.handle(whole)[0] == 0
    for size in range(1, len(whole)):
        assert engine.handle(whole[:size])[0] == 7


@pytest.mark.parametrize("name", ["crc", "json"])
@pytest.mark.parametrize("pipeline", ["", "default<O2>"])
def test_it_agrees_with_the_counters(name: str, pipeline: str) -> None:
    program = resolve(f"mirbench/{name}")
    with InProcessSession() as session:
        session.load(program.bitcode(), level="O3")
        if pipeline:
            session.step(pipeline)
        meter = CostMeter(program)
        trace = meter.trace(session, limit=1 << 24)
        counted = meter.profile(session)
        view = session.observe(Wanted.of(views=("functions",))).views["functions"]
    assert trace.left_out == 0
    assert trace.functions == tuple(f.name for f in counted.functions)
    sites, ways = trace.of(SiteKind.BRANCH)
    loads = set()
    for index, function in enumerate(counted.functions):
        tokens = view.functions[index].tokens  # type: ignore[union-attr]
        own = np.flatnonzero(trace.site_functions == index)
        taken: list[int] = []
        for site in own.tolist():
            if trace.site_kinds[site] == SiteKind.BRANCH:
                # Of a switch there may be more ways at the end that were never taken.
                seen = np.bincount(ways[sites == site], minlength=2)
                taken += seen.tolist()
            else:
                loads.add(int(tokens[0, trace.site_instructions[site]]))
        assert sum(taken) == function.taken.sum()
        if len(taken) == function.taken.shape[1]:
            assert taken == function.taken[0].tolist()
    assert len(loads) == 1  # one opcode


def test_a_trace_is_kept_as_parquet(local: InProcessSession, place: Place, tmp_path: Path) -> None:
    trace = traced(local, SWITCH, place, skip=2, limit=10)
    path = tmp_path / "trace.parquet"
    trace.save(path)
    again = Trace.load(path)
    for mine, theirs in zip(trace, again, strict=True):
        assert np.array_equal(mine, theirs) and type(mine) is type(theirs)
    assert [p.name for p in tmp_path.glob("trace*")] == ["trace.parquet"]


def test_other_parquet_files_are_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="is no trace: it has no metadata"):
        Trace.load(tmp_path / "x.parquet")
