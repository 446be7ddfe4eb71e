"""A compiler session: one module, changed by one pipeline at a time.

``Session`` is the protocol; ``InProcessSession`` here and ``worker.WorkerSession``
are its two implementations, held to one conformance suite (tests/conformance).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from . import wire
from .execution import (
    Counters,
    Execution,
    ExecutionLimits,
    RunRequest,
    decode_execution,
    execute_request,
)
from .loops import LoopHints
from .traces import DEFAULT_EVENTS, TracedExecution, decode_trace, trace_request
from .wire import NO_KEY, NOTHING, FunctionBranches, FunctionRecord, State, Wanted

DEFAULT_GROWTH_LIMIT = 16.0
"""A module may grow to this many times its first size (or 10,000 instructions)."""

DEFAULT_LIMITS = ExecutionLimits()


@runtime_checkable
class Session(Protocol):
    """What every session can do. All methods raise ``errors.MirgymError``s."""

    def load(
        self,
        module: bytes,
        *,
        level: str = "as-is",
        wanted: Wanted = NOTHING,
        growth_limit: float = DEFAULT_GROWTH_LIMIT,
    ) -> State:
        """Start an episode with this module, in a fresh context.

        Args:
            module: LLVM bitcode (LLVM 3.0 to 23) or IR text.
            level: Functions get the size attributes that clang gives at this level:
                ``Oz`` minsize and optsize, ``Os`` optsize, ``O0`` to ``O3`` none;
                ``as-is`` leaves the module's own.
            wanted: Metrics and views for the returned state.
            growth_limit: See ``DEFAULT_GROWTH_LIMIT``.

        Raises:
            InvalidModuleError: Not a module that this LLVM can read.
        """
        ...

    def step(
        self,
        pipeline: str,
        options: Mapping[str, str] | None = None,
        *,
        wanted: Wanted = NOTHING,
    ) -> State:
        """Run one pipeline in the syntax of ``opt -passes=``.

        Args:
            pipeline: For example ``"function(mem2reg,gvn)"``.
            options: LLVM command-line options for this step only, such as
                ``{"inline-threshold": "75"}``.
            wanted: Metrics and views for the returned state.

        Raises:
            UnknownPassError: LLVM cannot parse the pipeline or an option.
            ModuleTooLargeError: The module grew past its limit; load again.
            SessionCrashedError: The pass crashed (worker only); load again.
            SessionTimeoutError: The pass took too long (worker only); load again.
        """
        ...

    def hint_loops(self, hints: Sequence[LoopHints], *, wanted: Wanted = NOTHING) -> State:
        """Tell loops how later passes are to vectorize and unroll them.

        This sets their ``llvm.loop.*`` metadata, as clang does for its loop pragmas, and runs
        nothing. Numbers are those of the view ``loops``.

        Raises:
            ValueError: A loop or a value that there is not; then nothing is set.
        """
        ...

    def fuse_loops(self, loops: Sequence[int], *, wanted: Wanted = NOTHING) -> State:
        """Make one loop of each of these and the one right after it, where LLVM allows.

        Numbers are those of the view ``loops``, in which later ones change. What is made of two
        loops has the hints of the second. Where they are not adjacent, do not run equally often,
        or depend on each other, nothing happens.

        Raises:
            ValueError: A loop that there is not; then nothing is done.
        """
        ...

    def note_branches(
        self, counts: Sequence[FunctionBranches], *, wanted: Wanted = NOTHING
    ) -> State:
        """Tell later passes how often each branch is taken (``mirgym.profile``).

        This sets branch weights, entry counts and the profile's summary, as clang does with
        ``-fprofile-use``, and runs nothing.

        Raises:
            ValueError: The counts are not of this module; then nothing is set.
        """
        ...

    def observe(self, wanted: Wanted = NOTHING) -> State:
        """Look at the module without changing it."""
        ...

    def snapshot(self) -> bytes:
        """Bitcode from which ``restore`` goes on exactly as this session would."""
        ...

    def restore(self, snapshot: bytes) -> State:
        """Go back to a snapshot, in a fresh context."""
        ...

    def fork(self) -> Session:
        """An independent session in the same state."""
        ...

    def emit(self, kind: str) -> bytes:
        """The module as ``"bc"``, ``"ll"`` or ``"obj"``; it stays as it is."""
        ...

    def verify(self) -> None:
        """Run LLVM's verifier.

        Raises:
            VerifyError: The module is not valid IR.
        """
        ...

    def functions(self) -> list[FunctionRecord]:
        """The functions with a body, in module order."""
        ...

    def execute(
        self,
        runs: Sequence[RunRequest],
        *,
        libraries: Sequence[str] = (),
        limits: ExecutionLimits = DEFAULT_LIMITS,
        counters: Counters = Counters.NONE,
    ) -> Execution:
        """Run the module's ``main`` as it is now, each run in a forked child.

        The children cannot start processes or threads, nor open sockets (on Linux).

        Args:
            runs: Where and with what; their directories must exist.
            libraries: Names as after ``-l``, besides those of this process (libc, libm).
            limits: What each run may use.
            counters: What to reply besides.

        Raises:
            NotRunnableError: There is no ``main``, or a symbol that it needs.
        """
        ...

    def trace(
        self,
        runs: Sequence[RunRequest],
        *,
        libraries: Sequence[str] = (),
        limits: ExecutionLimits = DEFAULT_LIMITS,
        limit: int = DEFAULT_EVENTS,
        skip: int = 0,
        snapshots: int = 0,
        every: int = 1,
    ) -> TracedExecution:
        """Run the module as ``execute`` does, and tell what it did (``mirgym.traces``).

        Args:
            runs: See ``execute``.
            libraries: See ``execute``.
            limits: See ``execute``.
            limit: Events to keep of each run, 12 bytes each.
            skip: Events to leave out before them.
            snapshots: Of a function's values just before its events, at most so many of
                each run.
            every: 1 to take one each time that a block with branches or loads begins, while
                events are kept; n for the first and every n-th after it.

        Raises:
            NotRunnableError: See ``execute``.
            ValueError: More than 2²⁶ events are wanted, or the snapshots could be more than
                2²⁶ words, all runs together.
        """
        ...

    def close(self) -> None:
        """Free everything; may be called again."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Closing:
    """A context manager whose end is ``close``."""

    def close(self) -> None:
        """Free everything; may be called again."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class WireSession(Closing):
    """Every verb of the protocol over one ``_request``; the base of both sessions."""

    def _request(self, request: bytes, extra_seconds: float = 0.0) -> bytes:
        """Send one request and return its reply (see ``mirgym.wire``).

        It may take ``extra_seconds`` longer than other requests.
        """
        raise NotImplementedError

    def load(
        self,
        module: bytes,
        *,
        level: str = "as-is",
        wanted: Wanted = NOTHING,
        growth_limit: float = DEFAULT_GROWTH_LIMIT,
    ) -> State:
        """See ``Session.load``."""
        request = wire.load_request(module, level, growth_limit, wanted)
        return wire.decode_state(self._request(request), wanted)

    def step(
        self,
        pipeline: str,
        options: Mapping[str, str] | None = None,
        *,
        wanted: Wanted = NOTHING,
    ) -> State:
        """See ``Session.step``."""
        request = wire.step_request(pipeline, options, wanted)
        return wire.decode_state(self._request(request), wanted)

    def hint_loops(self, hints: Sequence[LoopHints], *, wanted: Wanted = NOTHING) -> State:
        """See ``Session.hint_loops``."""
        return wire.decode_state(self._request(wire.hint_request(hints, wanted)), wanted)

    def fuse_loops(self, loops: Sequence[int], *, wanted: Wanted = NOTHING) -> State:
        """See ``Session.fuse_loops``."""
        return wire.decode_state(self._request(wire.fuse_request(loops, wanted)), wanted)

    def note_branches(
        self, counts: Sequence[FunctionBranches], *, wanted: Wanted = NOTHING
    ) -> State:
        """See ``Session.note_branches``."""
        return wire.decode_state(self._request(wire.branches_request(counts, wanted)), wanted)

    def observe(self, wanted: Wanted = NOTHING) -> State:
        """See ``Session.observe``."""
        return wire.decode_state(self._request(wire.observe_request(wanted)), wanted)

    def snapshot(self) -> bytes:
        """See ``Session.snapshot``."""
        return self._plain(wire.simple_request(wire.Verb.SNAPSHOT))

    def restore(self, snapshot: bytes) -> State:
        """See ``Session.restore``."""
        reply = self._request(wire.simple_request(wire.Verb.RESTORE, snapshot))
        return wire.decode_state(reply, NOTHING)

    def emit(self, kind: str) -> bytes:
        """See ``Session.emit``."""
        if kind not in wire.EMIT_KINDS:
            raise ValueError(f"unknown output {kind!r}; expected one of {list(wire.EMIT_KINDS)}")
        return self._plain(wire.simple_request(wire.Verb.EMIT, bytes((wire.EMIT_KINDS[kind],))))

    def verify(self) -> None:
        """See ``Session.verify``."""
        wire.raise_on_error(self._request(wire.simple_request(wire.Verb.VERIFY)))

    def functions(self) -> list[FunctionRecord]:
        """See ``Session.functions``."""
        return wire.decode_functions(self._request(wire.simple_request(wire.Verb.FUNCTIONS)))

    def execute(
        self,
        runs: Sequence[RunRequest],
        *,
        libraries: Sequence[str] = (),
        limits: ExecutionLimits = DEFAULT_LIMITS,
        counters: Counters = Counters.NONE,
    ) -> Execution:
        """See ``Session.execute``."""
        request = execute_request(runs, libraries, limits, counters=counters)
        reply = self._request(request, len(runs) * limits.wall_seconds)
        return decode_execution(reply, len(runs), counters=counters)

    def trace(
        self,
        runs: Sequence[RunRequest],
        *,
        libraries: Sequence[str] = (),
        limits: ExecutionLimits = DEFAULT_LIMITS,
        limit: int = DEFAULT_EVENTS,
        skip: int = 0,
        snapshots: int = 0,
        every: int = 1,
    ) -> TracedExecution:
        """See ``Session.trace``."""
        request = trace_request(
            runs, libraries, limits, limit=limit, skip=skip, snapshots=snapshots, every=every
        )
        reply = self._request(request, len(runs) * limits.wall_seconds)
        return decode_trace(reply, len(runs), skip=skip)

    def _plain(self, request: bytes) -> bytes:
        reply = self._request(request)
        wire.raise_on_error(reply)
        return reply[1:]


class InProcessSession(WireSession):
    """The fast, unprotected session: a pass that crashes takes this process with it.

    There is no time limit either. Use it for trusted passes, benchmarks and
    debugging; ``worker.WorkerSession`` is the default everywhere else.
    """

    def __init__(self) -> None:
        from ._native import Engine

        self._engine: Engine | None = Engine()
        self._size_limit: float | None = None
        """Growth limit × first size, which a fork inherits."""

    def load(
        self,
        module: bytes,
        *,
        level: str = "as-is",
        wanted: Wanted = NOTHING,
        growth_limit: float = DEFAULT_GROWTH_LIMIT,
    ) -> State:
        """See ``Session.load``."""
        state = super().load(module, level=level, wanted=wanted, growth_limit=growth_limit)
        self._size_limit = growth_limit * state.metrics["ir_instructions"]
        return state

    def _request(self, request: bytes, extra_seconds: float = 0.0) -> bytes:
        if self._engine is None:
            raise ValueError("the session is closed; make a new one")
        return self._engine.handle(request)

    def fork(self) -> InProcessSession:
        """See ``Session.fork``."""
        snapshot = self.snapshot()
        twin = InProcessSession()
        if self._size_limit is None:
            twin.restore(snapshot)
        else:
            size = max(self.observe(NO_KEY).metrics["ir_instructions"], 1)
            twin.load(snapshot, wanted=NO_KEY, growth_limit=self._size_limit / size)
            twin._size_limit = self._size_limit
        return twin

    def close(self) -> None:
        """See ``Session.close``."""
        self._engine = None
