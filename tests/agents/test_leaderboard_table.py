"""The table's numbers against ones worked out by hand."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from mirgym.agents.leaderboard.config import LeaderboardConfig
from mirgym.agents.leaderboard.records import Row
from mirgym.agents.leaderboard.report import markdown, notes_on
from mirgym.agents.leaderboard.runs import Runs
from mirgym.agents.leaderboard.table import (
    compare,
    confidence_interval,
    score_programs,
    summarize,
)

TEXT, IR = "text_size_bytes", "ir_instructions"


def row(program: str, text: int, ir: int, seed: int = 0, agent: str = "x", **more: object) -> Row:
    """A result against B with 100 bytes and 100 instructions, and A with 121."""
    costs = {
        "text_size_bytes": text,
        "ir_instructions": ir,
        "b_text_size_bytes": 100,
        "b_ir_instructions": 100,
        "a_text_size_bytes": 121,
        "a_ir_instructions": 144,
    }
    fixed = {"suite": "s", "digest": program, "agent_data": "", "budget": 45, "llvm": "23"}
    options = {
        "objective": TEXT,
        "output": "equal",
        "key": f"{text}",
        "seconds": 2.0,
        "compiles": 40,
        **more,
    }
    return Row(program=program, agent=agent, seed=seed, **{**fixed, **costs, **options})


ROWS = [
    row("a", 50, 50),  # 2 and 0.5: their geometric mean is 1
    row("a", 200, 100, seed=1),
    row("b", 25, 100),  # 4
    row("c", 125, 50),  # 0.8 in .text, 2 in instructions
]


def test_the_table_by_hand() -> None:
    scores = score_programs(ROWS, TEXT, IR)
    assert [score.ratio_to_b for score in scores] == pytest.approx([1.0, 4.0, 0.8])
    assert [score.seeds for score in scores] == [2, 1, 1]
    assert [score.grows_text for score in scores] == [False, False, True]
    (one,) = summarize(scores)
    assert one.geomean_to_b == pytest.approx((1.0 * 4.0 * 0.8) ** (1 / 3))
    assert one.geomean_to_a == pytest.approx(1.21 * one.geomean_to_b)
    assert one.other_to_b == pytest.approx((math.sqrt(2) * 1 * 2) ** (1 / 3))
    assert one.median == pytest.approx(1.0)
    assert (one.wins, one.ties, one.losses) == (1, 1, 1)
    assert one.without_largest == pytest.approx(math.sqrt(0.8))
    assert (one.programs, one.grows_text, one.fallbacks) == (3, 1, 0)
    assert (one.seconds, one.compiles) == (2.0, 40.0)
    assert one.low < one.geomean_to_b < one.high


def test_failures_and_differences_count_as_oz() -> None:
    rows = [
        row("a", 50, 50, output="differs: line 1"),
        row("b", 50, 50, output="undefined: overflow"),
        row("c", 50, 50, error="it crashed"),
        row("d", 50, 50, output="cannot run: no inputs"),
    ]
    scores = score_programs(rows, TEXT, IR)
    assert [score.ratio_to_b for score in scores] == pytest.approx([1, 1, 1, 2])
    assert [score.ratio_to_a for score in scores] == pytest.approx([1.21, 1.21, 1.21, 2.42])
    assert summarize(scores)[0].fallbacks == 3
    notes = list(notes_on(LeaderboardConfig("s", seeds=1), Runs(tuple(rows), 0), scores))
    assert "Count as Oz: a, x, 1 run: differs: line 1" in notes
    assert any("1 differ, 1 differ where the program itself is undefined" in one for one in notes)


def test_a_program_without_baseline_is_left_out() -> None:
    lost = row("z", 1, 1, error="cannot load", b_text_size_bytes=None, b_ir_instructions=None)
    scores = score_programs([*ROWS, lost], TEXT, IR)
    assert "z" not in {score.program for score in scores}


def test_no_code_generator_leaves_the_other_metric_open() -> None:
    rows = [row("a", 1, 50, text_size_bytes=None, b_text_size_bytes=None, objective=IR)]
    (one,) = summarize(score_programs(rows, IR, TEXT))
    assert one.geomean_to_b == pytest.approx(2.0)
    assert math.isnan(one.other_to_b)
    assert math.isnan(one.low)
    config = LeaderboardConfig("s", objective=IR)
    assert "| x | 45 | 2.000 | 2.880 | – | 2.000 | 1 / 0 / 0 | – | 2.00 |" in markdown(
        config, [one], ["a note"]
    )


def test_the_interval_covers_the_mean_of_a_normal_sample() -> None:
    normal = NormalDist(0.02, 0.02)
    values = np.array([normal.inv_cdf((at + 0.5) / 30) for at in range(30)])
    low, high = confidence_interval(values)
    # The normal approximation: mean ± 1.96 standard errors.
    error = values.std(ddof=1) / math.sqrt(30)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)
    assert confidence_interval(np.zeros(5)) == (0.0, 0.0)
    assert confidence_interval(np.array([0.0, 1.0]))[0] >= 0.0


def test_agents_are_compared_in_pairs() -> None:
    rows = [row("a", 50, 50), row("b", 40, 50)]
    rows += [row("a", 60, 50, agent="y"), row("b", 48, 50, agent="y")]
    versus = {(one.agent, one.other): one for one in compare(score_programs(rows, TEXT, IR))}
    assert versus["x", "y"].ratio == pytest.approx(1.2)
    assert versus["x", "y"].low == pytest.approx(1.2)  # the same on every program
    assert versus["y", "x"].ratio == pytest.approx(1 / 1.2)
    assert (versus["x", "y"].better, versus["x", "y"].worse) == (2, 0)
