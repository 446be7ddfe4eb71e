"""Weights on disk: what comes back, and what is refused with which words."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from mirgym.encoder.config import TINY
from mirgym.encoder.weights import load, save
from mirgym.errors import MirgymError


def test_round_trip(untrained, tmp_path):
    path = tmp_path / "w.safetensors"
    save(untrained, path, minutes="1")
    loaded = load(path)
    assert loaded.config == TINY
    assert not loaded.training
    for name, value in untrained.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float())


def test_unknown_name():
    with pytest.raises(
        MirgymError, match=r"no weights at .*tinny.*expected one of .*Did you mean 'tiny'"
    ):
        load("tinny")


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"not weights at all"])
def test_not_weights(tmp_path, content):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(MirgymError, match="does not hold an encoder"):
        load(path)


def test_truncated(untrained, tmp_path):
    path = tmp_path / "w.safetensors"
    save(untrained, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(MirgymError, match="does not hold an encoder"):
        load(path)


def test_foreign_safetensors(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"x": torch.zeros(3)}, path)
    with pytest.raises(MirgymError, match="does not hold an encoder"):
        load(path)


def test_missing_tensor(untrained, tmp_path):
    path = tmp_path / "w.safetensors"
    save(untrained, path)
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        header = file.metadata()
    tensors = load_file(path)
    del tensors["norm.weight"]
    save_file(tensors, path, header)
    with pytest.raises(MirgymError, match=r"norm\.weight"):
        load(path)


def test_diverged(untrained, tmp_path):
    path = tmp_path / "w.safetensors"
    save(untrained, path)
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        header = file.metadata()
    tensors = load_file(path)
    tensors["norm.bias"][3] = float("nan")
    save_file(tensors, path, header)
    with pytest.raises(MirgymError, match=r"NaN or infinity in norm\.bias"):
        load(path)
