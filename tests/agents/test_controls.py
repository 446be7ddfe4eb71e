from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from mirgym.agents import controls
from mirgym.agents.actionset import ActionSet, build
from mirgym.agents.controls import CORESETS, coreset
from mirgym.agents.explorer import Explorer, SearchConfig
from mirgym.agents.genetic import Individual, admit, breed, cross, mutate, population_size, select
from mirgym.agents.search import ALGORITHMS
from mirgym.agents.strategies import as_whole
from mirgym.errors import ToolMissingError
from mirgym.objective import METRICS
from mirgym.passes import Pass, catalogue, find
from mirgym.programs import resolve

MEM2REG, GVN, DCE = find("mem2reg"), find("gvn"), find("dce")
O2 = Pass("default<O2>", "default<O2>")


@pytest.fixture(scope="module")
def module() -> bytes:
    return resolve("mirbench/primes").bitcode()


def letters(text: str) -> tuple[Pass, ...]:
    return tuple(Pass(letter, letter) for letter in text)


# -- whole sequences --------------------------------------------------------------------


def test_a_sequence_without_options_is_one_pipeline() -> None:
    (whole,) = as_whole((MEM2REG, GVN))
    assert whole.pipeline == "function(mem2reg),function(gvn)"
    assert as_whole(()) == ()


def test_options_hold_for_their_pass_only() -> None:
    inline = Pass("inline", "cgscc(inline)", options=(("inline-threshold", "5"),))
    whole = as_whole((MEM2REG, GVN, inline, inline, DCE))
    assert [step.pipeline.count(",") for step in whole] == [1, 0, 0, 0]
    assert [bool(step.options) for step in whole] == [False, True, True, False]


@pytest.mark.parametrize("name", ["sequences", "genetic", "optuna"])
def test_a_whole_sequence_is_one_compile(module: bytes, name: str) -> None:
    found = ALGORITHMS[name](module, SearchConfig(budget=10))
    assert found.compiles == 10
    assert len(found.pipeline) == 1
    assert found.ratio >= 1


@pytest.mark.parametrize("name", ["genetic", "optuna"])
def test_actions_with_options_can_be_searched(module: bytes, name: str) -> None:
    actions = build("parameters").actions
    found = ALGORITHMS[name](module, SearchConfig(budget=15, candidates=actions))
    assert found.compiles == 15


def test_without_the_baseline_they_start_from_nothing(module: bytes) -> None:
    config = SearchConfig(budget=5, from_baseline=False, candidates=(MEM2REG,))
    for name in ("genetic", "optuna", "sequences"):
        found = ALGORITHMS[name](module, config)
        assert "default" not in found.pipeline[0].pipeline
        assert found.compiles <= 5


# -- the genetic algorithm --------------------------------------------------------------


def test_the_genetic_search_learns(module: bytes) -> None:
    """It finds the three passes that matter among fifteen, which chance would not."""
    wanted = tuple(find(name) for name in ("mem2reg", "simplifycfg", "gvn"))
    noise = tuple(catalogue("cosmetic")) + tuple(catalogue("dormant"))[:12]
    config = SearchConfig(
        budget=150, objective="ir_instructions", candidates=(*wanted, *noise), from_baseline=False
    )
    found = ALGORITHMS["genetic"](module, config)
    with Explorer(module, config) as explorer:
        assert found.cost <= explorer.walk(explorer.root, wanted).cost


def test_population_follows_the_budget() -> None:
    sizes = [population_size(budget) for budget in range(1, 10_000, 50)]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (4, 50)


def test_children_are_made_of_their_parents() -> None:
    rng = random.Random(0)
    first, second = letters("aaaa"), letters("bbbbbb")
    children = [cross(first, second, rng) for _ in range(300)]
    assert {step.name for child in children for step in child} == {"a", "b"}
    texts = {"".join(step.name for step in child) for child in children}
    assert any(text.strip("a").strip("b") == "" and "ab" in text for text in texts)
    assert any(text.startswith("a") and text.endswith("a") and "b" in text for text in texts)


