"""Samples from a module by hand, networks on them, and a small run of the whole experiment."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("tyro")

from experiments.execution import FUSED, HINTED, VARIANTS, ExecutionExperiment, main
from experiments.execution_data import DataConfig, Recording, split
from experiments.execution_net import (
    ExecutionNet,
    NetConfig,
    bits_of,
    surest,
    words_of,
    written,
)
from experiments.execution_report import Row, mean, table, wins
from experiments.execution_scores import (
    NO_LOADS,
    Guesses,
    ProgramData,
    Questions,
    Score,
    controls,
    guesses,
    score,
    score_predictors,
)
from experiments.execution_train import Claims, TrainConfig, ask, batch_of, train
from mirgym.errors import MirgymError
from mirgym.session import InProcessSession
from mirgym.values import POINTER
from mirgym.wire import Wanted
from tests.engine.test_execute import SHORT, Place

# Whether `odd` holds stands in memory, though `i` tells it, too; `again` follows from `i`.
WALK = b"""
define i32 @main(i32 %argc) {
entry:
  %room = alloca [8 x i64]
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %later ]
  %where = getelementptr i64, ptr %room, i64 %i
  store i64 %i, ptr %where
  %got = load i64, ptr %where
  %odd = trunc i64 %got to i1
  br i1 %odd, label %later, label %even
even:
  br label %later
later:
  %next = add i64 %i, 1
  %again = icmp ult i64 %next, 8
  br i1 %again, label %loop, label %exit
