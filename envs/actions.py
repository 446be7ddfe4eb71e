"""The action set of an environment: which pass each action number runs, or parameter it sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ..errors import UnknownPassError, did_you_mean
from ..parameters import DEFAULT, Knob
from ..parameters import catalogue as all_knobs
from ..passes import PROFILE, Pass, catalogue, compilergym_flags, find

STOP = Pass("stop", "", group="control")
"""The action that ends the episode; it runs nothing."""

_GROUPS = {
    "passes": "core",
    "opt-in": "opt-in",
    "dormant": "dormant",
    "cosmetic": "cosmetic",
    "excluded": "excluded",
}


class Setting(NamedTuple):
    """What an action sets: value number ``value`` of knob number ``knob``."""

    knob: int
    value: int


class ActionSet(NamedTuple):
    """The actions in order.

    Attributes:
        passes: What each action runs; settings run nothing.
        stop: Index of the stop action, or −1.
        knobs: The parameters that some actions set.
        settings: Those actions, by index.
    """

    passes: tuple[Pass, ...]
    stop: int
    knobs: tuple[Knob, ...] = ()
    settings: Mapping[int, Setting] = MappingProxyType({})

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the actions, in order."""
        return tuple(p.name for p in self.passes)


def setting_actions(knobs: Sequence[Knob]) -> dict[Setting, Pass]:
    """An action for each value of each knob, the defaults too, such as ``unroll-count=2``."""
    return {
        Setting(k, v): Pass(f"{knob.name}={value.name}", "", "setting", options=value.options)
        for k, knob in enumerate(knobs)
        for v, value in enumerate(knob.values)
    }


def sequence_knobs() -> tuple[Knob, ...]:
    """The knobs that single passes read, with the values that are options alone."""
    return tuple(
        knob._replace(values=tuple(v for v in knob.values if v.options or v.name == DEFAULT))
        for knob in all_knobs()
        if knob.passes
    )


def _expand(token: str) -> list[Pass]:
    if token == "parameters":
        return list(setting_actions(sequence_knobs()).values())
    if token == "stop":
        return [STOP]
    if token == "profile":
        return [PROFILE]
    if token == "compilergym":
        return list(dict.fromkeys(find(n) for n in compilergym_flags().values() if n))
    if token in _GROUPS:
        return list(catalogue(_GROUPS[token]))
    known = [*_GROUPS, "parameters", "compilergym", "profile", "stop"]
    raise UnknownPassError(
        f"unknown action group {token!r}; expected one of {known} joined by '+', or a list "
        "of pass names." + did_you_mean(token, known)
    )


def build_actions(actions: str | Sequence[str | Pass]) -> ActionSet:
    """Build the action set.

    Args:
        actions: Groups joined by ``+``: ``"passes"`` (the core catalogue, 115 passes),
            ``"stop"``, ``"opt-in"``, ``"dormant"``, ``"cosmetic"``, ``"excluded"``,
            ``"compilergym"`` (the passes that CompilerGym's flags became), ``"profile"``
            (the program runs once, and the passes that follow know how often each branch was
            taken), and ``"parameters"``: an action for each value of the parameters that single
            passes read, which sets it for the rest of the episode; or a sequence of pass
            names, settings such as ``"unroll-count=2"``, ``Pass`` objects, ``"profile"`` and
            ``"stop"``.

    Raises:
        UnknownPassError: No such group or pass.
        ValueError: The set is empty or holds an action twice.
    """
    tokens = [t.strip() for t in actions.split("+")] if isinstance(actions, str) else None
    if tokens is not None:
        found = [one for token in tokens for one in _expand(token)]
    else:
        found = [_action(one) for one in actions]
    if all(p.group in ("control", "setting", "profile") for p in found):
        raise ValueError(f"actions={actions!r} holds no pass; expected at least one")
    names = [p.name for p in found]
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise ValueError(f"actions hold {repeated} more than once; give each pass once")
    stop = names.index("stop") if "stop" in names else -1
    if not any(p.group == "setting" for p in found):
        return ActionSet(tuple(found), stop)
    knobs = sequence_knobs()
    places = {one.name: setting for setting, one in setting_actions(knobs).items()}
    settings = {i: places[p.name] for i, p in enumerate(found) if p.group == "setting"}
    return ActionSet(tuple(found), stop, knobs, settings)


def _action(one: str | Pass) -> Pass:
    if isinstance(one, Pass):
        return one
    if one in ("stop", "profile"):
        return STOP if one == "stop" else PROFILE
    name, equals, value = one.partition("=")
    knobs = {knob.name: knob for knob in sequence_knobs()}
    if not equals or name not in knobs:
        return find(one)
    chosen = knobs[name].values[knobs[name].place(value)]
    return Pass(one, "", "setting", options=chosen.options)
