"""Pre-training: from shards to weights, on a CPU, a GPU, or several (``torchrun``).

A run's folder holds ``run.json`` (configuration), ``log.jsonl`` (losses), ``checkpoint.pt``
(everything that resuming needs) and ``encoder.safetensors`` (the result).
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .config import CONFIGS, EncoderConfig
from .dataset import Dataset, Example
from .model import Encoder
from .tasks import Labelled, TaskHeads, TaskWeights, label
from .weights import load, save


@dataclass(frozen=True)
class PretrainConfig:
    """One run; the options of ``mirgym pretrain``."""

    shards: Path
    """Folder of the corpus."""
    output: Path
    """Folder of the run; an unfinished run in it goes on."""
    config: Literal["base", "tiny"] = "base"
    minutes: float = 60.0
    """Training time. The learning rate follows it, so a run on a faster machine sees more."""
    batch_instructions: int = 6_000
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: float = 0.02
    """Share of the time in which the learning rate rises; then it falls as a cosine."""
    teacher: str | None = None
    """Weights to distil from: ``base`` or a path."""
    distillation: float = 2.0
    """Weight of agreeing with the teacher."""
    tasks: TaskWeights = field(default_factory=TaskWeights)
    modality: Literal["both", "text", "graph"] = "both"
    conv: Literal["relational", "ggnn", "gatv2", "pna"] = "relational"
    seed: int = 0
    device: str = "cuda" if torch.cuda.is_available() else "cpu"
    valid_every_minutes: float = 5.0
    valid_batches: int = 24


class Student(nn.Module):
    """Encoder, task heads, and how to see the teacher's embedding in the student's."""

    def __init__(self, config: EncoderConfig, teacher: Encoder | None) -> None:
        super().__init__()
        self.encoder, self.heads = Encoder(config), TaskHeads(config)
        wide = teacher.config.d_embed if teacher else 1
        self.to_teacher = nn.Linear(config.d_embed, wide)

    def forward(
        self, labelled: Labelled, weights: TaskWeights, taught: torch.Tensor | None
    ) -> dict[str, torch.Tensor]:
        """The losses; ``taught`` (n_whole, wide) is the teacher's embedding."""
        out = self.encoder(labelled.batch)
        losses = self.heads.losses(out, labelled, weights)
        if taught is not None:
            mine = self.to_teacher(out.fused[: labelled.n_whole]).float()
            losses["distillation"] = 1 - F.cosine_similarity(mine, taught).mean()
        return losses


