"""Traces: which way a program's branches go and where its loads read, in order.

For models that predict the next outcome of a branch, or the next address of a load. ::

    request  u8 verb, u64 skip, u64 limit, u64 snapshots, u64 every, then as EXECUTE from the
             CPU seconds on
    reply    as EXECUTE up to the runs, for each run u64 events, u32 n, n × u32 site,
             u32 n, n × u64 payload, and its snapshots: u32 n, n × u64 event, u32 n,
             n × u32 first site of the block, u32 n, n × u64 value; then for each function
             str name, u32 s, s × u32 instruction, s × u8 ``SiteKind``, u32 v, v × u32 block,
             v × u32 node, v × u8 type (v is 0 without sites or when no snapshots are wanted)

Sites are numbered through the functions; native/trace.h says what a site is. Loads are those
of the module's instructions: what library calls and memory intrinsics read is not among them.
Addresses are the same in every process (``mirgym.values``): at 0x10.. the program with its
variables, at 0x20.. its heap, at 0x21.. its stack, at 0x7f.. what is elsewhere.

Snapshots tell what a function's values were just before some of the events, for models after
Shi et al., "Learning Execution through Neural Code Fusion" (ICLR 2020). One may be taken at the
beginning of each block with a site, after its PHIs: at every ``every``-th of these times while
events are kept, until there are ``snapshots`` of them. It has all that ``mirgym.values`` samples,
each with its latest bits: PHIs of the block, arguments and a function's first ``alloca``s are
fresh, the other results of the block itself those of its latest execution, which a model has to
compute anew. What was never computed in the run is 0. A function has one set of values: its
calls of itself overwrite those of the caller. Cost, branches and order stay what they are
without snapshots; addresses on the stack and of variables may be others, as the code is.

A trace is kept as Parquet with the columns ``site``, ``kind`` and ``payload``, one row an
event, and with snapshots a column of that name, for each event a list of those taken just
before it; the metadata entry ``mirgym.trace`` is JSON with the rest.
"""

from __future__ import annotations

import enum
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from .execution import ExecutionLimits, RunReport, RunRequest, decode_runs, encode_runs
from .wire import Verb, raise_on_error

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_EVENTS = 1_000_000
"""Events that are kept unless more are wanted."""

_HEAD = struct.Struct("<BQQQQ")
_METADATA = b"mirgym.trace"

_U32S, _U64S = np.zeros(0, np.uint32), np.zeros(0, np.uint64)
_U8S = np.zeros(0, np.uint8)


class SiteKind(enum.IntEnum):
    """What an event tells."""

    BRANCH = 0
    """Payload: number of the successor; of a conditional branch 0 when its condition holds."""
    LOAD = 1
    """Payload: the address."""


