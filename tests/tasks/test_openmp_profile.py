"""Profiles of OpenMP loops: what virtual cores count, and prices fitted to times."""

from __future__ import annotations

import numpy as np
import pytest

from mirgym.errors import DatasetError, NotRunnableError
from mirgym.tasks.openmp import PACKAGED, OpenMP
from mirgym.tasks.openmp_labels import (
    Case,
    Configuration,
    Labels,
    configurations,
    read_labels,
    write_labels,
)
from mirgym.tasks.openmp_profile import (
    COUNTERS,
    Profile,
    build_virtual,
    count_case,
    measure_profile,
    read_profile,
    write_profile,
)
from mirgym.tasks.openmp_times import PRICES, amounts, estimate, fit_prices
from mirgym.tasks.task import TaskConfig

CHOICES = configurations(2)
STATIC, ALONE = CHOICES[:2]


def counted(kernel: str, size: int, folder, choices=CHOICES) -> dict[str, dict[str, float]]:
    """Counters by configuration."""
    rows = count_case(build_virtual(kernel, folder), size, choices)
    return {
        str(choice): dict(zip(COUNTERS, row, strict=True))
        for choice, row in zip(choices, rows, strict=True)
    }


class TestVirtualCores:
    def test_even_work_is_halved(self, tmp_path):
        found = counted("matmul", 16, tmp_path)
        alone, static = found[str(ALONE)], found[str(STATIC)]
        assert alone["span"] == alone["work"]
        assert static["span"] / alone["span"] == pytest.approx(0.5, abs=0.01)
        assert (static["regions"], static["chunks"]) == (1, 2)

    def test_a_triangle_is_halved_on_demand_only(self, tmp_path):
        found = counted("triangular", 200, tmp_path)
        alone = found[str(ALONE)]["span"]
        assert found["2 × static"]["span"] / alone == pytest.approx(0.75, abs=0.03)
        assert found["2 × guided, 1"]["span"] / alone == pytest.approx(0.5, abs=0.05)

    def test_chunks(self, tmp_path):
        found = counted("gather", 100, tmp_path)
        assert found["2 × dynamic, 1"]["chunks"] == found["2 × static, 1"]["chunks"] == 100
        assert found["2 × dynamic, 8"]["chunks"] == found["2 × static, 8"]["chunks"] == 13
        assert found["2 × dynamic, 512"]["chunks"] == 1
        assert 2 < found["2 × guided, 1"]["chunks"] < 20

    def test_lines_that_two_threads_write_move(self, tmp_path):
        found = counted("false_sharing", 600, tmp_path)
        assert found["1 × static"]["transfers"] == 0
        assert found["2 × static"]["transfers"] < 10
        assert found["2 × static, 1"]["transfers"] > 100

    def test_atomic_operations_and_regions(self, tmp_path):
        assert counted("histogram", 1000, tmp_path)["1 × static"]["atomics"] == 1000
        assert counted("heat", 200, tmp_path)["2 × static"]["regions"] == 20

    def test_more_threads(self, tmp_path):
        four = Configuration(4, "static", 0)
        found = counted("hash_blocks", 64, tmp_path, (ALONE, four))
        assert found[str(four)]["span"] / found[str(ALONE)]["span"] == pytest.approx(0.25, abs=0.02)

    def test_more_cores_than_a_byte_counts(self, tmp_path):
        many = Configuration(300, "static", 0)
        assert counted("gather", 600, tmp_path, (many,))[str(many)]["chunks"] == 300
        with pytest.raises(NotRunnableError, match="1 to 1024 threads"):
            count_case(tmp_path / "gather", 600, (Configuration(1025, "static", 0),))

    def test_a_failure_is_told(self, tmp_path):
        virtual = build_virtual("dot", tmp_path)
        with pytest.raises(NotRunnableError, match=r"openmp/dot on virtual cores, size 9: ends"):
            count_case(virtual, 9, (Configuration(0, "static", 0),))


