"""Sequences of passes: replay, resuming from a snapshot, and what keys stand for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirgym.passes import catalogue, find, to_pipeline
from mirgym.session import InProcessSession
from mirgym.worker import WorkerSession

CORE = [p.pipeline for p in catalogue()]
NAMES = ["loops", "strings", "features", "floats", "cpp"]
sequences = st.lists(st.sampled_from(CORE), min_size=1, max_size=12)
levels = st.sampled_from(["as-is", "Oz", "Os", "O2"])


def keys_of(session, module: bytes, level: str, sequence: list[str]) -> list[int]:
    """The key after loading and after each step."""
    return [session.load(module, level=level).key, *(session.step(p).key for p in sequence)]


@settings(max_examples=40)
@given(name=st.sampled_from(NAMES), level=levels, sequence=sequences)
def test_replay_gives_the_same_keys(modules, name, level, sequence):
    with InProcessSession() as one, InProcessSession() as other:
        assert keys_of(one, modules[name], level, sequence) == keys_of(
            other, modules[name], level, sequence
        )
        assert one.emit("ll") == other.emit("ll")


@settings(max_examples=12)
@given(data=st.data())
def test_replay_in_another_process(real_modules, shared_worker, data):
    name = data.draw(st.sampled_from(sorted(real_modules)))
    sequence = data.draw(sequences)
    with InProcessSession() as local:
        here = keys_of(local, real_modules[name], "Oz", sequence)
    assert keys_of(shared_worker, real_modules[name], "Oz", sequence) == here


@pytest.fixture(scope="module")
def shared_worker():
    with WorkerSession() as made:
        yield made


@settings(max_examples=40)
@given(name=st.sampled_from(NAMES), before=sequences, after=sequences)
def test_a_restored_snapshot_goes_on_as_the_original(modules, name, before, after):
    with InProcessSession() as session:
        session.load(modules[name])
        for pipeline in before:
            session.step(pipeline)
        snapshot = session.snapshot()
        straight = [session.step(p).key for p in after]
        session.restore(snapshot)
        assert [session.step(p).key for p in after] == straight


@settings(max_examples=60)
@given(name=st.sampled_from(NAMES), level=levels, sequence=sequences)
def test_change_is_always_noticed(modules, name, level, sequence):
    """The passes' own reports are not enough: several change IR and say that they did not."""
    with InProcessSession() as session, InProcessSession() as fresh:
        session.load(modules[name], level=level)
        text = session.emit("ll")
        for pipeline in sequence:
            state = session.step(pipeline)
            new_text = session.emit("ll")
            if new_text != text:
                assert state.changed, pipeline
            key = fresh.load(session.emit("bc")).key
            assert state.key == key, f"stale key after {pipeline}"
            text = new_text


@pytest.mark.parametrize(
    "pipeline",
    [
        "function(loop(indvars))",
        "function(sccp)",
        "ipsccp",
        "cgscc(argpromotion)",
        "function(slp-vectorizer)",
        "function(load-store-vectorizer)",
        "function(instcombine<no-verify-fixpoint>)",
    ],
)
def test_unreported_changes_regressions(modules, local, pipeline):
    """Found by fuzzing: these passes change IR and report that all analyses hold."""
    with InProcessSession() as fresh:
        for module in modules.values():
            for first in ("function(dce)", "function(sroa)", "function(sroa,loop-rotate)"):
                local.load(module)
                local.step(first)
                before = local.emit("ll")
                state = local.step(pipeline)
                assert state.changed or local.emit("ll") == before
                assert fresh.load(local.emit("bc")).key == state.key


def test_infer_alignment_changes_a_variable(local):
    """A function pass that changes a global variable and says that it changed nothing."""
    text = """
        target triple = "x86_64-unknown-linux-gnu"
        @g = internal global [64 x i8] zeroinitializer, align 1
        define i64 @f() {
          %v = load i64, ptr @g, align 1
          ret i64 %v
        }"""
    before = local.load(text.encode())
    after = local.step("function(infer-alignment)")
    assert b"align 8" in local.emit("ll")
    assert after.changed
    assert after.key != before.key


def test_tables_of_block_addresses_follow_their_function(local, modules):
    """`features` holds a variable of block addresses, which a pass over a function moves."""
    local.load(modules["features"])
    for pipeline in ("function(simplifycfg)", "function(break-crit-edges)", "function(reg2mem)"):
        key = local.step(pipeline).key
        with InProcessSession() as fresh:
            assert fresh.load(local.emit("bc")).key == key


