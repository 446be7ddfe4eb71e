"""The transfer table, on a few generated programs."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("tyro")
pytest.importorskip("sb3_contrib")

from experiments import probe_heads, transfer
from experiments.end_to_end import Answering, TuneConfig, tuned
from experiments.transfer import Known, TransferConfig, main, means, read_frozen
from experiments.transfer_data import Question, generated
from experiments.transfer_ppo import PpoTransfer, compare, summary
from mirgym.encoder.embedder import Embedder
from mirgym.encoder.weights import FOLDER as WEIGHTS
from mirgym.encoder.weights import load
from mirgym.tasks.algorithms import ALGORITHMS


@pytest.fixture(scope="module")
def asked() -> list[Question]:
    return list(generated(6, list(ALGORITHMS)[:3]))


def test_no_program_is_in_two_parts(asked: list[Question]) -> None:
    for one in asked:
        rows = np.concatenate([one.fit, one.valid, one.test])
        assert sorted(rows) == list(range(len(one.programs)))
        assert len(one.fit) and len(one.valid) and len(one.test)
    assert {one.name: one.metric for one in asked} == {"algorithm": "accuracy", "oz": "R²"}
    assert (asked[1].y > 0).mean() > 0.9  # Oz makes nearly all of them smaller


def test_before_training_it_embeds_as_the_frozen_encoder_does(asked: list[Question]) -> None:
    programs = asked[0].programs[:5]
    with torch.no_grad():
        found = Answering(load("tiny"), asked[0]).embed(programs).numpy()
    embedder = Embedder("tiny")
    expected = np.stack([embedder.module(one.module) for one in programs])
    assert np.allclose(found, expected, atol=1e-4)


def test_training_reaches_the_encoder(asked: list[Question]) -> None:
    model = Answering(load("tiny").train(), asked[0])
    rows = asked[0].fit[:4]
    found = model([asked[0].programs[row] for row in rows], asked[0].more[rows])
    found.square().sum().backward()
    gradients = [p.grad for p in model.encoder.parameters() if p.grad is not None]
    assert sum(float(g.abs().sum()) for g in gradients) > 0


@pytest.mark.parametrize("pretrained", [None, "tiny"])
def test_a_short_training_gives_a_score(asked: list[Question], pretrained: str | None) -> None:
    settings = TuneConfig(looks=1, steps=3)  # a batch has more programs than there are
    for one in asked:
        found = tuned(one, pretrained, settings, 0)
        assert found == tuned(one, pretrained, settings, 0) and found <= 1


def test_readers_of_frozen_features(asked: list[Question]) -> None:
    for one in asked:
        told = np.eye(3)[one.y] if one.kind == "classes" else one.y  # the answer itself
        found = read_frozen(one, told.astype(np.float32), 1)
        ((reader, scores),) = found.items()
        assert reader in {"linear", "mlp"} and len(scores) == 1
        assert np.mean(scores) > 0.8


def test_validation_rows_choose_the_reader() -> None:
    part = probe_heads.Part(np.zeros((4, 1), np.float32), np.zeros(4, np.int64))
    parts = probe_heads.Parts(part, part, part)
    readers = {"good on the test": lambda *_: (0.1, 0.9), "good before": lambda *_: (0.2, 0.3)}
    assert probe_heads.ask_best(readers, parts, 3) == ("good before", [0.3] * 3)


@pytest.fixture
def short_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers that are trained for a moment."""
    monkeypatch.setattr(probe_heads, "ROUNDS", 2)
    monkeypatch.setattr(probe_heads, "ROUND_STEPS", 5)


def test_what_is_known_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    Known(path).of(("q", "c"), lambda: {"linear": [0.5, 0.9]})
    again = Known(path)
    again.of(("q", "c"), lambda: pytest.fail("made again"))
    assert means(again.scores) == {"q": {"c": 0.7}}


def test_scores_of_other_options_have_another_file(tmp_path: Path) -> None:
    shutil.copy(WEIGHTS / "tiny.safetensors", tmp_path / "encoder.safetensors")
    configs = [
        TransferConfig(),
        TransferConfig(seeds=1),
        TransferConfig(per_class=6),
        TransferConfig(tune=TuneConfig(steps=1)),
        TransferConfig(text_run=tmp_path),
    ]
    assert len({transfer._digest(one) for one in configs}) == len(configs)
    elsewhere = TransferConfig(folder=tmp_path, work=tmp_path)
    assert transfer._digest(elsewhere) == transfer._digest(TransferConfig())


def test_steps_to_the_level_that_both_reach() -> None:
    slow, fast = [(0, 0.8), (10, 0.85), (20, 0.9)], [(0, 0.8), (10, 0.95), (20, 0.97)]
    found = summary({"fast": [fast], "slow": [slow]})
    assert found["level"] == 0.9 and found["steps_to_level"] == {"fast": [10], "slow": [20]}


def test_without_steps_there_are_no_agents(tmp_path: Path) -> None:
    assert compare(PpoTransfer(steps=0), tmp_path, tmp_path / "ppo.csv").points == {}


def test_a_whole_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: list[Question],
    short_probes: None,
) -> None:
    monkeypatch.setattr(transfer, "questions", lambda *_: asked)
    config = TransferConfig(
        seeds=1,
        tune=TuneConfig(batch=2, looks=1, steps=1),
        ppo=PpoTransfer(steps=0),
        folder=tmp_path / "results",
        work=tmp_path / "work",
    )
    assert main(config) == 0
    with (config.folder / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = {row["column"] for row in rows}
    assert {
        "raw counts",
        "frozen tiny",
        "frozen base",
        "from scratch",
        "fine-tuned tiny",
    } <= columns
    figures = json.loads((config.folder / "run.json").read_text())["figures"]
    assert set(figures["questions"]) == {"algorithm", "oz"}
    assert (config.folder / "transfer.png").stat().st_size > 1000
