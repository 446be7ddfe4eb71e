"""What a generated program is made of: the shares of the constructs, and its size."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ...errors import UnknownProgramError, did_you_mean

SCHEME = "synth://"
DEFAULT = "balanced"

KINDS = (
    "arithmetic", "bits", "floats", "arrays", "strides", "structs", "lists", "strings", "memory",
    "branches", "switches", "loops", "whiles", "exits", "calls", "recursion", "pointers",
)  # fmt: skip
"""Kinds of constructs, a file of ``templates/`` each. ``loops`` are counted, ``strides`` loops
over arrays, ``lists`` also trees, ``exits`` early ones, ``pointers`` those to functions."""


class Bounds(NamedTuple):
    """Smallest and largest value of a number."""

    low: int
    high: int


NUMBERS = {
    "size": Bounds(5, 5000),
    "functions": Bounds(1, 64),
    "depth": Bounds(0, 4),
    "trips": Bounds(2, 500),
}


@dataclass(frozen=True)
class Profile:
    """How programs are drawn; two equal ones draw the same program from a seed."""

    shares: Mapping[str, float]
    """Probability of each of ``KINDS`` where it can stand; they sum to 1."""
    size: int = 60
    """Constructs of a program, in the mean: a seed draws from half to one and a half of it."""
    functions: int = 6
    """Functions, in the mean, likewise."""
    depth: int = 2
    """How deep loops nest within a function."""
    trips: int = 12
    """Mean trip count of counted loops."""
    globals: float = 0.3
    """Share of the variables and arrays used that are global."""


def _profile(
    size: int = 60,
    functions: int = 6,
    depth: int = 2,
    trips: int = 12,
    globals: float = 0.3,
    **weights: float,
) -> Profile:
    total = sum(weights.values())
    shares = {kind: weights.get(kind, 0.0) / total for kind in KINDS}
    return Profile(shares, size, functions, depth, trips, globals)


PROFILES: Mapping[str, Profile] = {
    DEFAULT: _profile(
        arithmetic=3, bits=1.5, floats=1.5, arrays=2, strides=1, structs=1.5, lists=1, strings=1,
        memory=0.5, branches=2.5, switches=0.7, loops=1.5, whiles=0.6, exits=0.6, calls=1.5,
        recursion=0.3, pointers=0.4,
    ),
    "numeric": _profile(
        floats=8, strides=2, arrays=1.5, loops=3, arithmetic=1, branches=0.5, calls=0.5, depth=3
    ),
    "pointers": _profile(
        lists=6, structs=4, pointers=1.5, whiles=0.5, memory=0.3, calls=1, branches=1.5,
        arithmetic=0.7, loops=0.3,
    ),
    "control": _profile(
        branches=6, switches=3, exits=2, whiles=1.5, loops=1, arithmetic=3, bits=1, calls=0.5
    ),
    "strings": _profile(
        strings=6, memory=3, whiles=0.5, branches=1.5, arrays=0.7, arithmetic=0.7, calls=0.7,
        loops=0.3,
    ),
    "calls": _profile(
        calls=6, recursion=1.5, pointers=1.5, arithmetic=2, branches=1, bits=0.5, functions=14
    ),
    "embedded": _profile(
        switches=3, bits=4, branches=2, arithmetic=2, arrays=1, structs=1, memory=0.3, loops=0.3,
        calls=0.7, exits=0.5, globals=0.9, depth=1,
    ),
}  # fmt: skip


class Request(NamedTuple):
    """What a URI asks for."""

    seed: int
    name: str
    """Of the profile that it starts from."""
    profile: Profile
    uri: str
    """The same request, written in one way."""


def parse(text: str) -> Request:
    """The request of ``synth://TEXT``, such as ``7?profile=numeric&loops=0.5&size=200``.

    A share that is given is kept; the profile's other kinds divide what is left, in their
    proportions.

    Raises:
        UnknownProgramError: A bad seed, an unknown profile or key, a value out of its bounds.
    """
    head, _, query = text.partition("?")
    if not (head.isascii() and head.isdecimal()) or int(head) >= 2**32:
        raise UnknownProgramError(
            f"{SCHEME}{text}: expected a seed from 0 to {2**32 - 1}, as in {SCHEME}7 or "
            f"{SCHEME}7?profile=numeric"
        )
    given = _pairs(query, text)
    name = given.pop("profile", DEFAULT)
    if name not in PROFILES:
        hint = did_you_mean(name, PROFILES) or f" There are {', '.join(PROFILES)}."
        raise UnknownProgramError(f"{SCHEME}{text}: unknown profile {name!r}.{hint}")
    base = PROFILES[name]
    numbers = {key: _number(key, value, text) for key, value in given.items() if key in NUMBERS}
    rest = {key: _share(key, value, text) for key, value in given.items() if key not in NUMBERS}
    known = {"profile": name} if name != DEFAULT else {}
    told = {**known, **{k: f"{v:g}" for k, v in sorted({**numbers, **rest}.items())}}
    globals_share = rest.pop("globals", base.globals)
    profile = dataclasses.replace(
        base, shares=_mixed(base.shares, rest, text), globals=globals_share, **numbers
    )
    seed = int(head)
    options = "&".join(f"{key}={value}" for key, value in told.items())
    return Request(seed, name, profile, f"{SCHEME}{seed}" + (f"?{options}" if options else ""))


def _pairs(query: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    known = ("profile", *NUMBERS, "globals", *KINDS)
    for part in query.split("&") if query else ():
        key, equals, value = part.partition("=")
        if key not in known:
            hint = did_you_mean(key, known) or f" There are {', '.join(known)}."
            raise UnknownProgramError(f"{SCHEME}{text}: unknown key {key!r}.{hint}")
        if not equals or key in found:
            what = "is given twice" if key in found else "needs a value, as in size=200"
            raise UnknownProgramError(f"{SCHEME}{text}: {key} {what}")
        found[key] = value
    return found


def _number(key: str, value: str, text: str) -> int:
    low, high = NUMBERS[key]
    if not (value.isascii() and value.isdecimal()) or not low <= int(value) <= high:
        raise UnknownProgramError(
            f"{SCHEME}{text}: {key}={value}: expected a whole number from {low} to {high}"
        )
    return int(value)


def _share(key: str, value: str, text: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise UnknownProgramError(
            f"{SCHEME}{text}: {key}={value}: expected a share, a number from 0 to 1"
        )
    # As many digits as the URI tells, so that the URI says it all.
    return float(f"{share:g}")


def _mixed(base: Mapping[str, float], given: Mapping[str, float], text: str) -> dict[str, float]:
    """The given shares, and the others of the profile scaled to fill the rest."""
    asked = sum(given.values())
    if asked > 1 + 1e-9:
        raise UnknownProgramError(
            f"{SCHEME}{text}: the shares of {', '.join(given)} sum to {asked:g}; expected at most 1"
        )
    others = sum(share for kind, share in base.items() if kind not in given)
    if asked + others <= 0:
        raise UnknownProgramError(f"{SCHEME}{text}: every construct has the share 0")
    if not others:
        return {kind: given.get(kind, 0.0) / asked for kind in KINDS}
    scale = max(1 - asked, 0.0) / others
    return {kind: given[kind] if kind in given else base[kind] * scale for kind in KINDS}
