"""The README's table of single figures: each from the file that its command wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

Figures = dict[str, Any]


class Line(NamedTuple):
    """One row."""

    folder: str
    """Of ``results/``, or ``bench/NAME`` for a benchmark's file."""
    command: str
    """Empty for a row that has it from the one above."""
    what: str
    figure: Callable[[Figures], str]
    """From the figures, and the values of a benchmark's checks by name."""


def _told(template: str, *names: str | tuple[str | int, ...]) -> Callable[[Figures], str]:
    """Some figures in a sentence; a tuple is a way through nested ones."""

    def tell(found: Figures) -> str:
        values = []
        for name in names:
            value: Any = found
            for part in (name,) if isinstance(name, str) else name:
                value = value[part]
            values.append(value)
        return template.format(*values)

    return tell


def _demo(found: Figures) -> str:
    same = "no output differs" if not found["fallbacks"] else f"{found['fallbacks']} fell back"
    return (
        f"{found['smaller']} of {found['programs']} smaller, geomean "
        f"{found['geomean_vs_Oz']:.3f}, {same}"
    )


def _fuzz(found: Figures) -> str:
    bad = [len(found[name]) for name in ("core_verifier_failures", "replay_mismatches")]
    return (
        f"{found['worker_failures']} workers died, {bad[0]} times invalid IR, "
        f"{bad[1]} other hashes in {found['replays']:,} replays"
    )


def _excluded(found: Figures) -> str:
    parent = "the parent lived" if not found["deaths of the parent"] else "the parent died"
    return (
        f"{found['steps']:,} steps, {found['worker_failures']} workers died, "
        f"{found['recoveries']} recovered, {parent}"
    )


def _validated(found: Figures) -> str:
    verdicts = ", ".join(f"{count:,} {verdict}" for verdict, count in found["sequences"].items())
    planted = found["planted edits"]["all"]
    return f"{verdicts}; {planted['found']} of {planted['observable']} found"


def _hostile(found: Figures) -> str:
    hostile = found["hostile programs"].values()
    clear = sum(one["as expected"] for one in hostile)
    left = sum(one["left behind"] for one in hostile)
    return f"{clear} of {len(hostile)} end in the error expected, {left} processes left behind"


def _stable(found: Figures) -> str:
    ((name, rows),) = ((n, rows) for n, rows in found.items() if n.startswith("cost, "))
    different = sum(row["different"] > 0 for row in rows.values())
    times = name.removeprefix("cost, ").removesuffix(" times")
    over = found["evaluation over the program's own time, ms"]
    return f"{len(rows)} modules {times} times each, {different} differ; {over['median']:.0f} ms"


