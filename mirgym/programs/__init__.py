"""Programs: bundled, fetched, generated, or the user's own."""

from __future__ import annotations

from .datasets import Dataset, datasets, link, resolve, resolve_all
from .fetch import fetch
from .program import Program, Run

__all__ = ["Dataset", "Program", "Run", "datasets", "fetch", "link", "resolve", "resolve_all"]