def test_mutations_change_one_place() -> None:
    rng = random.Random(0)
    lengths = set()
    for _ in range(100):
        child = mutate(letters("aaaa"), letters("b"), rng)
        lengths.add(len(child))
        assert sum(step.name == "b" for step in child) <= 1
    assert lengths == {3, 4, 5}
    assert mutate((), letters("b"), rng) == letters("b")


def test_selection_prefers_the_cheap() -> None:
    rng = random.Random(0)
    population = [Individual(cost, cost, letters("a")) for cost in range(10)]
    drawn = [select(population, rng).cost for _ in range(500)]
    assert sum(drawn) / 500 < 3
    assert max(drawn) > 6
    assert all(len(breed(population, letters("ab"), rng)) < 10 for _ in range(50))


def test_admission() -> None:
    population: list[Individual] = []
    for cost, key in [(5, 1), (9, 2), (5, 1), (7, 3), (8, 4), (7, 4), (20, 6)]:
        admit(population, Individual(cost, key, ()), 3)
    assert sorted(one[:2] for one in population) == [(5, 1), (7, 3), (8, 4)]


# -- fixed and twice --------------------------------------------------------------------


@pytest.mark.parametrize("objective", sorted(CORESETS))
def test_the_shipped_coresets(objective: str, module: bytes) -> None:
    sequences = coreset(objective).actions
    assert sequences
    assert coreset(objective).about["objective"] == objective
    found = ALGORITHMS["fixed"](module, SearchConfig(budget=10**6, objective=objective))
    assert not found.failures
    assert found.compiles == 1 + len(sequences)


def test_a_budget_tries_the_first(module: bytes, monkeypatch) -> None:
    steps = (MEM2REG, GVN, DCE)
    monkeypatch.setattr(controls, "coreset", lambda objective: ActionSet(steps))
    tried = []
    apply = Explorer.apply

    def spy(self, node, step):
        tried.append(step)
        return apply(self, node, step)

    monkeypatch.setattr(Explorer, "apply", spy)
    ALGORITHMS["fixed"](module, SearchConfig(budget=3))
    assert [step.name for step in tried[:3]] == ["default<O2>", "mem2reg", "gvn"]
    tried.clear()
    found = ALGORITHMS["fixed"](module, SearchConfig(budget=2, from_baseline=False))
    assert [step.name for step in tried[:2]] == ["mem2reg", "gvn"]
    assert found.compiles == 2


def test_oz_twice(module: bytes) -> None:
    config = SearchConfig(budget=10)
    found = ALGORITHMS["oz_twice"](module, config)
    assert found.compiles == 2
    with Explorer(module, config) as explorer:
        once = explorer.apply(explorer.root, O2)
        twice = explorer.apply(once, O2)
        assert found.cost == min(once.cost, twice.cost)


def test_without_optuna(module: bytes, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ToolMissingError, match=r"pip install 'mirgym\[train\]'"):
        ALGORITHMS["optuna"](module, SearchConfig(budget=3))


def test_a_coreset_for_another_llvm_is_refused(tmp_path: Path, monkeypatch) -> None:
    text = (Path(controls.__file__).parent / "data" / CORESETS["ir_instructions"]).read_text()
    (tmp_path / "data").mkdir()
    changed = text.replace('"llvm": "23', '"llvm": "99')
    (tmp_path / "data" / CORESETS["ir_instructions"]).write_text(changed)
    monkeypatch.setattr(controls, "files", lambda package: tmp_path)
    controls.coreset.cache_clear()
    with pytest.raises(ValueError, match="is for LLVM 99"):
        coreset("ir_instructions")
    controls.coreset.cache_clear()


@pytest.mark.parametrize("objective", sorted(METRICS))
def test_unguided_is_the_fixed_list_and_then_edits(module, objective):
    few, many = (SearchConfig(objective, budget=budget) for budget in (9, 60))
    assert ALGORITHMS["unguided"](module, few).trail == ALGORITHMS["fixed"](module, few).trail
    found = ALGORITHMS["unguided"](module, many)
    assert found.compiles == 60
    assert found.cost <= ALGORITHMS["fixed"](module, SearchConfig(objective, budget=15)).cost
    assert found.pipeline == ALGORITHMS["unguided"](module, many).pipeline
