"""Samples of what a program computes, and what becomes of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mirgym.dynamic_cost import CostMeter
from mirgym.execution import CountedFunction, Counters
from mirgym.programs import resolve
from mirgym.session import InProcessSession, Session
from mirgym.values import (
    DOUBLE,
    FLOAT,
    POINTER,
    REPRESENTATIONS,
    VALUE_NAMES,
    VALUES_SIZE,
    FunctionValues,
    encode,
    numbers,
    on_nodes,
    summary,
)
from mirgym.wire import Wanted

from .test_execute import Place, run

CompileC = Callable[..., bytes]

# 20 rounds: the latest four powers of two are executions 2, 4, 8 and 16 of the loop.
LOOP = b"""
declare double @llvm.sqrt.f64(double)
define i8 @half(i8 %x, ptr %where, <2 x i32> %no, i128 %wide) {
  %h = sdiv i8 %x, 2
  store i8 %h, ptr %where
  ret i8 %h
}
define i32 @main() {
entry:
  %space = alloca i8
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %loop ]
  %next = add i32 %i, 1
  %small = trunc i32 %i to i8
  %minus = sub i8 0, %small
  %h = call i8 @half(i8 %minus, ptr %space, <2 x i32> zeroinitializer, i128 0)
  %single = uitofp i32 %i to float
  %double = fpext float %single to double
  %root = call double @llvm.sqrt.f64(double %double)
  %again = icmp slt i32 %next, 20
  br i1 %again, label %loop, label %exit
exit:
  %unused = add i32 %next, 1
  ret i32 0
}
"""
ROUNDS = [1, 3, 7, 15]  # i in executions 2, 4, 8 and 16


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def sampled(session: Session, module: bytes, place: Place) -> dict[str, CountedFunction]:
    found = run(session, module, place.request(), counters=Counters.VALUES)
    return {f.name: f for f in found.functions}


def test_samples_by_hand(session: Session, place: Place) -> None:
    functions = sampled(session, LOOP, place)
    half, main = functions["half"].values, functions["main"].values
    assert half.types.tolist() == [8, POINTER, 8]
    # Three instructions, then the arguments, of which two are no words, then the result.
    assert half.nodes.tolist() == [3, 4, 7]
    assert numbers(half)[0, 0].tolist() == [-i for i in ROUNDS]
    assert numbers(half)[0, 2].tolist() == [0, -1, -3, -7]
    assert half.samples[0, 0].tolist() == [256 - i for i in ROUNDS]
    assert len(set(half.samples[0, 1].tolist())) == 1 and half.samples[0, 1, 0] > 4096
    assert main.blocks.tolist() == [0] + [1] * 9 + [2]
    assert main.types.tolist() == [POINTER, 32, 32, 8, 8, 8, FLOAT, DOUBLE, DOUBLE, 1, 32]
    assert main.sampled[0].tolist() == [1] + [4] * 9 + [1]
    by_hand = {1: ROUNDS, 2: [i + 1 for i in ROUNDS], 6: ROUNDS, 7: ROUNDS, 9: [1, 1, 1, 1]}
    for index, expected in by_hand.items():
        assert numbers(main)[0, index].tolist() == expected
    assert numbers(main)[0, 8].tolist() == [math.sqrt(i) for i in ROUNDS]
    assert numbers(main)[0, 10].tolist() == [21, 0, 0, 0]


def test_recursion_samples_the_execution_that_is_meant(session: Session, place: Place) -> None:
    module = b"""
