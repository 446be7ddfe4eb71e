from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from experiments import mine_portfolio
from experiments.mine_portfolio import Modules, PortfolioConfig, Search, main, put_in_front
from experiments.training_modules import programs
from mirgym.agents.actionset import ActionSet
from mirgym.agents.controls import CORESETS
from mirgym.errors import MirgymError
from mirgym.passes import Pass

FEW = ("primes", "bitcount")
SHORT = Pass("a", "function(sroa,early-cse)")
LESS = Pass("b", "default<O2>", options=(("inline-threshold", "-50"),))


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Modules]:
    found = Modules(programs(names=FEW), "ir_instructions", tmp_path_factory.mktemp("work"))
    yield found
    found.close()


def small_coresets(folder: Path) -> None:
    for name in CORESETS.values():
        ActionSet((SHORT, LESS), name.removesuffix(".json"), {"command": "x"}).save(folder / name)


def test_values_are_logarithms_of_ratios(modules: Modules) -> None:
    oz = modules.values(Pass("", "default<O2>"))
    assert oz.values.tolist() == [0.0, 0.0]
    assert (modules.values(SHORT).values < 0).all()


def test_a_sequence_that_fails_counts_as_a_loss(modules: Modules, monkeypatch) -> None:
    explorer = modules._explorers[0]
    monkeypatch.setattr(explorer, "apply", lambda node, step: None)
    assert modules.value(0, SHORT) == (-1.0, 0)


def test_a_search_only_gets_better(modules: Modules) -> None:
    start = modules.values(LESS)
    covered = np.full(2, -np.inf)
    found = Search(modules, covered, 5.0, random.Random(0)).run(start, "ir_instructions")
    assert found.values.mean() >= start.values.mean()
    assert found.cost == pytest.approx(-found.values.mean())
    assert modules.values(found.step).values.tolist() == found.values.tolist()


def test_no_time_leaves_the_start(modules: Modules) -> None:
    start = modules.values(LESS)
    found = Search(modules, np.zeros(2), 0.0, random.Random(0)).run(start, "ir_instructions")
    assert found.values.tolist() == start.values.tolist()


def test_a_second_sequence_is_for_what_the_first_left(modules: Modules) -> None:
    covered = np.array([9.0, 0.0])
    search = Search(modules, covered, 1.0, random.Random(0))
    assert search._cost(np.array([5.0, 0.2])) == pytest.approx(-(9.0 + 0.2) / 2)


def test_sequences_stand_in_front_once(tmp_path: Path) -> None:
    small_coresets(tmp_path)
    path = tmp_path / "coreset-text.json"
    put_in_front([LESS, Pass("new", "globaldce")], [1.01, 1.02], path, 3.0)
    written = ActionSet.load(path)
    assert [one.pipeline for one in written.actions] == [
        LESS.pipeline,
        "globaldce",
        SHORT.pipeline,
    ]
    assert written.actions[0].options == LESS.options
    assert [one.name for one in written.actions][:2] == ["coreset-text:01", "coreset-text:02"]
    assert written.about["command"] == "x"
    assert written.about["portfolio"] == {"geomean_first_n": [1.01, 1.02], "minutes": 3.0}


def test_a_whole_run(tmp_path: Path, monkeypatch) -> None:
    small_coresets(tmp_path)
    shown = mine_portfolio.promising("ir_instructions")
    few = dict(list(shown.items())[:5])
    monkeypatch.setattr(mine_portfolio, "promising", lambda objective: few)
    config = PortfolioConfig(
        programs=FEW,
        size=2,
        minutes=0.1,
        jobs=1,
        folder=tmp_path / "results",
        work=tmp_path / "work",
        output=tmp_path,
    )
    assert main(config) == 0
    run = json.loads((tmp_path / "results" / "run.json").read_text())
    for objective, name in CORESETS.items():
        means = run["figures"][objective]["geomean_first_n"]
        assert means == sorted(means)
        assert len(ActionSet.load(tmp_path / name)) >= 2
        assert run["figures"][objective]["refused_for_their_output"] == 0


def test_modules_that_cannot_be_compiled_say_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(mine_portfolio, "OZ", "function(sroa)")
    monkeypatch.setattr(mine_portfolio.Explorer, "apply", lambda self, node, step: None)
    with pytest.raises(MirgymError, match="fails on all modules"):
        Modules(programs(names=("primes",)), "ir_instructions", tmp_path)
