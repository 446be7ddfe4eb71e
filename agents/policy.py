"""The policy: which actions are worth a compile, from what a state of a module looks like.

A network of two hidden layers over frozen observations. Its logits order the actions of its
own ``ActionSet`` and ``stop``, which comes last; they were fitted to what actions gave on
training modules, and refined by PPO (``experiments.train_policy``). For a program as loaded
its last hidden layer also finds training modules that are alike (``agents.memory``). A file
holds everything that belongs together: weights, sizes, memory, actions, and for which LLVM.

What is here needs no torch, whose import takes longer than optimising a program;
``agents.policy_net`` is the same network for training.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialise

from ..envs.observations import History
from ..errors import ActionSetError, MirgymError, did_you_mean
from ..features import AUTOPHASE_NAMES, INSTCOUNT_NAMES, IR2VEC_NAMES
from ..passes import Pass
from ..programs.cache import write_atomically
from .actionset import ActionSet, build
from .controls import CORESETS, coreset
from .memory import Memory

FOLDER = Path(__file__).parent / "data" / "policies"
_MEMORY = "memory."
OUTLIER = 5.0
"""Deviations that a feature is held within: a module unlike all others is not an outlier."""
STEPS = 5
"""Actions in an episode: sequences follow each other seldom with profit, passes a few times."""

COUNTS = {
    "autophase": len(AUTOPHASE_NAMES),
    "instcount": len(INSTCOUNT_NAMES),
    "ir2vec": len(IR2VEC_NAMES),
}
"""Observations that count, and their sizes."""


def policy_actions() -> ActionSet:
    """What policies choose from: both coresets, stages, variants of O2, passes, parameters."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Pass] = {}
    for group in (*(coreset(objective) for objective in CORESETS), build()):
        for action in group.actions:
            found.setdefault((action.pipeline, action.options), action)
    return ActionSet(tuple(found.values()), "policy")


@dataclass(frozen=True)
class PolicyConfig:
    """Shape of a policy; it travels in the header of the weights."""

    objective: str
    observation: tuple[str, ...] = ("embedding", "autophase", "history")
    """What it sees, in this order."""
    sizes: tuple[int, ...] = ()
    """Entries of each."""
    hidden: tuple[int, ...] = (256, 128)
    encoder: str = "tiny"
    """Whose embedding it sees."""


class Policy:
    """A network with its actions.

    Args:
        config: Objective and observations.
        actions: What its logits order; one more logit is ``stop``.
        weights: Of ``agents.policy_net.PolicyNet``, by their names there.
        memory: Training modules as its hidden layer sees them; None without.
    """

    def __init__(
        self,
        config: PolicyConfig,
        actions: ActionSet,
        weights: Mapping[str, np.ndarray],
        memory: Memory | None = None,
    ) -> None:
        self.config = config
        self.actions = actions
        self.weights = weights
        self.memory = memory

    def hidden(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        """(B, H) the last hidden layer, from the observations (B, n) of states."""
        layers = [f"policy_net.{2 * layer}" for layer in range(len(self.config.hidden))]
        return last_hidden(self.weights, self.config.observation, layers, parts)

    def logits(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        """(B, A + 1) for each action and for stop, from the observations (B, n) of states."""
        return linear(self.weights, "action_net", self.hidden(parts))

    def ranked(self, parts: Mapping[str, np.ndarray], size: int) -> list[int]:
        """Actions for one program as it was loaded, (1, n) each, in the order to try them."""
        if self.memory is None:
            return [int(i) for i in (-self.logits(parts)[0, :-1]).argsort(kind="stable")[:size]]
        return self.memory.ranked(self.hidden(parts)[0], size)

    def save(self, path: Path) -> None:
        """Write weights, memory, config and actions into one file."""
        header = {
            "config": json.dumps(asdict(self.config)),
            "actions": self.actions.to_json(),
        }
        tensors = {name: np.ascontiguousarray(value) for name, value in self.weights.items()}
        if self.memory is not None:
            tensors |= {_MEMORY + name: part for name, part in self.memory._asdict().items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, serialise(tensors, header))


def raw(observation: Sequence[str], parts: Mapping[str, np.ndarray]) -> np.ndarray:
    """(B, width) observations in one vector; counts ``x`` become ``ln(1 + x)`` and ``x / max``."""
    out = []
    for name in observation:
        x = parts[name].astype(np.float32)  # (B, n)
        if name in COUNTS:
            out += [np.log1p(x), x / x.max(axis=1, keepdims=True).clip(min=1.0)]
        else:
            out.append(x)
    return np.concatenate(out, axis=1)


def last_hidden(
    weights: Mapping[str, np.ndarray],
    observation: Sequence[str],
    layers: Sequence[str],
    parts: Mapping[str, np.ndarray],
) -> np.ndarray:
    """(B, H) what the last of these layers of a network puts out.

    Args:
        weights: Of ``agents.policy_net.Features`` and of the layers, by name.
        observation: Names of what it sees, in order.
        layers: Names of its hidden layers, in order.
        parts: (B, n) the observations of states.
    """
    x = (raw(observation, parts) - weights["features.mean"]) * weights["features.scale"]
    x = x.clip(-OUTLIER, OUTLIER)
    for name in layers:
        x = np.tanh(linear(weights, name, x))
    return x


def linear(weights: Mapping[str, np.ndarray], name: str, x: np.ndarray) -> np.ndarray:
    """(B, n) the linear layer of this name."""
    out: np.ndarray = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
    return out


def shipped() -> list[str]:
    """Names of the policies in this installation."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def load(name: str | Path) -> Policy:
    """A policy by name, such as ``"codesize"``, or from a file.

    Raises:
        MirgymError: There is none, it is damaged, or its actions are for another LLVM.
    """
    path = FOLDER / f"{name}.safetensors" if str(name) in shipped() else Path(name)
    if not path.is_file():
        raise MirgymError(
            f"no policy {str(name)!r}: expected one of {shipped()} or a file that "
            f"`python -m experiments.train_policy` wrote.{did_you_mean(str(name), shipped())}"
        )
    try:
        with safe_open(path, "np") as file:
            header = file.metadata()
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        fields: dict[str, Any] = json.loads(header["config"])
        lists = {k: tuple(v) for k, v in fields.items() if isinstance(v, list)}
        config = PolicyConfig(**{**fields, **lists})
        actions = ActionSet.from_json(header["actions"], str(path))
        parts = {
            name: tensors.pop(_MEMORY + name)
            for name in Memory._fields
            if _MEMORY + name in tensors
        }
        policy = Policy(config, actions, tensors, Memory(**parts) if parts else None)
        zeros = {n: np.zeros((1, s)) for n, s in zip(config.observation, config.sizes, strict=True)}
        if policy.logits(zeros).shape != (1, len(actions) + 1):
            raise ValueError(f"it has not one logit for each of {len(actions)} actions and stop")
    except ActionSetError:
        raise
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise MirgymError(
            f"{path} does not hold a policy of this version of mirgym: {error}. "
            "Make it again with `python -m experiments.train_policy`"
        ) from error
    return policy


def history(
    n_actions: int, path: Sequence[int], cost: int, start_cost: int, baseline_cost: int
) -> np.ndarray:
    """The observation ``history`` of an episode that took these actions."""
    past = History(n_actions + 1, STEPS)
    for action in path:
        past.record(action)
    vector: np.ndarray = past.vector(cost, start_cost, baseline_cost)
    return vector
