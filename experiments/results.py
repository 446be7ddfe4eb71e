"""Every table and figure of the README: from the files in ``results/``, or made again.

Each entry below is one folder of ``results/`` and the command that fills it (that of
``search_data`` fills a work folder that the next one reads). Without
``--fresh`` what is there is kept, and the README's tables are written from it; with it, every
command whose inputs are at hand runs again (a leaderboard goes on from its ``runs.jsonl``, which
is not committed). A table stands in the README between two lines,
``<!-- results: NAME -->`` and ``<!-- end -->``, and is nowhere written by hand.

    python -m experiments.results            # tables from the files; says what is missing
    python -m experiments.results --check    # fails when the README is not what the files say
    python -m experiments.results --fresh    # hours
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import tyro
from rich.console import Console
from rich.table import Table

from mirgym.programs.cache import write_atomically

from .readme_tables import TABLES
from .runs import RESULTS

README = RESULTS.parent / "README.md"
_BLOCK = re.compile(r"(<!-- results: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class ResultsConfig:
    """What to do."""

    only: tuple[str, ...] = ()
    """Names of entries; all when empty."""
    fresh: bool = False
    """Run the commands again."""
    check: bool = False
    """Write nothing; return 1 when the README differs from the files."""
    shards: Path | None = None
    """The corpus, for what needs it: ``mirgym corpus build --output SHARDS``."""
    work: Path | None = None
    """The work folder of that command."""
    base_run: Path | None = None
    """The run of ``mirgym pretrain`` that made the base encoder."""
    tiny_run: Path | None = None
    """The same of the tiny encoder."""
    cbench: Path | None = None
    """A folder with programs of cBench as bitcode or IR."""


_AGENTS = (
    "policy", "unguided", "fixed", "search", "greedy", "genetic", "random", "optuna", "oz_twice"
)  # fmt: skip


class Entry(NamedTuple):
    """One folder of results."""

    name: str
    command: str
    """``{shards}`` and the like stand for the options above; without them it cannot run."""


ENTRIES = (
    *(
        Entry(f"bench/{name}", f"-m mirgym.cli bench {arguments} --json")
        for name, arguments in (
            ("engine", "engine"),
            ("size", "size"),
            ("env", "env"),
            ("embed", "embed"),
            ("optimize", "optimize"),
            ("runtime", "runtime"),
            ("validate", "validate --sequences 1000"),
            ("fuzz", "fuzz"),
            ("fuzz-excluded", "fuzz --excluded"),
        )
    ),
    Entry("demo", "-m experiments.demo --budget 250 --agent search"),
    Entry("train_ppo", "-m experiments.train_ppo --fresh"),
    Entry(
        "pretrain_report",
        "-m experiments.pretrain_report --shards {shards} --base-run {base_run} "
        "--tiny-run {tiny_run} --ablations 3 --runs {work}/ablations",
    ),
    Entry("compare_convs", "-m experiments.compare_convs --shards {shards} --minutes 2"),
    Entry("embedding_map", "-m experiments.embedding_map --shards {shards}"),
    Entry(
        "probe",
        "-m experiments.probe --shards {shards} --work {work} "
        "--text-run {work}/ablations/text-only-3-seed0 "
        "--graph-run {work}/ablations/graph-only-3-seed0 "
        "--both-run {work}/ablations/all-tasks-3-seed0",
    ),
    Entry(
        "mine_coreset",  # the shipped one knew, as candidates, the sequences of the one before
        "-m experiments.mine_coreset --corpus {work}/modules --corpus-count 45 --smallest 300 "
        "--largest 2500 --size 60 --searches.algorithms policy random",
    ),
    Entry("mine_edits", "-m experiments.mine_edits --corpus {work}/modules --corpus-count 45"),
    Entry("mine_speed", "-m experiments.mine_speed --rounds 5"),
    Entry("loops", "-m experiments.loops --labels mirgym/data/loop_costs.jsonl.gz"),
    *(  # after `mirgym tasks fetch NAME`; goes on from its rows.jsonl
        Entry(f"tasks-{name}", f"-m mirgym.cli tasks run {name} --seeds 5 --output {{output}}")
        for name in ("devmap", "coarsening")
    ),
    *(  # with labels that come with mirgym, or that the task makes
        Entry(f"tasks-{name}", f"-m mirgym.cli tasks run {name} --seeds 5 --output {{output}}")
        for name in ("vectorize", "oz_benefit", "best_pass")
    ),
    Entry("tasks-algorithms", "-m mirgym.cli tasks run algorithms --seeds 3 --output {output}"),
    # With the times that come with mirgym, unless `mirgym tasks measure openmp` took others.
    Entry("tasks-openmp", "-m mirgym.cli tasks run openmp --seeds 5 --output {output}"),
    Entry("synth_mix", "-m experiments.synth_mix"),
    Entry(
        "robustness",
        "-m experiments.robustness --encoders "
        "with-contrast={work}/ablations/all-tasks-3-seed0/encoder.safetensors "
        "without-contrast={work}/ablations/without-contrast-3-seed0/encoder.safetensors",
    ),
    Entry(
        "transfer",
        "-m experiments.transfer "
        "--text-run {work}/ablations/text-only-3-seed0 "
        "--graph-run {work}/ablations/graph-only-3-seed0 "
        "--both-run {work}/ablations/all-tasks-3-seed0",
    ),
    Entry("execution", "-m experiments.execution"),
    Entry(  # as large as the committed figures; the defaults take more of everything
        "fused",
        "-m experiments.fused --algorithms.per-class 8 --algorithms.states O2 --pipelines 12",
    ),
    Entry("pareto", "-m experiments.pareto --budget 45"),
    Entry("mine_portfolio", "-m experiments.mine_portfolio --corpus {work}/modules --minutes 14"),
    Entry(
        "search_data",
        "-m experiments.search_data --corpus {work}/modules --corpus-count 240 --largest 3000 "
        "--first-share 0.5 --work {work}/search_data",
    ),
    Entry(
        "train_policy",
        "-m experiments.train_policy --corpus {work}/modules --work {work}/search_data "
        "--refine.total-steps 8000",
    ),
    Entry(
        "train_value",
        "-m experiments.train_value --corpus {work}/modules --largest 1000 "
        "--work {work}/train_value",
    ),
    Entry(
        "ablations", "-m experiments.ablations --corpus {work}/modules --work {work}/search_data"
    ),
    Entry(
        "leaderboard-mirbench-time",
        "-m mirgym.cli leaderboard --suite mirbench --objective runtime_ns --seeds 1 "
        "--budget 3,30,100 --agents speed,profiled,random --output {output}",
    ),
    Entry(
        "leaderboard-best_first",
        "-m mirgym.cli leaderboard --suite mirbench --objective text_size_bytes --seeds 1 "
        "--budget 45,100 --agents best_first,cheapest_first,random,greedy "
        "--output {output}",
    ),
    *(
        Entry(
            f"leaderboard-{suite}-{name}",
            f"-m mirgym.cli leaderboard --suite {source} --objective {objective} "
            f"--agents {','.join(_AGENTS)} --output {{output}}",
        )
        for suite, source in (("mirbench", "mirbench"), ("cbench", "{cbench}"))
        for name, objective in (("text", "text_size_bytes"), ("ir", "ir_instructions"))
    ),
)


def command_of(entry: Entry, config: ResultsConfig) -> list[str] | None:
    """The command with the options filled in; None when one of them is missing."""
    values = {name: value for name, value in vars(config).items() if value is not None}
    values["output"] = RESULTS / entry.name
    wanted = set(re.findall(r"{(\w+)}", entry.command))
    if wanted - values.keys():
        return None
    return [sys.executable, *(part.format(**values) for part in entry.command.split())]


def state_of(name: str) -> str:
    """What is known of a folder: the commit that filled it, or that it is missing."""
    path = RESULTS / (f"{name}.json" if name.startswith("bench/") else f"{name}/run.json")
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "missing"
    return f"cached, from {str(run.get('git') or 'an unknown commit')[:17]}"


def make(entry: Entry, config: ResultsConfig) -> str:
    """Run an entry's command; return what came of it.

    A benchmark prints its file; one with a figure past its limit writes it, too, and ends with 1.
    """
    command = command_of(entry, config)
    if command is None:
        return "not run: give " + ", ".join(
            f"--{name.replace('_', '-')}" for name in re.findall(r"{(\w+)}", entry.command)
        )
    if entry.name.startswith("bench/"):
        done = subprocess.run(command, cwd=RESULTS.parent, check=False, stdout=subprocess.PIPE)
        if done.stdout.startswith(b"{"):
            write_atomically(RESULTS / f"{entry.name}.json", done.stdout)
            return "made now" + (", a figure is past its limit" if done.returncode else "")
    else:
        done = subprocess.run(command, cwd=RESULTS.parent, check=False)
    return (
        "made now" if done.returncode == 0 else f"exit {done.returncode}: {' '.join(command[1:])}"
    )


def with_tables(readme: str) -> str:
    """The README with every block written from the files."""

    def fill(match: re.Match[str]) -> str:
        opening, name, end = match.groups()
        return f"{opening}{TABLES[name](RESULTS)}\n{end}"

    return _BLOCK.sub(fill, readme)


def main(config: ResultsConfig) -> int:
    """Make or keep each entry, write the README, print what was done."""
    table = Table("results/", "")
    failed = False
    for entry in ENTRIES:
        if config.only and entry.name not in config.only:
            continue
        told = make(entry, config) if config.fresh else state_of(entry.name)
        failed |= told.startswith("exit")
        table.add_row(entry.name, told)
    before = README.read_text(encoding="utf-8")
    after = with_tables(before)
    if config.check:
        print("the README is what the files say" if after == before else "the README differs")
        return int(after != before)
    if after != before:
        README.write_text(after, encoding="utf-8")
    Console().print(table)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(ResultsConfig)))
