"""Gymnasium environments over LLVM. Importing this loads neither torch nor the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .llvm_env import LlvmEnv as LlvmEnv
    from .vector import LlvmVectorEnv as LlvmVectorEnv

__all__ = ["LlvmEnv", "LlvmVectorEnv"]


def __getattr__(name: str) -> Any:
    if name == "LlvmEnv":
        from .llvm_env import LlvmEnv

        return LlvmEnv
    if name == "LlvmVectorEnv":
        from .vector import LlvmVectorEnv

        return LlvmVectorEnv
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
