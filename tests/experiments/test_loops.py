"""The figures of the loop experiment, on made-up costs, and one measured loop."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tyro")

from experiments.loop_costs import LoopCosts, LoopMeter, append, read
from experiments.loops import LoopsExperiment, best_of, figures, further_kernels, main
from mirgym.envs.loop_observations import FACTS, OwnChoice, own_vector
from mirgym.loops import LoopHints
from mirgym.programs import resolve
from mirgym.programs.loopkernels import SUITE_SEEDS, TEST_FAMILIES
from mirgym.tasks.loop_choices import choice_features
from mirgym.tasks.loop_labels import CHOICES, read_labels
from mirgym.worker import WorkerSession

OWN = [float(x) for x in own_vector(OwnChoice(loops=2, width=4.0, copies=2.0, instructions=20))]


def loop(costs: dict[int, int | None], split: str = "train") -> LoopCosts:
    """A loop that costs 1,000 but for these choices."""
    full: list[int | None] = [costs.get(i, 1000) for i in range(len(CHOICES))]
    seen = observation(widest_bits=32, vectorizable=1)
    return LoopCosts("loops://x-1", split, "sums", 0, seen, OWN, full)


def observation(**facts: int) -> list[float]:
    """These facts, and zeros."""
    return [*(float(np.log1p(facts.get(name, 0))) for name in FACTS), 1.0]


def test_first_choice_is_llvms():
    assert CHOICES[0] == (0, 0, 0) and len(set(CHOICES)) == len(CHOICES) == 150


def test_gains():
    gains = loop({3: 500, 4: 2000, 5: None}).gains()
    assert gains[[0, 3, 4, 5]] == pytest.approx([0, np.log(2), -np.log(2), 0])


def test_best_of_draws():
    gains = np.array([0.0, 1.0, 3.0])
    assert best_of(gains, 1) == pytest.approx(gains.mean())
    pairs = [max(a, b) for a in gains for b in gains]
    assert best_of(gains, 2) == pytest.approx(np.mean(pairs))


def test_figures():
    found = figures([loop({3: 500}), loop({7: None})])
    assert found["loops"] == 2 and found["failed_choices"] == 1
    assert found["brute_force"] == pytest.approx(2**0.5, abs=1e-4)
    assert found["improved_by_1_percent"] == 1
    assert 1.0 < found["random"] < found["best_of_10_random"] < found["brute_force"]
    assert figures([]) == {"loops": 0}


def test_lines_go_on(tmp_path: Path):
    path = tmp_path / "costs.jsonl"
    assert read(path) == []
    made = [loop({3: 500}), loop({7: None}, "test")]
    for one in made:
        append(path, one)
    assert read(path) == made


def test_further_kernels_are_for_training():
    found = further_kernels(40)
    assert 20 < len(found) < 40
    assert {program.split for program in found} == {"train"}
    assert not {program.domain for program in found} & set(TEST_FAMILIES)
    assert min(int(program.uri.rpartition("-")[2]) for program in found) >= SUITE_SEEDS


def test_choices_by_what_they_do():
    """100 iterations in bodies of 16 × 2 elements: 3 bodies, 4 iterations left over."""
    shown = observation(trip_count=100, widest_bits=32, vectorizable=1)
    columns = choice_features(shown, OWN)
    assert columns.shape[0] == len(CHOICES) and np.isfinite(columns).all()
    known, left, *_ = columns[CHOICES.index((16, 2, 1))][-9:]
    assert (known, left) == (1.0, pytest.approx(0.04, abs=1e-6))
    own, same = columns[CHOICES.index((0, 0, 0))], columns[CHOICES.index((4, 2, 1))]
    assert own[5:] == pytest.approx(same[5:], abs=1e-6)  # what LLVM chooses by itself, see OWN
    unknown = choice_features(observation(widest_bits=32, vectorizable=1), OWN)
    assert not unknown[:, -9:].any()
    scalar = choice_features(observation(trip_count=100), OWN)
    assert not scalar[:, 5:7].any()  # one element, one body, whatever is asked for


def test_ppo_learns_what_pays():
    pytest.importorskip("stable_baselines3")
    from experiments.loop_policy import learn

    cheap = {i: 500 for i, choice in enumerate(CHOICES) if choice[0] == 8}
    train, held_out = [loop(cheap)] * 4, [loop(cheap, "test")] * 2
    gains = learn(train, held_out, steps=12_000, seed=0, warm_steps=0)
    assert gains.before == pytest.approx(0.0)
    assert gains.after == pytest.approx(np.log(2))
    warmed = learn(train, held_out, steps=1_000, seed=0, warm_steps=60)
    assert [*warmed.before, *warmed.after] == pytest.approx([np.log(2)] * 4)


def test_a_measured_loop():
    with WorkerSession() as session:
        meter = LoopMeter(session, resolve("loops://9"), "dynamic_cost")
        (kernel,) = [d for d in meter.decisions if meter.functions[d.facts.function] == "kernel"]
        own = meter.cost([])
        assert meter.cost([LoopHints(kernel.number)]) == own
        assert meter.cost([LoopHints(kernel.number, 1, 1, 1)]) > own


def test_a_whole_run_from_what_was_measured(tmp_path: Path):
    pytest.importorskip("stable_baselines3")
    work = tmp_path / "work"
    work.mkdir()
    cheap = {i: 500 for i, choice in enumerate(CHOICES) if choice[0] == 8}
    for one in [loop(cheap)] * 3 + [loop(cheap, "test")] * 2:
        append(work / "costs.jsonl", one)
    config = LoopsExperiment(
        programs=(),
        further_seeds=0,
        ppo_steps=2_000,
        seeds=(0,),
        folder=tmp_path / "results",
        work=work,
        labels=tmp_path / "labels.jsonl.gz",
    )
    main(config)
    found = json.loads((tmp_path / "results" / "run.json").read_text())["figures"]["learned"]
    assert found["held_out"]["brute_force"] == 2.0 and found["fixed"]["gain"] == 2.0
    labels = read_labels(tmp_path / "labels.jsonl.gz")
    assert [label.costs for label in labels] == [one.costs for one in read(work / "costs.jsonl")]
    assert {label.group for label in labels} == {"sums"}
    rows = (tmp_path / "results" / "loops.csv").read_text().splitlines()
    assert len(rows) == 6 and rows[1].startswith("x-1,train,0,1000,2.0,8,")
    assert (tmp_path / "results" / "loops.png").stat().st_size > 1000
