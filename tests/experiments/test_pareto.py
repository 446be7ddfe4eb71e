from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from experiments import pareto
from experiments.pareto import ParetoConfig, Searcher, front, points


def test_a_point_is_the_geometric_mean_over_programs() -> None:
    rows = [
        {"program": program, "point": point, "text_size_bytes": size, "time_ratio": time}
        for program, point, size, time in (
            ("a", "O3", 100, 1.0),
            ("b", "O3", 50, 1.0),
            ("a", "Oz", 50, 4.0),
            ("b", "Oz", 100, 1.0),
        )
    ]
    assert points(rows) == {"O3": (1.0, 1.0), "Oz": pytest.approx((1.0, 2.0))}


def test_what_another_point_beats_in_both_is_not_on_the_front() -> None:
    found = {"big": (1.0, 1.0), "small": (0.5, 2.0), "bad": (1.0, 1.5), "same": (0.5, 2.0)}
    assert front(found) == ["small", "same", "big"]


def test_a_whole_run_goes_on_from_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed = Searcher("search", "text_size_bytes*0.5+dynamic_cost*0.5", "O3")
    monkeypatch.setattr(pareto, "SEARCHERS", {"mixed": mixed})
    config = ParetoConfig(
        programs=("mirbench/primes",),
        budget=4,
        rounds=2,
        folder=tmp_path / "results",
        work=tmp_path / "work",
    )
    assert pareto.main(config) == 0
    assert len(list((tmp_path / "work").iterdir())) == 1
    monkeypatch.setattr(pareto, "optimize", lambda *_, **__: pytest.fail("searched again"))
    assert pareto.main(config) == 0
    text = (tmp_path / "results" / "programs.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["point"] for row in rows] == ["O3", "O1", "O2", "Os", "Oz", "mixed"]
    sizes = {row["point"]: int(row["text_size_bytes"]) for row in rows}
    assert sizes["Oz"] < sizes["O3"]
    run = json.loads((tmp_path / "results" / "run.json").read_text())
    assert run["figures"]["points"]["O3"] == {"size": 1.0, "time": 1.0}
    assert (tmp_path / "results" / "pareto.png").stat().st_size > 1000
