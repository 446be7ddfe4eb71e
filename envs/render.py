"""An episode as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .episode import Episode


def render_episode(episode: Episode) -> str:
    """The episode as an ``opt -passes=`` line and a table of costs."""
    if episode.program is None:
        return "no episode yet; call reset() first"
    costs, level = episode.costs, episode.config.baseline
    rows = [("start", costs.start), (level, costs.baseline), ("now", episode.cost)]
    lines = [
        f"program  {episode.program.uri}",
        f"steps    {len(episode.taken)} of {episode.horizon}",
        episode.commandline() or "opt -passes=''",
        "",
        f"{'':8} {episode.config.objective:>18} {level + ' ÷ this':>12}",
    ]
    lines += [f"{name:8} {cost:>18} {costs.baseline / max(cost, 1):>12.3f}" for name, cost in rows]
    return "\n".join(lines)
