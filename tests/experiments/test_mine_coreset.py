from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tyro

from experiments import mine_coreset as miner
from experiments.cover import best_of_first, greedy_cover, held_out_geomean
from experiments.mining import Searches, check_module, score_module, search_module, shorten
from experiments.training_modules import TrainingModule, corpus_modules, programs
from mirgym.agents.actionset import ActionSet
from mirgym.agents.explorer import SearchConfig
from mirgym.errors import DatasetError
from mirgym.passes import Pass
from mirgym.programs import linking, resolve
from mirgym.session import InProcessSession
from mirgym.validate import RunVerdict, Validation
from mirgym.views import ModuleView
from mirgym.wire import Wanted

PRIMES = "mirbench/primes"
VIEW = Wanted.of(views=("functions",), key=False)


def test_the_cover_takes_what_adds_most() -> None:
    ratios = np.array(
        [
            [1.2, 1.1, 0.9, 1.0],
            [1.2, 1.0, 0.9, 1.0],
            [0.5, 1.0, 1.3, 0.9],
        ]
    )
    assert greedy_cover(ratios, 2) == [0, 2]
    # The last beats the baseline nowhere; the second only when all begins again.
    assert greedy_cover(ratios, 9) == [0, 2, 1]
    assert best_of_first(ratios, [0, 2], 1).tolist() == [1.2, 1.2, 1.0]
    assert best_of_first(ratios, [0, 2], 2).tolist() == [1.2, 1.2, 1.3]
    assert greedy_cover(np.zeros((2, 0)), 5) == []


def test_a_failure_never_counts() -> None:
    assert greedy_cover(np.array([[0.0, 1.01]]), 5) == [1]


def test_left_out_programs_bring_nothing_of_their_own() -> None:
    # Sequence 0 was found on program 0 and is good there only; 1 is good everywhere.
    ratios = np.array([[2.0, 1.1], [1.0, 1.1], [1.0, 1.1]])
    owners = [frozenset({0}), frozenset({1})]
    found = held_out_geomean(ratios, owners, 2, (1, 2))
    # Row 1 loses its own sequence 1 and has 0, which does nothing for it.
    expected = float(np.exp(np.log([1.1, 1.0, 1.1]).mean()))
    assert found[2] == pytest.approx(expected)


def test_only_training_programs(tmp_path: Path) -> None:
    names = {module.name for module in programs()}
    assert len(names) == 25
    assert "mirbench/crc" not in names
    assert [m.name for m in programs(names=("primes",))] == [PRIMES]


def test_only_the_corpus_training_split_and_no_leak(tmp_path: Path, compile_c) -> None:
    body = "".join(f"  x = x * {n} + (x >> {n % 7 + 1});\n" for n in range(3, 60, 2))
    own = compile_c(f"unsigned f(unsigned x) {{\n{body}  return x; }}")
    bitcode = {0: own, 1: resolve("mirbench/crc").bitcode(), 2: own}
    sources = {0: "a.c", 1: "checksum.c", 2: "bitcount/bitcnts.c"}
    for package in ("deb_gsl", "deb_nettle", "deb_mujs"):  # train, test, valid
        (tmp_path / package).mkdir()
        lines = []
        for index, content in bitcode.items():
            (tmp_path / package / f"{index}.bc").write_bytes(content)
            lines.append(json.dumps({"index": index, "source": sources[index]}))
        (tmp_path / package / "manifest.jsonl").write_text("\n".join(lines))
    found = corpus_modules(tmp_path, 10, range(10, 10_000))
    assert [module.name for module in found] == ["corpus/deb_gsl/0"]
    with InProcessSession() as session:
        whole = session.load(own, level="as-is").metrics["ir_instructions"]
        assert session.load(found[0].bitcode(), level="as-is").metrics["ir_instructions"] == whole
    assert corpus_modules(tmp_path, 10, range(1, 5)) == []
    with pytest.raises(DatasetError, match="holds no training modules"):
        corpus_modules(tmp_path / "deb_nettle", 10, range(10, 10_000))


def test_a_corpus_module_becomes_a_program(tmp_path: Path, compile_c) -> None:
    source = """
    int small(int x) { return x + 1; }
    int inner(int x) { return x * 3; }
    int root(int x) { return inner(x) + inner(x + 1) + inner(x * x) + inner(x - 7); }
    int alone(int x) { return x / 3; }
    """
    path = tmp_path / "0.bc"
    path.write_bytes(compile_c(source))
    with InProcessSession() as session:

        def functions(least: int) -> set[str]:
            module = TrainingModule("corpus/a/0", path, least).bitcode()
            view = session.load(module, level="as-is", wanted=VIEW).views["functions"]
            assert isinstance(view, ModuleView)
            return set(view.names)

        one = functions(1)
        assert one in ({"root", "inner"}, {"small"}, {"alone"})
        assert functions(10_000) == {"small", "inner", "root", "alone"}


def test_a_sequence_keeps_its_options(tmp_path: Path) -> None:
    (module,) = programs(names=("bitcount",))
    plain = Pass("", "default<O2>")
    never = plain._replace(options=(("inline-threshold", "-1000"),))
    scores = score_module(module, [plain, never], tmp_path)
    assert scores["ir_instructions"][0] == 1
    assert scores["ir_instructions"][1] != 1


