"""Stable-Baselines3 around ``LlvmVectorEnv``: the VecEnv adapter and a feature extractor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv

from ..envs.vector import LlvmVectorEnv
from ..objective import Scale


class Sb3VecEnv(VecEnv):
    """A ``LlvmVectorEnv`` in Stable-Baselines3's interface, with action masks.

    With ``reward="best"`` a step earns what it adds to the best state of its episode, and
    nothing otherwise: ``max(0, ln(best / cost)) / scale``. That is the reward for an agent
    whose result is the best state on its way, since it may cross worse states for free.
    ``"step"`` is the environment's own reward.

    >>> envs = Sb3VecEnv(8, programs="mirbench:train", observation=("autophase", "history"))
    """

    def __init__(self, num_envs: int, *, reward: str = "step", **kwargs: Any) -> None:
        if reward not in ("step", "best"):
            raise ValueError(f"unknown reward {reward!r}; expected 'step' or 'best'")
        self._best = np.zeros(num_envs) if reward == "best" else None
        self.envs = LlvmVectorEnv(num_envs, autoreset_mode=AutoresetMode.SAME_STEP, **kwargs)
        super().__init__(
            num_envs, self.envs.single_observation_space, self.envs.single_action_space
        )
        self._actions: np.ndarray | None = None

    def reset(self) -> Any:
        """First observations of all copies."""
        seeds = None if self._seeds[0] is None else list(self._seeds)
        observations, infos = self.envs.reset(seed=seeds)
        self.reset_infos = [_row(infos, i) for i in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        if self._best is not None:
            self._best[:] = [info["cost"] for info in self.reset_infos]
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions; ``step_wait`` sends and receives."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """One step of all copies; ended ones are reset, as SB3 expects."""
        assert self._actions is not None
        observations, rewards, terminated, truncated, infos = self.envs.step(self._actions)
        dones = terminated | truncated
        rows = []
        for i in range(self.num_envs):
            row = _row(infos, i)
            if dones[i]:
                row["terminal_observation"] = row.pop("final_obs")
                row.update(row.pop("final_info"))
                row["TimeLimit.truncated"] = bool(truncated[i])
            rows.append(row)
            if self._best is not None:
                rewards[i] = self._improvement(i, row, infos["cost"][i])
        return observations, rewards.astype(np.float32), dones, rows

    def _improvement(self, i: int, info: dict[str, Any], next_cost: int) -> float:
        """What this step added to the best of copy ``i``'s episode, in the reward's scale."""
        assert self._best is not None
        cost = max(info["cost"], 1)
        gain = max(0.0, float(np.log(max(self._best[i], 1) / cost)))
        # After the end of an episode ``next_cost`` is where the next one starts.
        self._best[i] = next_cost if "terminal_observation" in info else min(self._best[i], cost)
        return gain / Scale(info["start_cost"], info["baseline_cost"]).log_gain

    def close(self) -> None:
        """End the workers."""
        self.envs.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the vector environment, once for each copy."""
        return [getattr(self.envs, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Not supported: the copies share one configuration."""
        raise NotImplementedError("build a new Sb3VecEnv with the other value instead")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """``action_masks`` of each copy; other methods are called once for all."""
        chosen = list(self._get_indices(indices))
        if method_name == "action_masks":
            masks = self.envs.action_masks()
            return [masks[i] for i in chosen]
        result = getattr(self.envs, method_name)(*method_args, **method_kwargs)
        return [result] * len(chosen)

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: Any = None
    ) -> list[bool]:
        """No copy is wrapped."""
        return [False] * len(list(self._get_indices(indices)))

    def has_attr(self, attr_name: str) -> bool:
        """Whether the vector environment has this attribute."""
        return hasattr(self.envs, attr_name)


def _row(infos: dict[str, Any], i: int) -> dict[str, Any]:
    """One copy's info out of a vector environment's."""
    row = {}
    for key, value in infos.items():
        if key.startswith("_") or not infos.get(f"_{key}", np.ones(i + 1, bool))[i]:
            continue
        row[key] = _row(value, i) if isinstance(value, dict) else value[i]
    return row


class CountsExtractor(BaseFeaturesExtractor):
    """Features for a policy: counts as logarithms, everything else as it is.

    A vector of counts ``x`` becomes ``ln(1 + x)`` and ``x / total``, which says how large
    the module is and what it is made of. Other boxes (``history``) are passed through.
    Output: ``(batch, features_dim)``, float32.
    """

    def __init__(self, observation_space: spaces.Space[Any]) -> None:
        self._parts = _parts(observation_space)
        width = sum((2 if counts else 1) * size for _, size, counts in self._parts)
        super().__init__(observation_space, width)

    def forward(self, observations: torch.Tensor | dict[str, torch.Tensor]) -> torch.Tensor:
        """Concatenate all parts."""
        out = []
        for name, _, counts in self._parts:
            x = observations[name] if isinstance(observations, dict) else observations  # (B, n)
            x = x.float()
            if counts:
                total = x.amax(dim=1, keepdim=True).clamp(min=1.0)  # (B, 1)
                out += [torch.log1p(x) / 8.0, x / total]
            else:
                out.append(x)
        return torch.cat(out, dim=1)  # (B, features_dim)


def _parts(space: spaces.Space[Any]) -> Sequence[tuple[str, int, bool]]:
    """Name, size and whether it holds counts, for each box of the space."""
    boxes = space.spaces if isinstance(space, spaces.Dict) else {"": space}
    parts = []
    for name, box in boxes.items():
        if not isinstance(box, spaces.Box) or len(box.shape) != 1:
            raise ValueError(
                f"CountsExtractor takes vectors only, not {name or 'the space'}: {box}"
            )
        parts.append((name, box.shape[0], bool(np.issubdtype(box.dtype, np.integer))))
    return parts
