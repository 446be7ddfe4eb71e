"""What agents may learn from: mirbench's training half and the corpus' training split.

A module of a library keeps each function that others might call, a program does not. So all
but one root of a corpus module's call graph is made internal first.

Nothing here is, or is nearly, a function of an evaluation suite: packages of the other
splits, sources whose path looks like an evaluation program, and modules that hold a function
that ``mirgym.corpus.guard`` knows are left out.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mirgym.corpus.guard import Guard, is_evaluation_path
from mirgym.corpus.schema import seed_of, split_of
from mirgym.corpus.shards import evaluation_guard
from mirgym.errors import DatasetError, MirgymError
from mirgym.programs import resolve, resolve_all
from mirgym.session import InProcessSession
from mirgym.views import ModuleView
from mirgym.wire import Wanted

_FUNCTIONS = Wanted.of(views=("functions",), key=False)
_ROOTS = 3
"""The root of a module is one of this many that call most."""


@dataclass(frozen=True)
class TrainingModule:
    """A program or a module of the corpus, by name."""

    name: str
    path: Path | None = None
    """Its bitcode; None for a program that ``resolve`` knows."""
    least: int = 0
    """Instructions that the roots of a corpus module reach: more roots where one does not."""

    def bitcode(self) -> bytes:
        """The module, unoptimised; of the corpus, as a program would hold it."""
        if self.path is None:
            return resolve(self.name).bitcode()
        with InProcessSession() as session:
            return self._as_program(self.path.read_bytes(), session)

    def _as_program(self, module: bytes, session: InProcessSession) -> bytes:
        """All but the roots internal, and what nobody calls then deleted."""
        view = session.load(module, level="as-is", wanted=_FUNCTIONS).views["functions"]
        assert isinstance(view, ModuleView)
        roots = chosen_roots(view, self.least, random.Random(seed_of(0, self.name)))
        if not roots:
            return module
        kept = ";".join(f"preserve-gv={name}" for name in roots)
        session.step(f"internalize<{kept}>,globaldce")
        return session.emit("bc")


def chosen_roots(module: ModuleView, least: int, rng: random.Random) -> list[str]:
    """Names of functions nobody calls that together reach so many instructions, if any do.

    The first is drawn from the three that reach most, the others are the next in that order.
    """
    called = {callee for callees in module.callees for callee in callees}
    reach = {
        index: _reached(module, index)
        for index, name in enumerate(module.names)
        if index not in called and name.replace("_", "").isalnum()
    }

    def instructions(functions: set[int]) -> int:
        return sum(module.instructions[index] for index in functions)

    order = sorted(reach, key=lambda index: (-instructions(reach[index]), index))
    if order:
        order.insert(0, order.pop(rng.randrange(min(len(order), _ROOTS))))
    chosen: list[str] = []
    together: set[int] = set()
    for index in order:
        if chosen and instructions(together) >= least:
            break
        together |= reach[index]
        chosen.append(module.names[index])
    return chosen


def _reached(module: ModuleView, root: int) -> set[int]:
    """Functions that a call of one may get to, itself among them."""
    found: set[int] = set()
    waiting = [root]
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting += module.callees[index]
    return found


@dataclass(frozen=True)
class DrawConfig:
    """Which training modules an experiment takes: options that several have."""

    programs: tuple[str, ...] = ()
    """Training programs of mirbench by name; all 25 when empty."""
    corpus: Path | None = None
    """``modules`` of a corpus' work folder; None for mirbench alone."""
    corpus_count: int = 45
    """Modules drawn from it."""
    smallest: int = 200
    largest: int = 2_500
    """Instructions of a corpus module: below, single bytes decide; above, minutes go."""

    def modules(self) -> list[TrainingModule]:
        """All of them.

        Raises:
            DatasetError: The corpus holds none.
        """
        found = programs(names=self.programs)
        if self.corpus is not None:
            sizes = range(self.smallest, self.largest + 1)
            found += corpus_modules(self.corpus, self.corpus_count, sizes)
        return found


def programs(spec: str = "mirbench:train", names: tuple[str, ...] = ()) -> list[TrainingModule]:
    """Training programs; with ``names``, those only."""
    found = [p for p in resolve_all(spec) if not names or p.name in names]
    return [TrainingModule(p.uri.removeprefix("benchmark://")) for p in found]


def corpus_modules(folder: Path, count: int, sizes: range, seed: int = 0) -> list[TrainingModule]:
    """A sample of the corpus' training modules.

    Args:
        folder: ``modules`` of ``mirgym corpus build``'s work folder.
        count: At most this many.
        sizes: Instructions of a module as a program holds it, before any pass.
        seed: Another seed, another sample.

    Raises:
        DatasetError: There are no such modules.
    """
    candidates = sorted(_listed(folder, sizes.start), key=lambda module: seed_of(seed, module.name))
    if not candidates:
        raise DatasetError(
            f"{folder} holds no training modules; expected PACKAGE/INDEX.bc with manifest.jsonl "
            "beside it, which `mirgym corpus build` leaves in the folder 'modules'"
        )
    guard = evaluation_guard()
    chosen: list[TrainingModule] = []
    with InProcessSession() as session:
        for module in candidates:
            if len(chosen) == count:
                break
            if _may_be_used(module, session, guard, sizes):
                chosen.append(module)
    return sorted(chosen, key=lambda module: module.name)


def _listed(folder: Path, least: int) -> Iterator[TrainingModule]:
    for manifest in sorted(folder.glob("*/manifest.jsonl")):
        package = manifest.parent.name
        if split_of(package) != "train":
            continue
        for line in manifest.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            path = manifest.parent / f"{entry['index']}.bc"
            if path.is_file() and not is_evaluation_path(package, entry["source"]):
                yield TrainingModule(f"corpus/{package}/{entry['index']}", path, least)


def _may_be_used(
    module: TrainingModule, session: InProcessSession, guard: Guard, sizes: range
) -> bool:
    try:
        state = session.load(module.bitcode(), level="Oz", wanted=_FUNCTIONS)
    except MirgymError:
        return False
    view = state.views["functions"]
    assert isinstance(view, ModuleView)
    if state.metrics["ir_instructions"] not in sizes:
        return False
    return not any(one is not None and guard.leaks(one.tokens) for one in view.functions)
