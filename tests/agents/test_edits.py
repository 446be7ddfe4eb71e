from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirgym.agents.edits import (
    Draft,
    Edit,
    Editor,
    all_edits,
    is_editable,
    promising,
)
from mirgym.agents.explorer import BudgetSpentError, Explorer, SearchConfig
from mirgym.agents.pipelines import O2
from mirgym.agents.strategies import o_level
from mirgym.agents.walker import Node
from mirgym.passes import Pass
from mirgym.programs import resolve
from mirgym.session import InProcessSession

PROGRAM = resolve("mirbench/bitcount").bitcode()
LESS = Pass("inline less", "cgscc(inline)", options=(("inline-threshold", "-50"),))


def way(*steps: Pass) -> Node:
    """A state that these lead to."""
    node = Node(0, 100, 0)
    for number, step in enumerate(steps, 1):
        node = Node(number, 100, number, node, step, number)
    return node


def test_steps_become_one_pipeline() -> None:
    node = way(Pass("a", "function(sroa)"), Pass("b", "globaldce"))
    assert is_editable(node)
    assert Draft.of(node).step().pipeline == "function(sroa),globaldce"
    assert Draft.of(way(LESS)).step().options == LESS.options
    assert not is_editable(way(LESS, Pass("b", "globaldce")))
    assert not is_editable(way())


def test_each_kind_of_edit() -> None:
    draft = Draft.of(way(Pass("", "function(sroa,gvn<no-load-pre>),globaldce")))
    places = draft.places()
    assert sorted(edit.what for edit in places.values()) == ["globaldce", "gvn", "sroa"]
    (gvn,) = (place for place, edit in places.items() if edit.what == "gvn")
    assert draft.without(gvn).step().pipeline == "function(sroa),globaldce"
    more = draft.edited(Edit("before", "always-inline")).edited(Edit("after", "constmerge"))
    assert more.step().pipeline == (
        "always-inline,function(sroa,gvn<no-load-pre>),globaldce,constmerge"
    )
    once = draft.edited(Edit("set", "unroll-count", "2"))
    again = once.edited(Edit("set", "unroll-count", "4")).edited(Edit("set", "a", "b"))
    assert again.options == (("a", "b"), ("unroll-count", "4"))


def test_the_last_pass_and_those_that_code_needs_stay() -> None:
    one = Draft.of(way(Pass("", "function(sroa)")))
    assert one.places() == {}
    needed = Draft.of(way(Pass("", "always-inline,coro-early,globaldce")))
    assert [edit.what for edit in needed.places().values()] == ["globaldce"]


@given(st.lists(st.integers(0, 500), max_size=6), st.integers(0, 2**32))
def test_every_draft_is_a_pipeline_that_llvm_reads(numbers: list[int], seed: int) -> None:
    edits = all_edits()
    draft = Draft(O2)
    rng = random.Random(seed)
    for number in numbers:
        if number % 2:
            draft = draft.without(rng.choice(list(draft.places())))
        else:
            draft = draft.edited(edits[number % len(edits)])
    step = draft.step()
    with InProcessSession() as session:
        session.load(b"define void @f() {\n  ret void\n}\n", level="Oz")
        session.step(step.pipeline, dict(step.options))


@pytest.mark.parametrize("objective", ["text_size_bytes", "ir_instructions"])
def test_edits_only_improve_and_stop_when_none_does(objective: str) -> None:
    with Explorer(PROGRAM, SearchConfig(objective=objective, budget=5_000)) as explorer:
        start = explorer.apply(explorer.root, o_level("default<O2>"))
        assert start is not None
        few = dict(list(promising(objective).items())[:8])
        end = Editor(explorer, few, random.Random(0)).improve(start)
        assert end is explorer.best
        spent = explorer.compiles
        assert Editor(explorer, few, random.Random(0)).improve(end).cost == end.cost
        assert explorer.compiles < spent + 300
        unpromising = explorer.apply(explorer.root, o_level("default<O2>,function(reg2mem)"))
        assert unpromising is not None
        assert Editor(explorer, few, random.Random(0)).improve(unpromising).cost <= start.cost


def test_what_is_not_editable_is_left_alone() -> None:
    options = (("inline-threshold", "-50"),)
    with Explorer(PROGRAM, SearchConfig(objective="ir_instructions", budget=50)) as explorer:
        first = explorer.apply(explorer.root, Pass("x", "cgscc(inline)", options=options))
        assert first is not None
        mixed = explorer.apply(first, Pass("y", "function(sroa)"))
        assert mixed is not None
        compiles = explorer.compiles
        for node in (mixed, explorer.root):
            found = Editor(explorer, promising("ir_instructions"), random.Random(0)).improve(node)
            assert found is node
        assert explorer.compiles == compiles


def test_variations_spend_the_budget_and_are_drawn_by_seed() -> None:
    def best(seed: int) -> tuple[int, int]:
        with Explorer(PROGRAM, SearchConfig(objective="ir_instructions", budget=60)) as explorer:
            start = explorer.apply(explorer.root, o_level("default<O2>"))
            assert start is not None
            with pytest.raises(BudgetSpentError):
                Editor(explorer, promising("ir_instructions"), random.Random(seed)).vary(start)
            assert explorer.compiles == 60
            return explorer.best.cost, explorer.best.key

    assert best(1) == best(1)
