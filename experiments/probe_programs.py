"""Generated programs of known algorithms, described like the functions of the probes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mirgym.programs.compile import compile_source
from mirgym.session import InProcessSession
from mirgym.tasks.algorithms import ALGORITHMS, implementations, split_of
from mirgym.views import ModuleView
from mirgym.wire import Wanted

LEVEL = "O1"
"""As clang writes it with the passes off."""

VALID_SHARE = 0.2
_VIEWS = Wanted.of(views=("functions", "function_features"), key=False)


class DescribedProgram(NamedTuple):
    """A program and its class."""

    label: int
    module: ModuleView
    features: np.ndarray  # (238,) int64, summed over its functions


def described_programs(per_class: int, seed: int = 0) -> Mapping[str, list[DescribedProgram]]:
    """Programs to fit on, to choose by, and to test with: other templates than the first two."""
    splits: dict[str, list[DescribedProgram]] = {"fit": [], "valid": [], "test": []}
    labels = {name: label for label, name in enumerate(ALGORITHMS)}
    generator = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder, InProcessSession() as session:
        path = Path(folder) / "program.c"
        for one in implementations(per_class, seed):
            path.write_text(one.source)
            state = session.load(compile_source(path, ()), level=LEVEL, wanted=_VIEWS)
            module, features = state.views["functions"], state.views["function_features"]
            assert isinstance(module, ModuleView)
            assert isinstance(features, np.ndarray)
            own = "valid" if generator.random() < VALID_SHARE else "fit"
            split = "test" if split_of(one) == "test" else own
            splits[split].append(DescribedProgram(labels[one.algorithm], module, features.sum(0)))
    return splits
