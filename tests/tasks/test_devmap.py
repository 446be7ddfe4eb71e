"""Device mapping on a small data set of the published format."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from mirgym.cli import main
from mirgym.errors import DatasetError
from mirgym.tasks import devmap, get_task
from mirgym.tasks.code import read_kernels
from mirgym.tasks.devmap import METHODS, Study, metrics, read_table
from mirgym.tasks.heads import Answers
from mirgym.tasks.task import TaskConfig, run_jobs

from .synthetic import devmap_rows, table


def silent(*_: object) -> None:
    pass


@pytest.fixture
def kernels(small_devmap):
    return read_kernels(sorted((small_devmap / "kernels_ir").glob("*.ll")))


@pytest.fixture
def study(small_devmap, kernels) -> Study:
    return Study("amd", read_table(small_devmap / "cgo17-amd.csv", kernels.names), kernels)


class TestData:
    def test_rows(self, study):
        assert study.table.numbers.shape == (120, 2) and study.table.counts.shape == (120, 6)
        assert study.table.kernels[0] == "suite0-1.0-P0-kernel_A"
        assert study.table.kernels[10] == "suite1-1.0-P1-kernel"
        assert set(study.table.suites) == {"suite0", "suite1"}
        assert len(set(study.table.programs)) == 12
        oracle = [row["oracle"] == "GPU" for row in devmap_rows(0)]
        assert list(study.answers.label) == oracle

    def test_kernel_that_cannot_be_read_is_zero_and_told(self, kernels):
        name = "suite1-1.0-P3-kernel"
        assert list(kernels.failed) == [name]
        assert not kernels.rows("base", [name]).any()
        assert kernels.rows("base", ["suite1-1.0-P1-kernel"]).any()
        work = get_task("devmap").work(TaskConfig(seeds=1), silent)
        assert any(note.startswith(f"10 row(s) of {name}") for note in work.notes)

    def test_kernels_come_from_the_cache(self, small_devmap, kernels, monkeypatch):
        monkeypatch.setattr("mirgym.tasks.code._describe", None)
        again = read_kernels(sorted((small_devmap / "kernels_ir").glob("*.ll")))
        np.testing.assert_array_equal(again.features["tiny"], kernels.features["tiny"])
        assert again.failed == kernels.failed and again.version == kernels.version

    def test_unknown_kernel(self, kernels):
        with pytest.raises(DatasetError, match="no IR of the kernel 'x'"):
            kernels.rows("tiny", ["x"])

    def test_no_kernels(self):
        with pytest.raises(DatasetError, match=r"no \.ll files"):
            read_kernels([])

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"benchmark": "x-y-z"}, "no IR of x-y-z_A"),
            ({"transfer": "much"}, "not a table of device mapping.*much"),
            ({"runtime_cpu": "0"}, "a time that is not above 0"),
            ({"runtime_cpu": "nan"}, "a time that is not above 0"),
        ],
    )
    def test_bad_rows(self, tmp_path, kernels, change, message):
        rows = devmap_rows(0)
        rows[0] |= change
        path = tmp_path / "cgo17-amd.csv"
        path.write_bytes(table(rows))
        with pytest.raises(DatasetError, match=message):
            read_table(path, kernels.names)

    @pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00"])
    def test_no_table(self, tmp_path, kernels, content):
        (tmp_path / "x.csv").write_bytes(content)
        with pytest.raises(DatasetError, match=r"x\.csv (is not a table|has no rows)"):
            read_table(tmp_path / "x.csv", kernels.names)


class TestProtocols:
    def test_no_program_and_no_suite_on_both_sides(self, study):
        for protocol, names in (("program", study.table.programs), ("suite", study.table.suites)):
            for fold in study.folds(protocol):
                assert not {names[i] for i in fold.train} & {names[i] for i in fold.test}

    def test_inner_folds_are_of_training_rows_of_the_same_kind(self, study):
        fold = study.folds("program")[0]
        programs = [study.table.programs[row] for row in fold.train]
        for fit, valid in study.inner("program", fold.train).folds:
            assert max(*fit, *valid) < len(fold.train)
            assert not {programs[i] for i in fit} & {programs[i] for i in valid}

    @pytest.mark.usefixtures("few_trees")
    @pytest.mark.parametrize("name", ["base + counts, blend", "raw counts, forest", "tiny, linear"])
    def test_answers_of_test_rows_never_enter_fitting(self, study, monkeypatch, name):
        """Other answers in one fold's test rows: the same predictions for these rows."""
        seen: list[np.ndarray] = []
        monkeypatch.setattr(devmap, "metrics", lambda table, gpu: seen.append(gpu) or {})
        folds = study.folds("program")
        study.run("program", name, 0, 1.0)
        changed = folds[0].test
        flipped = study.answers.label.copy()
        flipped[changed] = 1 - flipped[changed]
        margin = np.where(np.isin(np.arange(120), changed), -9, 1) * study.answers.margin
        study.answers = Answers(flipped, margin)
        study._inner.clear()
        study.run("program", name, 0, 1.0)
        np.testing.assert_array_equal(seen[0][changed], seen[1][changed])

    def test_learns(self, study):
        row = study.run("literature", "base + counts, blend", 0, 1.0)
        assert row["accuracy"] > study.run("literature", "static device", 0, 1.0)["accuracy"] + 0.1


