"""What a program does unoptimised: run once for each input, kept on disk by content."""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
import warnings
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from .. import _native
from ..errors import CacheError
from ..programs import Program, Run
from ..programs.cache import cache_root, write_atomically
from ..programs.compile import SUFFIXES, clang_version, find_clang
from ..programs.execute import Limits, RunResult, run_program
from ..programs.linking import link_executable
from ..worker import WorkerLimits, WorkerSession
from .compare import difference, unmet
from .sanitizers import Finding, find_undefined

T = TypeVar("T")
PATIENT = WorkerLimits(step_seconds=120.0)
"""For code generation, where nothing is to be blamed for being slow."""
VERSION = 1
"""Part of the key: raise it when the same content would give another result."""


@dataclass(frozen=True)
class Reference:
    """One run of the unoptimised program."""

    result: RunResult
    trouble: str = ""
    """Why nothing can be compared with it; empty when it can."""


class References:
    """The references of one program. Builds what it needs at first use."""

    def __init__(self, program: Program, limits: Limits) -> None:
        self.program, self.limits = program, limits
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._executable: Path | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="mirgym-reference-")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._folder is not None
        self._folder.cleanup()

    def expected(self, run: Run) -> Reference:
        """What the unoptimised program does.

        Raises:
            MirgymError: It cannot be built.
        """
        known = _read(self._entry(run, "reference"), _decode)
        if known is not None:
            return known
        executable = self._build()
        first = run_program(executable, run, self.limits)
        reference = Reference(first, unmet(run, first))
        if not reference.trouble:
            again = difference(run, run_program(executable, run, self.limits), first)
            if again:
                reference = replace(reference, trouble=f"two runs differ: {again.detail}")
        if not first.stopped:  # which another time it may not be
            self._keep(self._entry(run, "reference"), _encode(reference))
        return reference

    def undefined(self, run: Run) -> Finding:
        """What the sanitizers say about the program."""
        entry = self._entry(run, "sanitized")
        known = _read(entry, lambda content: Finding(**content))
        if known is not None:
            return known
        finding = find_undefined(self.program, run, self.limits)
        if not finding.note:
            self._keep(entry, asdict(finding))
        return finding

    def _build(self) -> Path:
        assert self._folder is not None
        if self._executable is None:
            out = Path(self._folder.name) / "program"
            with WorkerSession(PATIENT) as session:
                session.load(self.program.bitcode())
                link_executable(session.emit("obj"), self.program, out)
            self._executable = out
        return self._executable

    def _entry(self, run: Run, kind: str) -> Path:
        digest = hashlib.sha256()
        for part in (VERSION, kind, self.limits, self.program.libs, _native.llvm_version()):
            digest.update(f"{part}\0".encode())
        digest.update(self.program.bitcode())
        names = [(name, str(file or "")) for name, file in run.outputs]
        digest.update(f"{run.args}{names}{run.exit_code}".encode())
        read = [run.stdin, run.stdout, *run.files, *(file for _, file in run.outputs)]
        if kind == "sanitized":
            read += self.program.sources
            if any(source.suffix in SUFFIXES for source in self.program.sources):
                digest.update(clang_version(find_clang()).encode())
        for file in read:
            content = b"" if file is None else file.name.encode() + b"\0" + file.read_bytes()
            digest.update(hashlib.sha256(content).digest())
        return cache_root() / "references" / digest.hexdigest()

    def _keep(self, entry: Path, content: dict[str, Any]) -> None:
        try:
            write_atomically(entry, zlib.compress(json.dumps(content).encode(), 1))
        except CacheError as error:
            warnings.warn(f"{self.program.name}'s reference was not kept: {error}", stacklevel=2)


def _encode(reference: Reference) -> dict[str, Any]:
    def text(content: bytes) -> str:
        return base64.b64encode(content).decode()

    result = reference.result
    fields = {**asdict(result), "stdout": text(result.stdout), "stderr": text(result.stderr)}
    fields["outputs"] = {name: text(content) for name, content in result.outputs.items()}
    return {"result": fields, "trouble": reference.trouble}


def _decode(content: dict[str, Any]) -> Reference:
    fields = content["result"]
    fields["outputs"] = {n: base64.b64decode(text) for n, text in fields["outputs"].items()}
    for name in ("stdout", "stderr"):
        fields[name] = base64.b64decode(fields[name])
    return Reference(RunResult(**fields), content["trouble"])


def _read(entry: Path, decode: Callable[[dict[str, Any]], T]) -> T | None:
    """An entry of the cache; None when it is not there, or damaged."""
    try:
        return decode(json.loads(zlib.decompress(entry.read_bytes())))
    except (OSError, zlib.error, ValueError, KeyError, TypeError):
        return None
