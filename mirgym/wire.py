"""The requests and replies of a session as bytes, little-endian, no padding.

Both session implementations speak it: in process through ``_native.Engine.handle``,
in a worker through a socket whose frames are ``u32 length, u32 time limit in ms,
request`` one way and ``u32 length, reply`` the other.

======== =====================================================================
request  body after the verb byte
======== =====================================================================
LOAD     u8 level, f64 growth limit, u32 metrics, u32 views, module bytes → state
STEP     u32 metrics, u32 views, u16 n, n × (str, str) options, pipeline → state
OBSERVE  u32 metrics, u32 views → state
SNAPSHOT → bitcode with use-list order
RESTORE  bitcode → state
EMIT     u8 kind → bytes
VERIFY   → nothing
FUNCTIONS → n × (str name, u64 key, i64 instructions, i64 text bytes or −1)
FORK     → i64 pid, and a socket as ancillary data (workers only)
EXECUTE  see ``mirgym.execution``
HINT     u32 metrics, u32 views, u16 n, n × u32[4] (``mirgym.loops.LoopHints``) → state
BRANCHES u32 metrics, u32 views, u32 n, n × (str name, u64 entries, u32 m, m × u64) → state
TRACE    see ``mirgym.traces``
======== =====================================================================

A ``str`` is u32 length and bytes. A reply starts with a status byte: 0, or the kind
of error with its message as the rest. ``state`` is u8 changed, u64 key (0 unless bit
4 of the metrics asks for it), u64 pass
time in ns, i64 instructions, one i64 for each metric bit, and for each view bit u32
length and bytes (int64 arrays; UTF-8 for the IR; ``mirgym.views`` for functions;
``mirgym.features`` for the columns of ``function_features``; ``mirgym.loops`` for loops).
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from . import errors
from .features import FUNCTION_FEATURES
from .loops import LoopHints, LoopView, decode_loops
from .views import ModuleView, decode_module

Views = dict[str, "np.ndarray | str | ModuleView | LoopView"]


class Verb(enum.IntEnum):
    """The first byte of a request."""

    LOAD = 1
    STEP = 2
    OBSERVE = 3
    SNAPSHOT = 4
    RESTORE = 5
    EMIT = 6
    VERIFY = 7
    FUNCTIONS = 8
    FORK = 9
    EXECUTE = 10
    HINT = 11
    BRANCHES = 12
    TRACE = 13
    FUSE = 14


LEVELS: Mapping[str, int] = {"as-is": 0, "O0": 1, "O1": 1, "O2": 1, "O3": 1, "Os": 2, "Oz": 3}
"""Size attributes that clang gives every function at a level: none, optsize, minsize."""

METRICS: Mapping[str, int] = {"text_size_bytes": 1, "object_text_size_bytes": 2}
"""Metric bits; ``ir_instructions`` needs none, since every state holds it."""

_WANT_KEY = 4
"""Bit in the mask of metrics: compute the module's key."""

VIEWS: Mapping[str, int] = {
    "instcount": 1,
    "autophase": 2,
    "ir": 4,
    "functions": 8,
    "new_functions": 16,
    "ir2vec": 32,
    "function_features": 64,
    "loops": 128,
}
"""View bits. ``new_functions`` leaves out what ``functions`` or itself sent since the load."""

EMIT_KINDS: Mapping[str, int] = {"bc": 0, "ll": 1, "obj": 2}

_STATE = struct.Struct("<BBQQq")
_TWO_MASKS = struct.Struct("<BII")
_STEP = struct.Struct("<BIIH")
_LOAD = struct.Struct("<BBdII")
_HINT = struct.Struct("<BIIH")
_LOOP_HINTS = struct.Struct("<4I")
_FUNCTION = struct.Struct("<Qqq")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_I64 = struct.Struct("<q")

_ERRORS: Mapping[int, type[errors.MirgymError]] = {
    1: errors.InvalidModuleError,
    2: errors.UnknownPassError,
    3: errors.ModuleTooLargeError,
    4: errors.CodegenError,
    5: errors.VerifyError,
    6: errors.SessionError,
    7: ValueError,  # type: ignore[dict-item]
    8: errors.SessionCrashedError,
    9: errors.SessionTimeoutError,
    10: errors.NotRunnableError,
}


