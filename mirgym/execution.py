"""EXECUTE: a session runs its module's ``main`` and tells what each run cost.

::

    request  u8 verb, u8 ``Counters``, f64 CPU seconds, f64 wall seconds, u64 memory bytes,
             u64 file bytes, u16 n, n × str library, u16 n, n × (str directory, str stdin,
             str stdout, str stderr, u16 m, m × str argument)
    reply    u8 status, u64 compile ns, for each run u8 ending, i32 code, u64 cost, u64 ns;
             if counters were wanted, for each function str name, u32 n, u32 m, u32 v,
             n × u64 weight, v × u32 block, v × u32 node, v × u8 type, and for each run n × u64
             times that the block ran, m × u64 that the branch was taken, and unless v is 0,
             n × u64 sampled executions, v × u64[4] samples (``mirgym.values``)

``str`` is as in ``mirgym.wire``. The cost of a run is the sum over the blocks of times run ×
weight, plus a charge by length for library calls on memory and strings, which is not among the
counters. See native/instrument.h for weights, native/charges.h for charges,
native/branches.h for what counts as a branch and native/samples.h for the words of samples.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .values import SAMPLES, FunctionValues
from .wire import Verb, raise_on_error

_HEAD = struct.Struct("<BB")
_LIMITS = struct.Struct("<ddQQ")
_RUN = struct.Struct("<BiQQ")
_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_THREE_U32 = struct.Struct("<III")
_U64 = struct.Struct("<Q")


class Ending(enum.IntEnum):
    """How a run ended, and so what its code is."""

    EXITED = 0
    """Exit code."""
    SIGNALLED = 1
    """Signal."""
    TIMED_OUT = 2
    """By the wall clock; no code."""
    NOT_STARTED = 3
    """``errno`` of opening its directory and streams."""


class Counters(enum.IntEnum):
    """What a run is asked for besides its cost."""

    NONE = 0
    BLOCKS = 1
    BRANCHES = 2
    """Blocks and branches. The cost is the same: what counts branches costs nothing."""
    VALUES = 3
    """These, and samples of what is computed (``mirgym.values``), at the same cost."""


@dataclass(frozen=True)
class ExecutionLimits:
    """What one run may use."""

    cpu_seconds: float = 20.0
    wall_seconds: float = 80.0
    memory_bytes: int = 2 << 30
    """Address space on top of the session's own; 0 for no limit."""
    file_bytes: int = 64 << 20
    """Largest file that it may write."""


class RunRequest(NamedTuple):
    """One run. ``stdin`` is empty for none; what it prints goes to the files named."""

    directory: str
    stdin: str
    stdout: str
    stderr: str
    arguments: tuple[str, ...] = ()


class RunReport(NamedTuple):
    """What came of one run.

    Attributes:
        ending: How it ended.
        code: See ``Ending``.
        cost: Weighted instructions up to the end, whatever the end was.
        ns: Wall time from the fork to the end.
    """

    ending: Ending
    code: int
    cost: int
    ns: int


class CountedFunction(NamedTuple):
    """Counters of one function, uint64.

    Attributes:
        name: Of the function.
        weights: Cost of each block: (blocks,).
        counts: How often each run entered each block: (runs, blocks).
        taken: How often each run took each branch: (runs, branches). No branches unless
            they were wanted.
        values: Samples of what was computed; none unless they were wanted.
    """

    name: str
    weights: np.ndarray
    counts: np.ndarray
    taken: np.ndarray
    values: FunctionValues


class Execution(NamedTuple):
    """What EXECUTE replies. ``functions`` is empty unless counters were wanted."""

    runs: tuple[RunReport, ...]
    compile_ns: int
    functions: tuple[CountedFunction, ...]


def execute_request(
    runs: Sequence[RunRequest],
    libraries: Sequence[str],
    limits: ExecutionLimits,
    *,
    counters: Counters,
) -> bytes:
    """Encode EXECUTE."""
    return _HEAD.pack(Verb.EXECUTE, counters) + encode_runs(runs, libraries, limits)


def encode_runs(
    runs: Sequence[RunRequest], libraries: Sequence[str], limits: ExecutionLimits
) -> bytes:
    """What to run and how, the rest of a request."""
    numbers = (limits.cpu_seconds, limits.wall_seconds, limits.memory_bytes, limits.file_bytes)
    parts = [_LIMITS.pack(*numbers), _texts(libraries), _U16.pack(len(runs))]
    for run in runs:
        parts += [_text(text) for text in run[:4]]
        parts.append(_texts(run.arguments))
    return b"".join(parts)


def _text(text: str) -> bytes:
    encoded = text.encode(errors="surrogateescape")
    return _U32.pack(len(encoded)) + encoded


def _texts(texts: Sequence[str]) -> bytes:
    return _U16.pack(len(texts)) + b"".join(map(_text, texts))


def decode_execution(reply: bytes, runs: int, *, counters: Counters) -> Execution:
    """Decode the reply to EXECUTE with this many runs."""
    raise_on_error(reply)
    reports, compile_ns, at = decode_runs(reply, runs)
    functions = []
    while counters and at < len(reply):
        function, at = _decode_function(reply, at, runs)
        functions.append(function)
    return Execution(reports, compile_ns, tuple(functions))


def decode_runs(reply: bytes, runs: int) -> tuple[tuple[RunReport, ...], int, int]:
    """The reports, the time of compiling in ns, and where the rest of the reply starts."""
    (compile_ns,) = _U64.unpack_from(reply, 1)
    at = 1 + _U64.size
    reports = []
    for _ in range(runs):
        ending, code, cost, ns = _RUN.unpack_from(reply, at)
        reports.append(RunReport(Ending(ending), code, cost, ns))
        at += _RUN.size
    return tuple(reports), compile_ns, at


def _decode_function(reply: bytes, at: int, runs: int) -> tuple[CountedFunction, int]:
    """One function's counters, and where the next one's start."""
    (length,) = _U32.unpack_from(reply, at)
    at += _U32.size
    name = reply[at : at + length].decode(errors="surrogateescape")
    at += length
    blocks, branches, values = _THREE_U32.unpack_from(reply, at)
    at += _THREE_U32.size
    words = blocks + branches + (blocks + SAMPLES * values if values else 0)
    columns = []
    for kind, count in (
        (np.uint64, blocks),
        (np.uint32, values),
        (np.uint32, values),
        (np.uint8, values),
        (np.uint64, runs * words),
    ):
        columns.append(np.frombuffer(reply, kind, count, at))
        at += columns[-1].nbytes
    weights, of_blocks, nodes, types, numbers = columns
    ends = np.cumsum([blocks, branches, blocks if values else 0])
    counts, taken, executions, ring = np.split(numbers.reshape(runs, words), ends, axis=1)
    found = FunctionValues.none(runs)
    if values:
        ring = ring.reshape(runs, values, SAMPLES)
        found = FunctionValues.of(nodes, of_blocks, types, executions, ring)
    return CountedFunction(name, weights, counts, taken, found), at
