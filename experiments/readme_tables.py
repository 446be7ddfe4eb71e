"""The README's tables, each from the files of one folder of ``results/``."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from . import encoder_tables, fused_tables, task_tables
from .measured import measured

MISSING = "*Not measured yet.*"
_ABLATION = "ablation: "
_OTHER = {
    "text_size_bytes": "IR",
    "ir_instructions": "`.text`",
    "dynamic_cost": "`.text`",
    "runtime_ns": "`.text`",
}
"""What stands beside an objective."""


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what stands in the first column is text, the rest numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _best(values: Mapping[str, float], name: str, digits: int) -> str:
    text = f"{values[name]:.{digits}f}"
    return f"**{text}**" if values[name] == max(values.values()) else text


def probe(results: Path) -> str:
    """What frozen embeddings know: the better probe of each cell."""
    rows = _read(results / "probe" / "probe.csv")
    questions = {
        "effects": "effects of passes, R²",
        "oz": "benefit of Oz, R²",
        "twin": "itself after Oz, recall@1",
        "algorithm": "algorithm, accuracy",
    }
    cells: dict[str, dict[str, float]] = {question: {} for question in questions}
    for row in rows:
        known = cells[row["question"]]
        known[row["column"]] = max(known.get(row["column"], -np.inf), float(row["mean"]))
    columns = list(dict.fromkeys(row["column"] for row in rows))
    return markdown(
        ["", *questions.values()],
        [[name, *(_best(cells[q], name, 3) for q in questions)] for name in columns],
    )


def pretrain(results: Path) -> str:
    """Losses on the test packages, and what each ablation costs."""
    rows = _read(results / "pretrain_report" / "report.csv")
    metrics = ("mtm", "graph", "match accuracy", "effects", "contrast")
    cells = {(row["encoder"], row["metric"]): row for row in rows}
    encoders = list(dict.fromkeys(row["encoder"] for row in rows))
    trivial = {row["metric"]: float(row["trivial"]) for row in rows if row["encoder"] == "base"}

    def cell(encoder: str, metric: str) -> str:
        row = cells.get((encoder, metric))
        if row is None:
            return ""
        value = float(row["test"])
        return f"{100 * value:.1f} %" if metric == "match accuracy" else f"{value:.3f}"

    chance = [
        f"{100 * trivial[m]:.0f} %" if m == "match accuracy" else f"{trivial[m]:.3f}"
        for m in metrics
    ]
    return markdown(
        ["", "masked tokens", "graph", "matching", "effects", "contrast"],
        [
            ["trivial predictor", *chance],
            *(
                [name.replace(_ABLATION, "3 minutes, "), *(cell(name, m) for m in metrics)]
                for name in encoders
            ),
        ],
    )


def observations(results: Path) -> str:
    """What the first k actions give on validation modules, by what the policy sees."""
    rows = _read(results / "train_policy" / "observations.csv")
    objectives = {"text_size_bytes": "`.text`", "ir_instructions": "IR"}
    tops = ("top1", "top3", "top10", "top30")
    cells: dict[str, list[str]] = {}
    for name in dict.fromkeys(row["observation"] for row in rows):
        for objective in objectives:
            some = [r for r in rows if r["observation"] == name and r["objective"] == objective]
            means = [float(np.mean([float(row[top]) for row in some])) for top in tops]
            cells.setdefault(name, []).extend(f"{mean:.3f}" for mean in means)
    head = [f"{told}, {top.removeprefix('top')}" for told in objectives.values() for top in tops]
    return markdown(["what it sees", *head], [[name, *row] for name, row in cells.items()])


def own_table(name: str) -> Callable[[Path], str]:
    """The table that the folder itself has, as ``table.md``."""

    def table(results: Path) -> str:
        path = results / name / "table.md"
        return path.read_text(encoding="utf-8").strip() if path.exists() else MISSING

    return table


def leaderboard(name: str) -> Callable[[Path], str]:
    """An agent a row and a budget a column; the folder's ``table.md`` has all that is known."""

    def table(results: Path) -> str:
        path = results / name / "run.json"
        if not path.exists():
            return MISSING
        run = json.loads(path.read_text(encoding="utf-8"))
        budgets = run["config"]["budgets"]
        other = _OTHER[run["config"]["objective"]]
        cells = {(row["agent"], row["budget"]): row for row in run["table"]}
        last_columns = ("vs A", "median", "won / tied / lost", f"{other} vs B", "seconds")
        rows = []
        for agent in run["config"]["agents"]:
            last = cells[agent, budgets[-1]]
            marked = f" ⚠{last['grows_text']}" if last["grows_text"] else ""
            rows.append(
                (
                    agent,
                    *(_with_interval(cells[agent, budget]) for budget in budgets),
                    _three(last["geomean_to_a"]),
                    _three(last["median"]),
                    f"{last['wins']} / {last['ties']} / {last['losses']}",
                    _three(last["other_to_b"]) + marked,
                    f"{last['seconds']:.1f}",
                )
            )
        more = (
            f"- The last {len(last_columns)} columns are at {budgets[-1]}; all of them at all "
            f"budgets, and without the largest winner, in [table.md](results/{name}/table.md)."
        )
        notes = [f"- {note}" for note in run["notes"]]
        head = ("compiles", *map(str, budgets), *last_columns)
        return "\n".join([markdown(head, rows), "", *notes, more])

    return table


