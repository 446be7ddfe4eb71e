"""The agent for speed, with real runs; only clocks are set where a test is about noise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirgym.agents import speed
from mirgym.agents.edits import Edit, all_edits
from mirgym.agents.explorer import Explorer, SearchConfig
from mirgym.agents.optimize import optimize
from mirgym.agents.pipelines import O3, O3_OPTIONS, render
from mirgym.agents.search import ALGORITHMS, agents_for
from mirgym.agents.speed import known_pipelines, promising_for_speed, written_out
from mirgym.agents.strategies import o_level
from mirgym.agents.walker import Node
from mirgym.passes import PROFILE, Pass
from mirgym.programs import Program, Run, resolve
from mirgym.runtime import RuntimeMeter, Timing
from mirgym.session import InProcessSession, Session

SOURCE = """
#include <stdio.h>
static unsigned twist(unsigned x, unsigned i) {
  for (unsigned k = 0; k < 5; k++) x = x * 3 + (x >> (i % 7)) + k;
  return x;
}
int main(void) {
  unsigned sum = 1;
  for (unsigned i = 0; i < 300; i++) sum = i % 3 ? twist(sum, i) : sum ^ twist(i, sum);
  printf("%u\\n", sum);
  return 0;
}
"""
SPEED = ALGORITHMS["speed"]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    source = tmp_path / "twist.c"
    source.write_text(SOURCE)
    return Program(source.as_uri(), (source,), runs=(Run(),))


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> tuple[Pass, ...]:
    """Pipelines that all give other modules than O3."""
    some = (o_level("default<O1>"), Pass("", "default<O3>", options=(("unroll-count", "1"),)))
    monkeypatch.setattr(speed, "known_pipelines", lambda: some)
    monkeypatch.setattr(speed, "faster_by_clock", lambda: (some[:1],))
    return some


def config(budget: int, objective: str = "dynamic_cost", **options: object) -> SearchConfig:
    return SearchConfig(objective, "O3", budget, **options)  # type: ignore[arg-type]


def set_clock(monkeypatch: pytest.MonkeyPatch, ratios: list[float]) -> list[int]:
    """Let each measurement find the next of these ratios, the last one from there on.

    Returns the structural hash of each module measured.
    """
    measured: list[int] = []

    def measure(self: RuntimeMeter, session: Session, limits: object = None) -> Timing:
        ratio = ratios[min(len(measured), len(ratios) - 1)]
        measured.append(session.observe().key)
        self._baseline_ns = 1_000_000
        self.timing = Timing(round(1_000_000 * ratio), ratio, 0.01, 5)
        return self.timing

    monkeypatch.setattr(RuntimeMeter, "measure", measure)
    return measured


def after(name: str, pipeline: str, options: Mapping[str, str] | None = None) -> int:
    """Structural hash of a training program after a pipeline."""
    with InProcessSession() as session:
        session.load(resolve(f"mirbench/{name}").bitcode(), level="O3")
        return session.step(pipeline, options).key


@pytest.mark.parametrize("name", ["regex", "primes", "sat", "hashtable"])
def test_o3_written_out_is_o3(name: str) -> None:
    assert after(name, render(O3), dict(O3_OPTIONS)) == after(name, "default<O3>")


def test_without_options_it_is_not() -> None:
    assert after("regex", render(O3)) != after("regex", "default<O3>")


def test_options_of_the_level_stay_when_it_is_written_out() -> None:
    options = (("inline-threshold", "1000"), ("unroll-count", "2"))
    root = Node(0, 9, 0)
    draft = written_out(Node(1, 8, 1, root, Pass("", "default<O3>", options=options), 1))
    assert draft.tree == O3
    assert dict(draft.options) == {**dict(O3_OPTIONS), **dict(options)}
    other = Pass("", "function(sroa)", options=options)
    assert written_out(Node(1, 8, 1, root, other, 1)).options == options


def test_what_is_shipped_runs_and_names_edits_that_exist() -> None:
    known = known_pipelines()
    assert len(known) >= 10
    with InProcessSession() as session:
        for one in known:
            session.load(b"define void @f() {\n  ret void\n}\n", level="O3")
            session.step(one.pipeline, dict(one.options))
    edits = promising_for_speed()
    assert edits and list(edits.values()) == sorted(edits.values(), reverse=True)
    assert all(edit.kind == "drop" or edit in set(all_edits()) for edit in edits)
    assert any(isinstance(edit, Edit) and edit.kind != "drop" for edit in edits)


@settings(max_examples=6, deadline=None)
@given(st.integers(1, 40), st.integers(0, 1000))
def test_no_budget_is_overspent_and_nothing_is_worse_than_o3(
    tmp_path_factory: pytest.TempPathFactory, budget: int, seed: int
) -> None:
    source = tmp_path_factory.mktemp("speed") / "twist.c"
    source.write_text(SOURCE)
    one = Program(source.as_uri(), (source,), runs=(Run(),))
    options = config(budget, seed=seed, from_baseline=budget > 1)
    found = SPEED(one.bitcode(), options, None, one)
    assert found.compiles == budget
    assert budget == 1 or found.cost <= found.baseline_cost
    assert SPEED(one.bitcode(), options, None, one).pipeline == found.pipeline


def test_known_pipelines_come_first(program: Program) -> None:
    found = SPEED(program.bitcode(), config(1, from_baseline=False), None, program)
    assert found.pipeline == known_pipelines()[:1]


@pytest.mark.parametrize("budget", [3, 30])
def test_with_compiles_to_spare_the_best_is_timed_twice(
    program: Program, known: tuple[Pass, ...], monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    # The unoptimised program, O3, and then ever the same gain, which holds the second time.
    measured = set_clock(monkeypatch, [3.0, 1.0, 0.8])
    spent: list[int] = []
    found = SPEED(
        program.bitcode(), config(budget, "runtime_ns"), lambda p: spent.append(p.compiles), program
    )
    assert found.cost == 800_000
    assert found.compiles <= budget
    assert spent == list(range(1, found.compiles + 1))
    assert measured.count(found.key) == {3: 1, 30: 2}[budget]
    assert len(measured) <= budget + 1


def test_a_lucky_time_is_given_up(
    program: Program, known: tuple[Pass, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Unoptimised, O3, the first candidate by luck, and then all is as O3 is.
    measured = set_clock(monkeypatch, [3.0, 1.0, 0.8, 1.0])
    found = SPEED(program.bitcode(), config(10, "runtime_ns"), None, program)
    assert measured.count(measured[2]) == 2
    assert found.pipeline == (o_level("default<O3>"),)
    assert found.cost == found.baseline_cost == 1_000_000


def test_the_second_best_stays_when_the_best_was_luck(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    o1, sroa = o_level("default<O1>"), o_level("function(sroa)")
    monkeypatch.setattr(speed, "faster_by_clock", lambda: ((o1,), (sroa,)))
    set_clock(monkeypatch, [3.0, 1.0, 0.7, 0.9, 1.0, 0.9])
    with Explorer(program.bitcode(), config(9, "runtime_ns"), program=program) as explorer:
        o3 = explorer.apply(explorer.root, o_level("default<O3>"))
        assert o3 is not None
        explorer.baseline_cost = o3.cost
        explorer.walk_each(explorer.root, (o1, sroa))
        speed._settle(explorer, 2)
        assert explorer.best.path == (sroa,)


def test_beyond_the_noise() -> None:
    assert Timing(1, 0.97, 0.01, 5).is_faster
    assert not Timing(1, 0.985, 0.01, 5).is_faster
    assert not Timing(1, 1.2, 0.0, 5).is_faster
    assert not Timing(1, 0.9, 0.01, 8, faster_share=0.6).is_faster  # a burst of noise
    assert Timing(1, 0.9, 0.01, 8, faster_share=0.75).is_faster


def test_options_of_what_is_faster_are_tried_together(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = (
        (("unroll-count", "1"),),
        (("force-vector-interleave", "8"),),
        (("max-speculation-depth", "0"),),
    )
    known = tuple(Pass(str(options), "default<O3>", options=options) for options in few)
    applied: list[Pass] = []

    class Timed:
        """Each option is worth a tenth; the last makes all slower."""

        baseline_cost = 1000
        root = Node(0, 3000, 0)

        def __init__(self) -> None:
            self.nodes = [self.apply(self.root, step) for step in known[:2]]
            self.nodes.append(Node(9, 990, 9, self.root, known[2], 1))

        def cheapest(self) -> list[Node]:
            return sorted(self.nodes, key=lambda node: node.cost)

        @property
        def timings(self) -> dict[int, Timing]:
            return {n.key: Timing(n.cost, n.cost / 1000, 0.01, 5) for n in self.nodes}

        def walk(self, node: Node, steps: tuple[Pass, ...]) -> Node:
            return self.apply(node, *steps)

        def apply(self, node: Node, step: Pass) -> Node:
            applied.append(step)
            names = dict(step.options)
            cost = 1000 - 100 * len(names) + 300 * ("max-speculation-depth" in names)
            return Node(len(applied), cost, len(applied), node, step, 1)

    speed._merge(Timed())  # type: ignore[arg-type]
    merged = [dict(step.options) for step in applied[2:]]
    assert merged == [
        {"unroll-count": "1", "force-vector-interleave": "8"},
        {"unroll-count": "1", "force-vector-interleave": "8", "max-speculation-depth": "0"},
    ]
    assert {step.pipeline for step in applied} == {"default<O3>"}


def test_optimize_keeps_o3_when_the_gain_does_not_hold(
    program: Program, known: tuple[Pass, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Six levels, unoptimised, O3, one candidate; then the made result is as O3 is.
    set_clock(monkeypatch, [1.0] * 6 + [3.0, 1.0, 0.8, 1.0])
    found = optimize(program, config(3, "runtime_ns"), agent="speed")
    assert found.fallback.startswith("timed again, it is no faster than noise: 1.000 ± 0.010")
    assert found.ratio == 1.0
    assert found.pipeline == (o_level("default<O3>"),)


def test_optimize_by_the_clock_for_real(program: Program) -> None:
    found = optimize(program, config(3, "runtime_ns"))
    assert found.ratio == 1.0 or not found.fallback
    assert found.validated_runs == 1


@pytest.mark.parametrize("objective", ["text_size_bytes", "ir_instructions"])
def test_sizes_are_not_what_it_learned(program: Program, objective: str) -> None:
    with pytest.raises(ValueError, match=f"has learned dynamic_cost and runtime_ns.*{objective}"):
        optimize(program, SearchConfig(objective, budget=5), agent="speed")
    assert "speed" not in agents_for(objective)
    assert "policy" not in agents_for("runtime_ns")


def test_the_agent_profiles_first_and_once(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    o1, o3 = o_level("default<O1>"), o_level("default<O3>")
    ways = ((PROFILE, o3), (PROFILE, o1), (o1,))
    monkeypatch.setattr(speed, "faster_by_clock", lambda: ways)
    monkeypatch.setattr(speed, "known_pipelines", lambda: (o1,))
    measured = set_clock(monkeypatch, [3.0, 1.0, 0.8, 0.9, 0.95, 0.8])
    found = SPEED(program.bitcode(), config(6, "runtime_ns"), None, program)
    # O3, the profile, three candidates, and the first of them again.
    assert found.compiles == len(measured) == 6
    assert found.pipeline == (PROFILE, o3)


@pytest.mark.parametrize("budget", [2, 3])
def test_with_few_compiles_only_whole_ways_are_gone(
    program: Program, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    o1, o3 = o_level("default<O1>"), o_level("default<O3>")
    monkeypatch.setattr(speed, "faster_by_clock", lambda: ((PROFILE, o3),))
    monkeypatch.setattr(speed, "known_pipelines", lambda: (o1,))
    set_clock(monkeypatch, [3.0, 1.0, 0.8])
    found = SPEED(program.bitcode(), config(budget, "runtime_ns"), None, program)
    assert found.compiles == budget
    assert found.pipeline == {2: (o1,), 3: (PROFILE, o3)}[budget]


def test_a_profile_is_merged_as_an_option_is(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    o1, o3 = o_level("default<O1>"), o_level("default<O3>")
    set_clock(monkeypatch, [3.0, 1.0, 0.8, 0.9, 0.7])
    with Explorer(program.bitcode(), config(9, "runtime_ns"), program=program) as explorer:
        explorer.baseline_cost = explorer.apply(explorer.root, o3).cost  # type: ignore[union-attr]
        explorer.walk(explorer.root, (o1,))
        explorer.walk(explorer.root, (PROFILE, o3))
        speed._merge(explorer)
        assert explorer.best.path == (PROFILE, o1)


@pytest.mark.parametrize("objective", ["dynamic_cost", "runtime_ns"])
def test_o3_after_a_profile_is_a_control(program: Program, objective: str) -> None:
    found = ALGORITHMS["profiled"](program.bitcode(), config(10, objective), None, program)
    assert found.compiles <= 4
    o3 = o_level("default<O3>")
    assert found.pipeline in ((o3,), (PROFILE, o3))
