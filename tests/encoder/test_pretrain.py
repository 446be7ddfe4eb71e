"""Pre-training: labels are right, losses fall, and a run that was stopped goes on."""

import json

import numpy as np
import pytest
import torch

from mirgym.corpus import shards
from mirgym.corpus.builder import Module
from mirgym.corpus.guard import Guard
from mirgym.encoder.arrays import FIELD_OFFSETS
from mirgym.encoder.batch import collate
from mirgym.encoder.config import TINY
from mirgym.encoder.dataset import Dataset
from mirgym.encoder.pretrain import PretrainConfig, Run, pretrain
from mirgym.encoder.tasks import TaskHeads, TaskWeights, label
from mirgym.encoder.weights import load
from mirgym.programs import resolve
from mirgym.views import FIELD_SIZES


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    work = tmp_path_factory.mktemp("corpus")
    modules = []
    for name, package in (("crc", "deb_gsl"), ("json", "deb_gsl"), ("primes", "deb_mujs")):
        path = work / f"{name}.bc"
        path.write_bytes(resolve(f"mirbench/{name}").bitcode())
        modules.append(Module(package, f"{name}.c", path, "MIT"))
    shards.write_shards(
        shards.all_states(modules, work, sequences=1, jobs=1), work / "shards", guard=Guard([])
    )
    return work / "shards"


@pytest.fixture(scope="module")
def examples(corpus):
    return next(Dataset(corpus, "train").batches(3_000, seed=0))


def config(corpus, output, **changes):
    return PretrainConfig(corpus, output, "tiny", **{"minutes": 0.05, "valid_batches": 2} | changes)


def test_labels(examples):
    labelled = label(examples, TINY.window, np.random.default_rng(0))
    counts, whole = labelled.batch.token_counts, labelled.n_whole
    first_masked = int(counts[:whole].sum())
    assert 0 < whole < len(examples)
    assert labelled.masked_tokens.min() >= first_masked
    masked = labelled.batch.tokens[labelled.masked_tokens] - torch.tensor(FIELD_OFFSETS[:-1])
    assert (masked == torch.tensor(FIELD_SIZES)).all()
    share = len(labelled.masked_tokens) / (len(labelled.batch.tokens) - first_masked)
    assert 0.08 < share < 0.25
    # The answers are what the tokens were: put back, the batch is that of the examples.
    restored = labelled.batch.tokens.clone()
    restored[labelled.masked_tokens] = labelled.token_codes + torch.tensor(FIELD_OFFSETS[:-1])
    original = collate([e.view for e in examples]).tokens
    assert torch.equal(restored.sort(dim=0).values, original.sort(dim=0).values)
    assert (labelled.wrong_graph != torch.arange(whole)).all()


def test_a_batch_of_one_function_masks_nothing_and_loses_nothing_there(examples, untrained):
    labelled = label(examples[:1], TINY.window, np.random.default_rng(0))
    assert len(labelled.masked_tokens) == len(labelled.masked_nodes) == 0
    with torch.no_grad():
        losses = TaskHeads(TINY).losses(untrained(labelled.batch), labelled, TaskWeights())
    assert "mtm" not in losses
    assert "graph" not in losses
    assert all(loss.isfinite() for loss in losses.values())


def test_perfect_matching_is_scored_perfect(examples, untrained):
    """A head that knows gets 100 %, one that answers at random about half."""
    labelled = label(examples, TINY.window, np.random.default_rng(0))
    heads = TaskHeads(TINY)
    with torch.no_grad():
        out = untrained(labelled.batch)
        knows = out._replace(text=out.graph)

        class Knows(torch.nn.Module):
            def forward(self, x):
                return 1.0 - 1e3 * x[:, -x.shape[1] // 4 :].sum(1, keepdim=True)

        heads.match = Knows()
        scored = heads.losses(knows, labelled, TaskWeights(0, 0, 1, 0, 0))
    assert scored["match accuracy"] > 0.95


@pytest.mark.parametrize("task", ["mtm", "graph", "match", "effects", "contrast"])
def test_each_task_alone_learns(examples, task):
    torch.manual_seed(0)
    from mirgym.encoder.model import Encoder

    weights = TaskWeights(**{n: float(n == task) for n in TaskWeights.__dataclass_fields__})
    encoder, heads = Encoder(TINY), TaskHeads(TINY)
    optimizer = torch.optim.AdamW([*encoder.parameters(), *heads.parameters()], 2e-3)
    losses = []
    for _ in range(25):
        labelled = label(examples[:40], TINY.window, np.random.default_rng(0))
        torch.manual_seed(0)
        scored = heads.losses(encoder(labelled.batch), labelled, weights)
        assert set(scored) - {"match accuracy"} == {task}
        optimizer.zero_grad()
        scored[task].backward()
        optimizer.step()
        losses.append(float(scored[task].detach()))
    assert np.mean(losses[-3:]) < 0.9 * np.mean(losses[:3])


def test_run_and_resume(corpus, tmp_path):
    first = config(corpus, tmp_path)
    pretrain(first)
    assert load(tmp_path / "encoder.safetensors").config == TINY
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {"mtm", "graph", "match", "effects", "contrast"} <= set(lines[-1]["valid"])
    assert json.loads((tmp_path / "run.json").read_text())["seed"] == 0
    run = Run(first)
    run.resume()
    assert run.step == lines[-1]["step"] > 0
    pretrain(config(corpus, tmp_path, minutes=0.1))
    more = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert more[-1]["step"] > lines[-1]["step"]


def test_distillation(corpus, tmp_path):
    pretrain(config(corpus, tmp_path / "teacher", modality="text"))
    teacher = str(tmp_path / "teacher" / "encoder.safetensors")
    losses = pretrain(config(corpus, tmp_path / "student", teacher=teacher))
    assert 0 <= losses["distillation"] < 1
