"""Choosing among what is known by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import did_you_mean


def picked(names: Sequence[str], known: Iterable[str], what: str) -> list[str]:
    """The named ones, or all of them when none is named.

    Raises:
        ValueError: There is none of that name.
    """
    everything = list(known)
    for name in names:
        if name not in everything:
            raise ValueError(
                f"there is no {what} {name!r}.{did_you_mean(name, everything)} "
                f"Known: {'; '.join(everything)}"
            )
    return list(names) or everything
