"""``mir-llvm-params-v0``: one pipeline of LLVM, and the choice of its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from ..parameters import render, select
from ..passes import Pass
from ..programs import Program
from ..wire import NO_KEY, State
from .actions import STOP, ActionSet, setting_actions
from .config import ParamsConfig
from .episode import Episode, Outcome
from .llvm_env import LlvmEnv
from .vector import LlvmVectorEnv


class ParamsEpisode(Episode):
    """Every step loads the program again and runs the whole pipeline."""

    _wants_key = True
    """Says whether the module changed, and costs nothing beside a pipeline."""

    _bitcode = b""
    _key = 0

    @property
    def _params(self) -> ParamsConfig:
        assert isinstance(self.config, ParamsConfig)
        return self.config

    @property
    def _one_shot(self) -> bool:
        return self._params.mode == "one-shot"

    def _build_actions(self) -> ActionSet:
        knobs = select(self._params.knobs)
        built = setting_actions(knobs)
        settings = dict(enumerate(built))
        if self._one_shot:
            return ActionSet(tuple(built.values()), -1, knobs, settings)
        return ActionSet((*built.values(), STOP), len(built), knobs, settings)

    @property
    def action_space(self) -> spaces.Space[Any]:
        """The action space."""
        return spaces.MultiDiscrete(self._knob_sizes) if self._one_shot else super().action_space

    def _begin(self, program: Program, state: State, cost: int) -> None:
        super()._begin(program, state, cost)
        self._bitcode, self._key = program.bitcode(), state.key

    def _first_state(self, loaded: State) -> State:
        """In coordinates, the program after the pipeline as it is."""
        if self._one_shot:
            return loaded
        assert self.session is not None
        return self.session.step(self._params.level_pipeline, wanted=self.wanted)

    # -- step -----------------------------------------------------------------------

    def check(self, action: Any) -> None:
        """See ``Episode.check``."""
        if not self._one_shot:
            super().check(action)
            return
        self.check_running()
        sizes, chosen = self._knob_sizes, np.asarray(action)
        if chosen.shape != (len(sizes),) or chosen.dtype.kind not in "iu":
            raise ValueError(
                f"action {action!r} is not {len(sizes)} integers, one value for each of "
                "env.unwrapped.knobs: sample from env.action_space"
            )
        for knob, value in zip(self.actions.knobs, chosen, strict=True):
            if not 0 <= value < len(knob.values):
                raise ValueError(
                    f"action sets {knob.name!r} to value {value}, which is not in "
                    f"[0, {len(knob.values)}): sample from env.action_space"
                )

    def _plan(self, action: Any) -> Pass | None:
        if self._one_shot:
            return self._run([int(value) for value in action])
        action = int(action)
        if action == self.actions.stop or not self._useful[action]:
            return None
        knob, value = self.actions.settings[action]
        choice = list(self.choice)
        choice[knob] = value
        return self._run(choice)

    def _run(self, choice: list[int]) -> Pass:
        pipeline = self._params.level_pipeline
        text, options = render(choice, knobs=self.actions.knobs, pipeline=pipeline)
        return Pass(pipeline, text, "level", options=tuple(options.items()))

    def _prepare(self) -> None:
        assert self.session is not None
        self.session.load(
            self._bitcode,
            level=self.config.baseline,
            wanted=NO_KEY,
            growth_limit=self.config.growth_limit,
        )

    def _record(self, action: Any) -> None:
        if not self._one_shot:
            super()._record(action)
            return
        self.choice = [int(value) for value in action]
        self.taken.append(tuple(self.choice))
        steps = self._history.steps
        for i, (knob, value) in self.actions.settings.items():
            if self.choice[knob] == value:
                self._history.record(i)
        self._history.steps = steps + 1

    def _stops(self, action: Any) -> bool:
        return not self._one_shot and super()._stops(action)

    def _arrive(self, action: Any, state: State) -> Outcome:
        changed, self._key = state.key != self._key, state.key
        self._over = self._one_shot
        reward = self._move_to(state, changed=changed)
        return self._outcome(reward, changed=changed, terminated=self._one_shot)

    def action_mask(self) -> np.ndarray:
        """True for the values that a step may choose, in the order of ``actions``.

        In coordinates, those in force are masked. One-shot has no mask: all are True.
        """
        return np.ones_like(self._useful) if self._one_shot else super().action_mask()

    def runs(self) -> list[Pass]:
        """The one run of the pipeline that made the present module, if there was one."""
        return [] if self._one_shot and not self.taken else [self._run(self.choice)]

    def fork(self) -> ParamsEpisode:
        """See ``Episode.fork``."""
        twin = super().fork()
        assert isinstance(twin, ParamsEpisode)
        twin._key = self._key
        twin._all_useful()
        return twin


class LlvmParamsEnv(LlvmEnv):
    """Choose the parameters of one of LLVM's pipelines for a program, instead of its passes.

    ## Description
    The parameters are those of ``mirgym.parameters``: thresholds and switches of the inliner,
    the unroller, the vectorizers, jump threading, LICM, GVN, LSR and others. Whatever is
    chosen, LLVM runs the whole pipeline on the program **as it was loaded**, with the size
    attributes of the baseline's level. All at their default run the pipeline itself.

    ## Action space
    ``mode="one-shot"`` (the default): ``MultiDiscrete``, a value index for each of
    ``env.unwrapped.knobs``; 0 is LLVM's default. The episode is that one step.

    ``mode="coordinates"``: ``Discrete``. An action gives one parameter one value, such as
    ``unroll-count=2`` or ``unroll-count=default``, and the last action, ``stop``, accepts the
    choice; their names are ``env.unwrapped.passes``. The episode starts from the program
    after the pipeline with all parameters at their default.

    ## Observation space
    As in ``LlvmEnv``; ``parameters``, ``Box(0, 1, (values,), float32)``, has a 1 at each
    parameter's present value. ``history`` counts values chosen.

    ## Reward
    As in ``LlvmEnv``, with the same scale. One-shot: 1 when the result equals the baseline,
    so 1 for the defaults of the baseline's own pipeline. In coordinates the rewards add up to
    what the choice gains over the defaults: 0 for them, and above 0 when it beats them.

    ## Episode end
    *Terminated* after one step, or by ``stop``. *Truncated* after 45 steps in coordinates, or
    when LLVM crashes, takes too long or the module grows past its limit: then the reward is 0
    and ``info["error"]`` says so, and the next ``reset()`` works.

    ## Info
    As in ``LlvmEnv``, with ``commandline``. ``changed``: whether the step changed the module.

    ## Arguments
    Those of ``LlvmEnv`` but for ``actions``, and ``mode``, ``pipeline`` (by default the
    baseline's, ``default<O2>`` for Oz) and ``knobs`` (names, by default all).

    >>> import gymnasium as gym, mirgym
    >>> env = gym.make("mir-llvm-params-v0", programs="mirbench/crc", observation="autophase")
    >>> observation, info = env.reset(seed=0)
    >>> _, reward, terminated, _, info = env.step(env.action_space.sample())
    >>> terminated, info["commandline"]  # doctest: +SKIP
    (True, "opt -inline-threshold=25 … -passes='default<O2>'")
    >>> env.close()

    ## Version history
    * v0: first release, LLVM 23.1.
    """

    _id = "mir-llvm-params-v0"
    _config_type = ParamsConfig
    _episode_type = ParamsEpisode

    @property
    def knobs(self) -> dict[str, tuple[str, ...]]:
        """The parameters in order, each with the names of its values."""
        found = self._episode.actions.knobs
        return {knob.name: tuple(value.name for value in knob.values) for knob in found}


class LlvmParamsVectorEnv(LlvmVectorEnv):
    """``num_envs`` copies of ``mir-llvm-params-v0`` that compute side by side.

    See ``LlvmVectorEnv`` and ``LlvmParamsEnv``. One-shot episodes are a step long, so take
    ``autoreset_mode="SameStep"``; with Gymnasium's default every second step is a reset.
    """

    _id = "mir-llvm-params-v0"
    _config_type = ParamsConfig
    _episode_type = ParamsEpisode