define i32 @down(i32 %n) {
  %done = icmp eq i32 %n, 0
  br i1 %done, label %end, label %more
more:
  %less = sub i32 %n, 1
  %got = call i32 @down(i32 %less)
  %sum = add i32 %got, %n
  ret i32 %sum
end:
  ret i32 0
}
define i32 @main() {
  %r = call i32 @down(i32 10)
  ret i32 0
}
"""
    values = sampled(session, module, place)["down"].values
    # Executions 1, 2, 4 and 8 of `more` have n = 10, 9, 7 and 3, whatever ran within them.
    assert numbers(values)[0, 4].tolist() == [sum(range(n + 1)) for n in (10, 9, 7, 3)]
    assert values.sampled[0].tolist() == [4] * 5


def test_what_did_not_come_to_its_end_has_no_samples(session: Session, place: Place) -> None:
    module = b"""
declare void @_exit(i32)
define i32 @main() {
  %never = add i32 1, 2
  call void @_exit(i32 0)
  unreachable
}
define i32 @unused() {
  %r = add i32 1, 1
  ret i32 %r
}
"""
    for function in sampled(session, module, place).values():
        assert not function.values.sampled.any() and not function.values.samples.any()


def test_tail_calls_and_invokes_stay_as_they_are(
    session: Session, place: Place, compile_c: CompileC
) -> None:
    tail = b"""
define i32 @last(i32 %n) {
  ret i32 %n
}
define i32 @first(i32 %n) {
  %more = add i32 %n, 1
  %r = musttail call i32 @last(i32 %more)
  ret i32 %r
}
define i32 @main() {
  %r = call i32 @first(i32 4)
  ret i32 %r
}
"""
    found = run(session, tail, place.request(), counters=Counters.VALUES)
    assert found.runs[0].code == 5
    first = next(f for f in found.functions if f.name == "first").values
    assert numbers(first)[0].tolist() == [[4, 0, 0, 0], [5, 0, 0, 0]]
    text = """