def _with_interval(row: Mapping[str, float | None]) -> str:
    interval = "" if row["low"] is None else f" ({_three(row['low'])}–{_three(row['high'])})"
    return _three(row["geomean_to_b"]) + interval


def _three(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def convolutions(results: Path) -> str:
    """Graph convolutions at equal time."""
    head = ("", "masked tokens", "graph", "matching", "effects", "contrast", "functions/s trained")

    def cell(row: Mapping[str, str], name: str, digits: int = 3, scale: int = 1) -> str:
        return f"{scale * float(row[name]):.{digits}f}" if row[name] else ""

    def matching(row: Mapping[str, str]) -> str:
        return f"{cell(row, 'match accuracy', 1, 100)} %" if row["match accuracy"] else ""

    return markdown(
        head,
        [
            [
                row["conv"] + (", graph only" if row["modality"] == "graph" else ""),
                *(cell(row, name) for name in ("mtm", "graph")),
                matching(row),
                *(cell(row, name) for name in ("effects", "contrast")),
                cell(row, "trained_functions_per_s", 0),
            ]
            for row in _read(results / "compare_convs" / "convs.csv")
        ],
    )


def synth_mix(results: Path) -> str:
    """A mix of generated programs a row: how well it prepares for what."""
    run = json.loads((results / "synth_mix" / "run.json").read_text(encoding="utf-8"))
    measures = {"oz": "Oz", "passes": "passes"}
    places = {
        "own": "own profile",
        "other profiles": "other profiles",
        "mirbench": "mirbench",
        "loopkernels": "kernels",
    }
    columns = {f"{m}, {p}": f"{measures[m]}: {places[p]}" for m in measures for p in places}

    def cell(row: Mapping[str, float], name: str) -> str:
        return f"{row[name]:.2f}".replace("-", "−") if name in row else ""

    return markdown(
        ["R², trained on", *columns.values()],
        [
            [mix, *(cell(row, name) for name in columns)]
            for mix, row in run["figures"]["mixes"].items()
        ],
    )


def execution(results: Path) -> str:
    """A method a line: controls, predictors, networks."""
    columns = {
        "misses": "branches wrong",
        "misses_known": "… of determined ones",
        "exact": "loads exact",
        "exact_known": "… of determined ones",
        "line": "cache line",
    }
    kinds = {"control": " *(control)*", "predictor": "", "network": ""}
    rows = _read(results / "execution" / "table.csv")

    def cell(row: Mapping[str, str], name: str) -> str:
        if not row[name]:
            return ""
        spread = row.get(f"{name}_std", "")
        told = f" ± {float(spread):.1f}" if spread and int(row["seeds"]) > 1 else ""
        return f"{float(row[name]):.1f}{told}"

    return markdown(
        ["%, mean over programs", *columns.values()],
        [[row["method"] + kinds[row["kind"]], *(cell(row, c) for c in columns)] for row in rows],
    )


def _if_there(file: str, table: Callable[[Path], str]) -> Callable[[Path], str]:
    """The table, once there is the file that it reads."""
    return lambda results: table(results) if (results / file).exists() else MISSING


TABLES: dict[str, Callable[[Path], str]] = {
    "measured": measured,
    "probe": _if_there("probe/probe.csv", probe),
    "pretrain": _if_there("pretrain_report/report.csv", pretrain),
    "convolutions": _if_there("compare_convs/convs.csv", convolutions),
    "observations": _if_there("train_policy/observations.csv", observations),
    "synth_mix": _if_there("synth_mix/run.json", synth_mix),
    "robustness": _if_there(
        "robustness/robustness.csv", lambda results: markdown(*encoder_tables.robustness(results))
    ),
    "transfer": _if_there(
        "transfer/run.json", lambda results: markdown(*encoder_tables.transfer(results))
    ),
    "execution": _if_there("execution/table.csv", execution),
    "fused": _if_there(
        "fused/table.csv", lambda results: markdown(*fused_tables.algorithms(results))
    ),
    "fused-orders": _if_there(
        "fused/orders.csv", lambda results: markdown(*fused_tables.orders(results))
    ),
    "ablations": own_table("ablations"),
    "tasks-devmap": _if_there(
        "tasks-devmap/run.json", lambda results: markdown(*task_tables.devmap(results))
    ),
    "tasks-coarsening": _if_there(
        "tasks-coarsening/run.json", lambda results: markdown(*task_tables.coarsening(results))
    ),
    "tasks-algorithms": _if_there(
        "tasks-algorithms/run.json", lambda results: markdown(*task_tables.algorithms(results))
    ),
    "tasks-vectorize": _if_there(
        "tasks-vectorize/run.json", lambda results: markdown(*task_tables.vectorize(results))
    ),
    "tasks-oz_benefit": _if_there(
        "tasks-oz_benefit/run.json", lambda results: markdown(*task_tables.oz_benefit(results))
    ),
    "tasks-best_pass": _if_there(
        "tasks-best_pass/run.json", lambda results: markdown(*task_tables.best_pass(results))
    ),
    "tasks-openmp": _if_there(
        "tasks-openmp/run.json", lambda results: markdown(*task_tables.openmp(results))
    ),
    **{
        name: leaderboard(name)
        for name in (
            "leaderboard-mirbench-text",
            "leaderboard-mirbench-ir",
            "leaderboard-cbench-text",
            "leaderboard-cbench-ir",
            "leaderboard-mirbench-time",
            "leaderboard-best_first",
        )
    },
}
