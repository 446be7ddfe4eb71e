"""Weights for tests: the packaged ones, or untrained ones of the same shape."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds ``tiny.safetensors``."""
    from mirgym.encoder import weights

    if (weights.FOLDER / "tiny.safetensors").is_file():
        return weights.FOLDER
    import torch

    from mirgym.encoder.config import TINY
    from mirgym.encoder.model import Encoder

    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    weights.save(Encoder(TINY), folder / "tiny.safetensors")
    return folder


@pytest.fixture(scope="session")
def model(weights_folder: Path) -> str:
    """A path to weights of the tiny encoder."""
    return str(weights_folder / "tiny.safetensors")


@pytest.fixture
def tiny(weights_folder: Path) -> Iterator[None]:
    """Make ``model="tiny"`` work, for what takes no path."""
    from mirgym.encoder import weights
    from mirgym.encoder.embedder import shared_embedder

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "FOLDER", weights_folder)
        patch.setattr(weights, "SHIPPED", ("tiny",))
        shared_embedder.cache_clear()
        yield
    shared_embedder.cache_clear()


def load_example(name: str) -> ModuleType:
    """An example as a module, once."""
    qualified = f"examples_{name}"
    if qualified not in sys.modules:
        spec = importlib.util.spec_from_file_location(qualified, EXAMPLES / f"{name}.py")
        assert spec is not None and spec.loader is not None
        sys.modules[qualified] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[qualified]