class Trace(NamedTuple):
    """Events of one run, the first ``len(sites)`` after ``skipped``.

    Attributes:
        functions: Names of the module's functions with a body, in its order.
        site_functions: Of each site, by number: (sites,) uint32.
        site_instructions: Number of the branch or load in its function, which is its node in
            the function's graph and its column among the tokens (``mirgym.views``): uint32.
        site_kinds: See ``SiteKind``: (sites,) uint8.
        sites: Of each event: (events,) uint32.
        payloads: Of each event: (events,) uint64.
        total: Events of the whole run.
        skipped: How many were left out before the first.
        slot_functions: Of each value in snapshots, function by function, its function; no
            values unless snapshots were wanted, nor of functions without sites: (slots,) uint32.
        slot_blocks: In which it is computed, by number: (slots,) uint32.
        slot_nodes: Of the value in the function's graph: (slots,) uint32.
        slot_types: See ``mirgym.values.POINTER``: (slots,) uint8.
        snapshot_events: Of each snapshot the first event after it, by its number among all
            events of the run, ``skipped`` ones too, in order: (snapshots,) uint64. When the
            block first calls a function, that event may be another function's.
        snapshot_sites: The first site of the block where it was taken: (snapshots,) uint32.
        snapshot_offsets: Where its values begin, and at last where all end:
            (snapshots + 1,) uint64.
        snapshot_values: Bits of the values, in the order of the function's slots: uint64.
    """

    functions: tuple[str, ...]
    site_functions: np.ndarray
    site_instructions: np.ndarray
    site_kinds: np.ndarray
    sites: np.ndarray
    payloads: np.ndarray
    total: int
    skipped: int
    slot_functions: np.ndarray = _U32S
    slot_blocks: np.ndarray = _U32S
    slot_nodes: np.ndarray = _U32S
    slot_types: np.ndarray = _U8S
    snapshot_events: np.ndarray = _U64S
    snapshot_sites: np.ndarray = _U32S
    snapshot_offsets: np.ndarray = np.zeros(1, np.uint64)
    snapshot_values: np.ndarray = _U64S

    @property
    def snapshot_functions(self) -> np.ndarray:
        """Of which function's values each snapshot is: (snapshots,) uint32."""
        functions: np.ndarray = self.site_functions[self.snapshot_sites]
        return functions

    def slots_of(self, function: int) -> slice:
        """Which of the slots are a function's."""
        first, end = np.searchsorted(self.slot_functions, [function, function + 1])
        return slice(int(first), int(end))

    def values_of(self, snapshot: int) -> np.ndarray:
        """What one snapshot holds, in the order of the function's slots: uint64."""
        first, end = self.snapshot_offsets[snapshot : snapshot + 2].tolist()
        values: np.ndarray = self.snapshot_values[first:end]
        return values

    @property
    def kinds(self) -> np.ndarray:
        """Of each event: (events,) uint8."""
        kinds: np.ndarray = self.site_kinds[self.sites]
        return kinds

    @property
    def left_out(self) -> int:
        """Events that were skipped, or came after the last one."""
        return self.total - len(self.sites)

    def of(self, kind: SiteKind) -> tuple[np.ndarray, np.ndarray]:
        """Sites and payloads of the events of a kind, in order."""
        own = self.kinds == kind
        return self.sites[own], self.payloads[own]

    def save(self, path: str | Path) -> None:
        """Write it as Parquet."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        rest: dict[str, object] = {name: getattr(self, name).tolist() for name in _TABLES}
        rest |= {"functions": self.functions, "total": self.total, "skipped": self.skipped}
        columns = {"site": self.sites, "kind": self.kinds, "payload": self.payloads}
        if len(self.slot_types):
            columns["snapshots"] = self._snapshots_of_events()
        table = pa.table(columns).replace_schema_metadata({_METADATA: json.dumps(rest).encode()})
        path = Path(path)
        temporary = path.with_name(path.name + ".part")
        pq.write_table(table, temporary, compression="zstd", use_dictionary=["site", "kind"])
        temporary.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            ValueError: It is no such file.
        """
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        metadata = (table.schema.metadata or {}).get(_METADATA)
        if metadata is None:
            raise ValueError(f"{path} is no trace: it has no metadata '{_METADATA.decode()}'")
        rest = json.loads(metadata)
        trace = cls(
            functions=tuple(rest["functions"]),
            sites=table["site"].to_numpy(),
            payloads=table["payload"].to_numpy(),
            total=rest["total"],
            skipped=rest["skipped"],
            # A file from before there were snapshots has no slots.
            **{name: np.array(rest.get(name, ()), kind) for name, kind in _TABLES.items()},
        )
        if "snapshots" not in table.column_names:
            return trace
        return trace._with_snapshots(table["snapshots"].combine_chunks())

    def _snapshots_of_events(self) -> pa.ListArray:
        """Of each event the snapshots just before it, as Parquet keeps them."""
        import pyarrow as pa

        values = pa.ListArray.from_arrays(
            pa.array(self.snapshot_offsets.astype(np.int32)), pa.array(self.snapshot_values)
        )
        snapshots = pa.StructArray.from_arrays(
            [pa.array(self.snapshot_sites), values], names=["site", "values"]
        )
        numbers = self.skipped + np.arange(len(self.sites) + 1, dtype=np.uint64)
        firsts = np.searchsorted(self.snapshot_events, numbers).astype(np.int32)
        return pa.ListArray.from_arrays(pa.array(firsts), snapshots)

    def _with_snapshots(self, of_events: pa.ListArray) -> Self:
        """The trace with what ``_snapshots_of_events`` gave."""
        snapshots = of_events.flatten()
        values = snapshots.field("values")
        numbers = self.skipped + np.arange(len(self.sites), dtype=np.uint64)
        return self._replace(
            snapshot_events=np.repeat(numbers, of_events.value_lengths().to_numpy()),
            snapshot_sites=snapshots.field("site").to_numpy(),
            snapshot_offsets=_offsets(values.value_lengths().to_numpy()),
            snapshot_values=values.flatten().to_numpy(),
        )