class Run:
    """A pre-training run; see ``pretrain``."""

    def __init__(self, config: PretrainConfig) -> None:
        self.config = config
        torch.manual_seed(config.seed)
        self.rank, self.world = (
            int(os.environ.get("RANK", "0")),
            int(os.environ.get("WORLD_SIZE", "1")),
        )
        if self.world > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if "cuda" in config.device else "gloo")
        self.device = torch.device(config.device)
        if self.device.type == "cuda":
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        shape = asdict(CONFIGS[config.config]) | {"modality": config.modality, "conv": config.conv}
        self.teacher = load(config.teacher).to(self.device) if config.teacher else None
        self.student = Student(EncoderConfig(**shape), self.teacher).to(self.device)
        self.model: nn.Module = self.student
        if self.world > 1:
            self.model = nn.parallel.DistributedDataParallel(
                self.student, find_unused_parameters=True
            )
        self.optimizer = torch.optim.AdamW(
            self.student.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        self.seconds, self.step, self.epoch, self.functions = 0.0, 0, 0, 0
        self.skip = 0  # batches of this epoch that are done
        self.log_path = config.output / "log.jsonl"

    # -- state ------------------------------------------------------------------------

    def save(self) -> None:
        """Write the checkpoint and the weights so far, each atomically."""
        if self.rank:
            return
        counters = {n: getattr(self, n) for n in ("seconds", "step", "epoch", "functions", "skip")}
        state = {
            "student": self.student.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "counters": counters,
            "random": torch.get_rng_state(),
        }
        path = self.config.output / "checkpoint.pt"
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
        notes = {"minutes": f"{self.seconds / 60:.1f}", "functions": str(self.functions)}
        save(self.student.encoder, self.config.output / "encoder.safetensors", **notes)

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        path = self.config.output / "checkpoint.pt"
        if path.exists():
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.student.load_state_dict(state["student"])
            self.optimizer.load_state_dict(state["optimizer"])
            torch.set_rng_state(state["random"].cpu())
            for name, value in state["counters"].items():
                setattr(self, name, value)

    def log(self, **entry: Any) -> None:
        """Add a line to the log."""
        if not self.rank:
            with self.log_path.open("a") as file:
                head = {"minutes": round(self.seconds / 60, 2), "step": self.step}
                file.write(json.dumps({**head, "functions": self.functions, **entry}) + "\n")

    # -- work -------------------------------------------------------------------------

    def batches(self, dataset: Dataset) -> Iterator[list[Example]]:
        """Training batches for ever, this process's share, from where the run is."""
        while True:
            seed = self.config.seed * 100_003 + self.epoch
            for i, batch in enumerate(dataset.batches(self.config.batch_instructions, seed)):
                if i < self.skip or i % self.world != self.rank:
                    continue
                self.skip = i + 1
                yield batch
            self.epoch, self.skip = self.epoch + 1, 0

    def learning_rate(self) -> float:
        """By elapsed time: up, then down as a cosine to 2 %."""
        share = min(self.seconds / (self.config.minutes * 60), 1.0)
        if share < self.config.warm_up:
            return self.config.learning_rate * (share / self.config.warm_up + 0.02)
        return self.config.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))

    def losses(self, examples: list[Example], seed: int) -> dict[str, torch.Tensor]:
        """Losses of one batch."""
        generator = np.random.default_rng(seed)
        window = self.student.encoder.config.window
        labelled = label(examples, window, generator).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            result: dict[str, torch.Tensor] = self.model(
                labelled, self.config.tasks, self._taught(labelled)
            )
        return result

    def _taught(self, labelled: Labelled) -> torch.Tensor | None:
        if self.teacher is None:
            return None
        with torch.no_grad():
            return self.teacher(labelled.batch).fused[: labelled.n_whole].float()

    def total(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """The weighted sum that is minimised."""
        weights = asdict(self.config.tasks) | {"distillation": self.config.distillation}
        parts = [weights[name] * loss for name, loss in losses.items() if name in weights]
        return torch.stack(parts).sum()

    def update(self, examples: list[Example]) -> dict[str, float]:
        """One step of the optimizer."""
        losses = self.losses(examples, self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        self.optimizer.zero_grad(set_to_none=True)
        self.total(losses).backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self.functions += len(examples) * self.world
        return {name: float(loss.detach()) for name, loss in losses.items()}

    @torch.no_grad()
    def validate(self, dataset: Dataset) -> dict[str, float]:
        """Mean losses over the same batches each time."""
        self.student.eval()
        sums: dict[str, float] = {}
        count = 0
        for examples in dataset.batches(self.config.batch_instructions, seed=0):
            for name, loss in self.losses(examples, seed=count).items():
                sums[name] = sums.get(name, 0.0) + float(loss)
            count += 1
            if count == self.config.valid_batches:
                break
        self.student.train()
        return {name: value / max(count, 1) for name, value in sums.items()}


def pretrain(config: PretrainConfig) -> dict[str, float]:
    """Run, or go on with a run; return the final validation losses."""
    from rich.progress import Progress

    config.output.mkdir(parents=True, exist_ok=True)
    run = Run(config)
    run.resume()
    entry = {name: str(v) if isinstance(v, Path) else v for name, v in asdict(config).items()}
    (config.output / "run.json").write_text(json.dumps(entry, indent=1))
    train, valid = Dataset(config.shards, "train"), Dataset(config.shards, "valid")
    bar = Progress() if run.rank == 0 else nullcontext()
    with bar as progress:
        task = progress.add_task("pre-training", total=config.minutes * 60) if progress else None
        mean: dict[str, float] = {}
        next_valid = run.seconds + config.valid_every_minutes * 60
        for examples in run.batches(train):
            start = time.perf_counter()
            losses = run.update(examples)
            run.seconds += time.perf_counter() - start
            mean = {k: 0.98 * mean.get(k, v) + 0.02 * v for k, v in losses.items()}
            if progress and task is not None:
                text = " ".join(f"{k} {v:.3f}" for k, v in mean.items())
                progress.update(task, completed=run.seconds, description=text)
            if run.step % 50 == 0:
                run.log(train=mean, learning_rate=run.learning_rate())
            done = run.seconds >= config.minutes * 60
            if done or run.seconds >= next_valid:
                result = run.validate(valid)
                run.log(valid=result)
                run.save()
                next_valid = run.seconds + config.valid_every_minutes * 60
                if done:
                    return result
    raise AssertionError("the batches never end")
