"""The view ``loops`` and hints, on IR whose loops are known."""

from __future__ import annotations

import re

import pytest

from mirgym.levels import O3_BEFORE_VECTORIZER, O3_FROM_VECTORIZER, O3_OPTIONS
from mirgym.loops import LoopFacts, LoopHints, LoopView
from mirgym.programs import resolve
from mirgym.programs.compile import compile_source
from mirgym.session import InProcessSession, Session
from mirgym.wire import Wanted

LOOPS = Wanted.of((), ("loops",))

SUM = """
define i32 @sum(ptr %p, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %s = phi i32 [ 0, %entry ], [ %t, %loop ]
  %a = getelementptr inbounds i32, ptr %p, i64 %i
  %v = load i32, ptr %a
  %t = add i32 %s, %v
  %next = add nuw nsw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret i32 %t
}
"""
NEST = """
declare double @f(double)
define void @nest(ptr noalias %a, ptr noalias %b, ptr noalias %d, ptr noalias %ix) {
entry:
  br label %outer
outer:
  %i = phi i64 [ 0, %entry ], [ %i2, %latch ]
  %row = mul nuw nsw i64 %i, 8
  %first = getelementptr inbounds double, ptr %d, i64 %i
  %f = load double, ptr %first
  %g = call double @f(double %f)
  br label %inner
inner:
  %j = phi i64 [ 0, %outer ], [ %j2, %inner ]
  %at = add nuw nsw i64 %row, %j
  %pa = getelementptr inbounds double, ptr %a, i64 %at
  %j4 = mul nuw nsw i64 %j, 4
  %pb = getelementptr inbounds double, ptr %b, i64 %j4
  %b0 = load double, ptr %pb
  %pi = getelementptr inbounds i16, ptr %ix, i64 %j
  %k = load i16, ptr %pi
  %wide = zext i16 %k to i64
  %pk = getelementptr inbounds double, ptr %b, i64 %wide
  %b1 = load double, ptr %pk
  %x = fdiv double %b0, %b1
  store double %x, ptr %pa
  %j2 = add nuw nsw i64 %j, 1
  %again = icmp ne i64 %j2, 8
  br i1 %again, label %inner, label %latch
latch:
  store double %g, ptr %d
  %i2 = add nuw nsw i64 %i, 1
  %on = icmp ne i64 %i2, 100
  br i1 %on, label %outer, label %end
end:
  ret void
}
"""
FLOATS = """
define float @floats(ptr %p, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %s = phi float [ 0.0, %entry ], [ %t, %loop ]
  %a = getelementptr inbounds float, ptr %p, i64 %i
  %v = load float, ptr %a
  %t = fadd float %s, %v
  %next = add nuw nsw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret float %t
}
"""
TARGET = 'target triple = "x86_64-unknown-linux-gnu"\n'


def loops_of(session: Session) -> LoopView:
    found = session.observe(LOOPS).views["loops"]
    assert isinstance(found, LoopView)
    return found


def shown(facts: LoopFacts) -> dict[str, int]:
    """The facts that are not 0."""
    return {name: value for name, value in facts._asdict().items() if value}


def test_facts(session):
    session.load(f"{TARGET}define void @none() {{ ret void }}\n{SUM}{NEST}".encode())
    view = loops_of(session)
    first, outer, inner = view.facts
    assert shown(first) == {
        "function": 1, "header": 1, "parent": -1, "depth": 1, "blocks": 1, "instructions": 8,
        "exits": 1, "trip_multiple": 1, "loads_unit": 1, "reductions": 1, "integer_ops": 2,
        "smallest_bits": 32, "widest_bits": 32, "vectorizable": 1,
    }  # fmt: skip
    assert shown(outer) == {
        "function": 2, "header": 1, "parent": -1, "depth": 1, "children": 1, "blocks": 3,
        "instructions": 26, "exits": 1, "trip_count": 100, "trip_multiple": 100,
        "max_trip_count": 100, "loads_unit": 1, "loads_invariant": 2, "loads_irregular": 1,
        "stores_invariant": 1, "stores_strided": 1, "calls": 1, "branches": 1,
        "integer_ops": 5, "float_ops": 1, "divisions": 1, "smallest_bits": 16, "widest_bits": 64,
    }  # fmt: skip
    assert shown(inner) == {
        "function": 2, "header": 2, "parent": 1, "depth": 2, "blocks": 1, "instructions": 16,
        "exits": 1, "trip_count": 8, "trip_multiple": 8, "max_trip_count": 8, "loads_unit": 1,
        "loads_strided": 1, "loads_irregular": 1, "stores_unit": 1, "integer_ops": 3,
        "float_ops": 1, "divisions": 1, "smallest_bits": 16, "widest_bits": 64,
        "vectorizable": 1,
    }  # fmt: skip