def test_metrics(study):
    label = study.answers.label == 1
    perfect = metrics(study.table, label)
    assert perfect["accuracy"] == 1
    assert perfect["speedup_mean"] == perfect["oracle_mean"] > 1
    assert perfect["speedup_geomean"] == perfect["oracle_geomean"] < perfect["oracle_mean"]
    static = metrics(study.table, np.full(len(label), label.mean() > 0.5))
    assert static["speedup_mean"] == static["speedup_geomean"] == 1
    assert metrics(study.table, ~label)["accuracy"] == 0


@pytest.mark.usefixtures("few_trees")
class TestRuns:
    CONFIG = TaskConfig(2, ("static device", "raw counts, forest"), ("program", "few-shot"))

    def test_rows_are_not_made_twice(self, small_devmap, tmp_path):
        work = get_task("devmap").work(self.CONFIG, silent)
        first = run_jobs(work, tmp_path / "out", silent)
        # 2 devices: one seed of the static device, two of the forest, 4 shares
        assert len(first) == 2 * (1 + 2 + 4)
        path = tmp_path / "out" / "rows.jsonl"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[:-1]) + lines[-1][:20])
        made: list[dict] = []
        jobs = [j._replace(run=lambda j=j: made.append(j.key) or j.run()) for j in work.jobs]
        assert run_jobs(work._replace(jobs=jobs), tmp_path / "out", silent) == first
        assert made == [work.jobs[-1].key]
        other = work._replace(stamp="other", jobs=jobs[:1])
        run_jobs(other, tmp_path / "out", silent)
        assert len(made) == 2

    def test_file_that_holds_no_rows(self, small_devmap, tmp_path):
        (tmp_path / "rows.jsonl").write_text("hello\n")
        work = get_task("devmap").work(self.CONFIG, silent)
        with pytest.raises(DatasetError, match="not a file of rows"):
            run_jobs(work, tmp_path, silent)

    def test_without_ir2vec(self, small_devmap, monkeypatch):
        monkeypatch.setattr(devmap, "packaged_vocabulary", lambda: None)
        work = get_task("devmap").work(TaskConfig(), silent)
        assert any("pip install ir2vec" in note for note in work.notes)
        used = {job.key["method"] for job in work.jobs}
        assert used == {name for name, method in METHODS.items() if method.code != "ir2vec"}


@pytest.mark.usefixtures("few_trees")
class TestCommand:
    ARGUMENTS = (
        "tasks", "run", "devmap", "--seeds", "1", "--methods", "raw counts, forest",
        "base + counts, blend",
    )  # fmt: skip

    def test_run(self, small_devmap, tmp_path, capsys):
        out = tmp_path / "out"
        protocols = ("--protocols", "program", "few-shot", "literature")
        assert main([*self.ARGUMENTS, "-o", str(out), *protocols, "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert report == json.loads((out / "run.json").read_text())
        assert {"config", "git", "machine", "packages", "notes", "figures"} <= set(report)
        with (out / "table.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 8
        assert {row["kind"] for row in rows} == {"control", "encoder"}
        assert (out / "few_shot.png").read_bytes().startswith(b"\x89PNG")
        shares = {point["share"] for point in report["figures"]["few_shot"]}
        assert shares == {0.01, 0.05, 0.1, 0.25, 1.0}
        assert main([*self.ARGUMENTS, "-o", str(out), *protocols]) == 0
        shown = capsys.readouterr().out
        assert "IR2Vec 2020 (published)" in shown and "oracle" in shown

    def test_list_and_fetch(self, own_cache, tmp_path, capsys):
        assert main(["tasks", "list"]) == 0
        assert "not fetched, 7.3 MB" in capsys.readouterr().out
        assert main(["tasks", "fetch", "devmap", "--source", str(tmp_path / "no")]) == 1
        assert "is not a folder" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("run", "devmap"), "mirgym tasks fetch devmap"),
            (("run", "nothing"), "no task 'nothing'"),
            (("run", "devmap", "--seeds", "0"), "seeds is 0"),
            (("run", "devmap", "--methods", "base"), "no method 'base'"),
            (("run", "devmap", "--protocols", "programs"), "Did you mean 'program'"),
        ],
    )
    def test_errors(self, own_cache, capsys, arguments, message):
        assert main(["tasks", *arguments]) in (1, 2)
        assert message in capsys.readouterr().err
