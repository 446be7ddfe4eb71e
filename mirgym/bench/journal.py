"""What a long benchmark has done, written down as it is done, and how far it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..programs.cache import make_directory

Row = dict[str, Any]


class Journal:
    """Rows by key, one a line of a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, Row] = {}
        make_directory(path.parent)
        for line in path.read_text().splitlines() if path.is_file() else ():
            try:
                entry = json.loads(line)
            except ValueError:  # the line at which it was interrupted
                continue
            self.rows[entry["key"]] = entry["row"]
        self.resumed = len(self.rows)

    def get(self, key: str, make: Callable[[], Row]) -> Row:
        """The row of this key, made now if it was not yet."""
        if key not in self.rows:
            self.rows[key] = make()
            with self.path.open("a") as file:
                file.write(json.dumps({"key": key, "row": self.rows[key]}) + "\n")
        return self.rows[key]


class Bar:
    """A progress bar on a terminal."""

    def __init__(self, what: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(
            console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
        )
        self._task = self._bar.add_task(what, total=total)

    def __enter__(self) -> Callable[[], None]:
        self._bar.start()
        return lambda: self._bar.advance(self._task)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
