"""mirgym: reinforcement-learning environments over a current LLVM.

``import mirgym`` registers ``mir-llvm-v0`` with Gymnasium and loads nothing heavy:
neither torch nor the engine.

    >>> import gymnasium as gym, mirgym
    >>> env = gym.make("mir-llvm-v0", programs="mirbench/crc")
"""

from __future__ import annotations

from .embedding import embed
from .envs.registration import register_environments

register_environments()

__all__ = ["__version__", "embed"]


def __getattr__(name: str) -> str:
    """``__version__``, read when it is asked for: the reader takes longer than all the rest."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("mirgym")
    except PackageNotFoundError:  # a source tree that was not installed
        return "0+unknown"
