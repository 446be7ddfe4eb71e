"""What each action did to each state, kept on disk between runs and processes.

``(state, action) → Transition``: the module's key after the action and its costs, or the
error. These are facts for one LLVM and one target, which name the file.

A *state* is the way to it: the program, its size level, the limits that may end a step, and
all the actions that changed something (``first_state``, ``next_state``). The module's key
alone would find a little more (22 % in random sequences of 12 passes on four programs), but
is wrong for 3 of those 905 hits: passes heed the order of use lists, which no key covers.
So with the cache a search is faster and has the same result, bit for bit.

The file is a SQLite database in WAL mode: any number of processes read and write it, and
one that is killed loses at most its last ``_BATCH`` transitions. Past its bound, a random
quarter of the states is dropped. A damaged file is set aside with a warning::

    transitions(state, action, emitted, key, changed, instructions, text_bytes, failure,
                microseconds)

with 64-bit hashes as signed integers. ``emitted`` is 1 when machine code was wanted, which
may fail where counting instructions does not; ``text_bytes`` is NULL without it, and
``failure`` without one.
"""

from __future__ import annotations

import functools
import hashlib
import os
import random
import sqlite3
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ..errors import (
    CodegenError,
    ModuleTooLargeError,
    SessionCrashedError,
    VerifyError,
)
from ..passes import Pass
from ..programs.cache import cache_root, cannot_write, locked, make_directory
from ..session import Closing
from ..worker import WorkerLimits

VERSION = 2
"""Part of the file's name: raise it when the table, the engine's keys or costs change."""

DEFAULT_MAX_BYTES = 1 << 30
"""About 15 million transitions."""

_BATCH = 64
_MOST_PENDING = 8192
"""Transitions kept while another process writes; later ones are dropped."""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_TABLE = """
CREATE TABLE IF NOT EXISTS transitions (
    state INTEGER NOT NULL, action INTEGER NOT NULL, emitted INTEGER NOT NULL,
    key INTEGER NOT NULL, changed INTEGER NOT NULL, instructions INTEGER NOT NULL,
    text_bytes INTEGER, failure TEXT, microseconds INTEGER NOT NULL,
    PRIMARY KEY (state, action, emitted)
) WITHOUT ROWID
"""
_GET = (
    "SELECT key, changed, instructions, text_bytes, failure, microseconds FROM transitions "
    "WHERE state = ? AND action = ? AND "
)
_GET_FOR = {
    "text_size_bytes": _GET + "emitted = 1",
    "ir_instructions": _GET + "(emitted = 0 OR failure IS NULL) LIMIT 1",
}
_PUT = "INSERT OR REPLACE INTO transitions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"

_T = TypeVar("_T")
_inherited: list[sqlite3.Connection] = []
"""Connections of a parent process: SQLite's must not be used, nor closed, after a fork."""


class Transition(NamedTuple):
    """What an action did.

    Attributes:
        key: Structural hash of the module after it.
        changed: Whether LLVM reported a change; the key may be the same all the same.
        instructions: Cost in IR instructions.
        text_bytes: Cost in bytes of machine code; None when it was not measured.
        failure: The error, empty when there was none. The costs are 0 with one.
        microseconds: Wall time of the compile when it was made.
        run_cost: Cost by running the program, for an objective that takes that; never kept.
    """

    key: int
    changed: bool
    instructions: int
    text_bytes: int | None
    failure: str = ""
    microseconds: int = 0
    run_cost: int | None = None

    def cost(self, objective: str) -> int | None:
        """Cost in an objective; None when it was not measured."""
        if objective == "ir_instructions":
            return self.instructions
        return self.text_bytes if objective == "text_size_bytes" else self.run_cost


def first_state(module: bytes, level: str, limits: WorkerLimits, growth_limit: float) -> int:
    """The state of a program as loaded: bitcode or IR, and all that may change an outcome."""
    frame = f"{level}\0{limits.memory_bytes}\0{growth_limit!r}\0".encode()
    return _hash(frame + hashlib.blake2b(module, digest_size=16).digest())


def next_state(state: int, action: int) -> int:
    """The state after an action that changed something."""
    return _hash(
        state.to_bytes(8, "little", signed=True) + action.to_bytes(8, "little", signed=True)
    )


@functools.lru_cache(maxsize=1 << 14)
def action_key(pipeline: str, options: tuple[tuple[str, str], ...] = ()) -> int:
    """The hash of an action: what it runs, not what it is called."""
    return _hash("\0".join((pipeline, *(text for pair in options for text in pair))).encode())


def key_of(action: Pass) -> int:
    """``action_key`` of a pass."""
    return action_key(action.pipeline, action.options)