class State(NamedTuple):
    """What a session tells about its module.

    Attributes:
        changed: Whether the step's passes changed anything, from LLVM's own
            preserved analyses; False after a load or an observation.
        key: Structural hash of the module, 64 bits; 0 when it was not wanted.
        pass_ns: Time of the bare pass manager in nanoseconds.
        metrics: ``ir_instructions`` and the metrics asked for.
        views: The views asked for: int64 arrays, a string for ``ir``, a ``ModuleView``
            for the functions, and a ``LoopView`` for the loops.
    """

    changed: bool
    key: int
    pass_ns: int
    metrics: dict[str, int]
    views: Views


class FunctionRecord(NamedTuple):
    """One function with a body. ``text_bytes`` is None when it was never emitted."""

    name: str
    key: int
    instructions: int
    text_bytes: int | None


class Wanted(NamedTuple):
    """Metrics and views to send with each state, as bit masks and as names."""

    metrics: int
    views: int
    metric_names: tuple[str, ...]
    view_names: tuple[str, ...]

    @classmethod
    def of(
        cls, metrics: tuple[str, ...] = (), views: tuple[str, ...] = (), *, key: bool = True
    ) -> Wanted:
        """Build from names. Without ``key``, the state's hash is not computed.

        Raises:
            ValueError: A name is not in ``METRICS`` or ``VIEWS``.
        """
        for name in metrics:
            if name not in METRICS and name != "ir_instructions":
                known = ["ir_instructions", *METRICS]
                raise ValueError(
                    f"unknown metric {name!r}; expected one of {known}."
                    + errors.did_you_mean(name, known)
                )
        for name in views:
            if name not in VIEWS:
                raise ValueError(
                    f"unknown view {name!r}; expected one of {list(VIEWS)}."
                    + errors.did_you_mean(name, VIEWS)
                )
        metric_names = tuple(n for n in METRICS if n in metrics)
        view_names = tuple(n for n in VIEWS if n in views)
        return cls(
            sum(METRICS[n] for n in metric_names) | (_WANT_KEY if key else 0),
            sum(VIEWS[n] for n in view_names),
            metric_names,
            view_names,
        )


NOTHING = Wanted.of()
"""Only what every state holds: changed, key and the number of instructions."""

NO_KEY = Wanted.of(key=False)
"""As ``NOTHING`` without the module's key, which costs as much as a cheap pass."""


def load_request(module: bytes, level: str, growth_limit: float, wanted: Wanted) -> bytes:
    """Encode LOAD."""
    if level not in LEVELS:
        raise ValueError(
            f"unknown level {level!r}; expected one of {list(LEVELS)}."
            + errors.did_you_mean(level, LEVELS)
        )
    head = _LOAD.pack(Verb.LOAD, LEVELS[level], growth_limit, wanted.metrics, wanted.views)
    return head + module


def step_request(pipeline: str, options: Mapping[str, str] | None, wanted: Wanted) -> bytes:
    """Encode STEP."""
    if not options:
        return _STEP.pack(Verb.STEP, wanted.metrics, wanted.views, 0) + pipeline.encode()
    parts = [_STEP.pack(Verb.STEP, wanted.metrics, wanted.views, len(options))]
    for pair in options.items():
        for text in pair:
            encoded = str(text).encode()
            parts += [_U32.pack(len(encoded)), encoded]
    return b"".join(parts) + pipeline.encode()


def observe_request(wanted: Wanted) -> bytes:
    """Encode OBSERVE."""
    return _TWO_MASKS.pack(Verb.OBSERVE, wanted.metrics, wanted.views)


def hint_request(hints: Sequence[LoopHints], wanted: Wanted) -> bytes:
    """Encode HINT.

    Raises:
        ValueError: A hint is negative or too large for its field.
    """
    parts = [_HINT.pack(Verb.HINT, wanted.metrics, wanted.views, len(hints))]
    for one in hints:
        try:
            parts.append(_LOOP_HINTS.pack(*one))
        except struct.error as error:
            raise ValueError(f"{one}: expected whole numbers from 0 to 2^32 − 1") from error
    return b"".join(parts)


