"""Gymnasium environments over LLVM. Importing this loads neither torch nor the engine."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .llvm_env import LlvmEnv as LlvmEnv
    from .loops_env import LlvmLoopsEnv as LlvmLoopsEnv
    from .loops_env import LlvmLoopsVectorEnv as LlvmLoopsVectorEnv
    from .params_env import LlvmParamsEnv as LlvmParamsEnv
    from .params_env import LlvmParamsVectorEnv as LlvmParamsVectorEnv
    from .vector import LlvmVectorEnv as LlvmVectorEnv

__all__ = [
    "LlvmEnv",
    "LlvmLoopsEnv",
    "LlvmLoopsVectorEnv",
    "LlvmParamsEnv",
    "LlvmParamsVectorEnv",
    "LlvmVectorEnv",
]

_MODULES = {
    "LlvmEnv": "llvm_env",
    "LlvmLoopsEnv": "loops_env",
    "LlvmLoopsVectorEnv": "loops_env",
    "LlvmParamsEnv": "params_env",
    "LlvmParamsVectorEnv": "params_env",
    "LlvmVectorEnv": "vector",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