def test_a_shortened_pipeline_is_as_good() -> None:
    bitcode = resolve(PRIMES).bitcode()
    config = SearchConfig(objective="ir_instructions")
    long = "function(lower-expect),function(mem2reg),function(lcssa),function(dce)"
    pipeline, cost = shorten(bitcode, Pass("", long), config)
    assert pipeline.split(",")[0] == "function(mem2reg)"
    assert len(pipeline) < len(long)
    assert shorten(bitcode, Pass("", pipeline), config) == (pipeline, cost)


def test_work_is_done_once(tmp_path: Path) -> None:
    (module,) = programs(names=("primes",))
    searches = Searches(algorithms=("search",), budget=30)
    found = search_module(module, searches, tmp_path)
    assert found and all(entry["ratio"] > 1 for entry in found)
    (file,) = (tmp_path / "searches").iterdir()
    file.write_text("[]")
    assert search_module(module, searches, tmp_path) == []
    sequences = [Pass("", found[0]["pipeline"]), Pass("", "function(mem2reg)")]
    scores = score_module(module, sequences, tmp_path)
    assert scores[found[0]["objective"]][0] == pytest.approx(found[0]["ratio"])
    assert scores["text_size_bytes"][1] < 1


def test_a_whole_run(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(miner, "_pool", small_pool)
    config = miner.MineConfig(
        searches=Searches(algorithms=("search",), budget=25),
        programs=("primes",),
        size=5,
        jobs=1,
        work=tmp_path / "work",
        folder=tmp_path / "results",
        output=tmp_path,
    )
    assert miner.main(config) == 0
    written = ActionSet.load(tmp_path / "coreset-text.json")
    assert 1 <= len(written) <= 5
    assert written.about["objective"] == "text_size_bytes"
    assert written.about["geomean_first_n"]["1"] > 1
    first = (tmp_path / "coreset-text.json").read_bytes()
    shutil.rmtree(tmp_path / "work" / "transitions")
    assert miner.main(config) == 0  # from the files of the first run
    assert (tmp_path / "coreset-text.json").read_bytes() == first
    run = json.loads((tmp_path / "results" / "run.json").read_text())
    assert run["figures"]["text_size_bytes"]["modules"] == 1


def test_sequences_of_earlier_runs_join_the_pool(tmp_path: Path) -> None:
    known = Pass("a", "function(sroa)", options=(("inline-threshold", "7"),))
    ActionSet((known,), "earlier").save(tmp_path / "earlier.json")
    found = [[{"pipeline": "globaldce", "options": {}}], []]
    pool = miner._pool(found, [tmp_path / "earlier.json"])
    owners = dict(zip(pool.sequences, pool.owners, strict=True))
    assert owners[known._replace(name="", group="core")] == frozenset()
    assert owners[Pass("", "globaldce")] == frozenset({0})
    assert Pass("", "default<O2>") not in owners


def test_a_coreset_tells_its_command() -> None:
    config = miner.MineConfig(
        searches=Searches(budget=40, seeds=(0, 1)), corpus=Path("/w/modules"), check=False, jobs=7
    )
    told = miner.command(config)
    assert told == (
        "python -m experiments.mine_coreset --corpus WORK/modules --no-check "
        "--searches.budget 40 --searches.seeds 0 1"
    )
    parsed = tyro.cli(miner.MineConfig, args=told.split()[3:])
    assert miner.command(parsed) == told


def small_pool(found: list, known: object) -> miner.Pool:
    """Without the hundred actions that always join in."""
    sequences = [Pass("", entry["pipeline"]) for entry in found[0]]
    return miner.Pool(sequences, [frozenset({0})] * len(sequences))


def test_a_sequence_that_changes_outputs_is_found(tmp_path: Path, monkeypatch) -> None:
    (module,) = programs(names=("primes",))
    pipelines = ["function(mem2reg)", "function(mem2reg),function(dce)", "function(gvn)"]
    sequences = [Pass("", pipeline) for pipeline in pipelines]
    checked = []

    def check(program, content: bytes, sanitize: bool) -> Validation:
        checked.append(content)
        verdict = "different" if len(checked) == 1 else "equal"
        return Validation(PRIMES, (RunVerdict((), verdict),))

    monkeypatch.setattr("experiments.mining.validate", check)
    assert check_module(module, sequences, tmp_path) == sequences[:2]
    assert len(checked) == 2  # equal modules are run once
    assert check_module(module, sequences, tmp_path) == sequences[:2]


def test_outputs_that_cannot_be_compared_are_said(tmp_path: Path, monkeypatch) -> None:
    (module,) = programs(names=("primes",))
    monkeypatch.setattr(linking, "LINKERS", ())
    with pytest.raises(DatasetError, match="no linker was found.*--no-check"):
        check_module(module, [Pass("", "function(mem2reg)")], tmp_path)


def test_the_choice_goes_on_without_it(monkeypatch, tmp_path: Path) -> None:
    ratios = np.array([[1.3, 1.1], [1.0, 1.1]])
    wrong, right = Pass("", "wrong"), Pass("", "right")
    pool = miner.Pool([wrong, right], [frozenset({0})] * 2)
    monkeypatch.setattr(miner, "in_processes", lambda *arguments: [[wrong], []])
    config = miner.MineConfig(size=2, work=tmp_path)
    chosen, refused = miner._choose(ratios, pool, config, programs(names=("primes",)))
    assert (chosen, refused) == ([1], [wrong])
