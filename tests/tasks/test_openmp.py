"""OpenMP loops: kernels that are really built and run, and the task on a small table."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest

from mirgym.cli import main
from mirgym.errors import DatasetError, MirgymError, NotRunnableError, ToolMissingError
from mirgym.tasks import openmp_programs
from mirgym.tasks.openmp import METHODS, ORACLES, PACKAGED, PROTOCOL, OpenMP, Study
from mirgym.tasks.openmp_labels import (
    Case,
    Configuration,
    Labels,
    configurations,
    measure,
    noise,
    read_labels,
    time_case,
    write_labels,
)
from mirgym.tasks.openmp_profile import COUNTERS, Profile, read_profile, write_profile
from mirgym.tasks.openmp_programs import FOLDER, SIZES, build_kernel, find_openmp, read_code
from mirgym.tasks.openmp_report import chosen, summarise
from mirgym.tasks.protocols import leave_one_out

KERNELS = ("collatz", "dot", "matmul", "wavefront")


def has_runtime() -> bool:
    try:
        find_openmp()
    except MirgymError:
        return False
    return True


needs_runtime = pytest.mark.skipif(
    not has_runtime(), reason="needs LLVM's OpenMP runtime: pip install 'mirgym[openmp]'"
)


def small_labels() -> Labels:
    """Short loops want one thread, and long ones of all but ``dot`` want ``dynamic``."""
    choices = configurations(2)
    places = {str(choice): place for place, choice in enumerate(choices)}
    cases, rows = [], []
    for kernel in KERNELS:
        for size in (10, 20, 1000, 2000):
            row = np.full(len(choices), 100.0)
            if size < 100:
                row[places["1 × static"]] = 20.0
            elif kernel != "dot":
                row[places["2 × dynamic, 8"]] = 60.0
            else:
                row[places["1 × static"]] = 190.0
            cases.append(Case(kernel, size, size, 8 * size))
            rows.append(row * size)
    where = {"machine": {"cpu": "one", "cores": 2}, "noise_median": 0.01, "noise_95": 0.04}
    return Labels(tuple(cases), choices, np.array(rows), where)


def small_profile() -> Profile:
    """An iteration is ten instructions; threads and chunks are handed out."""
    labels = small_labels()
    counts = np.zeros((len(labels.cases), len(labels.configurations), len(COUNTERS)))
    for row, case in enumerate(labels.cases):
        for column, choice in enumerate(labels.configurations):
            work, chunks = 10 * case.iterations, -(-case.iterations // max(choice.chunk, 1))
            numbers = {
                "span": work / choice.threads,
                "work": work,
                "accesses": case.iterations,
                "regions": 1,
                "chunks": chunks if choice.chunk else choice.threads,
            }
            for name, number in numbers.items():
                counts[row, column, COUNTERS.index(name)] = number
    return Profile(np.array([10.0 * case.iterations for case in labels.cases]), counts)


@pytest.fixture
def study(own_cache) -> Study:
    return Study(small_labels(), read_code(KERNELS), small_profile())


class TestConfigurations:
    def test_one_core_has_no_choice(self):
        assert configurations(1) == (Configuration(1, "static", 0),)

    @pytest.mark.parametrize(("cores", "threads"), [(2, [2, 1]), (4, [4, 1, 2]), (6, [6, 1, 4, 2])])
    def test_the_default_is_first(self, cores, threads):
        found = configurations(cores)
        assert str(found[0]) == f"{cores} × static"
        assert list(dict.fromkeys(one.threads for one in found)) == threads
        assert len(set(found)) == len(found)

    def test_chunks_are_told(self):
        assert str(Configuration(2, "guided", 8)) == "2 × guided, 8"


class TestKernels:
    def test_every_file_has_sizes(self):
        files = {path.stem for path in FOLDER.glob("*.c")} - {"harness", "virtual"}
        assert files == set(SIZES)
        assert len(files) >= 24
        assert all(len(sizes) == 4 and sorted(sizes) == list(sizes) for sizes in SIZES.values())

    @pytest.mark.parametrize("name", SIZES)
    def test_every_loop_takes_its_schedule_at_run_time(self, name):
        loops = re.findall(r"#pragma omp parallel for.*", (FOLDER / f"{name}.c").read_text())
        assert loops
        assert all("schedule(runtime)" in loop for loop in loops)

    def test_only_the_loops_are_embedded(self, own_cache):
        kernels = read_code(("sieve", "queens"))
        assert not kernels.failed
        for path in own_cache.glob("tasks/openmp-*/*.bc"):
            content = path.read_bytes()
            assert b"kernel.omp_outlined" in content
            assert b"prepare" not in content

    def test_what_is_missing(self, monkeypatch):
        monkeypatch.setattr(openmp_programs, "RUNTIMES", (("no-such-package", "libomp"),))
        with pytest.raises(ToolMissingError, match=r"pip install 'mirgym\[openmp\]'"):
            find_openmp()


@needs_runtime
class TestMeasuring:
    @pytest.mark.parametrize("name", KERNELS)
    def test_a_kernel_is_timed(self, name, tmp_path):
        build_kernel(name, tmp_path / name)
        choices = configurations(2)
        case, times = time_case(tmp_path / name, SIZES[name][0], choices, 2, 0.02)
        assert case.kernel == name
        assert case.size == SIZES[name][0]
        assert case.iterations > 1 and case.bytes > 8
        assert times.shape == (2, len(choices) + 1)
        assert (times > 0).all()

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("*found += 1;", "gives another result"),
            ("*(volatile int *)0 = 1;", "size 5: ends with -11"),
        ],
    )
    def test_a_bad_kernel_is_refused(self, body, message, tmp_path, monkeypatch):
        for name in ("harness.c", "kernel.h"):
            shutil.copy(FOLDER / name, tmp_path)
        (tmp_path / "bad.c").write_text(
            '#include "kernel.h"\nstatic int *found;\nint calls;\n'
            "long prepare(long n) { found = output(sizeof *found); return n; }\n"
            f"void kernel(void) {{ if (calls++ > 40) {{ {body} }} }}\n"
        )
        monkeypatch.setattr(openmp_programs, "FOLDER", tmp_path)
        build_kernel("bad", tmp_path / "bad")
        with pytest.raises(NotRunnableError, match=message):
            time_case(tmp_path / "bad", 5, configurations(2), 2, 0)

    def test_labels_are_written(self, tmp_path):
        sizes = {"collatz": (20,), "dot": (100,)}
        made = measure(tmp_path, lambda *_: None, 2, sizes, 0.02)
        read = read_labels(tmp_path)
        assert (read.cases, read.configurations) == (made.cases, made.configurations)
        np.testing.assert_allclose(read.ns, made.ns, atol=0.06)
        assert read.where["rounds"] == 2
        assert read.where["noise_median"] >= 0

    def test_command(self, own_cache, monkeypatch, capsys):
        monkeypatch.setattr(OpenMP, "sizes", {"collatz": (20,), "dot": (100,)})
        assert main(["tasks", "measure", "openmp", "--rounds", "1"]) == 0
        folder = own_cache / "datasets" / "openmp"
        assert str(folder) in capsys.readouterr().out.replace("\n", "")
        labels = read_labels(folder)
        assert len(labels.cases) == 2
        profile = read_profile(folder, labels.cases, labels.configurations)
        assert profile is not None and (profile.cost > 0).all()


class TestLabels:
    def test_round_trip(self, tmp_path):
        labels = small_labels()
        write_labels(tmp_path, labels)
        read = read_labels(tmp_path)
        assert (read.cases, read.configurations) == (labels.cases, labels.configurations)
        assert (read.ns == labels.ns).all()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda text: "a,b\n1,2\n", "no labels of OpenMP loops"),
            (lambda text: text.replace(",2000.0", ",x", 1), "no labels of OpenMP loops"),
            (lambda text: text.rsplit("\n", 2)[0] + "\n", "lacks configurations"),
            (lambda text: text.split("\n")[0] + "\n", "lacks configurations"),
            (lambda text: re.sub(r"\d+\.\d\n", "0.0\n", text, count=1), "not above 0"),
        ],
    )
    def test_bad_tables(self, tmp_path, change, message):
        write_labels(tmp_path, small_labels())
        path = tmp_path / "labels.csv"
        path.write_text(change(path.read_text()))
        with pytest.raises(DatasetError, match=message):
            read_labels(tmp_path)

    def test_no_labels(self, tmp_path):
        with pytest.raises(DatasetError, match="measure them again with: mirgym tasks measure"):
            read_labels(tmp_path)

    def test_ours_are_of_every_kernel(self):
        labels = read_labels(PACKAGED)
        assert {(c.kernel, c.size) for c in labels.cases} == {
            (name, size) for name, sizes in SIZES.items() for size in sizes
        }
        assert {one.threads for one in labels.configurations} == {1, 2}
        assert labels.where["rounds"] >= 5

    def test_noise_is_as_wide_as_what_was_measured(self):
        where = {"noise_median": 0.03, "noise_95": 0.26}
        found = noise(where, (20_000, 2), np.random.default_rng(0))
        apart = np.abs(found[:, 0] - found[:, 1])
        assert np.median(apart) == pytest.approx(0.03, rel=0.3)
        assert np.percentile(apart, 95) == pytest.approx(0.26, rel=0.3)

    def test_noise_where_none_was_measured(self):
        assert np.abs(noise({}, (9, 2), np.random.default_rng(0))).max() < 1e-6


class TestChoices:
    @pytest.mark.parametrize("name", [name for name in METHODS if "IR2Vec" not in name])
    def test_no_method_beats_the_oracle(self, study, name):
        row = study.run(name, 0)
        assert len(row["share"]) == len(study.labels.cases)
        assert max(row["share"]) <= 1
        assert (name == "oracle") <= (min(row["share"]) == 1)
        assert (name == "default") <= (set(row["speedup"]) == {1.0})

    def test_oracles_of_a_part(self, study):
        labels = study.labels
        shares = {name: np.mean(study.run(name, 0)["share"]) for name in ORACLES}
        assert max(shares, key=shares.__getitem__) == "oracle"
        threads = study.run("oracle, threads only", 0)["chosen"]
        assert set(threads) == {"1 × static", "2 × static"}
        assert set(study.run("oracle, schedule only", 0)["chosen"]) <= {
            str(one) for one in labels.configurations if one.threads == 2
        }
        assert "2 × dynamic, 8" not in study.run("oracle, default chunks", 0)["chosen"]

    @pytest.mark.parametrize("name", ["constant", "base + counts", "base + profile"])
    def test_times_of_the_left_out_kernel_never_enter(self, study, name):
        fold = leave_one_out([case.kernel for case in study.labels.cases])[0]
        before = study.choose(name, fold, 0)
        study._ratios[fold.test] = 7 - study._ratios[fold.test]
        assert (study.choose(name, fold, 0) == before).all()

    def test_trees_learn_when_threads_do_not_pay(self, study):
        shares = {name: np.mean(study.run(name, 0)["share"]) for name in ("constant", "raw counts")}
        assert shares["raw counts"] > shares["constant"]

    def test_prices_learn_when_threads_do_not_pay(self, study):
        shares = {
            name: np.mean(study.run(name, 0)["share"])
            for name in ("constant", "profile, prices only")
        }
        assert shares["profile, prices only"] > shares["constant"]

    def test_random_is_by_seed(self, study):
        runs = [study.run("random", seed)["chosen"] for seed in (0, 0, 1)]
        assert runs[0] == runs[1] != runs[2]


def test_summary():
    own = {"kernel": ["a", "a", "b", "b"], "chosen": ["x", "x", "y", "x"]}
    rows = [
        {"method": "m", "seed": 0, **own, "speedup": [1, 4, 2, 2], "share": [1, 1, 0.5, 0.5]},
        {"method": "m", "seed": 1, **own, "speedup": [1, 4, 2, 2], "share": [1, 1, 1, 1]},
    ]
    (row,) = summarise(rows, {"m"})
    assert (row["kind"], row["seeds"]) == ("control", 2)
    assert row["speedup"] == pytest.approx(2)
    assert row["share"] == pytest.approx(0.5**0.25)
    assert row["worst_share"] == pytest.approx(0.5**0.5)
    assert row["share_std"] == pytest.approx((1 - 0.5**0.5) / 2**0.5)
    assert chosen(rows) == {"m": {"x": 3, "y": 1}}


class TestCommands:
    def test_run(self, own_cache, tmp_path, capsys):
        labels = small_labels()
        folder = own_cache / "datasets" / "openmp"
        write_labels(folder, labels)
        write_profile(folder, labels.cases, labels.configurations, small_profile())
        out = tmp_path / "out"
        methods = ["default", "random", "constant", "oracle", "base, one run", "profile"]
        command = ["tasks", "run", "openmp", "--seeds", "2", "-o", str(out), "--methods", *methods]
        assert main(command) == 0
        shown = capsys.readouterr().out
        assert "% of the oracle's" in shown and "2 cores of one" in shown
        run = json.loads((out / "run.json").read_text())
        table = {row["method"]: row for row in run["figures"]["table"]}
        assert list(table) == methods
        assert table["oracle"]["share"] == 1
        assert table["base, one run"]["seeds"] == 2
        assert (out / "table.csv").is_file()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["measure", "devmap"], "nothing to measure here. Measured: openmp"),
            (["measure", "openmp", "--rounds", "0"], "rounds is 0; expected 1 or more"),
            (["run", "openmp", "--protocols", "x"], f"no protocol 'x'. Known: {PROTOCOL}"),
        ],
    )
    def test_refusals(self, own_cache, capsys, arguments, message):
        assert main(["tasks", *arguments]) != 0
        assert message in " ".join(capsys.readouterr().err.split())

    def test_listed(self, own_cache, capsys):
        assert main(["tasks", "list"]) == 0
        assert "openmp" in capsys.readouterr().out


def test_one_core_is_nothing_to_measure_on(monkeypatch, tmp_path):
    monkeypatch.setattr("mirgym.tasks.openmp.available_cores", lambda: 1)
    with pytest.raises(DatasetError, match="one core only"):
        OpenMP().measure(tmp_path / "labels", 1, lambda *_: None)
    assert not (tmp_path / "labels").exists()
