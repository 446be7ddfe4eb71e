"""``mirgym passes``: list, show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro

from .output import console


@dataclass(frozen=True)
class PassesList:
    """List the pass catalogue."""

    group: str | None = None
    """core, opt-in, dormant, cosmetic or excluded; all without it."""

    def run(self) -> int:
        """Print a table."""
        from rich.table import Table

        from ..passes import GROUPS, catalogue

        table = Table("pass", "group", "pipeline", "why")
        for entry in catalogue(*([self.group] if self.group else GROUPS)):
            table.add_row(entry.name, entry.group, entry.pipeline, entry.reason)
        console().print(table)
        return 0


@dataclass(frozen=True)
class PassesShow:
    """Show one pass; CompilerGym's flags work too."""

    name: Annotated[str, tyro.conf.Positional]

    def run(self) -> int:
        """Print it."""
        from ..passes import find

        entry = find(self.name)
        screen = console()
        screen.print(f"[bold]{entry.name}[/]  ({entry.group}) {entry.reason}")
        screen.print(f"opt -passes='{entry.pipeline}'", soft_wrap=True, markup=False)
        return 0


@dataclass(frozen=True)
class Passes:
    """The pass catalogue: list, show."""

    command: (
        Annotated[PassesList, tyro.conf.subcommand("list", prefix_name=False)]
        | Annotated[PassesShow, tyro.conf.subcommand("show", prefix_name=False)]
    )

    def run(self) -> int:
        """Run the chosen one."""
        return self.command.run()
