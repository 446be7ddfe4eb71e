"""The encoder's experiments, each on a corpus of two programs, in seconds."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")

import pyarrow as pa
import pyarrow.parquet as pq

from experiments import compare_convs, embedding_map, pretrain_report
from experiments.pretrained import (
    TASKS,
    Pretrained,
    Trivial,
    labelled_batches,
    mean_losses,
    pretrained,
    task_weights,
)
from mirgym.corpus.schema import EFFECT_PASSES, schema, seed_of
from mirgym.encoder.config import TINY
from mirgym.encoder.dataset import Dataset
from mirgym.encoder.pretrain import PretrainConfig
from mirgym.encoder.tasks import TaskHeads
from mirgym.encoder.weights import save
from mirgym.errors import MirgymError
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.wire import Wanted

VIEWS = Wanted.of(views=("functions",), key=False)
PACKAGES = {"deb_bc": "crc", "deb_mujs": "matrix", "deb_nettle": "sha2", "deb_flac": "adpcm"}
"""A package of each split, and two to test on, with the program that plays it."""
SECONDS = 1.5


def rows_of(package: str, program: str) -> list[dict]:
    """Each function as it is and after a pass, with made-up effects."""
    generator = np.random.default_rng(seed_of(package))
    rows = []
    with InProcessSession() as session:
        states = [session.load(resolve(f"mirbench/{program}").bitcode(), wanted=VIEWS)]
        states.append(session.step("function(sroa,instcombine)", wanted=VIEWS))
    for number, state in enumerate(states):
        module = state.views["functions"]
        for name, view in zip(module.names, module.functions, strict=True):
            order = np.argsort(view.edge_kinds >> 3, kind="stable")
            source, destination = view.edges[:, order]
            effects = generator.integers(-3, 2, len(EFFECT_PASSES)).astype(np.int16)
            rows.append({
                "package": package, "module": program, "function": name,
                "origin": seed_of(package, name), "state": number, "key": view.key,
                **{f"t{i}": view.tokens[i] for i in range(8)},
                **{f"n{i}": view.nodes[i] for i in range(2)},
                "e_src": np.diff(source, prepend=np.int32(0)),
                "e_dst": np.diff(destination, prepend=np.int32(0)),
                "e_kind": view.edge_kinds[order],
                "effects": effects, "changed": (effects != 0).astype(np.uint8),
                "oz_instructions": view.tokens.shape[1] // 2,
            })  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    rows = [row for package, program in PACKAGES.items() for row in rows_of(package, program)]
    layout = schema()
    arrays = [pa.array([row[field.name] for row in rows], field.type) for field in layout]
    pq.write_table(pa.Table.from_arrays(arrays, schema=layout), folder / "shard-000.parquet")
    return folder


@pytest.fixture(scope="module")
def run(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    pretrained(PretrainConfig(shards, folder, config="tiny", minutes=SECONDS / 60, device="cpu"))
    return folder


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_report(shards, run, tmp_path):
    config = pretrain_report.ReportConfig(
        shards, tiny_run=run, folder=tmp_path, runs=tmp_path / "runs"
    )
    assert pretrain_report.main(config) in (0, 1)
    rows = read(tmp_path / "report.csv")
    assert {row["metric"] for row in rows} == {*TASKS, "match accuracy"}
    assert all(math.isfinite(float(row[c])) for row in rows for c in ("test", "trivial", "gain"))
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    figures = json.loads((tmp_path / "run.json").read_text())["figures"]
    assert figures["test_packages"] == ["deb_flac", "deb_nettle"]
    assert figures["trained"]["tiny"]["minutes"] >= SECONDS / 60


def test_ablations(shards, tmp_path):
    config = pretrain_report.ReportConfig(
        shards, ablations=0.3 / 60, folder=tmp_path, runs=tmp_path / "runs"
    )
    assert pretrain_report.main(config) == 0
    asked = {}
    for row in read(tmp_path / "report.csv"):
        asked.setdefault(row["encoder"].removeprefix("ablation: "), set()).add(row["metric"])
    assert set(asked) == {
        "all tasks", "text only", "graph only", *(f"without {task}" for task in TASKS)
    }  # fmt: skip
    assert asked["without mtm"] == {"graph", "match", "match accuracy", "effects", "contrast"}
    assert asked["text only"] == {"mtm", "effects", "contrast"}
    assert asked["graph only"] == {"graph", "effects", "contrast"}


def test_convs(shards, tmp_path):
    config = compare_convs.ConvsConfig(
        shards, 0.3 / 60, modalities=("both", "graph"), folder=tmp_path, runs=tmp_path / "runs"
    )
    assert compare_convs.main(config) == 0
    rows = read(tmp_path / "convs.csv")
    assert [row["conv"] for row in rows] == 2 * ["relational", "ggnn", "gatv2", "pna"]
    assert all(float(row["trained_functions_per_s"]) > 0 for row in rows)
    assert all((row["match"] == "") == (row["modality"] == "graph") for row in rows)


def test_map(shards, run, tmp_path):
    config = embedding_map.MapConfig(
        shards, str(run / "encoder.safetensors"), "mirbench/crc", folder=tmp_path
    )
    assert embedding_map.main(config) == 0
    assert (tmp_path / "map.png").stat().st_size > 10_000
    way = read(tmp_path / "way.csv")
    counts = [int(row["instructions"]) for row in way]
    assert min(counts) < counts[0]  # loops are unrolled in the end
    figures = json.loads((tmp_path / "run.json").read_text())["figures"]
    assert figures["steps_that_moved"] > 5


def test_finished_run_is_read(shards, run):
    before = (run / "checkpoint.pt").stat().st_mtime_ns
    again = pretrained(
        PretrainConfig(shards, run, config="tiny", minutes=SECONDS / 60, device="cpu")
    )
    assert again.functions > 0
    assert (run / "checkpoint.pt").stat().st_mtime_ns == before


def test_losses_repeat(shards, run):
    dataset, encoder = Dataset(shards, "test"), Pretrained(run)
    first, second = (mean_losses(encoder.losses, dataset, TINY.window) for _ in range(2))
    assert first == second


def test_trivial_in_closed_form(shards):
    (labelled,) = labelled_batches(Dataset(shards, "test"), TINY.window, limit=1)
    # Two states of each of three functions: one right answer among five.
    labelled = labelled._replace(origins=torch.tensor([1, 1, 2, 2, 3, 3]))
    losses = Trivial(iter([labelled])).losses(labelled)
    assert float(losses["contrast"]) == pytest.approx(math.log(5))
    assert float(losses["match"]) == pytest.approx(math.log(2))
    # A head that says nothing is at chance too, by the code that scores encoders.
    heads = TaskHeads(TINY)
    torch.nn.init.zeros_(heads.match[2].weight)
    torch.nn.init.zeros_(heads.match[2].bias)
    zeros = torch.zeros(labelled.n_whole, TINY.d_embed)
    out = type("Out", (), {"text": zeros, "graph": zeros})
    with torch.no_grad():
        assert float(heads._match(out, labelled)["match"]) == pytest.approx(math.log(2))


def test_trivial_effects_are_the_best_constant(shards):
    (labelled,) = labelled_batches(Dataset(shards, "test"), TINY.window, limit=1)
    effects = torch.zeros_like(labelled.effects)
    effects[0] = 10.0  # the median, 0, is right for all but one
    labelled = labelled._replace(effects=effects, changed=torch.zeros_like(labelled.changed))
    loss = float(Trivial(iter([labelled])).losses(labelled)["effects"])
    assert loss == pytest.approx((10 - 0.25) / len(effects), rel=0.01)


def test_trivial_knows_frequent_codes(shards):
    (labelled,) = labelled_batches(Dataset(shards, "test"), TINY.window, limit=1)
    same = labelled._replace(token_codes=torch.ones(5000, 8, dtype=torch.int64))
    assert float(Trivial(iter([same])).losses(same)["mtm"]) < 0.3
    other = labelled._replace(token_codes=torch.zeros(5000, 8, dtype=torch.int64))
    assert float(Trivial(iter([same])).losses(other)["mtm"]) > 8


def test_wrong_folders(shards, run, tmp_path):
    with pytest.raises(MirgymError, match=r"no checkpoint.pt; give the folder of a run"):
        Pretrained(tmp_path)
    with pytest.raises(MirgymError, match="nothing to report on"):
        pretrain_report.main(pretrain_report.ReportConfig(shards, folder=tmp_path))
    for path in run.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    entry = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(entry | {"config": "base"}))
    with pytest.raises(MirgymError, match="another version of the encoder"):
        Pretrained(tmp_path)


def test_weights_alone_are_enough_for_the_map(shards, run, tmp_path):
    save(Pretrained(run).encoder, tmp_path / "some.safetensors")
    embedder = embedding_map.Embedder(tmp_path / "some.safetensors")
    way = embedding_map.way_through_o2("mirbench/crc", embedder)
    assert len(way.embeddings) == len(way.passes) + 1 == len(way.instructions)


def test_task_weights():
    assert task_weights(without="effects").effects == 0
    assert task_weights("text").match == task_weights("text").graph == 0
    assert task_weights("graph", without="contrast").contrast == 0


def test_neighbours_alike():
    points = np.array([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]])
    alike, chance = embedding_map.neighbours_alike(points, np.array(["a", "a", "b", "b"]))
    assert (alike, chance) == (1.0, pytest.approx(1 / 3))
