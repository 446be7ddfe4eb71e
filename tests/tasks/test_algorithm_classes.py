"""Algorithm classification on few programs of few classes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mirgym.cli import main
from mirgym.tasks import algorithm_programs
from mirgym.tasks.algorithm_classes import METHODS, SHARES, AlgorithmClasses, Study, few
from mirgym.tasks.algorithm_programs import STATES, read_programs
from mirgym.tasks.algorithm_report import interval
from mirgym.tasks.algorithms import ALGORITHMS, generate
from mirgym.tasks.code import packaged_vocabulary
from mirgym.tasks.kernel_heads import Block, predict
from mirgym.tasks.protocols import Fold

CLASSES = ALGORITHMS[:4]
PER_CLASS = 12


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRGYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Study(read_programs(PER_CLASS, CLASSES), packaged_vocabulary())


@pytest.fixture
def small(monkeypatch) -> None:
    monkeypatch.setattr(AlgorithmClasses, "classes", CLASSES)
    monkeypatch.setattr(AlgorithmClasses, "per_class", PER_CLASS)


def test_programs_are_described_in_every_state(study):
    programs = study.programs
    for state in STATES:
        sizes = programs.features["instcount", state][:, 0]
        assert len(sizes) == len(programs.label) == 4 * PER_CLASS
    counts = [programs.features["autophase", state].sum() for state in STATES]
    assert counts[0] > counts[1] > counts[2]
    one = generate(CLASSES[1], 3)
    assert programs.held_out[PER_CLASS + 3] == one.held_out_template


def test_the_cache_gives_the_same(own_cache, monkeypatch):
    first = read_programs(2, CLASSES[:1])
    monkeypatch.setattr(algorithm_programs, "_describe", None)
    again = read_programs(2, CLASSES[:1])
    assert again.version == first.version
    for key, columns in first.features.items():
        assert (again.features[key] == columns).all()


@pytest.mark.parametrize("protocol", ["template", "program"])
def test_folds_divide_the_programs(study, protocol):
    fold = study.fold(protocol)
    assert sorted([*fold.train, *fold.test]) == list(range(4 * PER_CLASS))
    for one in study.inner(protocol, fold.train):
        assert set(one.train) | set(one.test) == set(fold.train)
        assert not set(one.train) & set(one.test)


def test_templates_are_on_one_side(study):
    fold = study.fold("template")
    programs = study.programs

    def ways(rows):
        return set(zip(programs.label[rows], programs.template[rows], strict=True))

    assert not ways(fold.train) & ways(fold.test)
    for inner in study.inner("template", fold.train):
        assert not ways(inner.train) & ways(inner.test)
        assert set(programs.label[inner.test]) <= set(programs.label[inner.train])


@pytest.mark.parametrize("share", SHARES)
def test_few_keeps_every_class(study, share):
    fold = few(study.fold("template"), study.programs.label, share, 0)
    assert set(study.programs.label[fold.train]) == set(range(4))
    assert len(fold.train) < len(study.fold("template").train)


def test_answers_of_test_rows_never_enter(study):
    rng = np.random.default_rng(0)
    label = np.arange(60) % 3
    block = Block(rng.normal(label[:, None], 0.3, (60, 5)), counts=False)
    fold = Fold(np.arange(40), np.arange(40, 60))
    inner = [Fold(np.arange(20), np.arange(20, 40)), Fold(np.arange(20, 40), np.arange(20))]
    found = predict([block, block], label, fold, inner)
    assert (found == label[fold.test]).mean() > 0.8
    hidden = np.where(np.arange(60) < 40, label, 0)
    assert (predict([block, block], hidden, fold, inner) == found).all()


def test_a_block_of_noise_loses_its_weight():
    rng = np.random.default_rng(0)
    label = np.arange(120) % 3
    good = Block(rng.normal(label[:, None], 0.2, (120, 2)), counts=False)
    noise = Block(rng.normal(0, 1, (120, 50)), counts=False)
    fold = Fold(np.arange(80), np.arange(80, 120))
    inner = [Fold(np.arange(40), np.arange(40, 80)), Fold(np.arange(40, 80), np.arange(40))]
    assert (predict([noise, good], label, fold, inner) == label[fold.test]).mean() > 0.9


def test_the_head_learns_where_majority_cannot(study):
    majority = study.run("program", "majority", 0, 1.0)["error"]
    assert study.run("program", "base + counts", 0, 1.0)["error"] < majority


def test_interval():
    assert interval([0, 0], [4, 5]) == (0.0, 0.0)
    low, high = interval([0, 4, 2], [4, 4, 4])
    assert low < 0.5 < high


def test_command(small, own_cache, tmp_path, capsys):
    out = tmp_path / "out"
    methods = ["majority", "InstCount", "base + counts, three states"]
    command = ["tasks", "run", "algorithms", "--seeds", "1", "-o", str(out), "--methods", *methods]
    assert main(command) == 0
    assert "by template" in capsys.readouterr().out
    figures = json.loads((out / "run.json").read_text())["figures"]
    assert len(figures["table"]) == 2 * len(methods)
    assert len(figures["few_shot"]) == 2 * 5
    assert (out / "few_shot.png").is_file() and (out / "table.csv").is_file()
    before = (out / "rows.jsonl").read_text()
    assert main(command) == 0
    assert (out / "rows.jsonl").read_text() == before


def test_there_is_nothing_to_fetch(own_cache, capsys):
    assert main(["tasks", "fetch", "algorithms"]) != 0
    assert "makes its own data" in capsys.readouterr().err
    assert main(["tasks", "list"]) == 0
    assert "made here" in capsys.readouterr().out


def test_all_methods_are_named_once():
    assert {kind for method in METHODS.values() for kind in method.kinds} >= {"tiny", "base"}
