"""Agents that choose passes: search here without torch, learning in the other modules.

>>> policy = mirgym.agents.load("codesize")  # doctest: +SKIP
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .policy import Policy


def load(name: str | Path) -> Policy:
    """A learned policy: ``"codesize"``, ``"instructions"``, or a file; see ``policy.load``.

    ``agents.refine.make_model(policy, make_envs(policy, programs, 4, 0), RefineConfig(), 0)``
    makes Stable-Baselines3's ``MaskablePPO`` of it, which goes on learning and saves as such.

    Raises:
        MirgymError: There is none, it is damaged, or its actions are for another LLVM.
    """
    from .policy import load as load_policy

    return load_policy(name)
