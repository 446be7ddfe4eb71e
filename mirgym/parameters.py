"""Parameters of LLVM's own pipelines as data: knobs, each with a few values.

A level such as ``default<O2>`` decides a hundred passes at once; its knobs are the thresholds
and switches inside them. ``data/parameters.json`` holds each knob as ``name``, ``about``,
``default`` (what LLVM does by itself) and ``values``. A value is the text that LLVM's option
of the knob's name takes, or an object with ``name`` and ``options``; a knob with ``after``
appends that to the pipeline, for what the levels leave to the code generator. Every value
changes at least one of mirbench's programs at O3 or Oz: ``python -m experiments.parameters``.

    >>> render({"inline-threshold": "25", "unroll-count": "2"})
    ('default<O2>', {'inline-threshold': '25', 'unroll-count': '2'})
"""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from .errors import UnknownParameterError, did_you_mean

DEFAULT = "default"
"""Name of every knob's first value, which leaves LLVM's option alone."""

DEFAULT_PIPELINE = "default<O2>"

Choice = Mapping[str, str] | Sequence[int]
"""Value names by knob name, those left out at their default; or a value index for each knob."""


class Value(NamedTuple):
    """One value of a knob.

    Attributes:
        name: ``"default"``, or what it sets.
        options: LLVM command-line options, as ``(name, value)``.
        after: Pipeline to run after the level's; empty for most.
    """

    name: str
    options: tuple[tuple[str, str], ...] = ()
    after: str = ""


class Knob(NamedTuple):
    """One parameter.

    Attributes:
        name: Usually that of LLVM's option.
        about: What it does, in a line.
        default: What LLVM uses when the option is not given.
        values: The default first.
        passes: The core passes that read it; empty when only the levels do.
    """

    name: str
    about: str
    default: str
    values: tuple[Value, ...]
    passes: tuple[str, ...] = ()

    def place(self, value: str) -> int:
        """Index of the value of this name.

        Raises:
            UnknownParameterError: There is none.
        """
        names = [v.name for v in self.values]
        if value not in names:
            raise UnknownParameterError(
                f"parameter {self.name!r} does not take {value!r}; expected one of {names}."
                + did_you_mean(value, names)
            )
        return names.index(value)


def _value(knob: Mapping[str, Any], value: str | Mapping[str, Any]) -> Value:
    after = knob.get("after", "")
    if isinstance(value, str):
        return Value(value, ((knob["name"], value),), after)
    return Value(value["name"], tuple(value.get("options", {}).items()), after)


@functools.cache
def catalogue() -> tuple[Knob, ...]:
    """Every knob, in a fixed order."""
    text = (files(__package__) / "data" / "parameters.json").read_text(encoding="utf-8")
    return tuple(
        Knob(
            entry["name"],
            entry["about"],
            entry["default"],
            (Value(DEFAULT), *(_value(entry, value) for value in entry["values"])),
            tuple(entry.get("passes", ())),
        )
        for entry in json.loads(text)["knobs"]
    )


def select(names: Sequence[str] | None = None) -> tuple[Knob, ...]:
    """The knobs of these names, in their order; without names, every knob.

    Raises:
        UnknownParameterError: No such knob.
        ValueError: No name, or one twice.
    """
    if names is None:
        return catalogue()
    if isinstance(names, str):
        raise ValueError(f"knobs={names!r}: expected a list of names, such as [{names!r}]")
    if not names or len(set(names)) != len(names):
        raise ValueError(f"knobs={list(names)!r}: expected one or several distinct names")
    known = {knob.name: knob for knob in catalogue()}
    for name in names:
        if name not in known:
            raise UnknownParameterError(_unknown(name, known))
    return tuple(known[name] for name in names)


def render(
    choice: Choice, *, knobs: Sequence[Knob] | None = None, pipeline: str = DEFAULT_PIPELINE
) -> tuple[str, dict[str, str]]:
    """What a session runs for a choice.

    Args:
        choice: See ``Choice``.
        knobs: The knobs that the choice is about; by default all.
        pipeline: The pipeline that the knobs belong to.

    Returns:
        The pipeline and its options, as ``Session.step`` takes them. All at their default
        give ``(pipeline, {})``.

    Raises:
        UnknownParameterError: No such knob or value.
        ValueError: Not one index for each knob.
    """
    knobs = catalogue() if knobs is None else knobs
    values = [k.values[i] for k, i in zip(knobs, indices(choice, knobs), strict=True)]
    options = {name: text for value in values for name, text in value.options}
    return ",".join([pipeline, *(v.after for v in values if v.after)]), compatible(options)


def compatible(options: Mapping[str, str]) -> dict[str, str]:
    """Options without what LLVM cannot take together with the others.

    A peel count beside an unroll count would end the process; the unroll count stands.

    >>> compatible({"unroll-peel-count": "1", "unroll-count": "2"})
    {'unroll-count': '2'}
    """
    given = dict(options)
    if "unroll-count" in given:
        given.pop("unroll-peel-count", None)
    return given


def indices(choice: Choice, knobs: Sequence[Knob]) -> tuple[int, ...]:
    """The value index of each knob; see ``render`` for the errors."""
    if isinstance(choice, Mapping):
        known = {knob.name: knob for knob in knobs}
        for name in choice:
            if name not in known:
                raise UnknownParameterError(_unknown(name, known))
        return tuple(k.place(choice[k.name]) if k.name in choice else 0 for k in knobs)
    if len(choice) != len(knobs):
        raise ValueError(f"{len(choice)} values for {len(knobs)} parameters: expected one for each")
    found = []
    for knob, chosen in zip(knobs, choice, strict=True):
        index = operator.index(chosen)
        if not 0 <= index < len(knob.values):
            raise ValueError(
                f"parameter {knob.name!r} has no value {index}; expected an index in "
                f"[0, {len(knob.values)}) of {[v.name for v in knob.values]}"
            )
        found.append(index)
    return tuple(found)


def _unknown(name: str, known: Mapping[str, Knob]) -> str:
    return f"unknown parameter {name!r}; expected one of {list(known)}." + did_you_mean(name, known)
