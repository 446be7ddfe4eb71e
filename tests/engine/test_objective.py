"""Objective = metric × baseline, and rewards that telescope."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirgym.objective import (
    LEVEL_PIPELINES,
    METRICS,
    SMALLEST_LOG_GAIN,
    Scale,
    Weighted,
    check_level,
    check_metric,
    cost_of,
    measure_level,
    objective_name,
    run_meter,
    weights_of,
)
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.wire import Wanted

costs = st.integers(1, 10**7)


class TestScale:
    def test_reaching_the_baseline_is_one(self):
        assert Scale(1000, 500).reward(1000, 500) == pytest.approx(1.0)

    def test_closed_form(self):
        assert Scale(1000, 500).reward(1000, 250) == pytest.approx(2.0)
        assert Scale(1000, 500).reward(500, 1000) == pytest.approx(-1.0)
        assert Scale(8000, 1000).reward(2000, 1000) == pytest.approx(1 / 3)

    def test_no_change_is_nothing(self):
        assert Scale(1000, 500).reward(700, 700) == 0.0

    @pytest.mark.parametrize("baseline", [1000, 999, 2000])
    def test_a_baseline_without_gain_has_the_floor(self, baseline):
        assert Scale(1000, baseline).log_gain == SMALLEST_LOG_GAIN == math.log(1.01)

    def test_a_wrong_scale_gives_a_wrong_total(self):
        assert Scale(1000, 800).reward(1000, 500) != pytest.approx(1.0)

    @pytest.mark.parametrize("cost", [0, 1])
    def test_a_program_without_code(self, cost):
        assert Scale(cost, cost).reward(cost, cost) == 0.0

    @given(start=costs, baseline=costs, path=st.lists(costs, max_size=20))
    def test_rewards_telescope(self, start, baseline, path):
        scale = Scale(start, baseline)
        points = [start, *path]
        total = sum(scale.reward(a, b) for a, b in pairwise(points))
        expected = math.log(start / points[-1]) / scale.log_gain
        assert total == pytest.approx(expected, abs=1e-6 * (1 + abs(expected)))

    @given(start=costs, baseline=costs, cost=costs)
    def test_smaller_is_better(self, start, baseline, cost):
        assert Scale(start, baseline).reward(start, cost) >= 0 or cost > start


@pytest.fixture(scope="module")
def sizes(modules):
    """Metrics of one program at each level."""
    wanted = Wanted.of(tuple(n for n in METRICS if n != "ir_instructions"))
    with InProcessSession() as session:
        return {
            level: measure_level(session, modules["strings"], level, wanted)
            for level in LEVEL_PIPELINES
        }


class TestLevels:
    @pytest.mark.parametrize("metric", METRICS)
    def test_every_metric_is_measured(self, sizes, metric):
        assert all(size[metric] > 0 for size in sizes.values())

    def test_sizes_are_in_order(self, sizes):
        text = {level: size["text_size_bytes"] for level, size in sizes.items()}
        assert text["Oz"] <= text["Os"] < text["O0"]  # O2 unrolls
        assert text["Os"] <= text["O2"] <= text["O3"]

    def test_o0_is_the_program_as_it_is(self, local, modules, sizes):
        state = local.load(modules["strings"])
        assert sizes["O0"]["ir_instructions"] == state.metrics["ir_instructions"]

    def test_leaves_the_optimised_module(self, local, modules):
        sizes = measure_level(local, modules["strings"], "Oz", METRICS["text_size_bytes"])
        state = local.observe(METRICS["text_size_bytes"])
        assert state.metrics == sizes


def test_unknown_metric():
    with pytest.raises(ValueError, match=r"unknown objective 'text_size'.*'text_size_bytes'\?"):
        check_metric("text_size")
    assert check_metric("ir_instructions") == "ir_instructions"


def test_unknown_level(local, modules):
    with pytest.raises(ValueError, match=r"unknown baseline 'Ozz'.*Did you mean 'Oz'"):
        check_level("Ozz")
    with pytest.raises(ValueError, match="Ozz"):
        measure_level(local, modules["loops"], "Ozz", METRICS["ir_instructions"])


class TestWeighted:
    @pytest.mark.parametrize(
        ("given", "name"),
        [
            ("size", "text_size_bytes"),
            ({"dynamic_cost": 7}, "dynamic_cost"),
            ("size*3 + dynamic_cost", "text_size_bytes*0.75+dynamic_cost*0.25"),
            ({"ir_instructions": 0.5, "runtime": 0.5}, "ir_instructions*0.5+runtime_ns*0.5"),
        ],
    )
    def test_is_written_in_one_way(self, given, name):
        assert objective_name(given) == name == objective_name(name)

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({}, "names no metric"),
            ("", "unknown objective ''"),
            ("size+text_size_bytes", "names text_size_bytes twice"),
            ("size*0+dynamic_cost", "the weight '0'"),
            ({"size": -1, "runtime": 1}, "the weight '-1'"),
            ("size*x", "the weight 'x'"),
            ("size*nan+runtime", "the weight 'nan'"),
            ("size+speed", "unknown objective 'speed'"),
        ],
    )
    def test_what_is_none_is_an_error(self, given, told):
        with pytest.raises(ValueError, match=told):
            objective_name(given)

    @given(st.dictionaries(st.sampled_from(sorted(METRICS)), st.floats(1e-3, 1e3), min_size=1))
    def test_weights_add_up_to_one(self, given):
        weights = weights_of(given)
        assert sum(weights.values()) == pytest.approx(1)
        again = weights_of(objective_name(given))
        assert again == pytest.approx(weights, rel=1e-4)

    def test_cost_is_the_weighted_mean_of_ratios_to_the_baseline(self):
        program = resolve("mirbench/primes")
        names = ("text_size_bytes", "dynamic_cost")
        meter = run_meter("text_size_bytes*0.25+dynamic_cost*0.75", program, "O2")
        assert isinstance(meter, Weighted)
        alone = {name: run_meter(name, program, "O2") for name in names}

        def parts(session):
            state = session.observe(METRICS["text_size_bytes"])
            return [cost_of(state, name, session, alone[name]) for name in names]

        with InProcessSession() as session:
            measure_level(session, program.bitcode(), "O2", Wanted.of())
            assert meter.cost(session) == 1_000_000
            before = parts(session)
            measure_level(session, program.bitcode(), "O0", Wanted.of())
            after = parts(session)
            ratio = (after[0] / before[0]) ** 0.25 * (after[1] / before[1]) ** 0.75
            assert meter.cost(session) == pytest.approx(1_000_000 * ratio, abs=1)
