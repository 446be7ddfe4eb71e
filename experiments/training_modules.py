"""What agents may learn from: mirbench's training half and the corpus' training split.

Nothing here is, or is nearly, a function of an evaluation suite: packages of the other
splits, sources whose path looks like an evaluation program, and modules that hold a function
that ``mirgym.corpus.guard`` knows are left out.
"""

from __future__ import annotations

import json
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


@dataclass(frozen=True)
class TrainingModule:
    """A program or a module of the corpus, by name."""

    name: str
    path: Path | None = None
    """Its bitcode; None for a program that ``resolve`` knows."""

    def bitcode(self) -> bytes:
        """The module, unoptimised."""
        return resolve(self.name).bitcode() if self.path is None else self.path.read_bytes()


def programs(spec: str = "mirbench:train", names: tuple[str, ...] = ()) -> list[TrainingModule]:
    """Training programs; with ``names``, those only."""
    found = [p for p in resolve_all(spec) if not names or p.name in names]
    return [TrainingModule(p.uri.removeprefix("benchmark://")) for p in found]


def corpus_modules(folder: Path, count: int, sizes: range, seed: int = 0) -> list[TrainingModule]:
    """A sample of the corpus' training modules.

    Args:
        folder: ``modules`` of ``mirgym corpus build``'s work folder.
        count: At most this many.
        sizes: Instructions of a module before any pass.
        seed: Another seed, another sample.

    Raises:
        DatasetError: There are no such modules.
    """
    candidates = sorted(_listed(folder), key=lambda module: seed_of(seed, module.name))
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


def _listed(folder: Path) -> Iterator[TrainingModule]:
    for manifest in sorted(folder.glob("*/manifest.jsonl")):
        package = manifest.parent.name
        if split_of(package) != "train":
            continue
        for line in manifest.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            path = manifest.parent / f"{entry['index']}.bc"
            if path.is_file() and not is_evaluation_path(package, entry["source"]):
                yield TrainingModule(f"corpus/{package}/{entry['index']}", path)


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
