"""Tables as files and as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..programs.cache import write_atomically

Row = Mapping[str, Any]
TextTable = tuple[str, list[list[str]]]
"""A title, and lines of which the first is the head."""


def write_csv(path: Path, fields: Sequence[str], rows: Sequence[Row]) -> None:
    """Numbers with six digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(fields)
    for row in rows:
        values = (row[field] for field in fields)
        writer.writerow(f"{v:.6g}" if isinstance(v, float) else v for v in values)
    write_atomically(path, text.getvalue().encode())