LINES = (
    Line(
        "demo",
        "python -m experiments.demo --budget 250 --agent search",
        "the search without a model: `.text` against Oz, bundled programs, outputs compared with "
        "their references",
        _demo,
    ),
    Line(
        "train_ppo",
        "python -m experiments.train_ppo",
        "PPO on single passes (3 seeds, 60,000 steps) on 8 held-out programs, IR instructions, "
        "geomean of Oz ÷ agent, 45 compiles a program",
        _told("{:.3f}, random search {:.3f}", "agent_one_rollout", "random_one_rollout"),
    ),
    Line(
        "train_ppo",
        "",
        "the same with 450 compiles a program",
        _told("{:.3f}, random search {:.3f}", "agent", "random"),
    ),
    Line(
        "train_policy",
        "python -m experiments.train_policy",
        "both policies and the table of observations, from the shipped encoder and cached search "
        "data; steps of PPO per second for `.text`, for IR",
        _told(
            "{:.0f} s; {:.0f}, {:.0f}",
            "seconds",
            ("text_size_bytes", "ppo_steps_per_s"),
            ("ir_instructions", "ppo_steps_per_s"),
        ),
    ),
    Line(
        "loops",
        "python -m experiments.loops",
        "width, interleaving and unroll count of loops, by `dynamic_cost` against O3: the best of "
        "150 choices for all, for loops of kernels, for loops of programs",
        _told(
            "{} loops: {:.3f}, {:.3f}, {:.3f}",
            ("all", "loops"),
            ("all", "brute_force"),
            ("kernels", "brute_force"),
            ("programs", "brute_force"),
        ),
    ),
    Line(
        "loops",
        "",
        "held-out loops: PPO (three seeds), the one choice that is best for the training loops, "
        "brute force",
        _told(
            "{:.3f}, {:.3f}, {:.3f}; {:.3f}; {:.3f}",
            *(("learned", "ppo", seed) for seed in range(3)),
            ("learned", "fixed", "gain"),
            ("learned", "held_out", "brute_force"),
        ),
    ),
    Line(
        "bench/engine",
        "mirgym bench engine",
        "time of a step ÷ bare pass manager, worker process, at 644 and 5,091 instructions",
        _told(
            "{:.2f}, {:.2f}",
            ("steps", "S worker", "step / bare"),
            ("steps", "M worker", "step / bare"),
        ),
    ),
    Line(
        "bench/size",
        "mirgym bench size",
        "`.text` reward, incremental against whole-module emission, 200 random steps",
        _told(
            "{:.1f} × faster, sizes {:.1%} apart",
            "whole-module time / incremental time",
            "largest relative difference of the sizes",
        ),
    ),
    Line(
        "bench/env",
        "mirgym bench env",
        "random steps per second with Autophase, isolated, resets included",
        _told(
            "{:,.0f}",
            ("one environment, autophase, ir_instructions", "process", "steps/s with resets"),
        ),
    ),
    Line(
        "bench/env",
        "",
        "two workers ÷ one, `send`/`receive`",
        _told("{:.2f}", "speed-up of 2 workers, asynchronous"),
    ),
    Line(
        "bench/embed",
        "mirgym bench embed",
        "embedding on top of a random step, one core, median and 90 %",
        _told("{:.2f} ms, {:.1f} ms", "step, embedding, median ms", "step, embedding, p90 ms"),
    ),
    Line(
        "bench/embed",
        "",
        "a module of 5,485 instructions with nothing cached: tiny, base, IR2Vec's counts by LLVM",
        _told(
            "{:.0f} ms, {:.0f} ms, {:.1f} ms",
            "cold module, tiny, ms",
            "cold module, base, ms",
            "cold module, IR2Vec's counts by LLVM, ms",
        ),
    ),
    Line(
        "bench/embed",
        "",
        "tokens and graph of 5,000 instructions",
        _told("{:.2f} ms", "tokens and graph, ms for 5,000 instructions"),
    ),
    Line(
        "bench/optimize",
        "mirgym bench optimize",
        "`mirgym optimize` with two compiles, a program of 5,485 instructions, the whole command, "
        "shortest and median of five (we aim at 2 s)",
        _told(
            "{:.2f} s, {:.2f} s",
            "zero-shot, shortest of the command's seconds",
            "zero-shot, median of the command's seconds",
        ),
    ),
    Line(
        "bench/optimize",
        "",
        "programs optimised twice with ten compiles: the objects written against `clang -Oz`",
        _told(
            "{} programs, geomean {:.3f}, worst {:.3f}; another result the second time: {}",
            "programs optimised twice",
            "clang -Oz ÷ result, geometric mean",
            "worst clang -Oz ÷ result",
            "programs with another result the second time",
        ),
    ),
    Line(
        "bench/runtime",
        "mirgym bench runtime",
        "`dynamic_cost` of programs × pipelines, again and again; an evaluation above the "
        "program's own time, median",
        _stable,
    ),
    Line(
        "bench/runtime",
        "",
        "rank correlation of `dynamic_cost` with the clock over 30 variants of each of 10 "
        "programs: median and worst of the same run's cost, of the quick run's cost",
        _told(
            "{:.2f}, {:.2f}; {:.2f}, {:.2f}",
            ("correlation, over programs", "median"),
            ("correlation, over programs", "worst"),
            ("correlation_quick, over programs", "median"),
            ("correlation_quick, over programs", "worst"),
        ),
    ),
    Line(
        "bench/runtime",
        "",
        "time of what `clang -O3` itself makes ÷ time of our O3, to which all speed is compared",
        _told("{:.3f}", "clang -O3's own object ÷ the baseline, by the clock, geometric mean"),
    ),
    Line(
        "bench/validate",
        "mirgym bench validate --sequences 1000",
        "random sequences of core passes on the bundled programs, outputs compared; edits planted "
        "that a run can observe",
        _validated,
    ),
    Line(
        "bench/validate",
        "",
        "fork bombs, endless loops, 100 GB of files and output, crashes: programs under validation",
        _hostile,
    ),
    Line(
        "bench/fuzz", "mirgym bench fuzz", "20,000 random steps on 33 + 50 csmith programs", _fuzz
    ),
    Line(
        "bench/fuzz-excluded",
        "mirgym bench fuzz --excluded",
        "the same where the passes that we keep out join in",
        _excluded,
    ),
)


def measured(results: Path) -> str:
    """All lines as a table; a line whose file is missing says so."""
    rows = ["| command | what | figure |", "|---|---|---|"]
    for line in LINES:
        command = f"`{line.command}`" if line.command else ""
        rows.append(f"| {command} | {line.what} | {_figure(line, results)} |")
    return "\n".join(rows)


def _figure(line: Line, results: Path) -> str:
    bench = line.folder.startswith("bench/")
    path = results / (f"{line.folder}.json" if bench else f"{line.folder}/run.json")
    if not path.exists():
        return "not measured yet"
    content = json.loads(path.read_text(encoding="utf-8"))
    checks = {check["name"]: check["value"] for check in content.get("checks", ())}
    return line.figure({**checks, **content["figures"]})
