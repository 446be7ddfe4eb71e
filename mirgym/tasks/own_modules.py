"""Modules that nobody has to fetch: mirbench, generated programs, and how they are divided.

=========== ======================================== ==============================
source      modules                                  a group, on one side only
=========== ======================================== ==============================
mirbench    the 33 bundled programs                  a program
algorithms  implementations of known algorithms      a class with all its templates
synth       ``synth://SEED``, all profiles           all: they are only trained on
=========== ======================================== ==============================

The constructs of ``synth://`` are drawn from the same templates in all profiles, so that no part of
them could be held out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..programs import Program, resolve_all
from ..programs.cache import cache_root, write_atomically
from ..programs.synth import PROFILES, synth_program
from .algorithms import ALGORITHMS, generate
from .code import COUNTERS, Shown, shared_embedders
from .part_cache import cached

SYNTH = "synth"
CHUNK = 20
"""Modules that are described and cached together: an interrupted run goes on with the next."""
VIEWS = ("functions", *COUNTERS)


class OwnModule(NamedTuple):
    """One program, and what must not be on both sides with it."""

    program: Program
    group: str


class Amount(NamedTuple):
    """How many modules there are."""

    classes: Sequence[str] = ALGORITHMS
    per_class: int = 8
    per_profile: int = 16
    bundled: str = "mirbench"


def own_modules(amount: Amount) -> list[OwnModule]:
    """All modules; equal amounts give equal ones."""
    modules = [OwnModule(one, one.uri) for one in resolve_all(amount.bundled)]
    for name in amount.classes:
        modules += [_algorithm(name, seed) for seed in range(amount.per_class)]
    for profile in PROFILES:
        for seed in range(amount.per_profile):
            modules.append(OwnModule(synth_program(f"{seed}?profile={profile}"), SYNTH))
    return modules


def _algorithm(name: str, seed: int) -> OwnModule:
    one = generate(name, seed)
    content = one.source.encode()
    digest = hashlib.sha256(content).hexdigest()[:16]
    path = cache_root() / "algorithms" / f"{one.name}-{digest}.c"
    if not path.is_file():
        write_atomically(path, content)
    return OwnModule(Program(f"algorithms://{one.name}", (path,), libs=("m",)), name)


def described(
    name: str,
    modules: Sequence[OwnModule],
    make: Callable[[Sequence[OwnModule]], Iterator[Mapping[str, np.ndarray]]],
    shown: Shown,
    *depends: object,
) -> dict[str, np.ndarray]:
    """Rows about modules, by column; ``row`` is the module's number.

    Args:
        name: Of the folder in the cache.
        modules: What is described.
        make: Gives rows, each with the module's number among those given.
        shown: Told how many modules are done.
        depends: What rows depend on besides the modules.
    """
    parts = []
    for start in range(0, len(modules), CHUNK):
        shown(start, len(modules))
        some = modules[start : start + CHUNK]
        sources = [path.read_bytes() for one in some for path in one.program.sources]

        def rows(some: Sequence[OwnModule] = some) -> dict[str, np.ndarray]:
            found = list(make(some))
            return {key: np.stack([row[key] for row in found]) for key in (found or [{}])[0]}

        uris = [one.program.uri for one in some]
        part = dict(cached(f"{name}/{start}", uris, sources, depends, make=rows))
        if part:
            parts.append({**part, "row": part["row"] + start})
    shown(len(modules), len(modules))
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def code_of(views: Mapping[str, object]) -> dict[str, np.ndarray]:
    """What encoders and counters say of a module of which ``VIEWS`` are known."""
    from ..views import ModuleView

    module = views["functions"]
    assert isinstance(module, ModuleView)
    rows = {name: embedder.module(module) for name, embedder in shared_embedders().items()}
    return rows | {name: np.asarray(views[name], np.float32) for name in COUNTERS}
