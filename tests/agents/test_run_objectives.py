"""Searches for what takes running the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirgym.agents.explorer import Explorer, SearchConfig
from mirgym.agents.optimize import optimize
from mirgym.agents.search import ALGORITHMS, search
from mirgym.agents.strategies import o_level
from mirgym.dynamic_cost import CostMeter
from mirgym.errors import NotRunnableError, SessionError
from mirgym.passes import find
from mirgym.programs import Program, Run
from mirgym.session import Session

SOURCE = """
#include <stdio.h>
int main(void) {
  unsigned sum = 1;
  for (unsigned i = 0; i < 100; i++) sum = sum * 3 + i;
  printf("%u\\n", sum);
  return 0;
}
"""
LEARNED = ("best_first", "cheapest_first", "fixed", "policy", "unguided")
SROA, MEM2REG = find("sroa"), find("mem2reg")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    source = tmp_path / "sum.c"
    source.write_text(SOURCE)
    return Program(source.as_uri(), (source,), runs=(Run(),))


def config(budget: int = 5, **options: object) -> SearchConfig:
    return SearchConfig("dynamic_cost", "O3", budget, **options)  # type: ignore[arg-type]


def fail_at(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Let one run of the program fail: the first, second, … that is measured."""
    calls = []
    real = CostMeter.cost

    def cost(self: CostMeter, session: Session) -> int:
        calls.append(session)
        if len(calls) == call:
            raise NotRunnableError("it was killed by SIGSEGV")
        return real(self, session)

    monkeypatch.setattr(CostMeter, "cost", cost)


@pytest.mark.parametrize("name", sorted(set(ALGORITHMS) - set(LEARNED)))
def test_every_agent_runs_the_program(name: str, program: Program) -> None:
    found = ALGORITHMS[name](program.bitcode(), config(), None, program)
    assert found.cost <= found.baseline_cost < found.start_cost


@pytest.mark.parametrize("name", LEARNED)
def test_what_was_learned_for_sizes_says_who_can(name: str, program: Program) -> None:
    with pytest.raises(ValueError, match=f"'{name}' has learned .* dynamic_cost take one of sear"):
        optimize(program, config(), agent=name)


def test_a_mistyped_agent(program: Program) -> None:
    with pytest.raises(ValueError, match="unknown agent 'serach'.* Did you mean 'search'"):
        optimize(program, agent="serach")


def test_runs_are_not_cached(program: Program, tmp_path: Path) -> None:
    folder = tmp_path / "transitions"
    found = [search(program.bitcode(), config(transitions=folder), None, program) for _ in "12"]
    assert [one.cached for one in found] == [0, 0]
    assert found[0].cost == found[1].cost
    assert not folder.exists()


def test_only_new_modules_are_run(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_at(monkeypatch, 4)
    with Explorer(program.bitcode(), config(), program=program) as explorer:
        first = explorer.apply(explorer.root, SROA)
        assert first is not None
        assert explorer.apply(explorer.root, MEM2REG) is first
        assert explorer.apply(first, SROA) is first
        assert explorer.measure(SROA) == first.cost
        assert explorer.apply(first, o_level("default<O3>")) is not None  # the third run
        assert explorer.failures == []


def test_a_run_that_fails_is_the_candidates_failure(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, 2)
    with Explorer(program.bitcode(), config(), program=program) as explorer:
        assert explorer.apply(explorer.root, SROA) is None
        assert explorer.failures[0].error == "NotRunnableError: it was killed by SIGSEGV"
        whole = explorer.apply(explorer.root, o_level("default<O3>"))
        assert whole is explorer.best
        assert explorer.measure(o_level("default<O3>")) == whole.cost < explorer.root.cost


@pytest.mark.parametrize(
    ("from_baseline", "message"),
    [(True, "the baseline O3 .default<O3>. fails on this program: .*SIGSEGV"), (False, "SIGSEGV")],
)
def test_a_baseline_that_fails_ends_the_search(
    program: Program, monkeypatch: pytest.MonkeyPatch, from_baseline: bool, message: str
) -> None:
    fail_at(monkeypatch, 2)
    with pytest.raises(SessionError, match=message):
        search(program.bitcode(), config(from_baseline=from_baseline), None, program)


def test_a_program_without_runs(program: Program) -> None:
    silent = Program(program.uri, program.sources)
    with pytest.raises(NotRunnableError, match="nothing says how to run"):
        search(silent.bitcode(), config(), None, silent)
