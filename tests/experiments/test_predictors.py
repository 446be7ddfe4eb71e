from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.predictors import (
    BRANCH_PREDICTORS,
    PREFETCHERS,
    Bimodal,
    DeltaCorrelation,
    Gshare,
    Stride,
    Tage,
    _Folded,
    address_accuracy,
    branch_accuracy,
)


def loop(trips: int, times: int, site: int = 5) -> list[tuple[int, int]]:
    """The latch of a loop that runs ``trips`` times, over and over."""
    return [(site, int(i < trips - 1)) for _ in range(times) for i in range(trips)]


@pytest.mark.parametrize("name", BRANCH_PREDICTORS)
def test_a_constant_branch_is_learnt(name: str) -> None:
    events = [(site, site % 2) for _ in range(200) for site in (3, 4, 70, 1000)]
    assert branch_accuracy(BRANCH_PREDICTORS[name](), events, 100) == 1.0


def test_a_bimodal_counter_misses_each_end_of_a_loop() -> None:
    assert branch_accuracy(Bimodal(), loop(10, 100), 100) == pytest.approx(0.9)


def test_two_bits_forgive_one_exception() -> None:
    events = [(1, 1)] * 50 + [(1, 0)] + [(1, 1)] * 50
    assert branch_accuracy(Bimodal(), events) == 100 / 101


def test_global_history_sees_the_end_of_a_short_loop() -> None:
    assert branch_accuracy(Gshare(13), loop(10, 200), 1000) == 1.0
    assert branch_accuracy(Gshare(13), loop(40, 200), 1000) < 1.0


def test_tage_sees_the_end_of_a_longer_one() -> None:
    assert branch_accuracy(Tage(), loop(40, 300), 4000) > 0.995
    assert branch_accuracy(Tage(), loop(100, 300), 15000) > 0.99


def test_tage_correlates_with_another_branch() -> None:
    generator = random.Random(0)
    events = []
    for _ in range(8000):
        first = generator.randrange(2)
        events += [(7, first), (9, 1), (11, first)]
    third = [e for i, e in enumerate(events) if i % 3 == 2]
    assert branch_accuracy(Tage(), events, 6000) > 0.82  # half of one third cannot be known
    assert branch_accuracy(Bimodal(), third) < 0.55


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(0, 1)), max_size=300))
def test_any_trace_goes(events: list[tuple[int, int]]) -> None:
    for make in BRANCH_PREDICTORS.values():
        assert 0.0 <= branch_accuracy(make(), events) <= 1.0
        assert branch_accuracy(make(), events) == branch_accuracy(make(), events)
    for fetch in PREFETCHERS.values():
        assert 0.0 <= address_accuracy(fetch(), events) <= 1.0


@pytest.mark.parametrize("name", PREFETCHERS)
@pytest.mark.parametrize("stride", [8, -64, 0])
def test_a_stride_is_learnt(name: str, stride: int) -> None:
    events = [(2, 10_000 + stride * i) for i in range(100)]
    assert address_accuracy(PREFETCHERS[name](), events, 5) == 1.0


def test_addresses_wrap_at_64_bits() -> None:
    top = (1 << 64) - 16
    events = [(1, top), (1, top + 8), (1, 0), (1, 8), (1, 16)]
    assert address_accuracy(Stride(), events) < 1.0
    assert all(
        found is None or 0 <= found < 1 << 64
        for found in (_after(Stride(), events), _after(DeltaCorrelation(), events))
    )


def _after(prefetcher, events):
    for site, address in events:
        prefetcher.update(site, address)
    return prefetcher.predict(events[-1][0])


def test_deltas_that_repeat_are_followed_and_a_stride_is_not_enough() -> None:
    events, address = [], 0
    for i in range(300):
        events.append((1, address))
        address += (8, 8, 48)[i % 3]
    assert address_accuracy(DeltaCorrelation(), events, 10) == 1.0
    assert address_accuracy(Stride(), events, 10) < 0.5


def test_before_anything_is_known_there_is_no_prediction() -> None:
    for make in PREFETCHERS.values():
        assert make().predict(1) is None


@pytest.mark.parametrize(("length", "width"), [(5, 10), (9, 9), (20, 10), (130, 9), (44, 8)])
def test_a_folded_history_is_its_pieces(length: int, width: int) -> None:
    generator = random.Random(length)
    folded, history = _Folded(length, width), 0
    for _ in range(400):
        taken = generator.getrandbits(1)
        folded.push(taken, history >> (length - 1) & 1)
        history = (history << 1 | taken) & ((1 << length) - 1)
        pieces = [history >> first & ((1 << width) - 1) for first in range(0, length, width)]
        expected = 0
        for piece in pieces:
            expected ^= piece
        assert folded.bits == expected
