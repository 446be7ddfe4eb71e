"""The value network: what it says of states, and its file."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from mirgym.agents.actionset import ActionSet, build
from mirgym.agents.controls import POLICIES
from mirgym.agents.policy import policy_actions
from mirgym.agents.value import (
    FOLDER,
    PROGRESS,
    Value,
    ValueConfig,
    group_numbers,
    load,
    progress,
    shipped,
)
from mirgym.agents.walker import Node
from mirgym.encoder.config import TINY, module_size
from mirgym.errors import ActionSetError, MirgymError
from mirgym.features import AUTOPHASE_NAMES
from mirgym.passes import Pass

FEW = ActionSet(
    tuple(build("stages").actions[:5])
    + tuple(build("o2-less").actions[:3])
    + tuple(build("core").actions[:10]),
    "few",
)
SIZES = (module_size(TINY), len(AUTOPHASE_NAMES), PROGRESS)


def make_value(seed=0, actions=FEW, objective="ir_instructions") -> Value:
    """A network that believes what chance says."""
    generator = np.random.default_rng(seed)
    config = ValueConfig(objective, sizes=SIZES, hidden=(8,))
    width = SIZES[0] + 2 * SIZES[1] + SIZES[2]

    def drawn(*shape):
        return (0.2 * generator.standard_normal(shape)).astype(np.float32)

    weights = {
        "features.mean": drawn(width),
        "features.scale": np.ones(width, np.float32),
        "layers.0.weight": drawn(8, width),
        "layers.0.bias": drawn(8),
        "value_head.weight": drawn(1, 8),
        "value_head.bias": drawn(1),
        "group_head.weight": drawn(len(actions.groups), 8),
        "group_head.bias": drawn(len(actions.groups)),
        "action_bias": drawn(len(actions)),
    }
    return Value(config, actions, weights)


def parts_of(rows, seed=0):
    generator = np.random.default_rng(seed)
    return {
        "embedding": generator.standard_normal((rows, SIZES[0])).astype(np.float32),
        "autophase": generator.integers(0, 1000, (rows, SIZES[1])),
        "progress": generator.standard_normal((rows, PROGRESS)).astype(np.float32),
    }


def test_progress_by_hand():
    parent = Node(1, 400, 1)
    node = Node(2, 100, 1, parent, Pass("a", "a"), 1)
    expected = [math.log(1 / 4), math.log(1 / 2), 1, math.log(5)]
    assert progress(node, 4, 400, 200).tolist() == pytest.approx(expected)


def test_gains_are_never_above_nothing_and_depend_on_what_is_seen():
    value, parts = make_value(), parts_of(50)
    gains = value.gains(parts)
    assert gains.shape == (50,)
    assert (gains <= 0).all() and len(set(gains)) > 4
    values = value.action_values(parts)
    assert values.shape == (50, len(FEW))
    groups = group_numbers(FEW)
    same = np.flatnonzero(groups == groups[0])[:2]
    spread = values[:, same[0]] - values[:, same[1]]
    assert np.allclose(spread, spread[0], atol=1e-5)  # within a group the state says nothing


def test_a_value_network_survives_its_file(tmp_path):
    value = make_value()
    value.save(tmp_path / "v.safetensors")
    again = load(tmp_path / "v.safetensors")
    assert again.config == value.config
    assert again.actions == value.actions
    parts = parts_of(5)
    assert np.array_equal(again.gains(parts), value.gains(parts))
    assert np.array_equal(again.action_values(parts), value.action_values(parts))


def _changed(tmp_path, change):
    """A file whose header and tensors were changed."""
    make_value().save(tmp_path / "v.safetensors")
    with safe_open(tmp_path / "v.safetensors", "np") as file:
        header = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(header, tensors)
    save_file(tensors, tmp_path / "changed.safetensors", header)
    return tmp_path / "changed.safetensors"


def _other_weight(header, tensors):
    tensors["value_head.bias"] += 1


def _other_config(header, tensors):
    config = json.loads(header["config"])
    header["config"] = json.dumps({**config, "colour": "blue"})


def _no_config(header, tensors):
    header["config"] = "7"


def _no_actions(header, tensors):
    del header["actions"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_other_weight, "its weights are not those that were written"),
        (_other_config, "unexpected keyword argument 'colour'"),
        (_no_config, "not iterable"),
        (_no_actions, "'actions'"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change, told):
    with pytest.raises(MirgymError, match=f"does not hold a value network.*{told}"):
        load(_changed(tmp_path, change))


def test_files_that_are_no_value_network_say_so(tmp_path):
    with pytest.raises(MirgymError, match="no value network 'codesise'.*experiments.train_value"):
        load("codesise")
    (tmp_path / "a.safetensors").write_bytes(b"nonsense")
    with pytest.raises(MirgymError, match="does not hold a value network"):
        load(tmp_path / "a.safetensors")
    make_value().save(tmp_path / "half.safetensors")
    whole = (tmp_path / "half.safetensors").read_bytes()
    (tmp_path / "half.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MirgymError, match="does not hold a value network"):
        load(tmp_path / "half.safetensors")
    with pytest.raises(MirgymError, match="does not hold a value network"):
        load(FOLDER.parent / "policies" / "codesize.safetensors")


def test_one_for_another_llvm_is_refused(tmp_path):
    def newer(header, tensors):
        header["actions"] = header["actions"].replace('"llvm": "', '"llvm": "9')

    with pytest.raises(ActionSetError, match="is for LLVM 9"):
        load(_changed(tmp_path, newer))


@pytest.mark.parametrize("objective", sorted(POLICIES))
def test_the_shipped_value_network_is_for_its_objective_and_these_actions(objective):
    assert POLICIES[objective] in shipped()
    value = load(POLICIES[objective])
    assert value.config.objective == objective
    assert value.actions == policy_actions()
    assert all(np.isfinite(weight).all() for weight in value.weights.values())