def _hash(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little", signed=True)


def is_fact(error: Exception) -> bool:
    """Whether an error would come again: not a time-out, nor a worker that was killed."""
    kinds = (SessionCrashedError, ModuleTooLargeError, CodegenError, VerifyError)
    return isinstance(error, kinds) and "SIGKILL" not in str(error)


def default_folder() -> Path:
    """Where the cache lies unless told otherwise: ``transitions`` in mirgym's cache."""
    return cache_root() / "transitions"


def file_name() -> str:
    """The name for this LLVM, target and version."""
    from .. import _native

    return f"v{VERSION}-llvm{_native.llvm_version()}-{_native.host_triple()}.sqlite"


class TransitionCache(Closing):
    """Looks transitions up and keeps them; may be opened by many processes at once.

    Args:
        folder: Made when it is not there.
        max_bytes: Bound of the file; its write-ahead log adds a few megabytes.

    Raises:
        CacheError: The folder cannot be written.
    """

    def __init__(self, folder: Path, *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.path = make_directory(folder) / file_name()
        self.max_bytes = max_bytes
        self.hits = 0
        self.misses = 0
        self._pending: dict[tuple[int, int, bool], Transition] = {}
        self._connection: sqlite3.Connection | None = None
        self._pid = os.getpid()
        self._inode = 0
        self._off = False
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise cannot_write(self.path, OSError(str(error))) from error
            self._set_aside(error)

    def get(self, state: int, action: int, metric: str) -> Transition | None:
        """What is known of an action in a state, with its cost in this metric."""
        self._look_for_fork()
        known = self._get_pending(state, action, metric) or self._guarded(
            lambda connection: connection.execute(_GET_FOR[metric], (state, action)).fetchone()
        )
        if known is None:
            self.misses += 1
            return None
        self.hits += 1
        if isinstance(known, Transition):
            return known
        key, changed, instructions, text_bytes, failure, microseconds = known
        costs = (instructions, text_bytes, failure or "", microseconds)
        return Transition(key % (1 << 64), bool(changed), *costs)

    def _get_pending(self, state: int, action: int, metric: str) -> Transition | None:
        emitted = self._pending.get((state, action, True))
        if metric != "ir_instructions" or (emitted is not None and not emitted.failure):
            return emitted
        return self._pending.get((state, action, False))

    def put(self, state: int, action: int, metric: str, transition: Transition) -> None:
        """Keep what an action did when this metric was wanted."""
        self._look_for_fork()
        self._pending[state, action, metric != "ir_instructions"] = transition
        if len(self._pending) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is pending, unless another process keeps the file locked for long."""
        if not self._pending:
            return
        rows = _rows(self._pending)
        written = self._guarded(lambda connection: self._write(connection, rows))
        if written or self._off or len(rows) > _MOST_PENDING:
            self._pending.clear()

    def close(self) -> None:
        """Write the rest and close; may be called again."""
        self._look_for_fork()
        self.flush()
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._off = True

    def __len__(self) -> int:
        """How many transitions there are. Reads the whole file."""
        self.flush()
        counted = self._guarded(
            lambda connection: connection.execute("SELECT count(*) FROM transitions").fetchone()
        )
        return int(counted[0]) if counted else 0

    # -- the database ---------------------------------------------------------------

    def _open(self) -> None:
        self._inode = _inode_of(self.path)
        connection = sqlite3.connect(self.path, timeout=10.0, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA mmap_size = 268435456")
            connection.execute("PRAGMA journal_size_limit = 8388608")
            connection.execute(_TABLE)
            self._inode = _inode_of(self.path)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _guarded(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """Do this with the connection; None when that cannot be done. Never raises."""
        if self._off:
            return None
        try:
            if self._connection is None:
                self._open()
            assert self._connection is not None
            return work(self._connection)
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                self._set_aside(error)
            elif _primary_code(error) != sqlite3.SQLITE_BUSY:
                self._give_up(error)
        except OSError as error:
            self._give_up(error)
        return None

    def _look_for_fork(self) -> None:
        """In a child process begin anew: connection and pending writes are the parent's."""
        if os.getpid() == self._pid:
            return
        if self._connection is not None:
            _inherited.append(self._connection)
        self._connection = None
        self._pending.clear()
        self._pid = os.getpid()

    def _write(self, connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> bool:
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._make_room(connection)
            connection.executemany(_PUT, rows)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return True

    def _make_room(self, connection: sqlite3.Connection) -> None:
        """Past the bound, drop random quarters of the states: hashes, so an even choice."""
        if _used_bytes(connection) <= self.max_bytes:
            return
        quarters = random.sample(range(-2, 2), 4)
        while quarters and _used_bytes(connection) > 0.8 * self.max_bytes:
            start = quarters.pop() << 62
            connection.execute(
                "DELETE FROM transitions WHERE state BETWEEN ? AND ?",
                (start, start + (1 << 62) - 1),
            )

    def _set_aside(self, error: Exception) -> None:
        """Move a damaged file out of the way, once for all processes, and begin a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        aside = self.path.with_suffix(".damaged")
        try:
            with locked(self.path):
                moved = self._inode not in (0, _inode_of(self.path))
                if not moved and self.path.exists():
                    for suffix in ("-wal", "-shm"):
                        self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
                    self.path.replace(aside)
                self._open()
        except (OSError, sqlite3.Error) as second:
            self._give_up(second)
            return
        if not moved:
            warnings.warn(
                f"the transition cache {self.path} is damaged ({error}); it is now {aside.name} "
                "beside it, which may be deleted, and a new cache begins",
                stacklevel=2,
            )

    def _give_up(self, error: Exception) -> None:
        self._off = True
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        warnings.warn(
            f"going on without the transition cache {self.path}: {error}. Free some space, or "
            "set MIRGYM_CACHE to a directory that can be written",
            stacklevel=2,
        )


def _rows(pending: dict[tuple[int, int, bool], Transition]) -> list[tuple[Any, ...]]:
    return [
        (*place, _signed(one.key), one.changed, *one[2:4], one.failure or None, one.microseconds)
        for place, one in pending.items()
    ]


def _signed(key: int) -> int:
    return key - (1 << 64) if key >= 1 << 63 else key


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_damage(error: sqlite3.Error) -> bool:
    return _primary_code(error) in _DAMAGED


def _inode_of(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0
