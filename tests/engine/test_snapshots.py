"""Snapshots of a function's values before the events of a trace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mirgym.dynamic_cost import CostMeter
from mirgym.programs import resolve
from mirgym.session import InProcessSession, Session
from mirgym.traces import SiteKind, Trace, trace_request
from mirgym.values import DOUBLE, POINTER
from mirgym.wire import Wanted
from mirgym.worker import WorkerSession

from .test_execute import SHORT, Place
from .test_traces import LOADS, traced
from .test_values import CompileC

# A site in `loop` and one in `join`: eight events.
LOOP = b"""
define i32 @main(i32 %argc) {
entry:
  %room = alloca double
  br label %loop
loop:
  %i = phi i64 [ 1, %entry ], [ %next, %join ]
  %sum = phi i64 [ 0, %entry ], [ %after, %join ]
  %square = mul i64 %i, %i
  %odd.i = trunc i64 %i to i1
  br i1 %odd.i, label %odd, label %join
odd:
  %total = add i64 %sum, %square
  %real = sitofp i64 %i to double
  br label %join
join:
  %after = phi i64 [ %sum, %loop ], [ %total, %odd ]
  %next = add i64 %i, 1
  %again = icmp ult i64 %next, 5
  br i1 %again, label %loop, label %exit
exit:
  ret i32 0
}
"""
# i, sum (PHIs), square, odd.i | total, real | after (a PHI), next, again
AT_LOOP = {
    0: (1, 0, 0, 0, 0, 0.0, 0, 0, 0),
    2: (2, 1, 1, 1, 1, 1.0, 1, 2, 1),
    4: (3, 1, 4, 0, 1, 1.0, 1, 3, 1),
    6: (4, 10, 9, 1, 10, 3.0, 10, 4, 1),
}
AT_JOIN = {
    1: (1, 0, 1, 1, 1, 1.0, 1, 0, 0),
    3: (2, 1, 4, 0, 1, 1.0, 1, 2, 1),
    5: (3, 1, 9, 1, 10, 3.0, 10, 3, 1),
    7: (4, 10, 16, 0, 10, 3.0, 10, 4, 1),
}
KNOWN = [(AT_LOOP | AT_JOIN)[event] for event in range(8)]

# `down` calls itself before its branch, so that the events of the calls come in between.
CALLS = b"""
define i32 @plain(i32 %x) {
  %y = add i32 %x, 1
  ret i32 %y
}
define i32 @down(i32 %n) {
entry:
  %zero = icmp eq i32 %n, 0
  br i1 %zero, label %end, label %more
more:
  %less = sub i32 %n, 1
  %below = call i32 @down(i32 %less)
  %odd = trunc i32 %below to i1
  br i1 %odd, label %end, label %end
end:
  %found = phi i32 [ 0, %entry ], [ %below, %more ], [ %below, %more ]
  ret i32 %found
}
define i32 @main() {
  %all = call i32 @down(i32 2)
  ret i32 %all
}
"""

EXITS = b"""
declare void @exit(i32)
define i32 @main(i32 %argc) {
  call void @exit(i32 0)
  %one = icmp eq i32 %argc, 1
  br i1 %one, label %yes, label %no
yes:
  ret i32 0
no:
  ret i32 1
}
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def in_words(known: tuple[float, ...]) -> list[int]:
    words = [int(value) for value in known]
    words[5] = int(np.float64(known[5]).view(np.uint64))
    return words


def same(mine: Trace, theirs: Trace) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))


def test_values_by_hand(session: Session, place: Place) -> None:
    trace = traced(session, LOOP, place, snapshots=100)
    assert trace.sites.tolist() == [0, 1] * 4
    assert trace.slot_functions.tolist() == [0] * 11
    assert trace.slot_blocks.tolist() == [0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3]
    assert trace.slot_nodes.tolist() == list(range(15, 26))
    assert trace.slot_types.tolist() == [32, POINTER, 64, 64, 64, 1, 64, DOUBLE, 64, 64, 1]
    assert trace.snapshot_events.tolist() == list(range(8))
    assert trace.snapshot_sites.tolist() == [0, 1] * 4
    assert trace.snapshot_functions.tolist() == [0] * 8
    assert trace.snapshot_offsets.tolist() == [11 * i for i in range(9)]
    for snapshot in range(8):
        argc, room, *rest = trace.values_of(snapshot).tolist()
        assert argc == 1
        assert room >> 40 == 0x21  # on the stack
        assert rest == in_words(KNOWN[snapshot])


