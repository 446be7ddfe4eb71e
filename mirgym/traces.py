"""Traces: which way a program's branches go and where its loads read, in order.

For models that predict the next outcome of a branch, or the next address of a load. ::

    request  u8 verb, u64 skip, u64 limit, then as EXECUTE from the CPU seconds on
    reply    as EXECUTE up to the runs, for each run u64 events, u32 n, n × u32 site,
             u32 n, n × u64 payload, and for each function str name, u32 s,
             s × u32 instruction, s × u8 ``SiteKind``

Sites are numbered through the functions; native/trace.h says what a site is. Loads are those
of the module's instructions: what library calls and memory intrinsics read is not among them.
Addresses are the same in every process (``mirgym.values``): at 0x10.. the program with its
variables, at 0x20.. its heap, at 0x21.. its stack, at 0x7f.. what is elsewhere.

A trace is kept as Parquet with the columns ``site``, ``kind`` and ``payload``, one row an
event; the metadata entry ``mirgym.trace`` is JSON with the rest.
"""

from __future__ import annotations

import enum
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from .execution import ExecutionLimits, RunReport, RunRequest, decode_runs, encode_runs
from .wire import Verb, raise_on_error

DEFAULT_EVENTS = 1_000_000
"""Events that are kept unless more are wanted."""

_HEAD = struct.Struct("<BQQ")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_METADATA = b"mirgym.trace"


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
    """

    functions: tuple[str, ...]
    site_functions: np.ndarray
    site_instructions: np.ndarray
    site_kinds: np.ndarray
    sites: np.ndarray
    payloads: np.ndarray
    total: int
    skipped: int

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

        names = ("site_functions", "site_instructions", "site_kinds")
        rest = {name: getattr(self, name).tolist() for name in names}
        rest |= {"functions": self.functions, "total": self.total, "skipped": self.skipped}
        columns = {"site": self.sites, "kind": self.kinds, "payload": self.payloads}
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
        return cls(
            tuple(rest["functions"]),
            np.array(rest["site_functions"], np.uint32),
            np.array(rest["site_instructions"], np.uint32),
            np.array(rest["site_kinds"], np.uint8),
            table["site"].to_numpy(),
            table["payload"].to_numpy(),
            rest["total"],
            rest["skipped"],
        )


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
) -> bytes:
    """Encode TRACE."""
    if limit < 0 or skip < 0:
        raise ValueError(f"a trace of {limit} events after {skip}; expected no negative numbers")
    return _HEAD.pack(Verb.TRACE, skip, limit) + encode_runs(runs, libraries, limits)


def decode_trace(reply: bytes, runs: int, *, skip: int) -> TracedExecution:
    """Decode the reply to TRACE with this many runs."""
    raise_on_error(reply)
    reports, compile_ns, at = decode_runs(reply, runs)

    def numbers(kind: type[np.generic], count: int) -> np.ndarray:
        nonlocal at
        found = np.frombuffer(reply, kind, count, at)
        at += found.nbytes
        return found

    def count() -> int:
        return int(numbers(np.uint32, 1)[0])

    events = []
    for _ in range(runs):
        (total,) = _U64.unpack_from(reply, at)
        at += _U64.size
        events.append((numbers(np.uint32, count()), numbers(np.uint64, count()), total))
    functions, instructions, kinds = [], [], []
    while at < len(reply):
        functions.append(numbers(np.uint8, count()).tobytes().decode(errors="surrogateescape"))
        sites = count()
        instructions.append(numbers(np.uint32, sites))
        kinds.append(numbers(np.uint8, sites))
    owners = np.repeat(np.arange(len(functions), dtype=np.uint32), [len(k) for k in kinds])
    table = (tuple(functions), owners, np.concatenate(instructions), np.concatenate(kinds))
    traces = tuple(Trace(*table, *one, skipped=min(skip, one[2])) for one in events)
    return TracedExecution(reports, traces, compile_ns)
