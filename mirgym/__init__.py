"""mirgym: reinforcement-learning environments over a current LLVM.

``import mirgym`` registers ``mir-llvm-v0`` with Gymnasium and loads nothing heavy:
neither torch nor the engine.

    >>> import gymnasium as gym, mirgym
    >>> env = gym.make("mir-llvm-v0", programs="mirbench/crc")
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("mirgym")
except PackageNotFoundError:  # a source tree that was not installed
    __version__ = "0+unknown"

from .embedding import embed
from .envs.registration import register_environments

register_environments()

__all__ = ["__version__", "embed"]
