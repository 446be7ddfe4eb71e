"""Small readers of frozen features: linear ones and MLPs, for three kinds of question.

======== ===============================================================================
values   regression, several outputs at once, some unknown; R² of each
classes  classification; accuracy
pairs    which of 1,000 rows on the right belongs to one on the left; recall@1
======== ===============================================================================

Every feature set gets the same treatment (``ask``): its columns as they are or their
signed logarithms, whichever does better on the validation rows, standardised; and the
regularisation that does best there. Test rows decide nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

Kind = Literal["linear", "mlp"]
Result = TypeVar("Result", float, np.ndarray)
HIDDEN = 128
PROJECTED = 64
"""Width of the space in which pairs are compared."""
GALLERY = 1_000
RIDGES = tuple(float(x) for x in 10.0 ** np.arange(-1, 6))
DECAYS = (1e-3, 1e-1)
ROUNDS = 30
PATIENCE = 4
"""Rounds without a better validation score, after which training stops."""
ROUND_STEPS = 60
"""A round is a pass over the rows, or as many steps if that is more."""
BATCH = 256


class Part(NamedTuple):
    """Features of one split and what is asked of it."""

    x: np.ndarray  # (n, d) float32
    y: np.ndarray  # values: (n, k) float32 with NaN; classes: (n,) int64; pairs: (n, d) float32


@dataclass(frozen=True)
class Parts:
    """The three splits of one question."""

    fit: Part
    valid: Part
    test: Part

    def sampled(self, seed: int, share: float = 0.8) -> Parts:
        """The same with a random share of the fitting rows: what a seed changes."""
        generator = np.random.default_rng(seed)
        rows = generator.permutation(len(self.fit.x))[: int(share * len(self.fit.x))]
        return Parts(Part(self.fit.x[rows], self.fit.y[rows]), self.valid, self.test)


def standardised(parts: Parts, logarithms: bool, pairs: bool = False) -> Parts:
    """Zero mean and unit variance by the fitting rows; both sides of pairs on their own."""

    def scaler(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        def shape(x: np.ndarray) -> np.ndarray:
            return np.sign(x) * np.log1p(np.abs(x)) if logarithms else x

        mean, scale = shape(rows).mean(0), shape(rows).std(0)
        scale = np.where(scale > 1e-6, scale, 1.0)
        # A column that hardly ever varies must not explode where it does.
        return lambda x: np.clip((shape(x) - mean) / scale, -10, 10).astype(np.float32)

    left = scaler(parts.fit.x)
    right = scaler(parts.fit.y) if pairs else (lambda y: y)
    return Parts(*(Part(left(p.x), right(p.y)) for p in (parts.fit, parts.valid, parts.test)))


def r2(predicted: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """R² of each column, shape (k,); unknown answers are left out, constant columns are NaN."""
    known = ~np.isnan(answer)
    count = known.sum(0)
    mean = np.where(known, answer, 0).sum(0) / np.maximum(count, 1)
    error = np.where(known, (predicted - answer) ** 2, 0).sum(0)
    total = np.where(known, (answer - mean) ** 2, 0).sum(0)
    return np.where(total > 1e-9, 1 - error / np.maximum(total, 1e-9), np.nan)


def _mean_r2(predicted: np.ndarray, answer: np.ndarray) -> float:
    """Each column no worse than −1, so that one odd column does not choose the ridge."""
    return float(np.nanmean(np.maximum(r2(predicted, answer), -1)))


def ridge_values(parts: Parts, seed: int = 0, decay: float = 0) -> tuple[float, np.ndarray]:
    """Validation score and test predictions (n, k) of ridge regression, one λ for all.

    It has no use for the seed and the decay of the other probes.
    """
    del seed, decay
    best: tuple[float, np.ndarray] = (-np.inf, np.zeros_like(parts.test.y))
    columns = parts.fit.y.shape[1]
    weights = {ridge: np.zeros((parts.fit.x.shape[1] + 1, columns)) for ridge in RIDGES}
    for column in range(columns):
        known = ~np.isnan(parts.fit.y[:, column])
        for ridge, row in zip(RIDGES, _ridges(parts.fit, known, column), strict=True):
            weights[ridge][:, column] = row
    for weight in weights.values():
        score = _mean_r2(_affine(parts.valid.x, weight), parts.valid.y)
        if score > best[0]:
            best = score, _affine(parts.test.x, weight)
    return best


def _ridges(fit: Part, known: np.ndarray, column: int) -> list[np.ndarray]:
    x = np.c_[fit.x[known], np.ones(known.sum())].astype(np.float64)
    y = fit.y[known, column].astype(np.float64)
    values, vectors = np.linalg.eigh(x.T @ x)
    projected = vectors.T @ (x.T @ y)
    return [vectors @ (projected / (np.maximum(values, 0) + ridge)) for ridge in RIDGES]


def _affine(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    out: np.ndarray = x @ weight[:-1] + weight[-1]
    return out


def head(kind: Kind, inputs: int, outputs: int) -> nn.Module:
    """A linear map or one hidden layer."""
    if kind == "linear":
        return nn.Linear(inputs, outputs)
    return nn.Sequential(
        nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Dropout(0.1), nn.Linear(HIDDEN, outputs)
    )


class Question(NamedTuple):
    """How a head is made, what it minimises and what counts: each takes (model, x, y)."""

    make: Callable[[], nn.Module]
    loss: Callable[[nn.Module, torch.Tensor, torch.Tensor], torch.Tensor]
    score: Callable[[nn.Module, torch.Tensor, torch.Tensor], float]


def train(question: Question, parts: Parts, seed: int, decay: float) -> tuple[float, nn.Module]:
    """The best validation score, and the head that has it: training stops after it."""
    torch.manual_seed(seed)
    model = question.make()
    x, y = torch.from_numpy(parts.fit.x), torch.from_numpy(parts.fit.y)
    valid = torch.from_numpy(parts.valid.x), torch.from_numpy(parts.valid.y)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=decay)
    best, kept, waited = -np.inf, copy.deepcopy(model), 0
    passes = -(-ROUND_STEPS * BATCH // len(x))
    for _ in range(ROUNDS):
        model.train()
        for rows in torch.cat([torch.randperm(len(x)) for _ in range(passes)]).split(BATCH):
            optimizer.zero_grad()
            question.loss(model, x[rows], y[rows]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            now = question.score(model, *valid)
        if now > best:
            best, kept, waited = now, copy.deepcopy(model), 0
        else:
            waited += 1
            if waited == PATIENCE:
                break
    return best, kept


def mlp_values(parts: Parts, seed: int, decay: float) -> tuple[float, np.ndarray]:
    """Validation score and test predictions (n, k) of an MLP."""
    # Outputs of like size, so that none drowns the others.
    scale = np.nanstd(parts.fit.y, 0)
    scale = np.where(scale > 1e-6, scale, 1.0).astype(np.float32)
    scaled = Parts(*(Part(p.x, p.y / scale) for p in (parts.fit, parts.valid, parts.test)))

    def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        known = ~y.isnan()
        return F.mse_loss(model(x)[known], y[known])

    def score(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
        return _mean_r2(model(x).numpy(), y.numpy())

    width, outputs = parts.fit.x.shape[1], parts.fit.y.shape[1]
    question = Question(lambda: head("mlp", width, outputs), loss, score)
    best, model = train(question, scaled, seed, decay)
    with torch.no_grad():
        return best, model(torch.from_numpy(parts.test.x)).numpy() * scale


def classes(parts: Parts, seed: int, decay: float, *, kind: Kind) -> tuple[float, float]:
    """Validation and test accuracy."""

    def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(model(x), y)

    def score(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
        return float((model(x).argmax(1) == y).float().mean())

    count = int(parts.fit.y.max()) + 1
    question = Question(lambda: head(kind, parts.fit.x.shape[1], count), loss, score)
    best, model = train(question, parts, seed, decay)
    with torch.no_grad():
        return best, score(model, *map(torch.from_numpy, parts.test))


class TwoSides(nn.Module):
    """A projection for each side of a pair into one space."""

    def __init__(self, kind: Kind, width: int) -> None:
        super().__init__()
        self.left, self.right = head(kind, width, PROJECTED), head(kind, width, PROJECTED)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Likeness of each left row with each right row, (n, n)."""
        return F.normalize(self.left(x), dim=1) @ F.normalize(self.right(y), dim=1).T


