"""The ``mirgym`` command: one file for each group of subcommands."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated, Any, TextIO

import tyro

from ..errors import MirgymError
from .checks import Bench, Doctor
from .corpus import Corpus
from .encoder import Embed, Pretrain
from .leaderboard import Leaderboard
from .optimize import INTERRUPTED, Optimize
from .passes import Passes
from .programs import Programs
from .validate import Validate

__all__ = ["INTERRUPTED", "main"]

Command = (
    Annotated[Optimize, tyro.conf.subcommand("optimize", prefix_name=False)]
    | Annotated[Leaderboard, tyro.conf.subcommand("leaderboard", prefix_name=False)]
    | Annotated[Validate, tyro.conf.subcommand("validate", prefix_name=False)]
    | Annotated[Programs, tyro.conf.subcommand("programs", prefix_name=False)]
    | Annotated[Passes, tyro.conf.subcommand("passes", prefix_name=False)]
    | Annotated[Embed, tyro.conf.subcommand("embed", prefix_name=False)]
    | Annotated[Corpus, tyro.conf.subcommand("corpus", prefix_name=False)]
    | Annotated[Pretrain, tyro.conf.subcommand("pretrain", prefix_name=False)]
    | Annotated[Bench, tyro.conf.subcommand("bench", prefix_name=False)]
    | Annotated[Doctor, tyro.conf.subcommand("doctor", prefix_name=False)]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an expected error becomes one message on stderr.

    Returns:
        0 when all went well, 1 for an error, 2 for wrong usage, 130 after Ctrl-C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        from .. import __version__

        sys.stdout.write(f"mirgym {__version__}\n")
        return 0
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        return _run(given)


def _run(arguments: list[str]) -> int:
    try:
        command: Any = tyro.cli(
            Command,
            args=arguments,
            prog="mirgym",
            description="Reinforcement learning over LLVM's passes, and a better -Oz.",
            config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
        )
        status: int = command.run()
        sys.stdout.flush()
        return status
    except MirgymError as error:
        return _fail(str(error), 1)
    except ValueError as error:
        return _fail(str(error), 2)
    except KeyboardInterrupt:
        return _fail("interrupted before there was a result", INTERRUPTED)
    except BrokenPipeError:
        # The reader of the pipe (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"mirgym: {message}\n")
    return status


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """One line, without the place in the source."""
    sys.stderr.write(f"mirgym: warning: {message}\n")