def test_nodes_are_those_of_the_graph(session: Session, place: Place) -> None:
    trace = traced(session, LOOP, place, snapshots=1)
    views = session.observe(Wanted.of(views=("functions",))).views["functions"]
    assert views.functions[0].nodes.shape[1] > trace.slot_nodes.max()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("how", "events"),
    [
        ({"snapshots": 3}, [0, 1, 2]),
        ({"snapshots": 9, "every": 3}, [0, 3, 6]),
        ({"snapshots": 2, "every": 3}, [0, 3]),
        ({"snapshots": 9, "every": 2**63}, [0]),
        ({"snapshots": 9, "every": 2, "skip": 3}, [3, 5, 7]),
        ({"snapshots": 9, "skip": 3, "limit": 2}, [3, 4]),
        ({"snapshots": 9, "skip": 100}, []),
        ({"snapshots": 9, "limit": 0}, []),
        ({"snapshots": 0}, []),
    ],
)
def test_which_are_taken(
    session: Session, place: Place, how: dict[str, int], events: list[int]
) -> None:
    trace = traced(session, LOOP, place, **how)
    assert trace.snapshot_events.tolist() == events
    assert trace.snapshot_offsets.tolist() == [11 * i for i in range(len(events) + 1)]
    for snapshot, event in enumerate(events):
        assert trace.values_of(snapshot).tolist()[2:] == in_words(KNOWN[event])


def test_without_snapshots_there_are_no_slots(session: Session, place: Place) -> None:
    trace = traced(session, LOOP, place)
    assert not len(trace.slot_types) and not len(trace.snapshot_values)
    assert trace.snapshot_offsets.tolist() == [0]


def test_calls_overwrite_and_come_between(session: Session, place: Place) -> None:
    trace = traced(session, CALLS, place, snapshots=100)
    assert trace.functions == ("plain", "down", "main")
    # Only `down` has sites. Its slots: n, zero, less, below, odd, found.
    assert trace.slots_of(1) == slice(0, 6)
    assert trace.slots_of(0) == slice(0, 0) and trace.slots_of(2) == slice(6, 6)
    assert set(trace.slot_functions.tolist()) == {1}
    # Entry and `more` for n = 2 and 1, and the entry for 0.
    assert trace.sites.tolist() == [0, 0, 0, 1, 1]
    assert trace.snapshot_sites.tolist() == [0, 1, 0, 1, 0]
    # What is taken at `more` has the event of the callee's entry next.
    assert trace.snapshot_events.tolist() == [0, 1, 1, 2, 2]
    values = [trace.values_of(i).tolist()[:3] for i in range(5)]
    assert values == [[2, 0, 0], [2, 0, 0], [1, 0, 1], [1, 0, 1], [0, 0, 0]]


def test_one_without_an_event_after_it(session: Session, place: Place) -> None:
    trace = traced(session, EXITS, place, snapshots=5)
    assert trace.total == 0
    assert not len(trace.snapshot_events) and not len(trace.snapshot_values)
    assert trace.snapshot_offsets.tolist() == [0]


def test_a_module_without_sites(session: Session, place: Place) -> None:
    trace = traced(session, b"define i32 @main() {\n  ret i32 0\n}\n", place, snapshots=5)
    assert trace.functions == ("main",)
    assert not len(trace.slot_types) and not len(trace.snapshot_events)


def test_tail_calls(session: Session, place: Place) -> None:
    module = b"""
define i32 @last(i32 %n) {
  %small = icmp ult i32 %n, 9
  br i1 %small, label %yes, label %no
yes:
  ret i32 %n
no:
  ret i32 0
}
define i32 @middle(i32 %n) {
  %odd = trunc i32 %n to i1
  br i1 %odd, label %no, label %yes
no:
  ret i32 1
yes:
  %more = add i32 %n, 1
  %r = musttail call i32 @last(i32 %more)
  ret i32 %r
}
define i32 @main() {
  %r = call i32 @middle(i32 4)
  ret i32 %r
}
"""
    session.load(module)
    done = session.trace([place.request()], snapshots=5)
    assert done.runs[0].code == 5
    trace = done.traces[0]
    assert trace.snapshot_events.tolist() == [0, 1]
    assert trace.values_of(0).tolist() == [4, 0, 0]
    assert trace.values_of(1).tolist() == [5, 0]
    # Of `last` n and small; of `middle` n, odd and more.
    assert trace.slot_functions.tolist() == [0, 0, 1, 1, 1]


@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_exceptions(session: Session, place: Place, compile_c: CompileC, level: str) -> None:
    text = """
static int thrower(int n) { if (n > 1) throw n; return 7; }
int main(int n, char **) {
  int all = 0;
  for (int i = 0; i < 4; ++i)
    try { all += thrower(i); } catch (int got) { all += got; }
  return all;
}
"""
    session.load(compile_c(text, level, "-stdlib=libstdc++", cpp=True))
    requests = [place.request()]
    plain = session.execute(requests, libraries=["stdc++"]).runs[0]
    done = session.trace(requests, libraries=["stdc++"], snapshots=100)
    assert done.runs[0].code == plain.code == 19
    assert done.runs[0].cost == plain.cost
    assert len(done.traces[0].snapshot_events)


