"""The ``mirgym`` command: one file for each group of subcommands."""

from __future__ import annotations

import functools
import operator
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
from .profile import ProfileProgram
from .programs import Programs
from .tasks import Tasks
from .validate import Validate

__all__ = ["INTERRUPTED", "main"]

_COMMANDS: dict[str, Any] = {
    "optimize": Optimize,
    "leaderboard": Leaderboard,
    "validate": Validate,
    "profile": ProfileProgram,
    "programs": Programs,
    "passes": Passes,
    "embed": Embed,
    "tasks": Tasks,
    "corpus": Corpus,
    "pretrain": Pretrain,
    "bench": Bench,
    "doctor": Doctor,
}


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
        command = _parse(arguments)
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
    except OSError as error:
        return _fail(str(error), 1)


def _parse(arguments: list[str]) -> Any:
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    if arguments and arguments[0] in _COMMANDS:  # the parsers of the others take 50 ms to make
        name = arguments[0]
        return tyro.cli(_COMMANDS[name], args=arguments[1:], prog=f"mirgym {name}", config=config)
    subcommands = (
        Annotated[command, tyro.conf.subcommand(name, prefix_name=False)]
        for name, command in _COMMANDS.items()
    )
    any_of_them: Any = functools.reduce(operator.or_, subcommands)
    return tyro.cli(
        any_of_them,
        args=arguments,
        prog="mirgym",
        description="Reinforcement learning over LLVM's passes, and a better -Oz.",
        config=config,
    )


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
