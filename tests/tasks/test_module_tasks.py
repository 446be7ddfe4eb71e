"""The benefit of Oz and the best next pass, on few modules."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mirgym.cli import main
from mirgym.passes import catalogue
from mirgym.tasks import best_pass, oz_benefit, part_cache
from mirgym.tasks.algorithms import ALGORITHMS
from mirgym.tasks.best_pass import BestPass
from mirgym.tasks.best_pass_data import PASSES, sequence, states
from mirgym.tasks.code import packaged_vocabulary
from mirgym.tasks.module_study import CODE_METHODS, ModuleStudy
from mirgym.tasks.own_modules import SYNTH, Amount, described, own_modules
from mirgym.tasks.oz_benefit import OzBenefit
from mirgym.tasks.part_cache import cached
from mirgym.tasks.summary import Measure, few_shot, summarise

AMOUNT = Amount(ALGORITHMS[:8], per_class=2, per_profile=1, bundled="mirbench/crc")


def nothing(done: int, total: int) -> None:
    """Show nothing."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def small(cache, monkeypatch) -> None:
    """Few modules, described once for all tests here."""
    monkeypatch.setenv("MIRGYM_CACHE", cache)
    monkeypatch.setattr(OzBenefit, "amount", AMOUNT)
    monkeypatch.setattr(BestPass, "amount", AMOUNT._replace(per_class=1, per_profile=0))
    monkeypatch.setattr(best_pass, "PER_MODULE", 1)


def oz_columns() -> dict[str, np.ndarray]:
    return described("oz_benefit", own_modules(AMOUNT), oz_benefit.describe, nothing, 1)


def test_modules_and_their_groups(small):
    modules = own_modules(AMOUNT)
    groups = [one.group for one in modules]
    assert groups.count(SYNTH) == 7 and groups.count(ALGORITHMS[0]) == 2
    assert groups[0] == "benchmark://mirbench/crc" and len(modules) == 1 + 16 + 7
    assert own_modules(AMOUNT) == modules


def test_oz_makes_modules_smaller(small):
    columns = oz_columns()
    assert (columns["row"] == np.arange(24)).all()
    assert columns["ir"].min() > 0.3 and columns["text"].min() > 0
    assert columns["tiny"].shape[0] == 24


def test_the_cache_gives_the_same(small, monkeypatch):
    first = oz_columns()
    monkeypatch.setattr(oz_benefit, "describe", None)
    again = oz_columns()
    assert all((again[key] == rows).all() for key, rows in first.items())


def test_a_damaged_part_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("MIRGYM_CACHE", str(tmp_path))
    made = {"a": np.arange(3)}
    assert cached("x/y", 1, make=lambda: made) is made
    (path,) = (tmp_path / "tasks" / "x").glob("y-*.npz")
    path.write_bytes(b"PK\x03\x04 cut off")
    assert cached("x/y", 1, make=lambda: made) is made
    assert (cached("x/y", 1, make=dict)["a"] == made["a"]).all()
    assert cached("x/y", 2, make=dict) == {}
    assert part_cache.tools_version() == part_cache.tools_version()


def test_sides():
    groups = [*(f"benchmark://{n}" for n in range(8)), *"abcdefgh", *[SYNTH] * 5]
    study = ModuleStudy(groups, {}, None)
    tests = []
    for seed in range(3):
        fold = study.fold(seed)
        assert len(fold.test) == 4 and SYNTH not in set(study.groups[fold.test])
        assert sum("://" in name for name in study.groups[fold.test]) == 2
        assert sorted([*fold.train, *fold.test]) == list(range(21))
        for inner in study.inner(fold.train):
            assert SYNTH not in set(study.groups[inner.test])
            assert set(inner.train) | set(inner.test) == set(fold.train)
        small = study.fold(seed, 0.5)
        assert set(small.train) < set(fold.train) and (small.test == fold.test).all()
        tests.append(tuple(fold.test))
    assert len(set(tests)) > 1
    assert len(study.fold(0, 0.01).train) == 8


