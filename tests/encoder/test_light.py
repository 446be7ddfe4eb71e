from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from mirgym.encoder.batch import collate
from mirgym.encoder.config import TINY, EncoderConfig
from mirgym.encoder.embedder import Embedder
from mirgym.encoder.light import LightEncoder
from mirgym.encoder.model import Encoder
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.views import ModuleView
from mirgym.wire import Wanted

VIEWS = Wanted.of(views=("functions",), key=False)


def module(name: str, passes: str = "") -> ModuleView:
    with InProcessSession() as session:
        state = session.load(resolve(name).bitcode(), level="Oz", wanted=VIEWS)
        if passes:
            state = session.step(passes, wanted=VIEWS)
        view = state.views["functions"]
        assert isinstance(view, ModuleView)
        return view


@pytest.mark.parametrize("model", ["tiny", "base"])
@pytest.mark.parametrize("name", ["mirbench/primes", "mirbench/json"])
def test_it_agrees_with_torch(model: str, name: str) -> None:
    view = module(name)
    ours, theirs = Embedder(model, light=True).module(view), Embedder(model).module(view)
    assert np.abs(ours - theirs).max() < 2e-5


def test_functions_do_not_depend_on_their_batch() -> None:
    views = [f for f in module("mirbench/json", "function(sroa)").functions if f is not None]
    together = Embedder(light=True).functions(views)
    alone = Embedder(light=True).functions(views[3:4])
    assert np.abs(together[3] - alone[0]).max() < 1e-5


@pytest.mark.parametrize("modality", ["text", "graph"])
@pytest.mark.parametrize("d_message", [0, 32])
def test_every_shape_it_takes(modality: str, d_message: int) -> None:
    torch.manual_seed(0)
    config: EncoderConfig = replace(TINY, modality=modality, d_message=d_message)
    encoder = Encoder(config).eval().prepare_inference()
    weights = {name: value.numpy() for name, value in encoder.state_dict().items()}
    views = [f for f in module("mirbench/crc").functions if f is not None]
    with torch.inference_mode():
        theirs = encoder(collate(views, config.window)).fused.numpy()
    assert np.abs(LightEncoder(config, weights)(views) - theirs).max() < 2e-5


def test_other_convolutions_need_torch() -> None:
    with pytest.raises(ValueError, match="pna convolutions needs torch"):
        LightEncoder(replace(TINY, conv="pna"), {})


def test_optimising_a_program_imports_no_torch() -> None:
    code = """
import sys
from mirgym.agents.explorer import SearchConfig
from mirgym.agents.optimize import optimize
from mirgym.programs import resolve
found = optimize(resolve("mirbench/primes"), SearchConfig(budget=3), agent="policy")
assert found.search.compiles == 3
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