def test_floating_point_sums_are_not_for_the_vectorizer(local):
    local.load((TARGET + FLOATS).encode())
    (facts,) = loops_of(local).facts
    assert (facts.reductions, facts.vectorizable) == (1, 0)
    local.load((TARGET + FLOATS.replace("fadd float", "fadd reassoc nsz float")).encode())
    assert loops_of(local).facts[0].vectorizable == 1


def test_a_distance_bounds_the_width(local):
    store = (
        "  %at = add nuw nsw i64 %i, 4\n"
        "  %q = getelementptr inbounds i32, ptr %p, i64 %at\n"
        "  store i32 %v, ptr %q\n  %t ="
    )
    local.load((TARGET + SUM.replace("  %t =", store)).encode())
    (facts,) = loops_of(local).facts
    assert (facts.vectorizable, facts.safe_bits, facts.runtime_checks) == (1, 128, 0)


def test_code_is_the_loop_alone(local):
    local.load((TARGET + SUM + NEST).encode())
    view = loops_of(local)
    sizes = [code.tokens.shape[1] for code in view.code]
    assert 8 < sizes[0] < 20 and sizes[2] < sizes[1] < 45
    assert len({code.key for code in view.code}) == 3
    key = local.observe().key
    assert loops_of(local).code[1].key == view.code[1].key
    assert local.observe().key == key  # looking changes nothing
    again = local.step("no-op-module")
    assert not again.changed


def test_no_loops(local):
    local.load(b"define void @f() {\n  ret void\n}\n")
    assert loops_of(local) == LoopView((), ())
    assert not local.hint_loops([]).changed
    with pytest.raises(ValueError, match="loop 0: the module has 0 loops"):
        local.hint_loops([LoopHints(0, 4)])


def test_hints_become_metadata(session):
    session.load((TARGET + SUM + NEST).encode())
    before = session.observe()
    wanted = Wanted.of((), ("loops", "ir"))
    state = session.hint_loops([LoopHints(0, 4, 2, 8), LoopHints(2, 1, 0, 1)], wanted=wanted)
    assert state.changed and state.key != before.key
    facts = state.views["loops"].facts
    assert [f[-3:] for f in facts] == [(4, 2, 8), (0, 0, 0), (1, 0, 1)]
    assert [f[:-3] for f in facts] == [f[:-3] for f in loops_of(session).facts]
    text = state.views["ir"]
    for name in (
        '!"llvm.loop.vectorize.width", i32 4',
        '!"llvm.loop.vectorize.enable", i1 true',
        '!"llvm.loop.interleave.count", i32 2',
        '!"llvm.loop.unroll.count", i32 8',
        '!"llvm.loop.vectorize.width", i32 1',
        '!"llvm.loop.unroll.disable"',
    ):
        assert text.count(name) == 1, name
    session.verify()
    # Later hints replace those of their kind, and zeros leave the others.
    session.hint_loops([LoopHints(0, 2), LoopHints(2, 0, 0, 4)])
    assert [f[-3:] for f in loops_of(session).facts] == [(2, 2, 8), (0, 0, 0), (1, 0, 4)]
    assert not session.hint_loops([LoopHints(1)]).changed


@pytest.mark.parametrize(
    ("hints", "match"),
    [
        (LoopHints(3, 4), "loop 3: the module has 3 loops, numbered from 0"),
        (LoopHints(0, 3), "vector width 3: LLVM takes powers of two up to 64"),
        (LoopHints(0, 128), "vector width 128"),
        (LoopHints(0, 0, 32), "interleave count 32: LLVM takes powers of two up to 16"),
        (LoopHints(0, 0, 0, 2000), "unroll count 2000"),
        (LoopHints(0, -1), "expected whole numbers from 0"),
    ],
    ids=str,
)
def test_bad_hints_change_nothing(session, hints, match):
    session.load((TARGET + SUM + NEST).encode())
    key = session.observe().key
    with pytest.raises(ValueError, match=match):
        session.hint_loops([LoopHints(0, 2), hints])
    assert session.observe().key == key


