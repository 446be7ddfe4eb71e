"""Every error that mirgym raises on purpose; each message says what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MirgymError(Exception):
    """Base class: catch this to catch everything that mirgym raises on purpose."""


class InvalidModuleError(MirgymError, ValueError):
    """The bytes are not an LLVM module that this build can read, or hold no function body."""


class CompileError(MirgymError):
    """The front end refused a source file; the message carries clang's own output."""


class ToolMissingError(MirgymError):
    """A program that is needed (clang, a linker, csmith) is not on this machine."""


class UnknownPassError(MirgymError, LookupError):
    """A pass or pipeline that LLVM cannot parse, or that the catalogue does not hold."""


class ActionSetError(MirgymError, ValueError):
    """An agent's actions are not there, not readable, or for another LLVM."""


class UnknownParameterError(MirgymError, LookupError):
    """A parameter, or a value of one, that the catalogue does not hold."""


class UnknownProgramError(MirgymError, LookupError):
    """A program, data set or file that does not exist."""


class DatasetError(MirgymError):
    """A data set could not be fetched, verified, unpacked or read."""


class CacheError(MirgymError, OSError):
    """The cache directory cannot be written: full disk, no permission."""


class SessionError(MirgymError):
    """A session can no longer go on with its module; load a program to start again."""


class SessionCrashedError(SessionError):
    """The worker process died: a pass crashed, or the process was killed."""


class WorkerStartError(SessionError):
    """No worker process can be started, whatever the program: the machine is at its limit."""


class SessionTimeoutError(SessionError):
    """One request took longer than its time limit, and the worker was stopped."""


class ModuleTooLargeError(SessionError):
    """A pass made the module grow past the session's limit."""


class CodegenError(MirgymError):
    """Object code cannot be emitted for this module (for example, an unknown target)."""


class NotRunnableError(SessionError):
    """The program cannot be run here, or a run did not do what it must."""


class NoLoopsError(MirgymError):
    """The program has no loop to decide about once it is simplified."""


class VerifyError(MirgymError):
    """LLVM's verifier rejects the module: the last pass produced invalid IR."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known names, or an empty string.

    >>> did_you_mean("mem2regg", ["mem2reg", "gvn"])
    " Did you mean 'mem2reg'?"
    """
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    if not near:
        return ""
    return " Did you mean " + " or ".join(repr(n) for n in near) + "?"
