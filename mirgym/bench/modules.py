"""Modules of about 500, 5,000 and 50,000 instructions, made of mirbench's programs."""

from __future__ import annotations

import dataclasses
import functools
import random
from typing import NamedTuple

from .. import _native
from ..passes import Pass, catalogue
from ..programs import Program, resolve_all
from ..session import InProcessSession

SIZES = {"S": 500, "M": 5_000, "L": 50_000}
"""Instructions before any pass."""


class BenchModule(NamedTuple):
    """A linked module with its size before any pass."""

    bitcode: bytes
    instructions: int


def _instructions(bitcode: bytes) -> int:
    with InProcessSession() as session:
        return session.load(bitcode).metrics["ir_instructions"]


def _renamed(program: Program) -> bytes:
    """The program's module with ``main`` renamed, so that several can be linked."""
    flags = (*program.flags, f"-Dmain={program.name}_main")
    uri = f"{program.uri}#renamed"
    return dataclasses.replace(program, uri=uri, flags=flags).bitcode()


def link_programs(programs: list[Program]) -> bytes:
    """One module that holds all these programs, like a multi-call binary."""
    return _native.link_bitcode([_renamed(program) for program in programs])


@functools.cache
def module_near(wished: int) -> BenchModule:
    """A module of about ``wished`` instructions, as near as mirbench's programs allow.

    The nearest single program where one is within a fifth of the size; else programs are
    linked, largest first, as long as they fit (at most all of them).
    """
    programs = resolve_all("mirbench")
    sizes = {p.uri: _instructions(p.bitcode()) for p in programs}
    nearest = min(programs, key=lambda p: abs(sizes[p.uri] - wished))
    if abs(sizes[nearest.uri] - wished) * 5 <= wished:
        return BenchModule(nearest.bitcode(), sizes[nearest.uri])
    chosen: list[Program] = []
    total = 0
    for program in sorted(programs, key=lambda p: -sizes[p.uri]):
        if total + sizes[program.uri] <= wished * 1.1:
            chosen.append(program)
            total += sizes[program.uri]
    linked = link_programs(chosen or [nearest])
    return BenchModule(linked, _instructions(linked))


def random_passes(seed: int, length: int, *groups: str) -> list[Pass]:
    """A random sequence from the catalogue; the same for the same seed."""
    generator = random.Random(seed)
    return generator.choices(catalogue(*groups), k=length)