static int thrower(int n) { if (n) throw n; return 7; }
int main(int n, char **) { try { return thrower(n) + thrower(0); } catch (int got) { return got; } }
"""
    session.load(compile_c(text, "-stdlib=libstdc++", cpp=True))
    done = session.execute([place.request()], libraries=["stdc++"], counters=Counters.VALUES)
    assert done.runs[0].code == 1


@pytest.mark.parametrize("name", ["json", "nbody", "sat"])
@pytest.mark.parametrize("pipeline", ["", "default<O2>"])
def test_real_programs(name: str, pipeline: str) -> None:
    program = resolve(f"mirbench/{name}")
    with InProcessSession() as session:
        session.load(program.bitcode(), level="O3")
        if pipeline:
            session.step(pipeline)
        meter = CostMeter(program)
        plain = meter.cost(session)
        profile = meter.profile(session, values=True)
        view = session.observe(Wanted.of(views=("functions",))).views["functions"]
    assert profile.cost == plain
    assert view.names == [f.name for f in profile.functions]  # type: ignore[union-attr]
    for function, shown in zip(profile.functions, view.functions, strict=True):  # type: ignore[union-attr]
        values = function.values
        assert (values.sampled <= np.minimum(function.counts[:, values.blocks], 4)).all()
        # Each node is the variable of that type.
        codes = shown.nodes[0, values.nodes]
        expected = {POINTER: 5, FLOAT: 18, DOUBLE: 19}
        for kind, type_code in expected.items():
            assert (codes[values.types == kind] == 192 + type_code).all()
        assert (codes[values.types < POINTER] >= 192 + 8).all()
        # A result belongs to the instruction that defines it: in its block.
        blocks = np.cumsum(shown.tokens[4] % 40 // 8 > 0) - 1
        defined = dict(shown.edges[::-1].T[shown.edge_kinds == 16].tolist())
        for node, block in zip(values.nodes.tolist(), values.blocks.tolist(), strict=True):
            assert blocks[defined[node]] == block if node in defined else block == 0
        for how, size in REPRESENTATIONS.items():
            features = on_nodes(values, shown.nodes.shape[1], how)
            assert features.shape == (shown.nodes.shape[1], size + 1)
            assert np.isfinite(features).all() and abs(features).max(initial=0) <= 1
            assert features[:, -1].sum() == (values.sampled > 0).any(0).sum()
    found = profile.value_vector()
    assert found.shape == (VALUES_SIZE,) and found.min() >= 0 and found.max() <= 1
    assert found[:3].sum() == pytest.approx(1.0)


def made(*values: tuple[int, list[int]]) -> FunctionValues:
    """One run with values of these types and samples, all in block 0."""
    count = len(values)
    samples = np.zeros((1, count, 4), np.uint64)
    for index, (_, bits) in enumerate(values):
        samples[0, index, : len(bits)] = bits
    return FunctionValues(
        np.arange(count, dtype=np.uint32),
        np.zeros(count, np.uint32),
        np.array([kind for kind, _ in values], np.uint8),
        samples,
        np.array([[len(bits) for _, bits in values]], np.uint8),
    )


def test_numbers() -> None:
    top = 1 << 63
    values = made((1, [1]), (8, [255]), (64, [2**64 - 1]), (POINTER, [top]), (FLOAT, [0x3FC00000]))
    assert numbers(values)[0, :, 0].tolist() == [1.0, -1.0, -1.0, float(top), 1.5]
    strange = made((DOUBLE, [0x7FF8 << 48, 0x7FF << 52, 0xBFF << 52]), (3, [4, 3]))
    assert numbers(strange)[0, 0, [0, 2]].tolist() == [0.0, -1.0]
    assert numbers(strange)[0, 1, :2].tolist() == [-4.0, 3.0]


def test_representations() -> None:
    values = made((16, [5, 0xFFFF]), (DOUBLE, [0x7FF << 52]))
    binary = encode(values, "binary")
    assert binary[0, 0, 0].nonzero()[0].tolist() == [0, 2]
    assert binary[0, 0, 1].sum() == 16
    scalar = encode(values, "scalar")
    assert scalar[0, 0, :2] == pytest.approx([math.log2(6) / 64, -1 / 64])
    assert scalar[0, 1, 0] == pytest.approx(1.0, abs=1e-3)
    categories = encode(values, "categorical")
    assert categories.dtype == np.uint8 and categories[0, 0, 0] != categories[0, 0, 1]
    on = on_nodes(values, 3, "binary")
    assert on[0, :3].tolist() == [1.0, 0.5, 1.0] and on[:, -1].tolist() == [1, 1, 0]
    assert on_nodes(values, 3, "categorical").sum() == 2 + 2
    with pytest.raises(ValueError, match="expected one of .*binary"):
        encode(values, "unary")


def test_summary_by_hand() -> None:
    values = made((8, [0, 0]), (8, [255, 1]), (POINTER, [4096]), (32, []))
    found = dict(zip(VALUE_NAMES, summary([(values, np.array([[6.0]]))]).tolist(), strict=True))
    assert found["share of values that are integers"] == pytest.approx(2 / 3)
    assert found["share of integers that are constant"] == 0.5
    assert found["share of integers that are zero"] == 0.5
    assert found["share of integers that are small"] == 1.0
    assert found["share of integers that are negative"] == 0.25
    assert found["share of pointers that are constant"] == 0.0  # one sample says nothing
    assert found["mean of bit 0 of integers"] == 0.5
    assert found["mean of bit 7 of integers"] == 0.25
    assert found["mean of bit 12 of pointers"] == 1.0
    assert found["share of values that are floats"] == 0.0
    assert not summary([]).any()


def test_too_many_values_are_refused(local: InProcessSession, place: Place) -> None:
    arguments = ",".join(["i8"] * (1 << 16))
    bodies = "".join(f"define void @f{n}({arguments}) {{\n  ret void\n}}\n" for n in range(17))
    module = f"{bodies}define i32 @main() {{\n  ret i32 0\n}}\n".encode()
    local.load(module)
    with pytest.raises(Exception, match="values, and at most 1048576 can be sampled"):
        local.execute([place.request()], counters=Counters.VALUES)