@pytest.mark.parametrize("width", [1, 2, 4, 8, 16])
def test_the_vectorizer_does_as_told(local, width):
    local.load((TARGET + SUM).encode())
    local.hint_loops([LoopHints(0, width, min(width, 2))])
    text = str(local.step(O3_FROM_VECTORIZER, wanted=Wanted.of((), ("ir",))).views["ir"])
    found = {int(n) for n in re.findall(r"load <(\d+) x i32>", text)}
    assert found == ({width} if width > 1 else set())
    if width > 1:
        assert len(re.findall(rf"load <{width} x i32>", text)) % 2 == 0  # interleaved


@pytest.mark.parametrize(("unroll", "copies"), [(1, 1), (2, 2), (8, 8)])
def test_the_unroller_does_as_told(local, unroll, copies):
    local.load((TARGET + SUM.replace("%next, %n", "%next, 1024")).encode())
    local.hint_loops([LoopHints(0, 1, 1, unroll)])
    text = str(local.step("function(loop-unroll<O3>)", wanted=Wanted.of((), ("ir",))).views["ir"])
    assert text.count("load i32") == copies


@pytest.mark.parametrize("name", ["crc", "kmeans", "dct", "sparse", "sorting"])
def test_both_halves_are_o3(name):
    module = resolve(f"mirbench/{name}").bitcode()
    with InProcessSession() as session:
        session.load(module, level="O3")
        whole = session.step("default<O3>")
        session.load(module, level="O3")
        session.step(O3_BEFORE_VECTORIZER, O3_OPTIONS)
        loops = loops_of(session)
        halves = session.step(O3_FROM_VECTORIZER)
    assert loops.facts
    assert halves.key == whole.key


def test_numbers_hold_after_a_snapshot(session):
    session.load(resolve("mirbench/kmeans").bitcode(), level="O3")
    session.step(O3_BEFORE_VECTORIZER, O3_OPTIONS)
    before = loops_of(session)
    session.hint_loops([LoopHints(i, 4) for i in range(0, len(before.facts), 2)])
    session.restore(session.snapshot())
    after = loops_of(session)
    assert [f.width for f in after.facts] == [
        4 if i % 2 == 0 else 0 for i in range(len(after.facts))
    ]
    assert [f[:-3] for f in after.facts] == [f[:-3] for f in before.facts]


# -- fusion ----------------------------------------------------------------------------

THREE = """
#define N 1000
static int a[N], b[N], c[N], d[N];
void kernel(int k) {
  for (int i = 0; i < N; i++) b[i] = a[i] * k;
  for (int i = 0; i < N; i++) c[i] = b[i] + 3;
  for (int i = 0; i < N; i++) d[i] = c[i] ^ a[i];
}
int out(int i) { return d[i] + b[i] + c[i]; }
void set(int i, int v) { a[i] = v; }
void apart(int *p, int *q) {
  for (int i = 0; i < N; i++) p[i] = q[i];
  for (int i = 0; i < N; i++) q[i] = p[N - 1 - i];
}
"""


@pytest.fixture
def three(session, tmp_path):
    """Three loops that may be one, and two that may not."""
    source = tmp_path / "three.c"
    source.write_text(THREE)
    session.load(compile_source(source, ()), level="O3")
    session.step(O3_BEFORE_VECTORIZER, dict(O3_OPTIONS))
    assert len(loops_of(session).facts) == 5
    return session


@pytest.mark.parametrize(
    ("chosen", "left"),
    [([], 5), ([0], 4), ([1], 4), ([0, 1], 3), ([1, 0, 1], 3), ([2], 5), ([3], 5), (range(5), 3)],
)
def test_only_chosen_loops_are_fused_and_only_where_that_is_correct(three, chosen, left):
    before = three.observe().key
    state = three.fuse_loops(list(chosen))
    three.verify()
    assert len(loops_of(three).facts) == left
    assert state.changed == (left < 5) == (state.key != before)


def test_what_is_made_of_two_loops_has_the_hints_of_the_second(three):
    three.hint_loops([LoopHints(0, 2), LoopHints(1, 8), LoopHints(2, 4)])
    three.fuse_loops([0])
    assert [facts.width for facts in loops_of(three).facts] == [8, 4, 0, 0]


def test_fusing_leaves_nothing_behind(three):
    three.fuse_loops([1])
    text = three.observe(Wanted.of((), ("ir",))).views["ir"]
    assert "asm" not in text


def test_fusing_a_loop_that_is_not_there(three):
    key = three.observe().key
    with pytest.raises(ValueError, match="loop 5: the module has 5 loops"):
        three.fuse_loops([0, 5])
    with pytest.raises(ValueError, match="whole numbers"):
        three.fuse_loops([-1])
    assert three.observe().key == key
