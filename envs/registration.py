"""Registers the environments with Gymnasium."""

from __future__ import annotations

DEFAULT_EPISODE_STEPS = 45
"""Steps of an episode, as CompilerGym's users are used to."""


def register_environments() -> None:
    """Register every environment; safe to call again."""
    from gymnasium.envs.registration import register, registry

    if "mir-llvm-v0" not in registry:
        register(
            id="mir-llvm-v0",
            entry_point="mirgym.envs.llvm_env:LlvmEnv",
            vector_entry_point="mirgym.envs.vector:LlvmVectorEnv",
            max_episode_steps=DEFAULT_EPISODE_STEPS,
        )
    if "mir-llvm-params-v0" not in registry:
        register(
            id="mir-llvm-params-v0",
            entry_point="mirgym.envs.params_env:LlvmParamsEnv",
            vector_entry_point="mirgym.envs.params_env:LlvmParamsVectorEnv",
            max_episode_steps=DEFAULT_EPISODE_STEPS,
        )
    if "mir-llvm-loops-v0" not in registry:
        register(
            id="mir-llvm-loops-v0",
            entry_point="mirgym.envs.loops_env:LlvmLoopsEnv",
            vector_entry_point="mirgym.envs.loops_env:LlvmLoopsVectorEnv",
            max_episode_steps=DEFAULT_EPISODE_STEPS,
        )
