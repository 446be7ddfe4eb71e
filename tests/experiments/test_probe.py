"""The probes: their heads on data with known answers, and the whole on a small corpus."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")

from experiments import probe, probe_data
from experiments import probe_heads as heads
from experiments.probe_heads import Part, Parts
from mirgym.corpus import shards as corpus_shards
from mirgym.corpus.builder import Module
from mirgym.corpus.guard import Guard
from mirgym.corpus.schema import EFFECT_PASSES
from mirgym.errors import MirgymError
from mirgym.programs import resolve

PACKAGES = {"deb_bc": ["crc", "sha2"], "deb_mujs": ["matrix"], "deb_nettle": ["adpcm"]}
"""Training, validation and test packages, with the programs that play them."""


def parts(make, sizes=(400, 150, 150)) -> Parts:
    generator = np.random.default_rng(0)
    return Parts(*(make(generator, n) for n in sizes))


class TestHeads:
    def linear(self, generator, n):
        x = generator.normal(size=(n, 6)).astype(np.float32)
        y = np.c_[x @ np.arange(6), x[:, 0] ** 2].astype(np.float32)
        y[::7, 0] = np.nan
        return Part(x, y)

    def test_ridge_finds_what_is_linear_and_only_that(self):
        p = parts(self.linear)
        _, predicted = heads.ridge_values(p)
        linear, square = heads.r2(predicted, p.test.y)
        assert linear > 0.99
        assert square < 0.2

    def test_mlp_finds_the_square_as_well(self):
        p = parts(self.linear, (3000, 300, 300))
        _, predicted = heads.mlp_values(p, 0, 1e-3)
        linear, square = heads.r2(predicted, p.test.y)
        assert linear > 0.95
        assert square > 0.7

    def test_r2(self):
        answer = np.array([[0.0, 1, 5], [2, np.nan, 5], [4, 3, 5]])
        assert heads.r2(np.full_like(answer, 2.0), answer)[:2].tolist() == [0, 0]
        assert np.isnan(heads.r2(answer, answer)[2])  # constant
        assert heads.r2(np.nan_to_num(answer), answer)[1] == 1

    def test_recall(self):
        assert heads.recall(np.eye(50)) == 1
        assert heads.recall(np.eye(50)[::-1]) == 0
        wide = np.eye(heads.GALLERY + 400)
        wide[:, -1] = 2  # outside the one full gallery
        assert heads.recall(wide) == 1

    @pytest.mark.parametrize("kind", ["linear", "mlp"])
    def test_pairs_learn_which_columns_stay(self, kind):
        def make(generator, n):
            kept = generator.normal(size=(n, 8))
            x = np.c_[kept, 3 * generator.normal(size=(n, 8))]
            return Part(x.astype("f4"), np.c_[kept, 3 * generator.normal(size=(n, 8))].astype("f4"))

        p = parts(make, (2000, 200, 200))
        raw = heads.recall(p.test.x @ p.test.y.T)
        _, learnt = heads.pairs(p, 0, 1e-3, kind=kind)
        assert raw < 0.2
        assert learnt > 0.7

    @pytest.mark.parametrize("kind", ["linear", "mlp"])
    def test_classes(self, kind):
        def make(generator, n):
            y = generator.integers(0, 4, n)
            return Part((np.eye(4)[y] + 0.1 * generator.normal(size=(n, 4))).astype("f4"), y)

        assert min(heads.classes(parts(make), 0, 1e-3, kind=kind)) > 0.97

    def test_noise_is_not_learnt(self):
        def make(generator, n):
            return Part(generator.normal(size=(n, 20)).astype("f4"), generator.integers(0, 4, n))

        assert heads.classes(parts(make, (600, 200, 600)), 0, 1e-3, kind="mlp")[1] < 0.35

    def test_scales_come_from_the_fitting_rows(self):
        p = Parts(*(Part(np.array([[float(v)], [v + 2.0]]), np.zeros(2)) for v in (0, 10, 100)))
        shaped = heads.standardised(p, logarithms=False)
        assert shaped.fit.x.ravel().tolist() == [-1, 1]
        assert shaped.valid.x.ravel().tolist() == [9, 10]  # clipped

    def test_columns_are_taken_as_they_suit(self):
        """The answer is linear in the logarithm of one column."""

        def make(generator, n):
            x = np.exp(generator.normal(0, 2, size=(n, 2)))
            return Part(x.astype("f4"), np.log1p(x[:, :1]).astype("f4"))

        p = parts(make)
        answers = heads.ask(heads.ridge_values, p, seeds=2)
        assert len(answers) == 2
        assert all(heads.r2(answer, p.test.y)[0] > 0.99 for answer in answers)

    def test_a_seed_takes_another_part(self):
        p = parts(self.linear)
        one, two = p.sampled(1), p.sampled(2)
        assert len(one.fit.x) == 320
        assert not np.array_equal(one.fit.x, two.fit.x)
        assert one.test is p.test


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> tuple[Path, list[Module]]:
    work = tmp_path_factory.mktemp("work")
    modules = []
    for package, programs in PACKAGES.items():
        for name in programs:
            path = work / f"{name}.bc"
            path.write_bytes(resolve(f"mirbench/{name}").bitcode())
            modules.append(Module(package, f"{name}.c", path, "none"))
    computed = [corpus_shards.compute_states(one, work, 1) for one in modules]
    corpus_shards.write_shards(computed, work / "shards", guard=Guard([]))
    return work, modules


def test_probe_data(corpus, tmp_path, monkeypatch):
    work, modules = corpus
    monkeypatch.setattr(probe_data, "build_modules", lambda _: (modules, []))
    sample = probe_data.Sample("train", 1000)
    rows = probe_data.probe_rows(sample, work / "shards", work, tmp_path, jobs=1)
    assert {row.package for row in rows} == {"deb_bc"}
    for row in rows:
        assert row.here.features[0] == row.here.view.tokens.shape[1]  # InstCount's total
        assert row.effects.shape == (len(EFFECT_PASSES),)
        if row.twin is not None:
            assert row.twin.features[0] == row.twin.view.tokens.shape[1]
            size = row.here.view.tokens.shape[1]
            assert np.log(size / row.twin.features[0]) == pytest.approx(row.oz_benefit)
    assert sum(row.twin is not None for row in rows) > 5
    monkeypatch.setattr(probe_data, "build_modules", lambda _: 1 / 0)
    again = probe_data.probe_rows(sample, work / "shards", work, tmp_path, jobs=1)
    assert [row.here.view.key for row in again] == [row.here.view.key for row in rows]


def test_other_modules_are_told(corpus, tmp_path, monkeypatch):
    work, _ = corpus
    monkeypatch.setattr(probe_data, "build_modules", lambda _: ([], []))
    with pytest.raises(MirgymError, match="lacks 1 modules"):
        probe_data.probe_rows(probe_data.Sample("train", 9), work / "shards", work, tmp_path)


def test_whole(corpus, tmp_path, monkeypatch):
    work, modules = corpus
    monkeypatch.setattr(probe_data, "build_modules", lambda _: (modules, []))
    monkeypatch.setattr(heads, "ROUNDS", 1)
    monkeypatch.setattr(heads, "ROUND_STEPS", 1)
    config = probe.ProbeConfig(
        work / "shards", work, programs_per_class=1, seeds=1, jobs=1,
        folder=tmp_path, cache=tmp_path / "cache",
    )  # fmt: skip
    assert probe.main(config) == 0
    with (tmp_path / "probe.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = {"InstCount", "Autophase", "untrained", "tiny", "base"}
    assert {row["column"] for row in rows} - {"IR2Vec"} == names
    assert {(row["question"], row["probe"]) for row in rows} == {
        (q, p) for q in ("effects", "oz", "twin", "algorithm") for p in ("linear", "mlp")
    }
    with (tmp_path / "passes.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(EFFECT_PASSES)
    assert (tmp_path / "probe.png").stat().st_size > 10_000
    assert json.loads((tmp_path / "run.json").read_text())["figures"]["counted_passes"] > 5
