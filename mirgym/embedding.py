"""``mirgym.embed``: programs in, embeddings out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .session import Closing
from .views import ModuleView
from .wire import Wanted

if TYPE_CHECKING:
    from .programs import Program

Source: TypeAlias = "str | Path | bytes | Program"
"""A program's URI or path, bitcode, IR text, or a ``Program``."""

_ALL_FUNCTIONS = Wanted.of(views=("functions",), key=False)


class ProgramEmbedder(Closing):
    """Embeds one program after another: one worker that reads them, one cache.

    Functions that were embedded before, in any program, are not embedded again.

    Args:
        model: ``"tiny"``, ``"base"``, or a path to weights.
    """

    def __init__(self, model: str | Path = "tiny") -> None:
        from .encoder.embedder import shared_embedder
        from .worker import WorkerSession

        self.embedder = shared_embedder(str(model))
        self._session = WorkerSession()

    @property
    def size(self) -> int:
        """Length of a module's embedding."""
        return self.embedder.module_size

    def modules(self, sources: Sequence[Source]) -> np.ndarray:
        """Embeddings of programs, shape ``(n, size)``, float32; one batch of the encoder."""
        views = [self.view(source) for source in sources]
        self.embedder.warm(f for view in views for f in view.functions if f is not None)
        return np.stack([self.embedder.module(view) for view in views])

    def functions(self, source: Source) -> dict[str, np.ndarray]:
        """Embeddings of a program's functions, by name."""
        view = self.view(source)
        views = [function for function in view.functions if function is not None]
        return dict(zip(view.names, self.embedder.functions(views), strict=True))

    def view(self, source: Source) -> ModuleView:
        """What the encoder sees of a program."""
        self._session.start_again_if_dead()
        state: Any = self._session.load(_bitcode(source), wanted=_ALL_FUNCTIONS)
        view: ModuleView = state.views["functions"]
        return view

    def close(self) -> None:
        """End the worker; may be called again."""
        self._session.close()


def embed(
    source: Source, model: str | Path = "tiny", *, per_function: bool = False
) -> np.ndarray | dict[str, np.ndarray]:
    """The encoder's embedding of a program.

    Args:
        source: A program's URI (``"mirbench/crc"``), a path (``.c .cc .cpp .ll .bc``), a
            ``Program``, bitcode, or IR text.
        model: ``"tiny"`` (what environments observe), ``"base"``, or a path to weights.
        per_function: Give the functions apart, by name.

    Returns:
        Float32 vector of the module, shape ``(2 D + 2,)`` (see ``encoder.embedder``), or for
        each function with a body a vector of shape ``(D,)``. ``D`` is 128 for tiny and 256 for
        base. A module without functions gives zeros.

    Raises:
        MirgymError: The program cannot be found, compiled or read, or there are no such weights.

    >>> vector = mirgym.embed("mirbench/crc")
    """
    with ProgramEmbedder(model) as embedder:
        return embedder.functions(source) if per_function else embedder.modules([source])[0]


def _bitcode(source: Source) -> bytes:
    from .programs import resolve

    if isinstance(source, bytes):
        return source
    if isinstance(source, str) and "\n" in source:
        return source.encode()
    return resolve(source).bitcode()
