"""Controls: what an agent must beat at an equal number of compiles.

``genetic`` has a module of its own, random search is in ``strategies``.
"""

from __future__ import annotations

import functools
import random
from importlib.resources import files

from ..errors import ToolMissingError
from .actionset import ActionSet
from .explorer import Explorer
from .strategies import IDLE_RESTARTS, as_whole, o_level

CORESETS = {"text_size_bytes": "coreset-text.json", "ir_instructions": "coreset-ir.json"}
"""The mined sequences by objective, in ``agents/data``; ``experiments.mine_coreset`` makes
them."""

POLICIES = {"text_size_bytes": "codesize", "ir_instructions": "instructions"}
"""The learned policies by objective, in ``agents/data/policies`` (``agents.policy``)."""

OPTUNA_PLACES = 12
"""Passes in a sequence of Optuna's; more make it slower, and its model worse."""


@functools.cache
def coreset(objective: str) -> ActionSet:
    """The best fixed sequences of the training programs for an objective, best first.

    Raises:
        ActionSetError: The data is for another LLVM.
    """
    name = CORESETS[objective]
    text = (files(__package__) / "data" / name).read_text(encoding="utf-8")
    return ActionSet.from_json(text, name)


def fixed(explorer: Explorer, rng: random.Random) -> None:
    """The coreset's sequences in their order: with N compiles left, the first N.

    The same for every seed.
    """
    for sequence in coreset(explorer.config.objective).actions:
        explorer.walk(explorer.root, (sequence,))


def oz_twice(explorer: Explorer, rng: random.Random) -> None:
    """O2 on functions with the baseline's attributes, and O2 again: two compiles."""
    explorer.walk(explorer.root, [o_level("default<O2>")] * 2)


def optuna_tpe(explorer: Explorer, rng: random.Random) -> None:
    """Optuna's tree-structured Parzen estimator over what follows the baseline.

    Each of ``OPTUNA_PLACES`` places holds one pass or none; a sequence is one pipeline and
    one compile.

    Raises:
        ToolMissingError: Optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ToolMissingError(
            "the control 'optuna' needs the package optuna; install it with: "
            "pip install 'mirgym[train]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=rng.randrange(1 << 31)))
    passes = {one.name: one for one in explorer.config.passes}
    choices = ["", *passes]
    start = explorer.best.path
    idle = 0
    while idle < IDLE_RESTARTS:
        before = explorer.compiles
        trial = study.ask()
        names = [trial.suggest_categorical(str(at), choices) for at in range(OPTUNA_PLACES)]
        steps = (*start, *(passes[name] for name in names if name))
        reached = explorer.walk(explorer.root, as_whole(steps))
        if reached is None:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, float(reached.cost))
        idle = idle + 1 if explorer.compiles == before else 0
