"""From compiled modules to Parquet shards: states in parallel, leaks and doubles out."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MirgymError
from ..programs import resolve_all
from ..programs.cache import write_atomically
from ..session import InProcessSession
from ..wire import Wanted
from .builder import Module
from .guard import Guard
from .schema import schema, seed_of, split_of
from .states import LEVEL, FunctionState, module_states

ROWS_PER_SHARD = 20_000


@dataclass
class Summary:
    """What ``write_shards`` did; also ``corpus.json`` beside the shards."""

    modules: int = 0
    rows: int = 0
    functions: int = 0
    """Distinct source functions: those of state 0 that are not doubles."""
    instructions: int = 0
    splits: dict[str, int] = field(default_factory=dict)
    """Rows of each split."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Rows by reason: double, exact (as an evaluation program), near (to one)."""
    failed: dict[str, str] = field(default_factory=dict)
    """Modules that could not be loaded, and why."""
    size_bytes: int = 0
    licences: dict[str, str] = field(default_factory=dict)
    """Licence of each package."""


def compute_states(
    module: Module, work: Path, sequences: int
) -> tuple[Module, Path | None, str | None]:
    """One module's rows in a file of the work folder; computed once. For a process pool."""
    name = f"{module.package}-{module.path.stem}-{sequences}.pickle"
    target = work / "states" / name
    if target.exists():
        return module, target, None
    try:
        seed = seed_of(module.package, module.source)
        rows = module_states(module.path.read_bytes(), seed=seed, sequences=sequences)
    except (MirgymError, OSError) as error:
        return module, None, str(error)
    write_atomically(target, pickle.dumps(rows, protocol=pickle.HIGHEST_PROTOCOL))
    return module, target, None


def all_states(
    modules: Sequence[Module], work: Path, *, sequences: int, jobs: int
) -> Iterator[tuple[Module, Path | None, str | None]]:
    """``compute_states`` of every module, side by side, in the order they finish."""
    (work / "states").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(jobs) as pool:
        futures = [pool.submit(compute_states, m, work, sequences) for m in modules]
        for future in as_completed(futures):
            yield future.result()


def evaluation_guard() -> Guard:
    """The guard that knows every function of ``mirbench``, as it is and optimised.

    cbench-v1 joins in when it is installed; its sources are kept out by path always.
    """
    suites = ["mirbench"]
    try:
        if resolve_all("cbench-v1"):
            suites.append("cbench-v1")
    except MirgymError:
        pass
    tokens: list[np.ndarray] = []
    wanted = Wanted.of(views=("functions",), key=False)
    with InProcessSession() as session:
        for program in (p for suite in suites for p in resolve_all(suite)):
            states = [session.load(program.bitcode(), level=LEVEL, wanted=wanted)]
            states.append(session.step("default<O2>", wanted=wanted))
            for state in states:
                tokens += [view.tokens for view in state.views["functions"].functions if view]  # type: ignore[union-attr]
    return Guard(tokens)


def write_shards(
    computed: Iterable[tuple[Module, Path | None, str | None]], output: Path, *, guard: Guard
) -> Summary:
    """Filter the rows and write the shards and ``corpus.json`` into ``output``.

    Modules are taken in the order of their names, so that the same modules give the same
    shards whatever order they were computed in.
    """
    summary = Summary()
    seen: set[int] = set()
    left_out: Counter[str] = Counter()
    splits: Counter[str] = Counter()
    output.mkdir(parents=True, exist_ok=True)
    for old in output.glob("shard-*.parquet"):
        old.unlink()
    pending: list[dict[str, Any]] = []
    shard = 0
    for module, path, problem in sorted(computed, key=lambda one: (one[0].package, one[0].source)):
        if path is None:
            summary.failed[f"{module.package}/{module.source}"] = str(problem)
            continue
        rows: list[FunctionState] = pickle.loads(path.read_bytes())
        summary.modules += 1
        summary.licences[module.package] = module.licence
        # One function's states lie together; a leak takes them all.
        rows.sort(key=lambda row: (row.name, row.state))
        leaked = {row.name: why for row in rows if (why := guard.leaks(row.view.tokens))}
        for row in rows:
            reason = leaked.get(row.name) or ("double" if row.view.key in seen else None)
            if reason:
                left_out[reason] += 1
                continue
            seen.add(row.view.key)
            splits[split_of(module.package)] += 1
            summary.rows += 1
            summary.functions += row.state == 0
            summary.instructions += row.view.tokens.shape[1]
            pending.append(_record(module, row))
        if len(pending) >= ROWS_PER_SHARD:
            summary.size_bytes += _write(pending, output / f"shard-{shard:03}.parquet")
            pending, shard = [], shard + 1
    if pending:
        summary.size_bytes += _write(pending, output / f"shard-{shard:03}.parquet")
    summary.left_out, summary.splits = dict(left_out), dict(splits)
    write_atomically(output / "corpus.json", json.dumps(asdict(summary), indent=1).encode())
    return summary


def _record(module: Module, row: FunctionState) -> dict[str, Any]:
    view = row.view
    order = np.argsort(view.edge_kinds >> 3, kind="stable")
    source, destination = view.edges[:, order]
    return {
        "package": module.package,
        "module": module.source,
        "function": row.name,
        "origin": seed_of(module.package, module.source, row.name),
        "state": row.state,
        "key": view.key,
        **{f"t{i}": view.tokens[i] for i in range(8)},
        **{f"n{i}": view.nodes[i] for i in range(2)},
        "e_src": np.diff(source, prepend=np.int32(0)),
        "e_dst": np.diff(destination, prepend=np.int32(0)),
        "e_kind": view.edge_kinds[order],
        "effects": row.effects,
        "changed": row.changed,
        "oz_instructions": row.oz_instructions,
    }


def _write(records: list[dict[str, Any]], path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    layout = schema()
    columns = [[record[name] for record in records] for name in layout.names]
    arrays = [
        pa.array(column, type=kind.type) for column, kind in zip(columns, layout, strict=True)
    ]
    temporary = path.with_suffix(".part")
    words = [field.name for field in layout if pa.types.is_string(field.type)]
    # Numbers byte by byte: the high bytes are nearly all zero.
    numbers = [
        f"{field.name}.list.element" for field in layout
        if pa.types.is_list(field.type) and field.type.value_type.bit_width > 8
    ]  # fmt: skip
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=layout),
        temporary,
        compression="zstd",
        compression_level=19,
        row_group_size=4000,
        use_dictionary=words,
        column_encoding=dict.fromkeys(numbers, "BYTE_STREAM_SPLIT"),
    )
    temporary.replace(path)
    return path.stat().st_size