def fuse_request(loops: Sequence[int], wanted: Wanted) -> bytes:
    """Encode FUSE.

    Raises:
        ValueError: A number is negative or too large for its field.
    """
    head = _HINT.pack(Verb.FUSE, wanted.metrics, wanted.views, len(loops))
    try:
        return head + struct.pack(f"<{len(loops)}I", *loops)
    except struct.error as error:
        raise ValueError(f"loops {loops}: expected whole numbers from 0 to 2^32 − 1") from error


class FunctionBranches(NamedTuple):
    """How often one function was called, and each of its branches taken.

    Attributes:
        name: Of the function.
        entries: Calls.
        taken: (branches,) uint64: the successors of each conditional branch and switch,
            through the blocks in the order of the module (native/branches.h).
    """

    name: str
    entries: int
    taken: np.ndarray


def branches_request(counts: Sequence[FunctionBranches], wanted: Wanted) -> bytes:
    """Encode BRANCHES."""
    parts = [_TWO_MASKS.pack(Verb.BRANCHES, wanted.metrics, wanted.views), _U32.pack(len(counts))]
    for one in counts:
        name = one.name.encode(errors="surrogateescape")
        parts += [
            *(_U32.pack(len(name)), name),
            *(_U64.pack(one.entries), _U32.pack(len(one.taken))),
            np.asarray(one.taken, "<u8").tobytes(),
        ]
    return b"".join(parts)


def simple_request(verb: Verb, body: bytes = b"") -> bytes:
    """Encode a request that is a verb and plain bytes."""
    return bytes((verb,)) + body


def raise_on_error(reply: bytes) -> None:
    """Raise the error that a reply carries, if it carries one."""
    status = reply[0]
    if not status:
        return
    message = reply[1:].decode(errors="replace")
    if message.endswith("requires TargetMachine"):  # LLVM's parser says so of a known pass
        raise errors.CodegenError(f"{message}, and there is none for this module's target")
    raise _ERRORS.get(status, errors.SessionError)(message)


def decode_state(reply: bytes, wanted: Wanted) -> State:
    """Decode a state, raising the error that the reply carries instead, if any."""
    raise_on_error(reply)
    _, changed, key, pass_ns, instructions = _STATE.unpack_from(reply)
    at = _STATE.size
    metrics = {"ir_instructions": instructions}
    for name in wanted.metric_names:
        (metrics[name],) = _I64.unpack_from(reply, at)
        at += 8
    views: Views = {}
    for name in wanted.view_names:
        (length,) = _U32.unpack_from(reply, at)
        at += 4
        if name == "ir":
            views[name] = reply[at : at + length].decode(errors="replace")
        elif name.endswith("functions"):
            views[name] = decode_module(reply[at : at + length])
        elif name == "loops":
            views[name] = decode_loops(reply[at : at + length])
        else:
            numbers = np.frombuffer(reply, np.int64, length // 8, at)
            if name == "function_features":
                numbers = numbers.reshape(-1, FUNCTION_FEATURES["ir2vec"].stop)
            views[name] = numbers
        at += length
    return State(bool(changed), key, pass_ns, metrics, views)


def decode_functions(reply: bytes) -> list[FunctionRecord]:
    """Decode the reply to FUNCTIONS."""
    raise_on_error(reply)
    records = []
    at = 1
    while at < len(reply):
        (length,) = _U32.unpack_from(reply, at)
        at += 4
        name = reply[at : at + length].decode(errors="replace")
        at += length
        key, instructions, text = _FUNCTION.unpack_from(reply, at)
        at += _FUNCTION.size
        records.append(FunctionRecord(name, key, instructions, None if text < 0 else text))
    return records


def decode_pid(reply: bytes) -> int:
    """Decode the reply to FORK."""
    raise_on_error(reply)
    pid: int = _I64.unpack_from(reply, 1)[0]
    return pid
