"""Vectorization factors on a few of the measured loops."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mirgym.cli import main
from mirgym.errors import DatasetError
from mirgym.tasks import loop_code
from mirgym.tasks.loop_code import read_code
from mirgym.tasks.loop_labels import CHOICES, LABELS, LoopLabel, read_labels, write_labels
from mirgym.tasks.vectorize import METHODS, Study, Vectorize, few
from mirgym.tasks.vectorize_report import metrics


@pytest.fixture(scope="module")
def labels() -> list[LoopLabel]:
    """Eight loops of four families of each side."""
    chosen: dict[str, list[LoopLabel]] = {}
    for label in read_labels():
        if label.program.startswith("loops://"):
            chosen.setdefault(label.group, []).append(label)
    sides = {group: found[0].split for group, found in chosen.items()}
    groups = [[g for g in chosen if sides[g] == side][:2] for side in ("train", "test")]
    return [label for side in groups for group in side for label in chosen[group][:2]]


@pytest.fixture(scope="module")
def study(labels, tmp_path_factory) -> Study:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRGYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Study(labels, read_code(labels))


def test_the_shipped_labels():
    labels = read_labels()
    assert {label.split for label in labels} == {"train", "test"}
    assert len({(label.program, label.loop) for label in labels}) == len(labels)
    assert all(len(label.costs) == len(CHOICES) for label in labels)


def test_labels_come_back(tmp_path, labels):
    for name in ("a", "b"):
        write_labels(tmp_path / name, labels)
    assert read_labels(tmp_path / "a") == labels
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_damaged_labels(tmp_path, labels):
    with pytest.raises(DatasetError, match=r"measure them: python -m experiments\.loops"):
        read_labels(tmp_path / "missing")
    (tmp_path / "cut").write_bytes(LABELS.read_bytes()[:-20])
    with pytest.raises(DatasetError, match="holds no measured loops"):
        read_labels(tmp_path / "cut")
    write_labels(tmp_path / "short", [labels[0]._replace(costs=[1, 2])])
    with pytest.raises(DatasetError, match=r"2 costs; expected \d+ and 150"):
        read_labels(tmp_path / "short")


def test_labels_of_another_loop(labels, own_cache):
    other = labels[0]._replace(facts=[0.0] * len(labels[0].facts))
    with pytest.raises(DatasetError, match="the labels are of another loop"):
        read_code([other])
    with pytest.raises(DatasetError, match="the labels are of another loop 99"):
        read_code([labels[0]._replace(loop=99)])


def test_code_stands_beside_its_loop(labels, own_cache, monkeypatch):
    there = read_code(labels[:3])
    monkeypatch.setattr(loop_code, "_describe", None)
    back = read_code(labels[:3][::-1])
    for kind, rows in there.items():
        assert (back[kind] == rows[::-1]).all()


@pytest.mark.parametrize("protocol", ["split", "groups"])
def test_no_group_is_on_both_sides(study, protocol):
    for fold in study.folds(protocol):
        assert not set(study.groups[fold.train]) & set(study.groups[fold.test])
        for inner in study.inner(fold.train):
            assert set(inner.train) | set(inner.test) == set(fold.train)
            assert not set(study.groups[inner.train]) & set(study.groups[inner.test])


def test_controls_bound_the_choices(study):
    rows = {
        name: study.run("split", name, 0, 1.0)
        for name in ("LLVM's own choice", "oracle", "loop facts", "loop facts, forest")
    }
    assert rows["LLVM's own choice"]["speedup"] == 1.0
    assert rows["LLVM's own choice"]["gain_share"] == 0.0
    assert rows["oracle"]["of_oracle"] == rows["oracle"]["gain_share"] == 1.0
    assert all(0 < row["of_oracle"] <= 1 for row in rows.values())


def test_costs_of_test_loops_never_enter(labels, study):
    (fold,) = study.folds("split")
    method = METHODS["tiny + facts"]
    costs = [
        [1000] * len(CHOICES) if row in fold.test else one.costs for row, one in enumerate(labels)
    ]
    hidden = Study(
        [one._replace(costs=c) for one, c in zip(labels, costs, strict=True)], study.code
    )
    assert (hidden.choices(method, fold, 0) == study.choices(method, fold, 0)).all()


def test_few_keeps_some(study):
    (fold,) = study.folds("split")
    assert len(few(fold, 0.01, 0).train) == 4
    assert few(fold, 1.0, 0) is fold
    assert set(few(fold, 0.5, 0).train) <= set(fold.train)


def test_one_side_only(labels):
    code = {"tiny": np.zeros((1, 2), np.float32)}
    with pytest.raises(DatasetError, match="no training or no test loops"):
        Study(labels[:1], code).folds("split")


def test_metrics():
    """Two loops twice as fast in an oracle's hands; one of them in ours."""
    found = metrics(np.log([2.0, 1.0]), np.log([2.0, 2.0]), ["a", "b"])
    assert found["speedup"] == pytest.approx(2**0.5) and found["oracle"] == pytest.approx(2)
    assert found["of_oracle"] == pytest.approx(2**-0.5)
    assert found["gain_share"] == pytest.approx(0.5)
    assert (found["low"], found["high"]) == pytest.approx((0.5, 1.0))


def test_command(labels, own_cache, tmp_path, monkeypatch, capsys):
    write_labels(tmp_path / "labels.gz", labels)
    monkeypatch.setattr(Vectorize, "labels", tmp_path / "labels.gz")
    out = tmp_path / "out"
    methods = ["LLVM's own choice", "one constant choice", "base + facts", "oracle"]
    command = ["tasks", "run", "vectorize", "--seeds", "1", "-o", str(out), "--methods", *methods]
    assert main(command) == 0
    assert "of the oracle's speedup" in capsys.readouterr().out
    figures = json.loads((out / "run.json").read_text())["figures"]
    assert len(figures["table"]) == 2 * len(methods)
    assert len(figures["few_shot"]) == 2 * 5
    assert (out / "few_shot.png").is_file() and (out / "table.csv").is_file()
    before = (out / "rows.jsonl").read_text()
    assert main(command) == 0
    assert (out / "rows.jsonl").read_text() == before
