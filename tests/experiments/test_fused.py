"""Orders and pooling by hand, and a small run of the whole experiment."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("tyro")

from experiments import probe_heads
from experiments.execution import FUSED, ExecutionExperiment
from experiments.execution_data import DataConfig
from experiments.execution_net import ExecutionNet, NetConfig
from experiments.execution_train import TrainConfig
from experiments.fused import GREEDY, LISTED, NETWORKS, FusedExperiment, main, order_pipelines
from experiments.fused_algorithms import AlgorithmConfig
from experiments.fused_orders import (
    SETTINGS,
    Interval,
    _expected,
    at_random,
    by_features,
    cover,
    fixed,
    left_out,
    lines,
    oracle,
    ordered,
    scores,
)
from experiments.fused_programs import (
    COUNTS,
    HOT_TINY,
    TINY,
    VALUES,
    Seen,
    as_program,
    fused,
    value_statistics,
)
from experiments.fused_speed import PROFILE, Suite
from experiments.readme_tables import TABLES
from mirgym.dynamic_cost import CostMeter
from mirgym.session import InProcessSession
from mirgym.tasks.algorithms import generate
from mirgym.values import VALUE_NAMES

SHAPE = NetConfig(width=32, messages=16, layers=2)


def two_kinds(count: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Programs of two kinds that features tell apart; each kind likes another pipeline."""
    generator = np.random.default_rng(0)
    kind = np.arange(count) % 2
    features = np.c_[kind + generator.normal(0, 0.05, count), np.ones(count)]
    gains = np.zeros((count, 5))
    gains[kind == 0, 1], gains[kind == 1, 3], gains[:, 4] = 0.5, 0.4, 0.1
    return features, gains


def test_a_cover_takes_what_adds_most() -> None:
    gains = np.array([[3.0, 2.0, 0.0, 0.0], [0.0, 2.0, 3.0, 0.0]])
    assert cover(np.array([1.0, 1.0]), gains, 4) == [1, 0, 2, 3]
    assert cover(np.array([0.9, 0.1]), gains, 2) == [0, 2]
    # After all is covered, what would be next best comes, and at last what helps nobody.
    assert cover(np.ones(1), np.array([[0.0, 2.0, 1.0]]), 9) == [1, 2, 0]


def test_scores_never_fall_below_the_baseline() -> None:
    assert scores([2, 0, 1], np.array([0.3, 0.5, 0.0])).tolist() == [0.0, 0.5, 0.5]
    gains = np.array([[0.3, 0.5, 0.0]])
    assert oracle(gains).tolist() == [[0.5, 0.5, 0.5]]
    first, *_, last = at_random(gains)[0]
    assert 0.2 < first < 0.35 and last == pytest.approx(0.5)


@pytest.mark.parametrize("method", list(SETTINGS))
def test_features_that_tell_make_a_better_order(method: str) -> None:
    features, gains = two_kinds()
    best = np.where(np.arange(12) % 2, 0.4, 0.5)
    told = left_out(by_features(method), features, gains)
    assert np.allclose(told[:, 0], best)
    blind = left_out(fixed, features, gains)
    assert blind[:, 0].mean() < 0.3 and np.allclose(blind[:, 1], best)
    # Without a difference to go by it is the fixed order.
    same = np.zeros_like(features)
    assert np.allclose(left_out(by_features(method), same, gains), blind)


@pytest.mark.parametrize("method", list(SETTINGS))
def test_one_that_is_left_out_has_no_part_in_its_order(method: str) -> None:
    features, gains = two_kinds()
    gains[0] = [9.0, 0.0, 0.0, 0.0, 0.0]
    assert left_out(by_features(method), features, gains)[0, 0] == 0.0
    known = ordered(SETTINGS[method][0])(features, gains, features[0])
    assert known[0] == 0  # it is what a cover takes that knows it


def test_errors_of_a_ridge_are_those_of_a_regression_without_the_program() -> None:
    generator = np.random.default_rng(1)
    known, gains = generator.normal(size=(6, 3)), 5 + generator.random((6, 2))
    own, penalty = generator.normal(size=3), 0.7
    mean = gains.mean(0)

    def said(rows: list[int], asked: np.ndarray) -> np.ndarray:
        x = known[rows]
        weights = np.linalg.solve(x.T @ x + penalty * np.eye(3), x.T @ (gains[rows] - mean))
        found: np.ndarray = mean + asked @ weights
        return found

    everyone = list(range(6))
    errors = [gains[i] - said([j for j in everyone if j != i], known[i]) for i in everyone]
    assert np.allclose(_expected(known, gains, own, penalty), said(everyone, own) + errors)