class TestProfile:
    def test_the_same_again_and_as_shipped(self, own_cache):
        labels = read_labels(PACKAGED)
        cases = [case for case in labels.cases if case.kernel == "collatz"][:2]
        choices = labels.configurations
        runs = [measure_profile(cases, choices, lambda *_: None) for _ in range(2)]
        assert (runs[0].cost == runs[1].cost).all() and (runs[0].counts == runs[1].counts).all()
        shipped = read_profile(PACKAGED, cases, choices)
        assert shipped is not None
        # Not exactly: clang differs.
        np.testing.assert_allclose(runs[0].of("span"), shipped.of("span"), rtol=0.3)
        np.testing.assert_allclose(runs[0].cost, shipped.cost, rtol=0.3)

    def test_ours_is_of_every_case(self):
        labels = read_labels(PACKAGED)
        profile = read_profile(PACKAGED, labels.cases, labels.configurations)
        assert profile is not None
        assert profile.counts.shape == (*labels.ns.shape, len(COUNTERS))
        assert (profile.cost > 0).all() and (profile.of("span") > 0).all()

    def test_round_trip(self, tmp_path):
        cases = [Case("a", 1, 2, 3), Case("b", 1, 2, 3)]
        counts = 1.0 + np.arange(2 * len(CHOICES) * len(COUNTERS))
        profile = Profile(np.array([7.0, 8.0]), counts.reshape(2, len(CHOICES), -1))
        write_profile(tmp_path, cases, CHOICES, profile)
        read = read_profile(tmp_path, cases[::-1], CHOICES)
        assert read is not None
        assert (read.cost == [8, 7]).all() and (read.counts == profile.counts[::-1]).all()
        assert read_profile(tmp_path, [*cases, Case("c", 1, 2, 3)], CHOICES) is None

    def test_missing_and_damaged(self, tmp_path):
        assert read_profile(tmp_path, [], CHOICES) is None
        (tmp_path / "profile.csv").write_text("kernel\na\n")
        with pytest.raises(DatasetError, match="holds no profile of OpenMP loops"):
            read_profile(tmp_path, [], CHOICES)

    @pytest.mark.parametrize("span", ["0", "-1", "nan", "many"])
    def test_counts_that_cannot_be(self, tmp_path, span):
        cases = [Case("a", 1, 2, 3)]
        ones = np.ones((1, len(CHOICES), len(COUNTERS)))
        write_profile(tmp_path, cases, CHOICES, Profile(np.ones(1), ones))
        path = tmp_path / "profile.csv"
        path.write_text(path.read_text().replace("static,0,1,", f"static,0,{span},", 1))
        with pytest.raises(DatasetError, match="holds no profile of OpenMP loops"):
            read_profile(tmp_path, cases, CHOICES)

    def test_it_is_made_when_it_is_missing(self, own_cache):
        folder = own_cache / "datasets" / "openmp"
        cases = (Case("collatz", 20, 20, 80), Case("dot", 100, 100, 808))
        write_labels(folder, Labels(cases, CHOICES, np.ones((2, len(CHOICES))), {}))
        OpenMP().work(TaskConfig(1, ("default",)), lambda *_: None)
        assert read_profile(folder, cases, CHOICES) is not None


class TestPrices:
    def test_they_are_found_again(self):
        labels = read_labels(PACKAGED)
        profile = read_profile(PACKAGED, labels.cases, labels.configurations)
        assert profile is not None
        paid = amounts(profile, labels.configurations)
        prices = np.array([0.5, 700, 80, 5, 40, 20, 3, 15, 200])
        found = fit_prices(paid, paid @ prices)
        np.testing.assert_allclose(found, prices, rtol=0.05)
        ratios = estimate(paid, found)
        assert (ratios[:, 0] == 0).all()
        assert paid.shape[2] == len(PRICES)
