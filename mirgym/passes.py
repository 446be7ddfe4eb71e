"""The pass catalogue as data: what an action of the environment runs.

The groups were measured on real programs (55 modules, LLVM 23.1):

============ ==========================================================================
group        passes
============ ==========================================================================
``core``     change code, never crashed or miscompiled in testing: the default actions
``opt-in``   work, but are nondeterministic or suspect; for search that validates
``dormant``  changed nothing on any program tried; need input that C rarely gives
``cosmetic`` change names and debug information only
``excluded`` crash, hang, miscompile or cheat; each with its reason
============ ==========================================================================
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from .errors import UnknownPassError, did_you_mean

GROUPS = ("core", "opt-in", "dormant", "cosmetic", "excluded")


class Pass(NamedTuple):
    """One pass as an action.

    Attributes:
        name: LLVM's name with its parameters, such as ``"gvn<no-load-pre>"``.
        pipeline: What ``opt -passes=`` takes, with the adaptors it needs.
        group: One of ``GROUPS``.
        reason: Why it is not in the core; empty for the others.
        options: LLVM command-line options for this run only, as ``(name, value)``.
    """

    name: str
    pipeline: str
    group: str = "core"
    reason: str = ""
    options: tuple[tuple[str, str], ...] = ()


PROFILE = Pass("profile", "profile", "profile")
"""The step that is no pass of LLVM: the program runs once, and what it counts is told to the
passes that follow (``mirgym.profile``)."""


def is_profile(step: Pass) -> bool:
    """Whether a step is ``PROFILE``, whatever it is called."""
    return step.pipeline == PROFILE.pipeline


PROFILE_COMMAND = "mirgym profile PROGRAM --module -"
"""What does the same in a shell; ``PROGRAM`` is what ``mirgym optimize`` was given."""


@functools.cache
def _data() -> Mapping[str, Any]:
    text = (files(__package__) / "data" / "passes.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


@functools.cache
def catalogue(*groups: str) -> tuple[Pass, ...]:
    """The passes of these groups, in a fixed order; without arguments, the core.

    Raises:
        ValueError: No such group.
    """
    found = []
    for group in groups or ("core",):
        if group not in GROUPS:
            raise ValueError(
                f"unknown pass group {group!r}; expected one of {list(GROUPS)}."
                + did_you_mean(group, GROUPS)
            )
        found += [
            Pass(entry["name"], entry["pipeline"], group, entry.get("reason", ""))
            for entry in _data()[group]
        ]
    return tuple(found)


@functools.cache
def _by_name() -> Mapping[str, Pass]:
    return {p.name: p for p in catalogue(*GROUPS)}


def find(name: str) -> Pass:
    """The pass of this name, from any group, or ``PROFILE``.

    CompilerGym's flags work too, with or without their dash.

    Raises:
        UnknownPassError: No such pass, or a CompilerGym flag that LLVM 23 has no pass for.
    """
    known = _by_name()
    if name in known:
        return known[name]
    if name == PROFILE.name:
        return PROFILE
    flags = compilergym_flags()
    flag = name if name.startswith("-") else f"-{name}"
    if flag in flags:
        target = flags[flag]
        if target is None:
            raise UnknownPassError(
                f"CompilerGym's {flag} has no counterpart in LLVM 23; leave it out"
            )
        return known[target]
    raise UnknownPassError(
        f"unknown pass {name!r}; `mirgym passes list` shows all {len(known)}."
        + did_you_mean(name, known)
    )


def parse_passes(text: str) -> tuple[Pass, ...]:
    """Passes from text: names of the catalogue, or pipelines of LLVM, separated by commas.

    >>> [p.pipeline for p in parse_passes("mem2reg, cgscc(inline,argpromotion)")]
    ['function(mem2reg)', 'cgscc(inline,argpromotion)']

    Raises:
        UnknownPassError: A name that the catalogue does not hold.
    """
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "(<") - (sign in ")>")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    names = [part.strip() for part in parts if part.strip()]
    known = _by_name()
    return tuple(
        Pass(name, name) if name not in known and set(name) & set("(<") else find(name)
        for name in names
    )


def compilergym_flags() -> Mapping[str, str | None]:
    """CompilerGym's 124 flags and the passes they became; None for those without one."""
    flags: Mapping[str, str | None] = _data()["compilergym"]
    return flags


def to_pipeline(passes: Iterable[Pass]) -> str:
    """One ``opt -passes=`` argument that runs these passes in order.

    >>> to_pipeline([find("mem2reg"), find("globaldce")])
    'function(mem2reg),globaldce'
    """
    return ",".join(p.pipeline for p in passes)


def to_commandline(passes: Iterable[Pass]) -> str:
    """Shell commands that run these passes in order, each with its options.

    Neighbours with the same options share one ``opt``. Read and write as ``opt`` does by
    itself: ``… < in.bc > out.bc``.

    >>> to_commandline([find("mem2reg"), Pass("i", "cgscc(inline)", options=(("x", "1"),))])
    "opt -preserve-bc-uselistorder -passes='function(mem2reg)' | opt -x=1 -passes='cgscc(inline)'"
    """
    runs = [list(group) for _, group in itertools.groupby(passes, key=run_of)]
    commands = [_command(run, is_last=run is runs[-1]) for run in runs]
    return " | ".join(commands)


def _command(run: Sequence[Pass], *, is_last: bool) -> str:
    if is_profile(run[0]):
        return PROFILE_COMMAND
    kept = [] if is_last else ["-preserve-bc-uselistorder"]
    options = (f"-{name}={value}" for name, value in run[0].options)
    return " ".join(["opt", *kept, *options, f"-passes='{to_pipeline(run)}'"])


def run_of(step: Pass) -> tuple[object, ...]:
    """Neighbours for which this is equal can run at once: LLVM's options hold for a whole run."""
    return (PROFILE,) if is_profile(step) else step.options
