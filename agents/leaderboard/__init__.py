"""Agents against a baseline on a suite of programs, at equal numbers of compiles.

======================== ===========================================================
``runs.jsonl``           a line for each run, written when it ends: what is here is
                         not run again
``results.parquet``      the same rows at the end
``table.csv, table.md``  a row for each agent and budget
``per_program.csv``      a row for each program, agent and budget
``curves.png, bars.png`` score against budget; programs at the middle budget
``run.json``             options, versions, git state, the table
======================== ===========================================================

With a budget of one compile an agent shows its first choice; with more, the first of them is
the baseline's own, and no result is worse. For sizes ``B`` is Oz, ``minsize`` on every
function, then O2, and ``A`` what papers call Oz (see ``anchors``); for ``dynamic_cost`` and
``runtime_ns`` they are O3 and O2, and programs that cannot run are left out. A ratio is the
baseline's cost ÷ the agent's: above 1 is better.
"""

from __future__ import annotations

from .config import LeaderboardConfig
from .runs import Progress, run_leaderboard

__all__ = ["LeaderboardConfig", "Progress", "run_leaderboard"]