def test_each_run_begins_anew(session: Session, place: Place) -> None:
    session.load(LOOP)
    first, second = session.trace([place.request()] * 2, snapshots=4).traces
    assert same(first, second)


def test_what_is_refused(session: Session, place: Place) -> None:
    session.load(LOOP)
    for how in ({"snapshots": -1}, {"snapshots": 1, "every": 0}):
        with pytest.raises(ValueError, match="expected at least 0, and 1"):
            session.trace([place.request()], **how)  # type: ignore[arg-type]
    most = (1 << 26) // 2 // 13
    with pytest.raises(
        ValueError, match=f"{most + 1} snapshots .* 2 runs are too many.* at most {most} and spread"
    ):
        session.trace([place.request()] * 2, snapshots=most + 1)
    with pytest.raises(ValueError, match="too many"):
        session.trace([place.request()], snapshots=2**64 - 1)
    assert session.trace([place.request()], snapshots=most).traces[0].total == 8


def test_a_request_for_every_0th(local: InProcessSession, place: Place) -> None:
    local.load(LOOP)
    request = bytearray(trace_request([place.request()], [], SHORT, limit=5, skip=0, snapshots=2))
    request[25:33] = bytes(8)
    engine = local._engine
    assert engine is not None
    reply = engine.handle(bytes(request))
    assert reply[0] == 7 and b"every 0th" in reply


def test_they_are_kept_as_parquet(local: InProcessSession, place: Place, tmp_path: Path) -> None:
    path = tmp_path / "trace.parquet"
    for module, how in (
        (LOOP, {"snapshots": 9, "skip": 1}),
        (CALLS, {"snapshots": 9}),
        (LOADS, {"snapshots": 2, "every": 3, "limit": 5}),
        (LOOP, {"snapshots": 9, "skip": 100}),
        (EXITS, {"snapshots": 1}),
    ):
        trace = traced(local, module, place, **how)
        trace.save(path)
        again = Trace.load(path)
        assert same(trace, again)
        for mine, theirs in zip(trace, again, strict=True):
            assert getattr(mine, "dtype", type(mine)) == getattr(theirs, "dtype", type(theirs))


@pytest.mark.parametrize("name", ["json", "lisp"])
def test_real_programs(name: str) -> None:
    program = resolve(f"mirbench/{name}")
    traces = []
    for kind in (InProcessSession, WorkerSession, WorkerSession):
        with kind() as session:
            session.load(program.bitcode(), level="O3")
            session.step("default<O2>")
            meter = CostMeter(program)
            cost = meter.cost(session)
            traces.append(meter.trace(session, limit=100_000, snapshots=300, every=100))
            plain = meter.trace(session, limit=100_000)
            assert meter.cost(session) == cost
    trace = traces[0]
    # The code with snapshots has other frames on the stack, and other bytes before its variables.
    assert np.array_equal(trace.sites, plain.sites)
    elsewhere = (plain.kinds == SiteKind.BRANCH) | (plain.payloads >> np.uint64(40) == 0x20)
    assert np.array_equal(trace.payloads[elsewhere], plain.payloads[elsewhere])
    assert (elsewhere & (plain.kinds == SiteKind.LOAD)).sum() > 0
    assert all(same(trace, other) for other in traces[1:])
    assert len(trace.snapshot_events) == 300
    assert (np.diff(trace.snapshot_events.astype(np.int64)) >= 0).all()
    sizes = [trace.slots_of(int(f)) for f in trace.snapshot_functions]
    assert np.diff(trace.snapshot_offsets).tolist() == [s.stop - s.start for s in sizes]


@pytest.mark.parametrize("snapshots", [0, 1, 1000])
def test_the_cost_stays(session: Session, place: Place, snapshots: int) -> None:
    for module in (LOOP, CALLS, LOADS):
        session.load(module)
        runs = [place.request()]
        cost = session.execute(runs).runs[0].cost
        assert session.trace(runs, snapshots=snapshots).runs[0].cost == cost


def test_real_slots_are_the_sampled_values() -> None:
    program = resolve("mirbench/json")
    with InProcessSession() as session:
        session.load(program.bitcode(), level="O2")
        meter = CostMeter(program)
        trace = meter.trace(session, snapshots=1)
        profile = meter.profile(session, values=True)
    for number, function in enumerate(profile.functions):
        own = trace.slots_of(number)
        if number in trace.site_functions:
            assert np.array_equal(trace.slot_nodes[own], function.values.nodes)
            assert np.array_equal(trace.slot_blocks[own], function.values.blocks)
            assert np.array_equal(trace.slot_types[own], function.values.types)
        else:
            assert own.start == own.stop