exit:
  ret i32 0
}
"""
ROOM, INDEX, WHERE, LOAD, ODD, NEXT, AGAIN = 0, 2, 3, 5, 7, 9, 11
"""Instructions: `odd` and `again` stand for the branches."""
SMALL = DataConfig(events=24, snapshots=16)
SHAPE = NetConfig(width=32, messages=16, layers=2)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    place = Place(tmp_path_factory.mktemp("walk"))
    with InProcessSession() as session:
        session.load(WALK)
        trace = session.trace([place.request()], limits=SHORT, snapshots=16).traces[0]
        view = session.observe(Wanted.of(views=("functions",))).views["functions"]
    return Recording("walk", trace, tuple(view.functions))  # type: ignore[union-attr, arg-type]


def test_samples_by_hand(walk: Recording) -> None:
    loop, later = walk.samples(SMALL)
    assert (loop.function, loop.block, later.block) == ("main", 1, 3)
    assert (loop.branch, loop.loads.tolist()) == (ODD, [LOAD])
    assert loop.bases.tolist() == [[WHERE, ROOM]]
    assert loop.values[:, INDEX].tolist() == list(range(8))
    assert loop.outcomes.tolist() == [False, True] * 4
    assert loop.taken_at.tolist() == loop.load_events[:, 0].tolist() == list(range(0, 24, 3))
    assert loop.branch_events.tolist() == list(range(1, 24, 3))
    assert np.array_equal(loop.addresses[:, 0], loop.values[:, ROOM] + 8 * loop.values[:, INDEX])
    # The pointer is what it was the last time.
    assert np.array_equal(loop.values[1:, WHERE], loop.addresses[:-1, 0])
    assert (later.branch, later.loads.tolist()) == (AGAIN, [])
    assert later.outcomes.tolist() == [True] * 7 + [False]
    assert later.values[:, NEXT].tolist() == list(range(8))


def test_what_a_snapshot_determines(walk: Recording) -> None:
    loop, later = walk.samples(SMALL)
    assert later.graph.predetermined(AGAIN)
    assert loop.graph.predetermined(LOAD) and not loop.graph.predetermined(ODD)
    events = Questions.of([loop, later])
    assert events.branches_known.tolist() == [False] * 8 + [True] * 8
    assert events.loads_known.all() and len(events.loads) == 8


def test_a_part_of_a_graph(walk: Recording) -> None:
    whole = walk.samples(SMALL)[1].graph
    kept = whole.near(np.array([AGAIN]), 4)
    assert kept[:3].tolist() == [NEXT, NEXT + 1, AGAIN]  # and the constant 8
    part = whole.part(kept)
    assert len(part.codes) == 4 and part.edges.max(initial=0) < 4
    assert (np.diff(part.edges[1]) >= 0).all()
    for source, destination, relation in zip(*part.edges, part.relations, strict=True):
        inner = (whole.edges == kept[[source, destination]][:, None]).all(0)
        assert relation in whole.relations[inner]
    assert np.array_equal(part.types, whole.types[kept])


def test_the_split_is_in_time(walk: Recording) -> None:
    train_blocks, test_blocks = split(walk.samples(SMALL), 13)
    assert max(b.branch_events.max() for b in train_blocks) < 13
    assert min(b.taken_at.min() for b in test_blocks) >= 13
    # One was taken before the cut, and its branch comes after it.
    assert sum(len(b.values) for b in (*train_blocks, *test_blocks)) == 15


def test_words_and_bits() -> None:
    words = np.array([[0, 1], [2**64 - 1, 0x8000_0000_0000_0010]], np.uint64)
    assert np.array_equal(words_of(bits_of(words) - 0.5), words)
    assert bits_of(words)[1, 1].nonzero().flatten().tolist() == [4, 63]


def test_the_surer_base_counts() -> None:
    logits = torch.full((2, 2, 64), -9.0)
    logits[0, 0, 3] = logits[1, 1, 4] = 0.1  # not so sure
    logits[0, 1, 5] = logits[1, 0, 6] = 9.0
    bases = np.array([[100, 2**64 - 32], [300, 400]], np.uint64)
    assert surest(logits, bases).tolist() == [0, 364]


@pytest.mark.parametrize(("how", "size"), [("binary", 65), ("scalar", 2), ("categorical", 257)])
def test_values_are_written(how: str, size: int) -> None:
    values = np.array([5, 2**63, 77], np.uint64)
    rows = written(values, np.array([64, POINTER, 0], np.uint8), how)
    assert rows.shape == (3, size)
    assert rows[:, -1].tolist() == [1, 1, 0] and not rows[2].any()
    assert rows[0].any() and not np.array_equal(rows[0], rows[1])


def learnt(walk: Recording, shape: NetConfig) -> Claims:
    """What a network says of the samples that it learnt."""
    blocks = walk.samples(SMALL)
    return ask(train(blocks * 8, shape, TrainConfig(epochs=60, batch=64), seed=0), blocks)


def test_values_tell_what_code_cannot(walk: Recording) -> None:
    payloads, events = walk.trace.payloads, Questions.of(walk.samples(SMALL))
    fused = score(payloads, events, learnt(walk, SHAPE))
    assert (fused.misses, fused.exact, fused.made) == (0.0, 100.0, 100.0)
    code = score(payloads, events, learnt(walk, replace(SHAPE, values="none", relative=False)))
    assert code.misses >= 25.0 and code.exact <= 12.5


def test_a_task_alone_and_a_hint(walk: Recording) -> None:
    loop = walk.samples(SMALL)[0]
    loop = loop._replace(hints=np.where(loop.outcomes, 1, -1).astype(np.float32))
    shape = NetConfig(values="none", hint=True, width=16, messages=8, layers=2)
    net = train([loop] * 8, shape, TrainConfig(epochs=60, batch=64), 0, ("branch",))
    assert ask(net, [loop]).taken.tolist() == loop.outcomes.tolist()


def test_batches_keep_samples_apart(walk: Recording) -> None:
    blocks = walk.samples(SMALL)
    net = ExecutionNet(SHAPE).eval()
    samples = [(blocks[0], 3), (blocks[1], 2), (blocks[0], 5)]
    given, targets = batch_of(samples)
    together = net.nodes(given)[targets.branches]
    for row, sample in enumerate(samples):
        alone, own = batch_of([sample])
        assert torch.allclose(net.nodes(alone)[own.branches][0], together[row], atol=1e-5)
    assert targets.branch_events.tolist() == [10, 8, 16]
    assert targets.load_events.tolist() == [9, 15]


def test_weights_are_kept_and_embed(walk: Recording, tmp_path: Path) -> None:
    net = ExecutionNet(SHAPE).eval()
    path = tmp_path / "net.safetensors"
    net.save(path)
    trace = walk.trace
    own = trace.slots_of(0)
    code = (walk.views[0], trace.slot_nodes[own], trace.slot_types[own])
    first, second = (net.embed(*code, trace.values_of(i)) for i in (0, 15))
    assert first.shape == (64,) and not np.allclose(first, second)
    assert np.array_equal(ExecutionNet.read(path).embed(*code, trace.values_of(0)), first)
    path.write_bytes(b"no weights")
    with pytest.raises(MirgymError, match="does not hold a network of execution"):
        ExecutionNet.read(path)


def test_predictors_and_controls(walk: Recording, tmp_path: Path) -> None:
    guessed = guesses(walk)
    guessed.save(tmp_path / "guesses.npz")
    again = Guesses.load(tmp_path / "guesses.npz")
    assert all(np.array_equal(x, again.addresses[n]) for n, x in guessed.addresses.items())
    data = ProgramData.of(walk, again, DataConfig(train_share=0.5))
    events = Questions.of(data.test)
    assert events.branches.tolist() == [13, 16, 19, 22, 14, 17, 20, 23]
    found = score_predictors(data, events)
    assert found["stride"].exact == 100.0  # from the third address on
    assert found["bimodal"].misses == 100.0 * 5 / 8  # all of `odd`, and the loop's end
    # `odd` was as often taken as not, which counts as taken; `again` always.
    usual = score(data.payloads, events, controls(data))
    assert (usual.misses, usual.exact) == (37.5, 0.0)


def test_a_score_by_hand() -> None:
    events = Questions(
        np.array([0, 1]),
        np.array([True, False]),
        np.array([2, 3, 4]),
        np.array([True, True, False]),
    )
    payloads = np.array([0, 1, 640, 700, 900], np.uint64)
    claims = Claims(
        np.array([True, True]), np.array([640, 650, 900], np.uint64), np.array([True, True, False])
    )
    found = score(payloads, events, claims)
    assert found == pytest.approx((50.0, 0.0, 100 / 3, 50.0, 200 / 3, 200 / 3))


def test_tables() -> None:
    def row(method: str, program: str, seed: int, misses: float) -> Row:
        return Row(method, "network", program, seed, Score(misses, 0, 50, 50, 50, 50))

    rows = [row("a", "p", 0, 10), row("a", "q", 0, 20), row("a", "p", 1, 20), row("a", "q", 1, 30)]
    (line,) = table(rows)
    assert (line["misses"], line["misses_std"], line["seeds"]) == (20.0, 5.0, 2)
    others = [
        Row(name, "predictor", program, 0, Score(16, 0, 50, 50, 50, 50))
        for name in ("bimodal", "gshare", "TAGE", "stride", "delta correlation")
        for program in ("p", "q")
    ]
    assert wins(rows + others, "a") == {
        "bimodal": 1, "gshare": 1, "TAGE": 1, "stride": 0, "delta correlation": 0,
    }  # fmt: skip
    nothing = Score(10, 0, 0, 0, 0, 0)._replace(**NO_LOADS)
    assert np.isnan(mean([nothing]).exact) and mean([nothing]).misses == 10
    assert mean([nothing, rows[0].score]).exact == 50


def test_the_experiment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ExecutionExperiment(
        programs=("mirbench/trees",),
        variants=(FUSED, HINTED, "code alone", "branches alone"),
        data=DataConfig(events=4000, snapshots=150),
        training=TrainConfig(epochs=1),
        seeds=(0,),
        folder=tmp_path / "results",
        work=tmp_path / "work",
    )
    main(config)
    assert "trees: " in capsys.readouterr().out
    run = json.loads((tmp_path / "results" / "run.json").read_text())["figures"]
    assert run["test_branches"] > 10 and run["test_loads"] > 10
    with (tmp_path / "results" / "table.csv").open() as file:
        lines = {line["method"]: line for line in csv.DictReader(file)}
    assert len(lines) == 2 + 5 + 4
    assert lines["branches alone"]["exact"] == "" and lines["TAGE"]["misses"] != ""
    assert (tmp_path / "results" / "execution.png").exists()
    weights = sorted((tmp_path / "work").glob("*.safetensors"))
    assert len(weights) == 4
    times = [path.stat().st_mtime_ns for path in weights]
    main(config)
    assert times == [path.stat().st_mtime_ns for path in weights]


def test_the_variants_differ_in_what_their_names_say() -> None:
    assert len(set(VARIANTS.values())) == len(VARIANTS)
    assert VARIANTS[FUSED].net == NetConfig()
