"""Action sets: what an agent may do, as data that travels with its policy.

An action is a ``Pass``: a name, a module pipeline for ``opt -passes=``, and perhaps LLVM
options for that one run. It may be one pass or a hundred; applying it to a module is one
compile either way. ``build("core+stages")`` makes a set of groups:

============== ========================================================================
group          actions
============== ========================================================================
``core``       the single passes of the catalogue (``mirgym.passes``)
``stages``     parts of O2 with their nesting, the levels O1 to O3, module inliners
``o2-less``    O2 with one or several of its passes left out
``parameters`` thresholds and limits: O2 or the inliner under LLVM options
``gvn-sink``   the one pass; nondeterministic, for search that validates
``attributes`` change functions' attributes, and so what the size level means
============== ========================================================================

The first four are the default. What cannot be derived stands in ``data/actions.json``.

A saved set names the LLVM that its pipelines are for::

    {"schema": 1, "llvm": "23.1", "name": "…", "about": {…},
     "actions": [{"name": "…", "group": "…", "pipeline": "…", "options": {"…": "…"}}, …]}
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..errors import ActionSetError, did_you_mean
from ..passes import Pass, catalogue, find
from ..programs.cache import write_atomically
from .pipelines import O2_PASSES, Place, o2_without

SCHEMA = 1
"""Raise it when a reader of this version could not use the file."""

DEFAULT_GROUPS = ("core", "stages", "o2-less", "parameters")
GROUPS = (*DEFAULT_GROUPS, "gvn-sink", "attributes")


@dataclass(frozen=True)
class ActionSet:
    """Actions in a fixed order: the index is what a policy puts out.

    Attributes:
        actions: The actions; names are unique.
        name: What the set is called.
        about: Where it comes from, for the reader of the file.
    """

    actions: tuple[Pass, ...]
    name: str = ""
    about: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        names = [action.name for action in self.actions]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ActionSetError(f"the action set {self.name!r} holds {repeated} more than once")
        if not names:
            raise ActionSetError(f"the action set {self.name!r} holds no action")

    def __len__(self) -> int:
        return len(self.actions)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that occur, in order."""
        return tuple(dict.fromkeys(action.group for action in self.actions))

    def find(self, name: str) -> Pass:
        """The action of this name.

        Raises:
            ActionSetError: There is none.
        """
        for action in self.actions:
            if action.name == name:
                return action
        hint = did_you_mean(name, [action.name for action in self.actions])
        raise ActionSetError(f"the action set {self.name!r} has no action {name!r}.{hint}")

    def save(self, path: Path) -> None:
        """Write the set as JSON, all at once."""
        write_atomically(path, (self.to_json() + "\n").encode())

    def to_json(self) -> str:
        """The set as ``from_json`` reads it."""
        content = {
            "schema": SCHEMA,
            "llvm": llvm_release(),
            "name": self.name,
            "about": dict(self.about),
            "actions": [_entry(action) for action in self.actions],
        }
        return json.dumps(content, indent=1)

    @classmethod
    def load(cls, path: Path) -> ActionSet:
        """Read a set.

        Raises:
            ActionSetError: No such file, not such a set, or one for another LLVM.
        """
        try:
            return cls.from_json(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise ActionSetError(f"cannot read the action set {path}: {error}") from error

    @classmethod
    def from_json(cls, text: str, source: str) -> ActionSet:
        """As ``load``; ``source`` is what errors call the text."""
        try:
            content = json.loads(text)
            schema, llvm = content["schema"], content["llvm"]
        except (ValueError, KeyError, TypeError) as error:
            raise ActionSetError(
                f"{source} is not an action set: expected a JSON object with 'schema', 'llvm' "
                f"and 'actions' ({type(error).__name__}: {error})"
            ) from error
        if schema != SCHEMA:
            raise ActionSetError(
                f"{source} has schema {schema!r}, and this mirgym reads {SCHEMA}; take the mirgym "
                "that wrote it, or make the set again"
            )
        if llvm != llvm_release():
            raise ActionSetError(
                f"{source} is for LLVM {llvm}, and this is LLVM {llvm_release()}, whose passes "
                "differ; take the mirgym that wrote it, or make the set again"
            )
        try:
            actions = tuple(_action(entry) for entry in content["actions"])
            return cls(actions, content.get("name", ""), content.get("about", {}))
        except (KeyError, TypeError, AttributeError) as error:
            raise ActionSetError(
                f"{source}: an action needs 'name' and 'pipeline', and its 'options' are an "
                f"object ({type(error).__name__}: {error})"
            ) from error


def _entry(action: Pass) -> dict[str, Any]:
    entry = {"name": action.name, "group": action.group, "pipeline": action.pipeline}
    return {**entry, "options": dict(action.options)} if action.options else entry


def _action(entry: Mapping[str, Any]) -> Pass:
    options = tuple((str(name), str(value)) for name, value in entry.get("options", {}).items())
    return Pass(
        str(entry["name"]), str(entry["pipeline"]), entry.get("group", "core"), options=options
    )


def llvm_release() -> str:
    """Major and minor version of the LLVM inside, such as ``23.1``: pass names hold for it."""
    from .. import _native

    return ".".join(str(_native.llvm_version()).split(".")[:2])


def build(groups: str | Sequence[str] = DEFAULT_GROUPS) -> ActionSet:
    """The set of these groups, in the order of ``GROUPS``.

    Args:
        groups: Names from ``GROUPS``, joined by ``+`` or as a sequence.

    Raises:
        ActionSetError: No such group.
    """
    wanted = [name.strip() for name in groups.split("+")] if isinstance(groups, str) else groups
    for name in wanted:
        if name not in GROUPS:
            raise ActionSetError(
                f"unknown action group {name!r}; expected some of {list(GROUPS)} joined by '+'."
                + did_you_mean(name, GROUPS)
            )
    chosen = [name for name in GROUPS if name in wanted]
    actions = tuple(action for name in chosen for action in _group(name))
    return ActionSet(actions, "+".join(chosen))


@functools.cache
def _data() -> Mapping[str, Any]:
    text = (files(__package__) / "data" / "actions.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def _group(name: str) -> tuple[Pass, ...]:
    if name == "core":
        return catalogue()
    if name == "gvn-sink":
        return (find("gvn-sink")._replace(group=name, reason=""),)
    entries = _data()[name]
    if name == "o2-less":
        return tuple(o2_less(left_out) for left_out in entries)
    return tuple(_action({**entry, "group": name}) for entry in entries)


def o2_less(left_out: Sequence[str]) -> Pass:
    """O2 without these passes.

    Args:
        left_out: ``"gvn"`` is every gvn of O2, ``"sroa#2"`` its second sroa only.

    Raises:
        ActionSetError: O2 has no such pass.
    """
    places = [place for name in left_out for place in _places(name)]
    return Pass(f"O2-{'-'.join(left_out)}", o2_without(places).pipeline, "o2-less")


def _places(name: str) -> list[Place]:
    base, _, number = name.partition("#")
    found = [p for p, text in O2_PASSES.items() if text.partition("<")[0] == base]
    if number:
        found = found[int(number) - 1 : int(number)]
    if not found:
        names = [text.partition("<")[0] for text in O2_PASSES.values()]
        raise ActionSetError(f"O2 has no pass {name!r} to leave out.{did_you_mean(base, names)}")
    return found
