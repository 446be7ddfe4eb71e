"""The action set of an environment: which pass each action number runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..errors import UnknownPassError, did_you_mean
from ..passes import Pass, catalogue, compilergym_flags, find

STOP = Pass("stop", "", group="control")
"""The action that ends the episode; it runs nothing."""

_GROUPS = {
    "passes": "core",
    "opt-in": "opt-in",
    "dormant": "dormant",
    "cosmetic": "cosmetic",
    "excluded": "excluded",
}


class ActionSet(NamedTuple):
    """The actions in order; ``stop`` is the index of the stop action, or −1."""

    passes: tuple[Pass, ...]
    stop: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the actions, in order."""
        return tuple(p.name for p in self.passes)


def _expand(token: str) -> list[Pass]:
    if token == "stop":
        return [STOP]
    if token == "compilergym":
        return list(dict.fromkeys(find(n) for n in compilergym_flags().values() if n))
    if token in _GROUPS:
        return list(catalogue(_GROUPS[token]))
    known = [*_GROUPS, "compilergym", "stop"]
    raise UnknownPassError(
        f"unknown action group {token!r}; expected one of {known} joined by '+', or a list "
        "of pass names." + did_you_mean(token, known)
    )


def build_actions(actions: str | Sequence[str | Pass]) -> ActionSet:
    """Build the action set.

    Args:
        actions: Groups joined by ``+``: ``"passes"`` (the core catalogue, 115 passes),
            ``"stop"``, ``"opt-in"``, ``"dormant"``, ``"cosmetic"``, ``"excluded"``,
            ``"compilergym"`` (the passes that CompilerGym's flags became); or a
            sequence of pass names, ``Pass`` objects and ``"stop"``.

    Raises:
        UnknownPassError: No such group or pass.
        ValueError: The set is empty or holds an action twice.
    """
    found: list[Pass] = []
    if isinstance(actions, str):
        for token in actions.split("+"):
            found += _expand(token.strip())
    else:
        for action in actions:
            if isinstance(action, Pass):
                found.append(action)
            else:
                found.append(STOP if action == "stop" else find(action))
    if not found or found == [STOP]:
        raise ValueError(f"actions={actions!r} holds no pass; expected at least one")
    names = [p.name for p in found]
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise ValueError(f"actions hold {repeated} more than once; give each pass once")
    return ActionSet(tuple(found), names.index("stop") if "stop" in names else -1)
