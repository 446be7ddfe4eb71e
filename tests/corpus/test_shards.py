"""From modules to shards and back: what is written is what the engine sees."""

import json

import numpy as np
import pytest

from mirgym.corpus import shards
from mirgym.corpus.builder import Module
from mirgym.corpus.guard import Guard
from mirgym.corpus.schema import EFFECT_PASSES, UNKNOWN, split_of
from mirgym.corpus.states import module_states
from mirgym.encoder.dataset import Dataset
from mirgym.errors import MirgymError
from mirgym.passes import find
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.wire import Wanted

ALL = Wanted.of(views=("functions",), key=False)
NAMES = {"crc": "deb_gsl", "primes": "deb_mujs", "bitcount": "deb_flac"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus of three programs, each in another split."""
    work = tmp_path_factory.mktemp("corpus")
    modules = []
    for name, package in NAMES.items():
        path = work / f"{name}.bc"
        path.write_bytes(resolve(f"mirbench/{name}").bitcode())
        modules.append(Module(package, f"{name}.c", path, "MIT"))
    computed = list(shards.all_states(modules, work, sequences=1, jobs=1))
    shards.write_shards(computed, work / "shards", guard=Guard([]))
    return work / "shards"


def test_effect_passes_are_core():
    assert len(EFFECT_PASSES) >= 40
    assert len(set(EFFECT_PASSES)) == len(EFFECT_PASSES)
    assert {find(name).group for name in EFFECT_PASSES} == {"core"}


def test_effects_are_what_the_pass_does():
    program = resolve("mirbench/crc").bitcode()
    rows = {r.name: r for r in module_states(program, seed=0, sequences=0)}
    with InProcessSession() as session:
        for name in ("mem2reg", "simplifycfg", "inline"):
            session.load(program, level="Oz")
            before = {f.name: f for f in session.functions()}
            session.step(find(name).pipeline)
            after = {f.name: f for f in session.functions()}
            for function, row in rows.items():
                effect = row.effects[EFFECT_PASSES.index(name)]
                if function not in after:
                    assert effect == UNKNOWN
                    continue
                assert effect == after[function].instructions - before[function].instructions
                changed = row.changed[EFFECT_PASSES.index(name)]
                assert changed == (after[function].key != before[function].key)
        session.load(program, level="Oz")
        session.step("default<O2>")
        sizes = {f.name: f.instructions for f in session.functions()}
        assert {n: r.oz_instructions for n, r in rows.items()} == {
            n: sizes.get(n, -1) for n in rows
        }


@pytest.mark.parametrize(("name", "package"), NAMES.items())
def test_rows_are_the_engine_s_views(folder, name, package):
    dataset = Dataset(folder, split_of(package))
    with InProcessSession() as session:
        program = resolve(f"mirbench/{name}").bitcode()
        module = session.load(program, level="Oz", wanted=ALL).views["functions"]
    known = {view.key: view for view in module.functions}
    rows = [row for row in range(len(dataset)) if dataset.states[row] == 0]
    assert rows
    for row in rows:
        view, expected = dataset.view(row), known[int(dataset.keys[row])]
        assert np.array_equal(view.tokens, expected.tokens)
        assert np.array_equal(view.nodes, expected.nodes)
        edges, wanted = (
            sorted(zip(*v.edges.tolist(), v.edge_kinds.tolist(), strict=True))
            for v in (view, expected)
        )
        assert edges == wanted


def test_no_double(folder):
    keys = np.concatenate([Dataset(folder, s).keys for s in ("train", "valid", "test")])
    assert len(np.unique(keys)) == len(keys)
    summary = json.loads((folder / "corpus.json").read_text())
    assert summary["rows"] == len(keys) == sum(summary["splits"].values())
    assert summary["left_out"]["double"] > 0


def test_states_of_a_function_share_their_origin(folder):
    dataset = Dataset(folder, "train")
    groups = dataset.groups()
    assert sum(len(g) for g in groups) == len(dataset)
    assert any(len(g) == 2 for g in groups)
    for group in groups:
        assert len({dataset.names[row] for row in group}) == 1


def test_batches(folder):
    dataset = Dataset(folder, "train")
    one, again, other = (
        [[e.view.key for e in batch] for batch in dataset.batches(500, seed)] for seed in (1, 1, 2)
    )
    assert one == again != other
    assert sorted(k for b in one for k in b) == sorted(dataset.keys.tolist())


def test_the_same_modules_give_the_same_shards(folder, tmp_path):
    states = folder.parent
    modules = [Module(p, f"{n}.c", states / f"{n}.bc", "MIT") for n, p in NAMES.items()]
    computed = list(shards.all_states(modules, states, sequences=1, jobs=2))
    shards.write_shards(reversed(computed), tmp_path, guard=Guard([]))
    for path in folder.glob("*.parquet"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_evaluation_programs_leak(folder):
    guard = shards.evaluation_guard()
    dataset = Dataset(folder, "train")  # of mirbench/crc itself
    large = np.flatnonzero((dataset.states == 0) & (dataset.sizes >= 20))
    assert all(guard.leaks(dataset.view(row).tokens) == "exact" for row in large)


def test_a_broken_module_costs_itself_only(tmp_path):
    path = tmp_path / "broken.bc"
    path.write_bytes(b"BC\xc0\xdenot bitcode")
    module = Module("deb_gsl", "broken.c", path, "GPL")
    ((_, rows, problem),) = shards.all_states([module], tmp_path, sequences=1, jobs=1)
    assert rows is None
    assert problem


def test_no_shards(tmp_path):
    with pytest.raises(MirgymError, match=r"holds no shard.*mirgym corpus build"):
        Dataset(tmp_path, "train")
