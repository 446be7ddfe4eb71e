"""The value network: how cheap a state of a module can still become, and by which action.

It predicts ``ln(best ÷ cost)``: the logarithm of the lowest cost that a few more actions reach,
over the cost of the state. It is fitted to a low quantile of what searches on training modules
found (``experiments.train_value``), so that it errs towards hope: a heuristic that never
promises less than there is would be admissible, and this one is so in a measured share of
states. A second head says the same of each action that could be next. What both see is the
state's embedding, its counts, and the search's ``progress``.

A file is ``.safetensors``: the weights, and a header of three texts,

``config``   a ``ValueConfig`` as JSON
``actions``  the ``ActionSet`` that the second head orders, which names its LLVM
``sha256``   of the weights: what is damaged is refused

What is here needs no torch.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialise

from ..errors import ActionSetError, MirgymError, did_you_mean
from ..programs.cache import write_atomically
from .actionset import ActionSet
from .policy import last_hidden, linear
from .walker import Node

FOLDER = Path(__file__).parent / "data" / "values"
PROGRESS = 4
"""Entries of the observation ``progress``."""


@dataclass(frozen=True)
class ValueConfig:
    """Shape of a value network; it travels in the header of the weights."""

    objective: str
    observation: tuple[str, ...] = ("embedding", "autophase", "progress")
    """What it sees, in this order."""
    sizes: tuple[int, ...] = ()
    """Entries of each."""
    hidden: tuple[int, ...] = (32,)
    encoder: str = "tiny"
    """Whose embedding it sees."""
    quantile: float = 0.1
    """Of what is left to gain in states that look like this: the lower, the more hopeful."""
    horizon: int = 3
    """Actions within which the best cost is to be reached."""


class Value:
    """A network without torch.

    Args:
        config: Objective and observations.
        actions: What its second head orders.
        weights: Of ``experiments.value_fit.ValueNet``, by their names there.
    """

    def __init__(
        self, config: ValueConfig, actions: ActionSet, weights: Mapping[str, np.ndarray]
    ) -> None:
        self.config = config
        self.actions = actions
        self.weights = weights
        self._groups = group_numbers(actions)

    def gains(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        """(B,) ``ln(best ÷ cost)``, 0 or less, from the observations (B, n) of states.

        The network's own output is ``ln(best ÷ baseline)``, which differs less between states.
        """
        best = linear(self.weights, "value_head", self._hidden(parts))[:, 0]
        here = parts["progress"][:, 1]
        return np.asarray(np.minimum(best - here, 0.0))

    def action_values(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        """(B, A) ``ln(best ÷ baseline)`` with each action next.

        It is the sum of what the state says of the action's group and what is known of the
        action anywhere.
        """
        groups = linear(self.weights, "group_head", self._hidden(parts))  # (B, G)
        return np.asarray(groups[:, self._groups] + self.weights["action_bias"])

    def _hidden(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        layers = [f"layers.{2 * layer}" for layer in range(len(self.config.hidden))]
        return last_hidden(self.weights, self.config.observation, layers, parts)

    def save(self, path: Path) -> None:
        """Write weights, config and actions into one file."""
        tensors = {name: np.ascontiguousarray(value) for name, value in self.weights.items()}
        header = {
            "config": json.dumps(asdict(self.config)),
            "actions": self.actions.to_json(),
            "sha256": _digest(tensors),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, serialise(tensors, header))


def group_numbers(actions: ActionSet) -> np.ndarray:
    """(A,) the number of each action's group in ``actions.groups``."""
    return np.array([actions.groups.index(action.group) for action in actions.actions])


def progress(node: Node, tried: int, root_cost: int, baseline_cost: int) -> np.ndarray:
    """(4,) where a search stands in a state.

    ``ln(cost ÷ cost of the program as loaded)``, ``ln(cost ÷ baseline)``, the number of actions
    that led here, and ``ln(1 + tried)``, with ``tried`` the actions already taken from here.
    """
    cost = math.log(max(node.cost, 1))
    entries = (
        cost - math.log(max(root_cost, 1)),
        cost - math.log(max(baseline_cost, 1)),
        node.depth,
        math.log1p(tried),
    )
    return np.array(entries, np.float32)


def shipped() -> list[str]:
    """Names of the value networks in this installation."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def load(name: str | Path) -> Value:
    """A value network by name, such as ``"codesize"``, or from a file.

    Raises:
        MirgymError: There is none, it is damaged, or its actions are for another LLVM.
    """
    path = FOLDER / f"{name}.safetensors" if str(name) in shipped() else Path(name)
    if not path.is_file():
        raise MirgymError(
            f"no value network {str(name)!r}: expected one of {shipped()} or a file that "
            f"`python -m experiments.train_value` wrote.{did_you_mean(str(name), shipped())}"
        )
    try:
        with safe_open(path, "np") as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        return _from(header, tensors, str(path))
    except ActionSetError:
        raise
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise MirgymError(
            f"{path} does not hold a value network of this version of mirgym: {error}. "
            "Make it again with `python -m experiments.train_value`"
        ) from error


def _from(header: Mapping[str, str], tensors: Mapping[str, np.ndarray], source: str) -> Value:
    fields: dict[str, Any] = dict(json.loads(header["config"]))
    lists = {k: tuple(v) for k, v in fields.items() if isinstance(v, list)}
    config = ValueConfig(**{**fields, **lists})
    if header["sha256"] != _digest(tensors):
        raise ValueError("its weights are not those that were written")
    value = Value(config, ActionSet.from_json(header["actions"], source), tensors)
    zeros = {n: np.zeros((1, s)) for n, s in zip(config.observation, config.sizes, strict=True)}
    if value.gains(zeros).shape != (1,):
        raise ValueError("it has not one number for a state")
    if value.action_values(zeros).shape != (1, len(value.actions)):
        raise ValueError(f"it has not one number for each of {len(value.actions)} actions")
    return value


def _digest(tensors: Mapping[str, np.ndarray]) -> str:
    """Of all names, shapes and bytes."""
    hashed = hashlib.sha256()
    for name in sorted(tensors):
        hashed.update(f"{name} {tensors[name].dtype} {tensors[name].shape}\n".encode())
        hashed.update(tensors[name].tobytes())
    return hashed.hexdigest()