def recall(likeness: np.ndarray) -> float:
    """How often row i is most like column i, among ``GALLERY`` columns at a time.

    Rows that do not fill a gallery are left out, unless there is no full one.
    """
    size = min(GALLERY, len(likeness))
    hits = []
    for first in range(0, len(likeness) - size + 1, size):
        block = likeness[first : first + size, first : first + size]
        hits.append(block.argmax(1) == np.arange(size))
    return float(np.concatenate(hits).mean())


def pairs(parts: Parts, seed: int, decay: float, *, kind: Kind) -> tuple[float, float]:
    """Validation and test recall@1."""

    def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        likeness = model(x, y) / 0.1
        answer = torch.arange(len(x))
        return F.cross_entropy(likeness, answer) + F.cross_entropy(likeness.T, answer)

    def score(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
        return recall(model(x, y).numpy())

    question = Question(lambda: TwoSides(kind, parts.fit.x.shape[1]), loss, score)
    best, model = train(question, parts, seed, decay)
    with torch.no_grad():
        return best, score(model, *map(torch.from_numpy, parts.test))


Probe = Callable[[Parts, int, float], tuple[float, Result]]
"""From splits, seed and decay to the validation score and the test result."""


def ask(probe: Probe[Result], parts: Parts, seeds: int, *, pairs: bool = False) -> list[Result]:
    """The probe's test result with each seed.

    Whether the columns are taken as logarithms, and the decay, are chosen with the first
    seed, by the validation rows.
    """
    return ask_best({"": probe}, parts, seeds, pairs=pairs)[1]


def ask_best(
    probes: Mapping[str, Probe[Result]], parts: Parts, seeds: int, *, pairs: bool = False
) -> tuple[str, list[Result]]:
    """Name and test results, with each seed, of the probe that is best on the validation rows.

    It is chosen as the rest is, see ``ask``.
    """

    def answer(seed: int, name: str, logarithms: bool, decay: float) -> tuple[float, Result]:
        return probes[name](standardised(parts.sampled(seed), logarithms, pairs), seed, decay)

    choices = [(n, logs, decay) for n in probes for logs in (False, True) for decay in DECAYS]
    first = [answer(0, *choice) for choice in choices]
    chosen = int(np.argmax([score for score, _ in first]))
    results: list[Result] = [first[chosen][1]]
    results += [answer(seed, *choices[chosen])[1] for seed in range(1, seeds)]
    return choices[chosen][0], results
