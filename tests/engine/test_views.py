"""The encoder's views against a slow reference over printed IR."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirgym.passes import catalogue
from mirgym.session import InProcessSession
from mirgym.views import FIELD_SIZES, FIELDS, NODE_SIZES, FunctionView
from mirgym.wire import Wanted

from ..reference import views as reference
from .sources import MIRBENCH

VIEWS = Wanted.of((), ("functions", "ir"))
DATA = Path(__file__).parents[1] / "data"
TEXTS = sorted([*(DATA / "views").glob("*.ll"), *(DATA / "golden").glob("*.ll")])
PASSES = [p.pipeline for p in catalogue("core", "dormant")]
PROGRAMS = sorted(MIRBENCH.glob("*.c"))


def assert_as_reference(session: InProcessSession) -> None:
    state = session.observe(VIEWS)
    module = state.views["functions"]
    expected = reference.views(state.views["ir"])
    assert module.names == [e.name for e in expected]
    for name, found, slow in zip(module.names, module.functions, expected, strict=True):
        for row, codes, wanted in zip(FIELDS, found.tokens, slow.tokens, strict=True):
            assert (name, row, codes.tolist()) == (name, row, wanted.tolist())
        assert (name, found.nodes.T.tolist()) == (name, slow.nodes.T.tolist())
        edges = np.vstack([found.edges, found.edge_kinds]).T.tolist()
        assert (name, edges) == (name, np.vstack([slow.edges, slow.edge_kinds]).T.tolist())
    for found, slow in zip(module.callees, expected, strict=True):
        assert [module.names[i] for i in found] == slow.callees


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.stem)
def test_equal_to_the_reference(local, path):
    local.load(path.read_bytes())
    assert_as_reference(local)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_equal_to_the_reference_on_programs(local, compile_c, path):
    local.load(compile_c(path.read_text()))
    assert_as_reference(local)
    generator = np.random.default_rng(len(path.read_text()))
    for pipeline in generator.choice(PASSES, 6):
        local.step(str(pipeline))
    assert_as_reference(local)


@settings(max_examples=20)
@given(data=st.data())
def test_equal_to_the_reference_in_random_states(real_modules, data):
    with InProcessSession() as session:
        session.load(real_modules[data.draw(st.sampled_from(sorted(real_modules)))])
        for pipeline in data.draw(st.lists(st.sampled_from(PASSES), min_size=1, max_size=10)):
            session.step(pipeline)
        assert_as_reference(session)


@pytest.mark.parametrize("level", ["O1", "O3", "Oz"])
def test_equal_to_the_reference_at_each_level(local, modules, level):
    for module in modules.values():
        local.load(module, level=level)
        local.step("default<O2>" if level == "Oz" else f"default<{level}>")
        assert_as_reference(local)


def test_codes_are_in_their_ranges(local, modules):
    for module in modules.values():
        local.load(module)
        for pipeline in ("no-op-module", "default<O3>"):
            views = local.step(pipeline, wanted=VIEWS).views["functions"]
            for one in views.functions:
                assert_consistent(one)


def assert_consistent(one: FunctionView) -> None:
    assert (one.tokens.max(axis=1) < FIELD_SIZES).all()
    assert (one.nodes.max(axis=1) < NODE_SIZES).all()
    assert one.edges.min(initial=0) >= 0
    assert one.edges.max(initial=0) < one.nodes.shape[1]
    assert one.edge_kinds.max(initial=0) < 32
    assert (one.nodes[:, : one.tokens.shape[1]] == one.tokens[:2]).all()


class TestCountedByHand:
    """The oracle needs a test of its own."""

    TEXT = """
declare i32 @abs(i32)
define i32 @f(i32 %x, ptr %p) {
  %y = load i32, ptr %p
  %z = add nsw i32 %y, -6
  %c = icmp slt i32 %z, %x
  br i1 %c, label %again, label %out
again:
  %w = call i32 @abs(i32 %z)
  store i32 %w, ptr %p
  br label %out
out:
  ret i32 %z
}
"""
    # fmt: off
    TOKENS = [
        # opcode, type, worked on, callee or flags, context (40 * uses + 8 * start + operands)
        [33, 11, 0, 0, 40 + 8 + 1, 21, 0, 0],
        [14, 11, 11, 2, 120 + 2, 40, 128 + 1 + 256 + 4 * 2 + 2, 0],
        [80 + 8, 8, 11, 0, 40 + 2, 40, 20, 0],
        [3, 0, 8, 0, 3, 40, 113, 114],
        [110, 11, 11, 512 + 571, 40 + 16 + 1, 66, 0, 0],
        [34, 0, 11, 0, 2, 40, 21, 0],
        [2, 0, 0, 0, 1, 113, 0, 0],
        [1, 0, 11, 0, 24 + 1, 69, 0, 0],
    ]
    NODES = [
        *[(row[0], row[1]) for row in TOKENS],
        (192 + 11, 1), (192 + 5, 2),  # arguments
        (203, 0), (203, 0), (200, 0), (203, 0),  # y, z, c, w
        (384 + 11, 395), (600, 512 + 571),  # -6, abs
    ]
    EDGES = [
        (9, 0, 8), (0, 10, 16), (0, 1, 0),
        (10, 1, 8), (14, 1, 9), (1, 11, 16), (1, 2, 0),
        (11, 2, 8), (8, 2, 9), (2, 12, 16), (2, 3, 0),
        (12, 3, 8), (3, 4, 0), (3, 7, 1),
        (11, 4, 8), (4, 15, 24), (4, 13, 16), (4, 5, 0),
        (13, 5, 8), (9, 5, 9), (5, 6, 0),
        (6, 7, 0),
        (11, 7, 8),
    ]
    # fmt: on

    def test_engine_and_reference(self, local):
        state = local.load(self.TEXT.encode(), wanted=VIEWS)
        for one in (*state.views["functions"].functions, *reference.views(state.views["ir"])):
            assert one.tokens.T.tolist() == self.TOKENS
            assert [tuple(n) for n in one.nodes.T] == self.NODES
            assert [
                (*e, k) for e, k in zip(one.edges.T.tolist(), one.edge_kinds, strict=True)
            ] == self.EDGES
