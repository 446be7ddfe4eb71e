"""Thread coarsening on a small data set of the published format."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mirgym.cli import main
from mirgym.errors import DatasetError
from mirgym.tasks.coarsening import GPUS, METHODS, Study, read_times
from mirgym.tasks.coarsening_report import interval, summarise
from mirgym.tasks.code import read_kernels


@pytest.fixture
def study(small_coarsening) -> Study:
    kernels = read_kernels(sorted((small_coarsening / "kernels_ir").glob("*.ll")))
    return Study(read_times(small_coarsening / "pact-2014-runtimes.csv"), kernels)


def test_speedups(study):
    assert study.speedup("k4", "Fermi", 1) == 1
    assert study.speedup("k4", "Fermi", 4) == 3
    # Not measured at 32: the next lower factor.
    assert study.speedup("k5", "Fermi", 32) == study.speedup("k5", "Fermi", 16)


@pytest.mark.parametrize("name", METHODS)
def test_no_method_beats_the_oracle(study, name):
    best = study.run("oracle", 0)["speedups"]
    for gpu, speedups in study.run(name, 0)["speedups"].items():
        assert len(speedups) == 6
        assert all(one <= most for one, most in zip(speedups, best[gpu], strict=True))


def test_constant_factor_is_of_the_other_kernels(study):
    """k3, k4 and k5 want 4; without one of them the best mean is still theirs or 2."""
    speedups = study.run("constant factor", 0)["speedups"]["Tahiti"]
    assert speedups == [study.speedup(f"k{n}", "Tahiti", 4) for n in range(6)]


@pytest.mark.parametrize("name", ["constant factor", "base, trees"])
def test_times_of_the_left_out_kernel_never_enter(study, name):
    known = [kernel for kernel in study.kernels if kernel != "k2"]
    before = study._choose(name, "k2", known, 0)
    study.times = {k: (1 / t if k[0] == "k2" else t) for k, t in study.times.items()}
    assert study._choose(name, "k2", known, 0) == before


def test_trees_learn_from_code(study):
    mean = np.mean(study.run("base, trees", 0)["speedups"]["Kepler"])
    assert mean > 1.2


def test_interval():
    low, high = interval(np.array([1.0, 2.0, 3.0]))
    assert low < 2 < high
    assert interval(np.ones(5)) == (1.0, 1.0)


def test_table():
    rows = [
        {"method": "constant factor", "seed": 0, "speedups": {"a": [1, 2], "b": [3, 4]}},
        {"method": "x", "seed": 0, "speedups": {"a": [2, 2], "b": [4, 4]}},
        {"method": "x", "seed": 1, "speedups": {"a": [2, 4], "b": [4, 6]}},
    ]
    cells = {(row["gpu"], row["method"]): row for row in summarise(rows, ("a", "b"))}
    assert cells["a", "x"]["mean"] == 2.5 and cells["all", "x"]["mean"] == 3.5
    assert cells["a", "x"]["minus_constant"] == 1 and cells["a", "x"]["seeds"] == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "not a table of thread coarsening"),
        ("kernel,cf\n", "lacks kernels"),
        ("", "lacks kernels"),
    ],
)
def test_bad_tables(tmp_path, content, message):
    path = tmp_path / "x.csv"
    path.write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_times(path)


@pytest.mark.parametrize("time", ["0", "-1", "inf"])
def test_bad_times(tmp_path, time):
    head = ",".join(f"runtime_{gpu}" for gpu in GPUS)
    lines = [f"{kernel},1,{time},2,3,4" for kernel in "ab"]
    path = tmp_path / "x.csv"
    path.write_text("\n".join([f"kernel,cf,{head}", *lines]))
    with pytest.raises(DatasetError, match="a time that is not above 0"):
        read_times(path)


def test_command(small_coarsening, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["tasks", "run", "coarsening", "--seeds", "1", "-o", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "Magni et al. 2014 (published)" in shown and "minus constant factor" in shown
    figures = json.loads((out / "run.json").read_text())["figures"]
    assert len(figures["table"]) == 5 * len(METHODS)
    assert (out / "table.csv").is_file()
