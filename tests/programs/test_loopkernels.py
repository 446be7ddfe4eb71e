"""Generated loop kernels: names, splits, and that every one runs the same optimised or not."""

from __future__ import annotations

import pytest

from mirgym.dynamic_cost import CostMeter
from mirgym.errors import UnknownProgramError
from mirgym.levels import measure_level
from mirgym.programs import resolve, resolve_all
from mirgym.programs.execute import Limits
from mirgym.programs.loopkernels import (
    FAMILIES,
    SUITE_SEEDS,
    TEMPLATES,
    TEST_FAMILIES,
    generate,
)
from mirgym.session import InProcessSession
from mirgym.validate import sanitizers
from mirgym.wire import NO_KEY


def test_suite_covers_every_template():
    kernels = [generate(seed) for seed in range(SUITE_SEEDS)]
    assert {k.template.name for k in kernels} == {t.name for t in TEMPLATES}
    assert len({k.source for k in kernels}) == len(kernels) >= 2 * 60
    assert {k.family for k in kernels} == set(FAMILIES)
    assert len({t.name for t in TEMPLATES}) == len(TEMPLATES) >= 60


def test_shapes_vary():
    shapes = [generate(seed).shape for seed in range(SUITE_SEEDS)]
    assert len({s.element for s in shapes}) == 7
    assert (
        {s.constant_length for s in shapes} == {s.visible_arrays for s in shapes} == {True, False}
    )
    assert len({s.length for s in shapes}) >= 10


def test_specs():
    suite = resolve_all("loopkernels")
    assert len({p.uri for p in suite}) == len(suite) == SUITE_SEEDS
    program = resolve("loops://1")
    assert program == suite[1] == resolve("loops://divide-1") == resolve("loopkernels/divide-1")
    assert program.name == "divide-1" and program.domain == "elementwise"
    assert resolve("loops://1000000").bitcode() != resolve("loops://1000001").bitcode()


def test_splits_are_by_family():
    test = resolve_all("loopkernels:test")
    train = resolve_all("loopkernels:train")
    assert {p.domain for p in test} == set(TEST_FAMILIES)
    assert not {p.domain for p in train} & set(TEST_FAMILIES)
    assert len(test) + len(train) == SUITE_SEEDS and len(test) >= 30


@pytest.mark.parametrize("spec", ["loops://", "loops://x", "loops://-1x", "loops://4294967296"])
def test_bad_seeds(spec):
    with pytest.raises(UnknownProgramError, match=r"expected a seed from 0 to 4294967295"):
        resolve(spec)


def test_wrong_name():
    with pytest.raises(UnknownProgramError, match="Did you mean 'divide-1'"):
        resolve("loops://divid-1")


def test_optimised_kernels_print_the_same():
    """CostMeter compares what is printed; LLVM must not find undefined behaviour to use."""
    with InProcessSession() as session:
        for program in resolve_all("loopkernels")[::3]:
            meter = CostMeter(program)
            session.load(program.bitcode(), level="O3")
            start = meter.cost(session)
            measure_level(session, program.bitcode(), "O3", NO_KEY)
            assert meter.cost(session) < start, program.uri


def test_kernels_have_no_undefined_behaviour():
    """One of each family, with what the sanitizers once found: a shift of a negative number."""
    if len(sanitizers.available()[0]) < len(sanitizers.SANITIZERS):
        pytest.skip("needs clang's sanitizers")
    programs = [*{p.domain: p for p in resolve_all("loopkernels")}.values()]
    for program in [*programs, resolve("loops://shift-or-21")]:
        found = sanitizers.find_undefined(program, program.runs[0], Limits())
        assert not found.undefined and not found.note, program.uri