def test_orders_without_new_programs() -> None:
    features, gains = two_kinds()
    names = (COUNTS, TINY, HOT_TINY, VALUES, PROFILE, *(f"{name}/0" for name in NETWORKS))
    known = Suite(["x"] * 12, {name: np.zeros((12, 2)) for name in names}, gains)
    known.features[f"{FUSED}/0"] = features
    rows = order_pipelines(FusedExperiment(), known, Suite([], {}, gains[:0]))
    assert {row["programs"] for row in rows} == {"left out"}
    first = {row["order"]: row["mean"] for row in rows if row["compiles"] == 1}
    assert first[f"neighbours: {FUSED}"] == first["oracle"] == pytest.approx(np.exp(0.45), abs=1e-4)
    assert first["neighbours: code alone"] == first[GREEDY] < first["oracle"]


def test_intervals_and_ratios() -> None:
    found = Interval.of(np.log([1.0, 4.0]))
    assert found == pytest.approx((2.0, 1.0, 4.0))
    rows = list(lines({"a": np.log(np.full((4, 3), 1.2)), "b": np.zeros((4, 3))}, "b"))
    assert [row["compiles"] for row in rows] == [1, 3, 10] * 2
    assert [(row["mean"], row["ratio_low"]) for row in rows[::3]] == [(1.2, 1.2), (1.0, 1.0)]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    program = as_program(generate("quicksort", 4), tmp_path_factory.mktemp("program"))
    with InProcessSession() as session:
        session.load(program.bitcode(), level="O2")
        trace = CostMeter(program).trace(session, limit=50_000, snapshots=4000, every=3)
        return Seen.of(session, trace)


def test_functions_count_as_often_as_they_run(seen: Seen) -> None:
    assert sum(part.share for part in seen.parts) == pytest.approx(1.0)
    assert {part.sampled > 0 for part in seen.parts if part.share} == {True}
    assert all(part.rows.shape == (max(part.sampled, 1), len(part.nodes)) for part in seen.parts)
    torch.manual_seed(0)
    net = ExecutionNet(SHAPE).eval()
    expected = np.sum(
        [
            part.share
            * np.mean([net.embed(part.view, part.nodes, part.types, row) for row in part.rows], 0)
            for part in seen.parts
        ],
        0,
    )
    assert np.allclose(fused(seen, net), expected, atol=1e-5)


def test_only_values_change_what_values_change(seen: Seen) -> None:
    other = seen._replace(parts=[p._replace(rows=p.rows ^ np.uint64(0b1010)) for p in seen.parts])
    torch.manual_seed(0)
    net = ExecutionNet(SHAPE).eval()
    blind = ExecutionNet(NetConfig(values="none", width=32, messages=16, layers=2)).eval()
    assert not np.allclose(fused(seen, net), fused(other, net), atol=1e-3)
    assert np.array_equal(fused(seen, blind), fused(other, blind))
    assert value_statistics(seen).shape == (len(VALUE_NAMES),)
    assert not np.array_equal(value_statistics(seen), value_statistics(other))


def test_the_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_heads, "ROUNDS", 1)
    monkeypatch.setattr(probe_heads, "ROUND_STEPS", 2)
    config = FusedExperiment(
        seeds=(0,),
        algorithms=AlgorithmConfig(per_class=5, classes=2, readers=1),
        train=("mirbench/trees", "mirbench/primes", "mirbench/bitcount"),
        test=("mirbench/crc",),
        pipelines=2,
        traces=DataConfig(events=4000, snapshots=60),
        execution=ExecutionExperiment(
            programs=("mirbench/trees",),
            data=DataConfig(events=4000, snapshots=100),
            training=TrainConfig(epochs=1),
            work=tmp_path / "execution",
        ),
        folder=tmp_path / "fused",
        work=tmp_path / "work",
    )
    main(config)
    run = json.loads((tmp_path / "fused" / "run.json").read_text())["figures"]
    assert (run["pipelines"], run["new_programs"]) == (2, ["crc"])
    assert run["known_programs"] == ["trees", "primes", "bitcount"]
    with (tmp_path / "fused" / "table.csv").open() as file:
        named = list(csv.DictReader(file))
    assert {row["state"] for row in named} == {"unoptimised", "O2"}
    assert len({row["features"] for row in named}) == 3 + 4 + 3
    assert all(0 <= float(row["accuracy"]) <= 1 for row in named)
    with (tmp_path / "fused" / "orders.csv").open() as file:
        tried = {(r["programs"], r["order"], r["compiles"]): r for r in csv.DictReader(file)}
    assert len(tried) == 2 * 3 * (4 + 2 * 11)
    for half in ("left out", "held out"):
        best = float(tried[half, "oracle", "1"]["mean"])
        assert float(tried[half, LISTED, "10"]["mean"]) == best  # both were tried
        assert float(tried[half, GREEDY, "1"]["ratio_mean"]) == 1.0
    assert (tmp_path / "fused" / "fused.png").exists()
    head, *body = TABLES["fused"](tmp_path).splitlines()
    assert len(body) == 1 + 10 and head.count("|") == 6
    head, *body = TABLES["fused-orders"](tmp_path).splitlines()
    assert len(body) == 1 + 4 + 11 and {line.count("|") for line in (head, *body)} == {8}
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.*")}
    assert len(kept) > 20
    main(config)
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.*")}