_EVENT_KINDS: tuple[type[np.generic], ...] = (np.uint32, np.uint64, np.uint64, np.uint32, np.uint64)
_SITE_COLUMNS = ("site_functions", "site_instructions", "site_kinds")
_SLOT_COLUMNS = ("slot_functions", "slot_blocks", "slot_nodes", "slot_types")
_TABLES: dict[str, type[np.generic]] = dict.fromkeys(_SITE_COLUMNS + _SLOT_COLUMNS, np.uint32)
_TABLES |= {"site_kinds": np.uint8, "slot_types": np.uint8}


def _offsets(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros(1, np.uint64), np.cumsum(lengths, dtype=np.uint64)])


class TracedExecution(NamedTuple):
    """What TRACE replies: one report and one trace for each run."""

    runs: tuple[RunReport, ...]
    traces: tuple[Trace, ...]
    compile_ns: int


def trace_request(
    runs: Sequence[RunRequest],
    libraries: Sequence[str],
    limits: ExecutionLimits,
    *,
    limit: int,
    skip: int,
    snapshots: int = 0,
    every: int = 1,
) -> bytes:
    """Encode TRACE."""
    if limit < 0 or skip < 0:
        raise ValueError(f"a trace of {limit} events after {skip}; expected no negative numbers")
    if snapshots < 0 or every < 1:
        raise ValueError(
            f"{snapshots} snapshots, one at every {every} blocks; expected at least 0, and 1"
        )
    return _HEAD.pack(Verb.TRACE, skip, limit, snapshots, every) + encode_runs(
        runs, libraries, limits
    )


class _Reader:
    """Reads a reply from one place on."""

    def __init__(self, reply: bytes, at: int) -> None:
        self._reply, self._at = reply, at

    def __bool__(self) -> bool:
        return self._at < len(self._reply)

    def numbers(self, kind: type[np.generic], count: int) -> np.ndarray:
        found = np.frombuffer(self._reply, kind, count, self._at)
        self._at += found.nbytes
        return found

    def count(self) -> int:
        return int(self.numbers(np.uint32, 1)[0])

    def counted(self, kind: type[np.generic]) -> np.ndarray:
        return self.numbers(kind, self.count())


class _Run(NamedTuple):
    """What the reply has of one run; fields as in ``Trace``."""

    total: int
    sites: np.ndarray
    payloads: np.ndarray
    snapshot_events: np.ndarray
    snapshot_sites: np.ndarray
    snapshot_values: np.ndarray


def decode_trace(reply: bytes, runs: int, *, skip: int) -> TracedExecution:
    """Decode the reply to TRACE with this many runs."""
    raise_on_error(reply)
    reports, compile_ns, at = decode_runs(reply, runs)
    reader = _Reader(reply, at)
    found = [
        _Run(int(reader.numbers(np.uint64, 1)[0]), *(reader.counted(kind) for kind in _EVENT_KINDS))
        for _ in range(runs)
    ]
    functions: list[str] = []
    columns: dict[str, list[np.ndarray]] = {name: [] for name in _TABLES}
    while reader:
        name = reader.counted(np.uint8).tobytes().decode(errors="surrogateescape")
        for owner, *others in (_SITE_COLUMNS, _SLOT_COLUMNS):
            rows = reader.count()
            columns[owner].append(np.full(rows, len(functions), np.uint32))
            for column in others:
                columns[column].append(reader.numbers(_TABLES[column], rows))
        functions.append(name)
    tables = {name: np.concatenate(parts) for name, parts in columns.items()}
    traces = tuple(_trace(tuple(functions), tables, run, skip) for run in found)
    return TracedExecution(reports, traces, compile_ns)


def _trace(
    functions: tuple[str, ...], tables: dict[str, np.ndarray], run: _Run, skip: int
) -> Trace:
    # After the last snapshot there may have been no event: then it is of no use.
    kept = int(np.searchsorted(run.snapshot_events, np.uint64(run.total)))
    sites = run.snapshot_sites[:kept]
    slots = np.bincount(tables["slot_functions"], minlength=len(functions))
    offsets = _offsets(slots[tables["site_functions"][sites]])
    return Trace(
        functions=functions,
        sites=run.sites,
        payloads=run.payloads,
        total=run.total,
        skipped=min(skip, run.total),
        snapshot_events=run.snapshot_events[:kept],
        snapshot_sites=sites,
        snapshot_offsets=offsets,
        snapshot_values=run.snapshot_values[: int(offsets[-1])],
        **tables,
    )