SAME = {
    "local names": ("%a = add i32 %x, 1\n ret i32 %a", "%b = add i32 %x, 1\n ret i32 %b"),
    "zero vectors": (
        "store <2 x i32> zeroinitializer, ptr @v\n ret i32 0",
        "store <2 x i32> <i32 0, i32 0>, ptr @v\n ret i32 0",
    ),
    "splats": (
        "store <2 x i32> splat (i32 7), ptr @v\n ret i32 0",
        "store <2 x i32> <i32 7, i32 7>, ptr @v\n ret i32 0",
    ),
}
DIFFERENT = {
    "constant": ("ret i32 1", "ret i32 2"),
    "flag": ("%a = add i32 %x, 1\n ret i32 %a", "%a = add nsw i32 %x, 1\n ret i32 %a"),
    "predicate": (
        "%c = icmp slt i32 %x, 1\n %z = zext i1 %c to i32\n ret i32 %z",
        "%c = icmp ult i32 %x, 1\n %z = zext i1 %c to i32\n ret i32 %z",
    ),
    "operand order": ("%a = sub i32 %x, %y\n ret i32 %a", "%a = sub i32 %y, %x\n ret i32 %a"),
    "alignment": (
        "%a = load i32, ptr @v, align 4\n ret i32 %a",
        "%a = load i32, ptr @v, align 2\n ret i32 %a",
    ),
    "volatile": (
        "%a = load i32, ptr @v\n ret i32 %a",
        "%a = load volatile i32, ptr @v\n ret i32 %a",
    ),
    "tail call": (
        "%a = call i32 @f(i32 1, i32 2)\n ret i32 %a",
        "%a = tail call i32 @f(i32 1, i32 2)\n ret i32 %a",
    ),
    "attribute of a call": (
        "%a = call i32 @f(i32 1, i32 2)\n ret i32 %a",
        "%a = call i32 @f(i32 1, i32 2) nounwind\n ret i32 %a",
    ),
    "null and undef": ("store ptr null, ptr @v\n ret i32 0", "store ptr undef, ptr @v\n ret i32 0"),
    "type": (
        "%p = getelementptr i8, ptr @v, i64 1\n store i8 0, ptr %p\n ret i32 0",
        "%p = getelementptr i16, ptr @v, i64 1\n store i8 0, ptr %p\n ret i32 0",
    ),
    "callee": (
        "%a = call i32 @f(i32 1, i32 2)\n ret i32 %a",
        "%a = call i32 @other(i32 1, i32 2)\n ret i32 %a",
    ),
}


def key_of_body(local, body: str) -> int:
    text = f"""
        @v = global [4 x i32] zeroinitializer
        declare i32 @other(i32, i32)
        define i32 @f(i32 %x, i32 %y) {{
          {body}
        }}"""
    return local.load(text.encode()).key


@pytest.mark.parametrize("case", SAME)
def test_equal_keys(local, case):
    one, other = SAME[case]
    assert key_of_body(local, one) == key_of_body(local, other)


@pytest.mark.parametrize("case", DIFFERENT)
def test_different_keys(local, case):
    one, other = DIFFERENT[case]
    assert key_of_body(local, one) != key_of_body(local, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("@a = global i32 1", "@a = global i32 2"),
        ("@a = global i32 1", "@a = constant i32 1"),
        ("@a = global i32 1", "@a = internal global i32 1"),
        ("@a = global i32 1", "@b = global i32 1"),
        ("declare void @f()", "declare void @f() nounwind"),
        ('target triple = "x86_64-linux-gnu"', 'target triple = "aarch64-linux-gnu"'),
        ('module asm "nop"', 'module asm "ret"'),
    ],
)
def test_keys_cover_more_than_functions(local, one, other):
    assert local.load(one.encode()).key != local.load(other.encode()).key


def test_types_without_names_in_attributes(local):
    """An attribute with such a type prints its address; it must not reach the key."""
    text = b"""%0 = type { double, double, double }
        declare void @g(ptr byval(%0))
        define void @f(ptr byval(%0) %p) {
          call void @g(ptr byval(%0) %p)
          ret void
        }"""
    with InProcessSession() as other:
        assert local.load(text).key == other.load(text).key


def test_functions_without_names_differ_by_what_they_use(local):
    local.load(b"""
        @0 = internal global i32 3
        @1 = internal global i32 4
        define i32 @f() {
          %v = load i32, ptr @0
          ret i32 %v
        }
        define i32 @g() {
          %v = load i32, ptr @1
          ret i32 %v
        }""")
    assert len({r.key for r in local.functions()}) == 2


def test_a_sequence_is_what_to_pipeline_prints(local, modules):
    passes = [find("mem2reg"), find("simplifycfg"), find("globaldce")]
    local.load(modules["loops"])
    for one in passes:
        key = local.step(one.pipeline).key
    local.load(modules["loops"])
    assert local.step(to_pipeline(passes)).key == key
