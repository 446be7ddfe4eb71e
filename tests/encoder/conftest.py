import pytest
import torch

from mirgym.encoder.config import TINY
from mirgym.encoder.model import Encoder
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.views import ModuleView
from mirgym.wire import Wanted

ALL = Wanted.of(views=("functions",), key=False)


def view_of(module: bytes | str, *pipelines: str) -> ModuleView:
    """The encoder's view of a module after some pipelines."""
    with InProcessSession() as session:
        state = session.load(module.encode() if isinstance(module, str) else module, wanted=ALL)
        for pipeline in pipelines:
            state = session.step(pipeline, wanted=ALL)
        return state.views["functions"]


@pytest.fixture(scope="session")
def untrained() -> Encoder:
    torch.manual_seed(0)
    return Encoder(TINY).eval()


@pytest.fixture(scope="session")
def crc() -> ModuleView:
    return view_of(resolve("mirbench/crc").bitcode())