def test_code_beats_the_mean(small):
    columns = oz_columns()
    groups = [one.group for one in own_modules(AMOUNT)]
    study = ModuleStudy(groups, columns, packaged_vocabulary())
    targets = columns["ir"][:, None]
    rows = {name: oz_benefit.run(study, targets, name, 1.0, 0) for name in ("mean", "counts")}
    assert rows["mean"]["r2"] <= 0 < rows["counts"]["mae"] < rows["mean"]["mae"]


def test_sequences_are_fixed():
    assert sequence("x", 0) == sequence("x", 0) != sequence("x", 1)
    known = {one.pipeline for one in catalogue()}
    assert set(sequence("x", 0)) <= known
    assert len(set(PASSES)) == len(PASSES) == 39
    assert set(PASSES) <= {one.name for one in catalogue()}


def test_states_have_something_to_choose(small):
    modules = own_modules(Amount(ALGORITHMS[:2], 1, 0, "mirbench/crc"))
    found = list(states(modules, 1))
    assert found and all(state["gains"].max() > 0 for state in found)
    assert all(state["gains"].shape == (len(PASSES),) for state in found)
    again = list(states(modules, 1))
    assert [one["gains"].tolist() for one in found] == [one["gains"].tolist() for one in again]


def test_controls_of_best_pass():
    rng = np.random.default_rng(0)
    groups = [f"{kind}{n}" for kind in ("", "benchmark://") for n in range(8)]
    gains = rng.uniform(0, 1, (16, len(PASSES)))
    gains[:, 3] = 2.0
    study = ModuleStudy(groups, {}, None)
    oracle = best_pass.run(study, gains, "oracle", 1.0, 0)
    assert (oracle["gain_share"], oracle["top1"]) == (1.0, 1.0)
    assert best_pass.run(study, gains, "one constant pass", 1.0, 0)["top1"] == 1.0
    assert best_pass.run(study, gains, "random pass", 1.0, 0)["top1"] == pytest.approx(
        1 / len(PASSES)
    )


@pytest.mark.parametrize(
    ("task", "methods", "shown", "tables"),
    [
        ("oz_benefit", ["mean", "Autophase", "base"], "R², text", 2),
        ("best_pass", ["one constant pass", "Autophase", "base", "oracle"], "best gain", 1),
    ],
)
def test_command(small, tmp_path, capsys, task, methods, shown, tables):
    out = tmp_path / "out"
    command = ["tasks", "run", task, "--seeds", "2", "-o", str(out), "--methods", *methods]
    assert main(command) == 0
    assert shown in capsys.readouterr().out
    figures = json.loads((out / "run.json").read_text())["figures"]
    assert len(figures["table"]) == tables * len(methods)
    assert len(figures["few_shot"]) == 3 * 5
    assert (out / "few_shot.png").is_file() and (out / "table.csv").is_file()
    before = (out / "rows.jsonl").read_text()
    assert main(command) == 0
    assert (out / "rows.jsonl").read_text() == before


def test_means_over_seeds():
    measure = Measure(("r2", "mae"), "R²", "text")
    rows = [
        {"protocol": p, "method": "m", "share": s, "seed": seed, "r2": r2, "mae": 1.0}
        for p, s, seed, r2 in (
            ("text", 1.0, 0, 0.2), ("text", 1.0, 1, 0.4), ("ir", 1.0, 0, 0.9),
            ("few-shot", 0.1, 0, 0.1),
        )
    ]  # fmt: skip
    table = summarise(rows, {"m"}, measure)
    assert [row["r2"] for row in table] == pytest.approx([0.3, 0.9])
    assert table[0]["r2_std"] == pytest.approx(0.1) and table[0]["kind"] == "control"
    curve = few_shot(rows, measure)
    assert [(row["share"], row["seeds"]) for row in curve] == [(0.1, 1), (1.0, 2)]
    assert curve[1]["r2"] == pytest.approx(0.3)


def test_every_kind_of_code_is_asked():
    kinds = {kind for method in CODE_METHODS.values() for kind in method.kinds}
    assert kinds >= {"instcount", "autophase", "ir2vec", "untrained", "tiny", "base"}
