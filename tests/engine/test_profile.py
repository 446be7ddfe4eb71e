"""Counts of blocks, and what becomes of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirgym.dynamic_cost import CostMeter
from mirgym.execution import CountedFunction
from mirgym.levels import measure_level
from mirgym.profile import PROFILE_NAMES, PROFILE_SIZE, Profile
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.values import FunctionValues
from mirgym.wire import NO_KEY


def counted(name: str, weights: list[int], *runs: list[int]) -> CountedFunction:
    none = np.zeros((len(runs), 0), np.uint64)
    values = FunctionValues.none(len(runs))
    counts = np.array(runs, np.uint64)
    return CountedFunction(name, np.array(weights, np.uint64), counts, none, values)


def test_by_hand() -> None:
    functions = (counted("hot", [10, 2], [5, 0], [4, 0]), counted("cold", [10], [0], [0]))
    profile = Profile(functions, 100)  # 90 in blocks, 10 charged for library calls
    assert profile.shares() == {"hot": 0.9, "cold": 0.0}
    assert profile.frequencies()["hot"].tolist() == [9, 0]
    found = dict(zip(PROFILE_NAMES, profile.vector().tolist(), strict=True))
    assert found["share of blocks that ran"] == pytest.approx(1 / 3)
    assert found["share of functions that ran"] == 0.5
    assert found["share of cost in library calls"] == pytest.approx(0.1)
    assert found["share of cost in the hottest 1 blocks"] == pytest.approx(0.9)
    assert found["share of cost in the hottest 8 functions"] == pytest.approx(0.9)
    assert found["share of cost in blocks run 1e0 times or more, less than 1e1"] == pytest.approx(
        0.9
    )


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 50), st.integers(0, 10**12)), min_size=1, max_size=5),
        max_size=4,
    )
)
def test_every_entry_is_from_0_to_1(functions: list[list[tuple[int, int]]]) -> None:
    made = tuple(
        counted(str(i), [w for w, _ in blocks], [c for _, c in blocks])
        for i, blocks in enumerate(functions)
    )
    cost = sum(w * c for blocks in functions for w, c in blocks)
    vector = Profile(made, cost).vector()
    assert vector.shape == (PROFILE_SIZE,) and vector.dtype == np.float32
    assert np.isfinite(vector).all() and vector.min() >= 0 and vector.max() <= 1


def test_a_program_is_counted_as_it_costs() -> None:
    program = resolve("mirbench/primes")
    meter = CostMeter(program)
    with InProcessSession() as session:
        measure_level(session, program.bitcode(), "O0", NO_KEY)
        profile = meter.profile(session)
        assert profile.cost == meter.cost(session)
    shares = profile.shares()
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert 0.5 < sum(shares.values()) <= 1
    assert profile.frequencies()["main"][0] == 1
    assert 0.3 < profile.vector()[PROFILE_NAMES.index("share of blocks that ran")] <= 1
