from __future__ import annotations

import json
import math

import pytest

from mirgym.bench import NAMES, run
from mirgym.bench.modules import SIZES, module_near, random_passes
from mirgym.bench.report import Check, Report
from mirgym.bench.size import measure as measure_size


@pytest.mark.parametrize(
    ("value", "limit", "at_most", "ok"),
    [
        (1.0, 1.0, True, True),
        (1.1, 1.0, True, False),
        (1.0, 1.0, False, True),
        (0.9, 1.0, False, False),
        (math.nan, 1.0, True, False),
        (math.nan, 1.0, False, False),
    ],
)
def test_a_check_keeps_its_limit(value: float, limit: float, at_most: bool, ok: bool) -> None:
    assert Check("x", value, limit, at_most).ok is ok


def test_one_failed_check_fails_the_report() -> None:
    report = Report("x", checks=[Check("good", 0, 1), Check("bad", 2, 1)])
    assert not report.ok
    assert Report("x", checks=[Check("good", 0, 1)]).ok


def test_json_has_the_promised_keys(capsys: pytest.CaptureFixture[str]) -> None:
    Report("x", figures={"a": 1.5}, checks=[Check("c", 1, 2)]).print(json=True)
    content = json.loads(capsys.readouterr().out)
    assert set(content) == {"machine", "figures", "checks"}
    assert content["checks"] == [{"name": "c", "value": 1, "limit": "<= 2", "ok": True}]
    assert content["machine"]["llvm"].startswith("23.")


def test_tables_show_figures_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"rows": {"S": {"us": 1.25}}, "plain": 3}
    Report("x", figures=figures, checks=[Check("limit", 2, 1)]).print(json=False)
    out = capsys.readouterr().out
    assert "plain: 3" in out
    assert "1.25" in out
    assert "FAILED" in out


def test_an_unknown_benchmark_is_named() -> None:
    with pytest.raises(ValueError, match="Did you mean 'engine'"):
        run("engin")
    assert "fuzz" in NAMES


@pytest.mark.parametrize("wished", [SIZES["S"], SIZES["M"], SIZES["L"]])
def test_bench_modules_are_about_as_large_as_said(wished: int) -> None:
    module = module_near(wished)
    assert 0.7 * wished <= module.instructions <= 1.4 * wished


def test_random_passes_are_the_same_for_the_same_seed() -> None:
    assert random_passes(3, 20) == random_passes(3, 20)
    assert random_passes(3, 20) != random_passes(4, 20)


def test_incremental_size_equals_whole_size_in_the_benchmark() -> None:
    report = measure_size(steps=6, instructions=600)
    by_name = {check.name: check for check in report.checks}
    assert by_name["largest relative difference of the sizes"].ok
    assert report.figures["steps that changed the module"] > 0
