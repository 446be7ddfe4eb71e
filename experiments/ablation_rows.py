"""The rows of ``experiments.ablations``: a policy trained in five ways, and its scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from mirgym.agents.policy import Policy, PolicyConfig, policy_actions
from mirgym.agents.policy_net import PolicyNet, to_net, to_policy
from mirgym.agents.refine import RefineConfig, refine
from mirgym.agents.regression import FitConfig, fit
from mirgym.errors import DatasetError

from .policy_data import Data, ppo_programs, read, read_functions
from .policy_scores import Split, scores, split
from .runs import RESULTS
from .tuned_encoder import Functions, TuneConfig, embeddings, tune

OBSERVATION = ("embedding", "history")


@dataclass(frozen=True)
class AblationConfig:
    """The run."""

    work: Path = Path("runs/search_data")
    """What ``experiments.search_data`` wrote."""
    corpus: Path | None = None
    """``modules`` of a corpus' work folder: PPO trains on some of them too."""
    corpus_count: int = 40
    objective: Literal["text_size_bytes", "ir_instructions"] = "text_size_bytes"
    seeds: int = 5
    fit: FitConfig = field(default_factory=FitConfig)
    refine: RefineConfig = field(default_factory=lambda: RefineConfig(total_steps=6_000))
    """Of both rows with PPO, but for what follows."""
    scratch_learning_rate: float = 3e-4
    """Without a warm start there is nothing to be careful with: the usual figures for PPO,
    and the actor learns from the first step."""
    scratch_clip: float = 0.2
    tune: TuneConfig = field(default_factory=TuneConfig)
    folder: Path = RESULTS / "ablations"


class Study:
    """What all rows share.

    Raises:
        DatasetError: The states are of other actions, or too few to choose by.
    """

    def __init__(self, config: AblationConfig) -> None:
        self.config = config
        self.data: Data = read(config.work)
        self.actions = policy_actions()
        tried = self.data.values[config.objective].shape[1] - 1
        if tried != len(self.actions):
            raise DatasetError(
                f"the states in {config.work} are of {tried} actions, policies now have "
                f"{len(self.actions)}: make them again with `python -m experiments.search_data`"
            )
        self.parts: Split = split(self.data, config.objective, OBSERVATION)
        if not len(self.parts.first_valid.values) or not len(self.parts.first_train.values):
            raise DatasetError(
                f"{config.work} holds {len(set(self.data.modules))} modules, all on one side of "
                "the validation split: make more with `python -m experiments.search_data`"
            )
        sizes = tuple(self.parts.train.parts[name].shape[1] for name in OBSERVATION)
        self.shape = PolicyConfig(config.objective, OBSERVATION, sizes)
        self.regression = lru_cache(maxsize=1)(self._regression)

    @cached_property
    def programs(self) -> list[str]:
        """What PPO trains on."""
        return ppo_programs(self.config.corpus, self.config.corpus_count)

    @cached_property
    def functions(self) -> tuple[Functions, Functions]:
        """States of training and of validation modules, with their functions."""
        modules = read_functions(self.config.work)
        held = self.data.is_validation
        train, valid = (
            [m for m, chosen in zip(modules, some, strict=True) if chosen] for some in (~held, held)
        )
        return Functions(train, self.parts.train), Functions(valid, self.parts.valid)

    def untrained(self, seed: int) -> Policy:
        """Random weights; the observations are standardised as for all others."""
        torch.manual_seed(seed)
        net = PolicyNet(self.shape, len(self.actions))
        net.features.fit(self.parts.train.tensors())
        return to_policy(net, self.shape, self.actions)

    def _regression(self, seed: int) -> Policy:
        net = fit(self.shape, self.parts.train, self.parts.valid, self.config.fit, seed)
        return to_policy(net, self.shape, self.actions)

    def with_encoder(self, modules: np.ndarray) -> Split:
        """The states with these embeddings, (N, module_size)."""
        data = dataclasses.replace(self.data, parts={**self.data.parts, "embedding": modules})
        return split(data, self.config.objective, OBSERVATION)


def untrained(study: Study, seed: int) -> Mapping[str, float]:
    """Random weights."""
    return scores(study.untrained(seed), study.parts)


def regression(study: Study, seed: int) -> Mapping[str, float]:
    """The warm start."""
    return scores(study.regression(seed), study.parts)


def ppo_from_scratch(study: Study, seed: int) -> Mapping[str, float]:
    """PPO on random weights."""
    config = study.config
    settings = dataclasses.replace(
        config.refine,
        learning_rate=config.scratch_learning_rate,
        clip=config.scratch_clip,
        critic_steps=0,
    )
    return scores(refine(study.untrained(seed), study.programs, settings, seed), study.parts)


def regression_and_ppo(study: Study, seed: int) -> Mapping[str, float]:
    """PPO from the warm start."""
    warm = study.regression(seed)
    return scores(refine(warm, study.programs, study.config.refine, seed), study.parts)


def encoder_too(study: Study, seed: int) -> Mapping[str, float]:
    """The warm start trained on with the encoder; all embeddings are then made again."""
    config = study.config
    train, valid = study.functions
    start = to_net(study.regression(seed))
    net, encoder = tune(start, train, valid, config.tune, config.fit, seed)
    held = study.data.is_validation
    embedded = np.empty_like(study.data.parts["embedding"])
    for some, functions in ((~held, train), (held, valid)):
        embedded[some] = embeddings(encoder, functions.modules)
    return scores(to_policy(net, study.shape, study.actions), study.with_encoder(embedded))


ROWS: Mapping[str, Callable[[Study, int], Mapping[str, float]]] = {
    "untrained": untrained,
    "regression": regression,
    "PPO from scratch": ppo_from_scratch,
    "regression + PPO": regression_and_ppo,
    "regression, encoder too": encoder_too,
}
