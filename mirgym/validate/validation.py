"""Run an optimised program on every input and compare it with its reference."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import CompileError, InvalidModuleError, MirgymError
from ..programs import Program, Run
from ..programs.execute import Limits, run_program
from ..programs.linking import link_executable
from ..worker import WorkerSession
from .compare import difference
from .reference import PATIENT, Reference, References
from .sanitizers import Finding

VERDICTS = ("different", "undefined", "unknown", "equal")
"""The worst first. ``undefined``: the program itself has undefined behaviour, so a difference
is no pass's fault. ``unknown``: nothing could be compared."""
_OBJECT_MAGIC = (b"\x7fELF", b"\xcf\xfa\xed\xfe")


@dataclass(frozen=True)
class RunVerdict:
    """One input."""

    args: tuple[str, ...]
    verdict: str
    """One of ``VERDICTS``."""
    what: str = ""
    """What differs: ``stdout``, ``stderr``, ``exit code``, ``end``, ``link``, or a file's name."""
    detail: str = ""
    """The difference, or why there is no answer."""
    undefined: str = ""
    """What a sanitizer reports about the program itself."""
    note: str = ""
    """What could not be examined."""
    isolated: bool = False
    """Whether it ran without a network."""

    def __str__(self) -> str:
        told = f"the program itself: {self.undefined}" if self.undefined else ""
        parts = [part for part in (self.detail, told, self.note) if part]
        return f"{' '.join(self.args) or 'no arguments'}: {self.verdict}" + (
            f": {'; '.join(parts)}" if parts else ""
        )


@dataclass(frozen=True)
class Validation:
    """What came of all inputs of a program."""

    program: str
    """URI."""
    runs: tuple[RunVerdict, ...]
    note: str = ""
    """Why there are no runs."""

    @property
    def verdict(self) -> str:
        """The worst of the runs' verdicts; ``unknown`` without runs."""
        found = {run.verdict for run in self.runs} or {"unknown"}
        return next(verdict for verdict in VERDICTS if verdict in found)

    @property
    def equal_runs(self) -> int:
        """How many runs did what the reference does."""
        return sum(run.verdict == "equal" for run in self.runs)

    def __str__(self) -> str:
        """The runs that are not equal, in one line."""
        told = [str(run) for run in self.runs if run.verdict != "equal"]
        return self.note or "; ".join(told) or f"{len(self.runs)} runs, outputs equal"

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        runs = [asdict(run) for run in self.runs]
        return {
            "program": self.program,
            "verdict": self.verdict,
            "runs": runs,
            "note": self.note or None,
        }


def validate(
    program: Program,
    module_or_object: bytes,
    *,
    limits: Limits | None = None,
    sanitize: bool = True,
) -> Validation:
    """Compare an optimised program with its reference on each of the program's runs.

    Standard output and error, exit code and output files must be those of the unoptimised
    module. Where they are not, the program's source is built at ``-O0`` with sanitizers: a
    program that is undefined on this input may do anything, and no pass is to blame.

    Args:
        program: Says how to run it; its own module is the reference.
        module_or_object: The optimised module (bitcode or IR text), or its object code.
        limits: What each run may use.
        sanitize: Look for undefined behaviour where a run differs.

    Raises:
        InvalidModuleError: The optimised module is none.
    """
    if not program.runs:
        return Validation(program.uri, (), "nothing says how to run this program")
    limits = limits or Limits()
    with (
        tempfile.TemporaryDirectory(prefix="mirgym-link-") as folder,
        References(program, limits) as references,
    ):
        comparison = _Comparison(references, Path(folder) / "program", sanitize)
        comparison.link(module_or_object)
        return Validation(program.uri, tuple(map(comparison.judge, program.runs)))


class _Comparison:
    """One optimised program against its references."""

    def __init__(self, references: References, executable: Path, sanitize: bool) -> None:
        self.references, self.executable, self.sanitize = references, executable, sanitize
        self.linked: CompileError | None = None
        self.trouble = ""

    def link(self, module_or_object: bytes) -> None:
        """Make the executable, or find out why there is none."""
        try:
            object_code = module_or_object
            if not module_or_object.startswith(_OBJECT_MAGIC):
                with WorkerSession(PATIENT) as session:
                    session.load(module_or_object)
                    object_code = session.emit("obj")
            link_executable(object_code, self.references.program, self.executable)
        except CompileError as error:
            self.linked = error
        except InvalidModuleError:
            raise
        except MirgymError as error:
            self.trouble = str(error)

    def judge(self, run: Run) -> RunVerdict:
        """Compare one run."""
        if self.trouble:
            return RunVerdict(run.args, "unknown", detail=self.trouble)
        try:
            reference = self.references.expected(run)
        except MirgymError as error:
            return RunVerdict(run.args, "unknown", detail=f"there is no reference: {error}")
        if reference.trouble:
            return self._without_reference(run, reference)
        if self.linked is not None:
            return RunVerdict(run.args, "different", "link", str(self.linked))
        result = run_program(self.executable, run, self.references.limits)
        found = difference(run, result, reference.result)
        if found is None:
            return RunVerdict(run.args, "equal", isolated=result.isolated)
        finding = self._examine(run)
        return RunVerdict(
            run.args,
            "undefined" if finding.undefined else "different",
            found.what,
            found.detail,
            finding.undefined,
            finding.note,
            result.isolated,
        )

    def _without_reference(self, run: Run, reference: Reference) -> RunVerdict:
        finding = Finding() if reference.result.stopped else self._examine(run)
        return RunVerdict(
            run.args,
            "undefined" if finding.undefined else "unknown",
            detail=f"the unoptimised program is no reference: {reference.trouble}",
            undefined=finding.undefined,
            note=finding.note,
            isolated=reference.result.isolated,
        )

    def _examine(self, run: Run) -> Finding:
        return self.references.undefined(run) if self.sanitize else Finding()
