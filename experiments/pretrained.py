"""Losses of pre-trained encoders, and of predictors that know only what is frequent."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from mirgym.corpus.schema import EFFECT_PASSES
from mirgym.encoder.config import CONFIGS, EncoderConfig, Modality
from mirgym.encoder.dataset import Dataset
from mirgym.encoder.model import Encoder
from mirgym.encoder.pretrain import PretrainConfig, pretrain
from mirgym.encoder.tasks import MASKED_FIELDS, Labelled, TaskHeads, TaskWeights, label
from mirgym.errors import MirgymError
from mirgym.views import FIELD_SIZES, NODE_SIZES

BATCH_INSTRUCTIONS = 6_000
"""As in pre-training: the loss of ``contrast`` and the wrong graphs of ``match`` depend on it."""

TASKS = tuple(task.name for task in fields(TaskWeights))

_BLIND: dict[Modality, tuple[str, ...]] = {
    "both": (),
    "text": ("graph", "match"),
    "graph": ("mtm", "match"),
}
"""Tasks that an encoder of one modality cannot answer: they need the other."""

_UNIFORM_EDGE = math.log(2)

Losses = dict[str, torch.Tensor]


class Mean(NamedTuple):
    """A mean over batches."""

    value: float
    error: float
    """Its standard error."""


def task_weights(modality: Modality = "both", without: str | None = None) -> TaskWeights:
    """The weights of pre-training, without one task and those that the modality cannot answer.

    >>> task_weights("text").match
    0
    """
    off: dict[str, Any] = dict.fromkeys(_BLIND[modality], 0)
    return replace(TaskWeights(), **off, **({without: 0} if without else {}))


class Pretrained:
    """An encoder with its task heads, from the folder of a run.

    Attributes:
        minutes: Training time so far.
        functions: Functions seen in it.

    Raises:
        MirgymError: The folder has no checkpoint, or one of another version of the encoder.
    """

    def __init__(self, run: Path) -> None:
        if not (run / "checkpoint.pt").is_file():
            raise MirgymError(
                f"{run} holds no checkpoint.pt; give the folder of a run of `mirgym pretrain` "
                "(the shipped weights lack the heads of the tasks)"
            )
        config = json.loads((run / "run.json").read_text())
        checkpoint = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
        shape = {name: config[name] for name in ("modality", "conv")}
        self.config = EncoderConfig(**(asdict(CONFIGS[config["config"]]) | shape))
        self.tasks = TaskWeights(**config["tasks"])
        self.encoder, self.heads = Encoder(self.config).eval(), TaskHeads(self.config).eval()
        student: Losses = checkpoint["student"]
        try:
            for name, module in (("encoder.", self.encoder), ("heads.", self.heads)):
                own = {k.removeprefix(name): v for k, v in student.items() if k.startswith(name)}
                module.load_state_dict(own)
        except RuntimeError as error:
            raise MirgymError(
                f"{run}/checkpoint.pt is of another version of the encoder: {error}. Run "
                "`mirgym pretrain` again, into another folder"
            ) from error
        self.minutes = checkpoint["counters"]["seconds"] / 60
        self.functions = int(checkpoint["counters"]["functions"])

    def losses(self, labelled: Labelled) -> Losses:
        """The losses of the tasks that this run was trained on."""
        return self.heads.losses(self.encoder(labelled.batch), labelled, self.tasks)


class Trivial:
    """What each task costs who only knows how frequent each answer is.

    ``mtm`` and the nodes of ``graph``: the frequencies of codes in the training split.
    Edges, ``match`` and ``contrast``: all answers alike. ``effects``: for each pass the mean or
    the median of its effect, whichever is better, and how often it changes a function.
    """

    def __init__(self, batches: Iterator[Labelled]) -> None:
        # One of each code more than was seen: a code that is new in the test is not infinite.
        fields_seen = [torch.ones(FIELD_SIZES[field]) for field in MASKED_FIELDS]
        nodes_seen = [torch.ones(size) for size in NODE_SIZES]
        effects, changed = [], []
        for labelled in batches:
            for seen, field in zip(fields_seen, MASKED_FIELDS, strict=True):
                seen.add_(torch.bincount(labelled.token_codes[:, field], minlength=len(seen)))
            for row, seen in enumerate(nodes_seen):
                seen.add_(torch.bincount(labelled.node_codes[:, row], minlength=len(seen)))
            effects.append(labelled.effects)
            changed.append(labelled.changed)
        self._fields = [(seen / seen.sum()).log() for seen in fields_seen]
        self._nodes = [(seen / seen.sum()).log() for seen in nodes_seen]
        self._effect = _best_constants(torch.cat(effects))  # (P + 1,)
        known = ~torch.cat(effects)[:, :-1].isnan()
        rates = (torch.cat(changed) * known).sum(0) / known.sum(0).clamp(min=1)
        self._changes = rates.clamp(1e-4, 1 - 1e-4)  # (P,)

    def losses(self, labelled: Labelled) -> Losses:
        """The losses of every task, as ``TaskHeads`` computes them."""
        fields_lost = [
            -log_share[labelled.token_codes[:, field]].mean()
            for log_share, field in zip(self._fields, MASKED_FIELDS, strict=True)
        ]
        nodes_lost = [
            -log_share[labelled.node_codes[:, row]].mean()
            for row, log_share in enumerate(self._nodes)
        ]
        masked = {
            "mtm": torch.stack(fields_lost).mean(),
            "graph": torch.stack([*nodes_lost, torch.tensor(_UNIFORM_EDGE)]).mean(),
        }
        return {
            # Where nothing is masked there is nothing to lose.
            **{name: loss for name, loss in masked.items() if not loss.isnan()},
            "match": torch.tensor(math.log(2)),
            "match accuracy": torch.tensor(0.5),
            "effects": self._lost_effects(labelled),
            "contrast": _uniform_contrast(labelled.origins),
        }

    def _lost_effects(self, labelled: Labelled) -> torch.Tensor:
        known = ~labelled.effects.isnan()
        guess = self._effect.expand_as(labelled.effects)
        counts = _smooth(guess, labelled.effects)[known].mean()
        rates = self._changes.expand_as(labelled.changed)
        flips = F.binary_cross_entropy(rates, labelled.changed, reduction="none")
        return counts + flips[known[:, :-1]].mean()


def _smooth(guess: torch.Tensor, answer: torch.Tensor) -> torch.Tensor:
    return F.smooth_l1_loss(guess, answer, reduction="none", beta=0.5)


def _best_constants(effects: torch.Tensor) -> torch.Tensor:
    """Mean or median of each column of (n, P + 1), whichever has the smaller loss."""
    choices = torch.stack([effects.nanmean(0), effects.nanmedian(0).values]).nan_to_num()
    lost = torch.stack([_smooth(c.expand_as(effects), effects).nanmean(0) for c in choices])
    return choices.gather(0, lost.nan_to_num().argmin(0)[None])[0]


def _uniform_contrast(origins: torch.Tensor) -> torch.Tensor:
    """``ln((n - 1) / k)`` for a function that has k other states among n functions."""
    others = (origins[:, None] == origins).sum(1) - 1
    others = others[others > 0]
    if not len(others):
        return torch.tensor(0.0)
    return ((len(origins) - 1) / others).log().mean()


def labelled_batches(
    dataset: Dataset, window: int, *, limit: int = 0, seed: int = 0
) -> Iterator[Labelled]:
    """Batches of one epoch, the same each time; ``limit`` 0 is all of them."""
    for number, examples in enumerate(dataset.batches(BATCH_INSTRUCTIONS, seed)):
        if limit and number == limit:
            return
        yield label(examples, window, np.random.default_rng(number))


def mean_losses(
    losses: Callable[[Labelled], Losses], dataset: Dataset, window: int, *, limit: int = 0
) -> dict[str, Mean]:
    """Mean of each loss over the batches of a split; the same sample of edges each time."""
    found: dict[str, list[float]] = {}
    torch.manual_seed(0)
    with torch.no_grad():
        for labelled in labelled_batches(dataset, window, limit=limit):
            for name, loss in losses(labelled).items():
                found.setdefault(name, []).append(float(loss))
    return {
        name: Mean(float(np.mean(v)), float(np.std(v) / math.sqrt(len(v))))
        for name, v in found.items()
    }


def train_trivial(dataset: Dataset, window: int, *, limit: int = 0) -> Trivial:
    """The trivial predictor of a training split."""
    if dataset.effect_passes != list(EFFECT_PASSES):
        raise MirgymError(
            "the corpus measured other passes than this version of mirgym knows; "
            "build it again with `mirgym corpus build`"
        )
    return Trivial(labelled_batches(dataset, window, limit=limit, seed=1))


def pretrained(config: PretrainConfig) -> Pretrained:
    """Train, or go on with an unfinished run; a finished one is read."""
    if (config.output / "checkpoint.pt").exists():
        done = Pretrained(config.output)
        if done.minutes >= config.minutes:
            return done
    pretrain(config)
    return Pretrained(config.output)
