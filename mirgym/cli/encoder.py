"""``mirgym embed`` and ``mirgym pretrain``."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro

from .output import check_writable, console, write_output


@dataclass(frozen=True)
class Embed:
    """Embed a program with the pre-trained encoder."""

    program: Annotated[str, tyro.conf.Positional]
    """A path (.c .cc .cpp .ll .bc) or a program's URI."""
    model: str = "tiny"
    """``tiny``, ``base``, or a path to weights."""
    per_function: bool = False
    """One vector for each function."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """Write ``.npy`` (``.npz`` with --per-function) instead of printing."""

    def run(self) -> int:
        """Print the numbers, or write them."""
        from ..embedding import embed

        if self.output is not None:
            check_writable(self.output)
        vectors = embed(self.program, self.model, per_function=self.per_function)
        if self.output is not None:
            content = io.BytesIO()
            if isinstance(vectors, dict):
                np.savez(content, **vectors)  # type: ignore[arg-type]
            else:
                np.save(content, vectors)
            write_output(self.output, content.getvalue())
            return 0
        named = vectors if isinstance(vectors, dict) else {"": vectors}
        for name, vector in named.items():
            prefix = f"{name}\t" if name else ""
            sys.stdout.write(prefix + " ".join(f"{x:.6g}" for x in vector) + "\n")
        return 0


@dataclass(frozen=True)
class Pretrain:
    """Pre-train an encoder on the corpus; an unfinished run in the folder goes on."""

    shards: Path
    """Folder of the corpus, from ``mirgym corpus build``."""
    output: Path
    """Folder of the run: log, checkpoint, weights."""
    config: Literal["base", "tiny"] = "base"
    """Which encoder."""
    minutes: float = 60.0
    """Training time."""
    teacher: str | None = None
    """Distil from these weights: ``base`` or a path."""
    modality: Literal["both", "text", "graph"] = "both"
    """Which views the encoder sees (for ablations)."""
    conv: Literal["relational", "ggnn", "gatv2", "pna"] = "relational"
    """Convolution of the graph network."""
    without: tuple[Literal["mtm", "graph", "match", "effects", "contrast"], ...] = ()
    """Tasks to leave out (for ablations)."""
    seed: int = 0
    """Of the initial weights, the order of the corpus and the masks."""

    def run(self) -> int:
        """Train, and print the final losses on the validation packages."""
        from ..encoder.pretrain import PretrainConfig, pretrain
        from ..encoder.tasks import TaskWeights

        tasks = TaskWeights(**dict.fromkeys(self.without, 0.0))
        losses = pretrain(
            PretrainConfig(
                self.shards, self.output, self.config, self.minutes,
                teacher=self.teacher, modality=self.modality, conv=self.conv,
                tasks=tasks, seed=self.seed,
            )
        )  # fmt: skip
        console().print({name: round(loss, 4) for name, loss in losses.items()})
        return 0
