"""Everything that a leaderboard writes when its runs are done."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ...provenance import git_revision, machine, package_versions
from .config import LeaderboardConfig
from .figures import draw_bars, draw_curves
from .overlap import Overlap
from .records import Row, write_parquet
from .runs import Runs
from .table import Score, Summary, compare, score_programs, summarize

_SHORT = {
    "text_size_bytes": ".text",
    "ir_instructions": "IR",
    "dynamic_cost": "dynamic cost",
    "runtime_ns": "run time",
}
_BASELINES = {
    "Oz": "B: Oz with minsize on every function; A: Oz without the attributes, as before LLVM 23.",
    "O3": "B: O3; A: O2.",
}


def write_report(
    folder: Path,
    config: LeaderboardConfig,
    runs: Runs,
    overlap: Overlap | None = None,
) -> list[Summary]:
    """Write tables, figures, Parquet and ``run.json``; return the table.

    Args:
        folder: Where to.
        config: What was compared.
        runs: What came of it.
        overlap: Of the suite with the training programs.
    """
    scores = score_programs(runs.rows, config.objective, config.other_metric)
    table = summarize(scores)
    write_parquet(runs.rows, folder / "results.parquet")
    _write_csv(folder / "table.csv", table)
    _write_csv(folder / "per_program.csv", scores)
    _write_csv(folder / "versus.csv", compare(scores))
    notes = list(notes_on(config, runs, scores, overlap))
    (folder / "table.md").write_text(markdown(config, table, notes), encoding="utf-8")
    if table:
        title = f"{config.suite_name}, {_count(table[0].programs, 'program')}"
        draw_curves(table, config.objective, title, folder / "curves.png")
        middle = [score for score in scores if score.budget == config.middle_budget]
        title += f", {config.middle_budget} compiles"
        draw_bars(middle, config.objective, title, folder / "bars.png")
    content = {
        "config": _public(config),
        "git": git_revision(),
        "commits_of_rows": sorted({row.commit or "unknown" for row in runs.rows}),
        "machine": machine(),
        "packages": package_versions(),
        "agent_data": {row.agent: row.agent_data for row in runs.rows if row.agent_data},
        "overlap": None if overlap is None else overlap._asdict(),
        "notes": notes,
        "table": [_finite(dataclasses.asdict(one)) for one in table],
    }
    (folder / "run.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return table


def markdown(config: LeaderboardConfig, table: Sequence[Summary], notes: Iterable[str]) -> str:
    """The table and its notes, for a README."""
    mine, other = _SHORT[config.objective], _SHORT[config.other_metric]
    header = (
        "agent", "compiles", f"{mine} vs B (95 % CI)", "vs A", f"{other} vs B", "median",
        "won / tied / lost", "without the largest", "seconds",
    )  # fmt: skip
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    for one in table:
        interval = "" if math.isnan(one.low) else f" ({one.low:.3f}–{one.high:.3f})"
        cells = (
            one.agent,
            str(one.budget),
            f"{one.geomean_to_b:.3f}{interval}",
            _ratio(one.geomean_to_a),
            _ratio(one.other_to_b) + (f" ⚠{one.grows_text}" if one.grows_text else ""),
            _ratio(one.median),
            f"{one.wins} / {one.ties} / {one.losses}",
            _ratio(one.without_largest),
            f"{one.seconds:.2f}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)]) + "\n"


def notes_on(
    config: LeaderboardConfig,
    runs: Runs,
    scores: Sequence[Score],
    overlap: Overlap | None = None,
) -> Iterable[str]:
    """What one must know to read the table, in sentences."""
    programs = len({score.program for score in scores})
    yield (
        f"{config.suite_name}: {_count(programs, 'program')}, {_count(config.seeds, 'seed')}. "
        f"Geometric means of baseline ÷ agent, above 1 is better. {_BASELINES[config.baseline]}"
    )
    yield from _on_noise(runs.rows)
    if runs.missing:
        yield f"Not complete: {_count(runs.missing, 'run')} missing."
    yield _on_outputs(runs.rows)
    yield from _listed(
        f"Count as {config.baseline}", [row for row in runs.rows if row.falls_back and _known(row)]
    )
    yield from _listed("Left out", [row for row in runs.rows if not _known(row)])
    if growing := sorted({score.program for score in scores if score.grows_text}):
        yield (
            "⚠ programs whose IR instructions are won while `.text` grows, at some budget: "
            f"{', '.join(growing)}."
        )
    if overlap is not None:
        yield f"Overlap: {overlap}."
    compiles = sum(row.compiles for row in runs.rows)
    cached = sum(min(row.cached, row.compiles) for row in runs.rows)
    if cached:
        yield (
            f"Seconds count what the {cached / max(compiles, 1):.0%} of compiles that came from "
            "the transition cache took when they were made."
        )


def _on_noise(rows: Sequence[Row]) -> Iterable[str]:
    """What the baseline's time ÷ its own says; nothing where no clock was read."""
    floors = {(row.program, row.floor) for row in rows if row.floor is not None}
    ratios = sorted(floor for _, floor in floors)
    if ratios:
        off = statistics.median(abs(ratio - 1) for ratio in ratios)
        yield (
            f"Noise floor, the baseline against itself: {ratios[0]:.3f} to {ratios[-1]:.3f}, in "
            f"the median {off:.1%} off 1. A result that is the baseline's own module counts as 1."
        )


def _known(row: Row) -> bool:
    return row.ratio(row.objective) is not None


def _on_outputs(rows: Sequence[Row]) -> str:
    """Distinct modules by what running them said."""
    outputs = {(row.digest, row.key): row.output for row in rows if row.key}
    kinds = [output.partition(":")[0] for output in outputs.values()]
    told = ", ".join(
        f"{kinds.count(kind)} {meaning}"
        for kind, meaning in (
            ("equal", "equal"),
            ("differs", "differ"),
            ("undefined", "differ where the program itself is undefined"),
            ("cannot run", "cannot run"),
        )
        if kinds.count(kind)
    )
    return f"Outputs of {_count(len(outputs), 'distinct module')} against the unoptimised: {told}."


def _listed(title: str, rows: Sequence[Row]) -> Iterable[str]:
    """Runs with a reason, those with the same one together."""
    reasons: dict[tuple[str, str, str], int] = {}
    for row in rows:
        agent = row.agent if _known(row) else ""
        place = (row.program, agent, row.falls_back or "no costs at the baselines")
        reasons[place] = reasons.get(place, 0) + 1
    for (program, agent, reason), count in reasons.items():
        who = f", {agent}" if agent else ""
        yield f"{title}: {program}{who}, {_count(count, 'run')}: {reason}"


def _write_csv(path: Path, records: Sequence[Any]) -> None:
    if not records:
        path.write_text("")
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in dataclasses.fields(records[0])])
        writer.writeheader()
        for record in records:
            row = dataclasses.asdict(record)
            writer.writerow({k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()})


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _ratio(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _finite(record: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN."""
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in record.items()}


def _public(config: LeaderboardConfig) -> dict[str, Any]:
    """The options, without the names of folders on this machine."""
    fields = dataclasses.asdict(config)
    return {**fields, "suite": config.suite_name, "transitions": config.transitions is not None}
