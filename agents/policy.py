"""The policy: which actions are worth a compile, from what a state of a module looks like.

A network of two hidden layers over frozen observations. Its logits order the actions of its
own ``ActionSet`` and ``stop``, which comes last; they were fitted to what actions gave on
training modules, and refined by PPO (``experiments.train_policy``). For a program as loaded
its last hidden layer also finds training modules that are alike (``agents.memory``). A file
holds everything that belongs together: weights, sizes, memory, actions, and for which LLVM.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import nn

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


class Features(nn.Module):
    """Observations in one vector, each entry with mean 0 and deviation 1 on training states.

    Counts ``x`` become ``ln(1 + x)`` and ``x / total``.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, observation: Sequence[str], sizes: Sequence[int]) -> None:
        super().__init__()
        self.observation = tuple(observation)
        self.width = sum(
            2 * size if name in COUNTS else size
            for name, size in zip(observation, sizes, strict=True)
        )
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("scale", torch.ones(self.width))

    def raw(self, parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """(B, width), not yet standardised."""
        out = []
        for name in self.observation:
            x = parts[name].float()  # (B, n)
            if name in COUNTS:
                out += [torch.log1p(x), x / x.amax(dim=1, keepdim=True).clamp(min=1.0)]
            else:
                out.append(x)
        return torch.cat(out, dim=1)

    def fit(self, parts: Mapping[str, torch.Tensor]) -> None:
        """Take mean and deviation from these states; what never varies stays unscaled."""
        x = self.raw(parts)
        self.mean.copy_(x.mean(0))
        deviation = x.std(0, unbiased=False)
        self.scale.copy_(torch.where(deviation > 1e-4, 1 / deviation.clamp(min=1e-4), 1.0))

    def forward(self, parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """(B, width), within ±5 deviations: a module unlike all others is not an outlier."""
        return ((self.raw(parts) - self.mean) * self.scale).clamp(-5.0, 5.0)


def hidden_layers(width: int, hidden: Sequence[int]) -> nn.Sequential:
    """Linear and tanh in turns, as Stable-Baselines3 makes them."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(width, size), nn.Tanh()]
        width = size
    return nn.Sequential(*layers)


class PolicyNet(nn.Module):
    """From observations to one logit an action; stop is the last."""

    def __init__(self, config: PolicyConfig, n_actions: int) -> None:
        super().__init__()
        self.features = Features(config.observation, config.sizes)
        self.policy_net = hidden_layers(self.features.width, config.hidden)
        self.action_net = nn.Linear(config.hidden[-1], n_actions + 1)

    def forward(self, parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """(B, n_actions + 1)."""
        logits: torch.Tensor = self.action_net(self.hidden(parts))
        return logits

    def hidden(self, parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """(B, H), the last hidden layer."""
        out: torch.Tensor = self.policy_net(self.features(parts))
        return out


class Policy:
    """A network with its actions.

    Attributes:
        config: Objective and observations.
        actions: What its logits order; one more logit is ``stop``.
        net: The network.
        memory: Training modules as its hidden layer sees them; None without.
    """

    def __init__(
        self,
        config: PolicyConfig,
        actions: ActionSet,
        net: PolicyNet,
        memory: Memory | None = None,
    ) -> None:
        self.config = config
        self.actions = actions
        self.net = net.eval()
        self.memory = memory

    def logits(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        """One for each action and for stop, from a state's observations."""
        with torch.no_grad():
            tensors = {name: torch.tensor(part)[None] for name, part in parts.items()}
            out: np.ndarray = self.net(tensors)[0].numpy()
        return out

    def ranked(self, parts: Mapping[str, np.ndarray], size: int) -> list[int]:
        """Actions for a program as it was loaded, in the order to try them."""
        if self.memory is None:
            return [int(i) for i in (-self.logits(parts)[:-1]).argsort(kind="stable")[:size]]
        with torch.no_grad():
            tensors = {name: torch.tensor(part)[None] for name, part in parts.items()}
            key = self.net.hidden(tensors)[0].numpy()
        return self.memory.ranked(key, size)

    def save(self, path: Path) -> None:
        """Write weights, memory, config and actions into one file."""
        header = {
            "config": json.dumps(asdict(self.config)),
            "actions": self.actions.to_json(),
        }
        tensors = {name: value.contiguous() for name, value in self.net.state_dict().items()}
        if self.memory is not None:
            for name, part in self.memory._asdict().items():
                tensors[_MEMORY + name] = torch.tensor(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, serialise(tensors, header))


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
        with safe_open(path, "pt") as file:
            header = file.metadata()
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        raw: dict[str, Any] = json.loads(header["config"])
        lists = {k: tuple(v) for k, v in raw.items() if isinstance(v, list)}
        config = PolicyConfig(**{**raw, **lists})
        actions = ActionSet.from_json(header["actions"], str(path))
        parts = {
            name: tensors.pop(_MEMORY + name).numpy()
            for name in Memory._fields
            if _MEMORY + name in tensors
        }
        net = PolicyNet(config, len(actions))
        net.load_state_dict(tensors)
    except ActionSetError:
        raise
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise MirgymError(
            f"{path} does not hold a policy of this version of mirgym: {error}. "
            "Make it again with `python -m experiments.train_policy`"
        ) from error
    return Policy(config, actions, net, Memory(**parts) if parts else None)


def history(
    n_actions: int, path: Sequence[int], cost: int, start_cost: int, baseline_cost: int
) -> np.ndarray:
    """The observation ``history`` of an episode that took these actions."""
    past = History(n_actions + 1, STEPS)
    for action in path:
        past.record(action)
    vector: np.ndarray = past.vector(cost, start_cost, baseline_cost)
    return vector
