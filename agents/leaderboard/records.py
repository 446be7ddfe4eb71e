"""One row for each run, and the file that keeps them while the leaderboard runs."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ...errors import DatasetError
from ...objective import METRICS
from .anchors import Anchors, Sizes

FILE_NAME = "runs.jsonl"


class RunKey(NamedTuple):
    """What makes a run the run it is: with the same key it would end the same."""

    program: str
    digest: str
    agent: str
    agent_data: str
    seed: int
    budget: int
    objective: str
    llvm: str


@dataclass(frozen=True)
class Row:
    """One run of one agent on one program.

    A run that failed, or whose result behaves otherwise than the program, counts as B.
    """

    program: str
    """Its name in the suite."""
    suite: str
    digest: str
    """sha256 of the bitcode; empty when there is none."""
    agent: str
    agent_data: str
    """Version of the agent's data, empty when it has none."""
    seed: int
    budget: int
    """Compiles that it may spend."""
    objective: str
    llvm: str
    text_size_bytes: int | None = None
    """Of the result: ``.text`` of the object."""
    ir_instructions: int | None = None
    """Of the result."""
    b_text_size_bytes: int | None = None
    b_ir_instructions: int | None = None
    a_text_size_bytes: int | None = None
    a_ir_instructions: int | None = None
    run_cost: int | None = None
    """Of the result, in the objective's unit where that takes running the program."""
    b_run_cost: int | None = None
    a_run_cost: int | None = None
    floor: float | None = None
    """The baseline's time ÷ its own, measured as the results are: the noise."""
    compiles: int = 0
    """Compiles that it spent."""
    cached: int = 0
    """Compiles that the transition cache answered; of the whole run where one run gave the
    results of several budgets."""
    seconds: float = 0.0
    """With what the cached compiles took when they were made."""
    pipeline: str = ""
    """Its steps, separated by ``|``, with LLVM's options behind a step."""
    key: str = ""
    """Structural hash of the result."""
    commit: str = ""
    """Of mirgym, with ``+changes`` for a tree that was not clean; empty where it is not known."""
    output: str = ""
    """``equal``, ``differs: …``, ``undefined: …`` or ``cannot run: …``."""
    error: str = ""

    @property
    def run_key(self) -> RunKey:
        """The key of this run."""
        return RunKey(**{name: getattr(self, name) for name in RunKey._fields})

    @property
    def falls_back(self) -> str:
        """Why B counts instead of the result; empty when the result counts."""
        if self.error:
            return self.error
        return self.output if self.output.startswith(("differs", "undefined")) else ""

    def ratio(self, metric: str, baseline: str = "b") -> float | None:
        """A baseline's cost ÷ what counts; None without one of them."""
        metric = metric if metric in METRICS else "run_cost"
        reference = getattr(self, f"{baseline}_{metric}")
        cost = getattr(self, f"b_{metric}" if self.falls_back else metric)
        if reference is None or cost is None:
            return None
        return float(max(reference, 1) / max(cost, 1))

    def with_anchors(self, anchors: Anchors) -> Row:
        """The row with the baselines' costs."""
        a = anchors.a
        return dataclasses.replace(
            self,
            b_text_size_bytes=anchors.b.text_size_bytes,
            b_ir_instructions=anchors.b.ir_instructions,
            a_text_size_bytes=a.text_size_bytes if a else None,
            a_ir_instructions=a.ir_instructions if a else None,
            b_run_cost=anchors.b.run_cost,
            a_run_cost=a.run_cost if a else None,
            floor=anchors.floor,
        )

    def with_sizes(self, sizes: Sizes) -> Row:
        """The row with the result's costs."""
        return dataclasses.replace(
            self,
            text_size_bytes=sizes.text_size_bytes,
            ir_instructions=sizes.ir_instructions,
            run_cost=sizes.run_cost,
        )


class Records:
    """The rows in a folder. Runs with an error are not kept as done: they are tried again.

    Args:
        folder: Made when it is not there.

    Raises:
        DatasetError: The folder cannot be written, or its file holds something else.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._rows: dict[RunKey, Row] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._read()
            self.path.touch()
        except OSError as error:
            raise DatasetError(
                f"cannot write {self.path}: {error.strerror or error}; choose another --output"
            ) from error

    def _read(self) -> None:
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        whole, newline, torn = content.rpartition(b"\n")
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = Row(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise DatasetError(
                    f"{self.path}, line {number}: not a row of this leaderboard ({error}); "
                    "choose another --output, or delete the file"
                ) from error
            self._rows[row.run_key] = row
        if torn:  # the last run was killed while it wrote
            os.truncate(self.path, len(whole) + len(newline))

    def is_done(self, key: RunKey) -> bool:
        """Whether this run has a result."""
        row = self._rows.get(key)
        return row is not None and not row.error

    def get(self, key: RunKey) -> Row | None:
        """The row of a run."""
        return self._rows.get(key)

    def add(self, rows: Iterable[Row]) -> None:
        """Keep rows, on disk when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            for row in rows:
                self._rows[row.run_key] = row
                file.write(json.dumps(dataclasses.asdict(row)) + "\n")
            file.flush()
            os.fsync(file.fileno())


def write_parquet(rows: Iterable[Row], path: Path) -> None:
    """Write rows as Parquet, with their ratios in the objective."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"str": pa.string(), "int": pa.int64(), "float": pa.float64()}
    kinds |= {f"{name} | None": kind for name, kind in kinds.items()}
    fields = [pa.field(field.name, kinds[str(field.type)]) for field in dataclasses.fields(Row)]
    ratios = [pa.field(name, pa.float64()) for name in ("ratio_to_b", "ratio_to_a")]
    records = [
        {
            **dataclasses.asdict(row),
            "ratio_to_b": row.ratio(row.objective),
            "ratio_to_a": row.ratio(row.objective, "a"),
        }
        for row in rows
    ]
    table = pa.Table.from_pylist(records, schema=pa.schema([*fields, *ratios]))
    pq.write_table(table, path, compression="zstd")
