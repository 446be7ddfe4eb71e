"""``mir-llvm-loops-v0``: vectorization, interleaving, unrolling and fusion of each loop."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces

from ..errors import NoLoopsError
from ..loops import LoopFacts, LoopHints
from ..passes import Pass
from ..programs import Program
from ..session import Session
from ..wire import NO_KEY, State
from .actions import ActionSet
from .config import LoopsConfig
from .episode import Episode, Outcome
from .llvm_env import LlvmEnv
from .loop_decisions import BEFORE, REST, Decision, decisions, own_choices
from .loop_observations import LoopObserver, OwnChoice, fact_vector, own_vector
from .vector import LlvmVectorEnv


class LoopsEpisode(Episode):
    """Steps collect hints; the last one sets them, runs the rest of O3 and measures."""

    decisions: tuple[Decision, ...] = ()
    """One for each step of this episode."""
    own: tuple[OwnChoice, ...] = ()
    """LLVM's for each of them, where they are observed."""
    hints: tuple[LoopHints, ...] = ()
    """What was decided so far."""
    fused: tuple[int, ...] = ()
    """Numbers of the loops that are to be fused with the one after them."""
    _with_loops: frozenset[str] = frozenset()
    """Programs known to have loops."""

    def _build_actions(self) -> ActionSet:
        return ActionSet((), -1)

    def _build_observer(self) -> LoopObserver:
        return LoopObserver(self.config.observation, self.config.encoder)

    @property
    def _loops(self) -> LoopsConfig:
        assert isinstance(self.config, LoopsConfig)
        return self.config

    @property
    def _choices(self) -> tuple[tuple[int, ...], ...]:
        config = self._loops
        fusions = ((0, 1),) if config.fusion else ()
        return tuple(map(tuple, (config.widths, config.interleaves, config.unrolls, *fusions)))

    @property
    def action_space(self) -> spaces.Space[Any]:
        """The action space."""
        return spaces.MultiDiscrete([len(values) for values in self._choices])

    # -- reset ----------------------------------------------------------------------

    def _sample_playable(self, generator: np.random.Generator, session: Session) -> Program:
        while True:
            chosen = super()._sample_playable(generator, session)
            if chosen.uri in self._with_loops:
                return chosen
            session.load(chosen.bitcode(), level=self.config.baseline, wanted=NO_KEY)
            session.step(BEFORE.pipeline, dict(BEFORE.options), wanted=NO_KEY)
            try:
                self._find_loops(session)
            except NoLoopsError as error:
                self.pool.drop(chosen, error, why=str(error))
                continue
            self._with_loops |= {chosen.uri}
            return chosen

    def _find_loops(self, session: Session) -> None:
        innermost = self._loops.loops == "innermost"
        self.decisions = decisions(session, innermost=innermost)[: self._loops.max_loops]
        if not self.decisions:
            raise NoLoopsError(
                "the program has no loops once it is inlined and simplified, so there is nothing "
                "to decide; choose another"
            )

    def _first_state(self, loaded: State) -> State:
        assert self.session is not None
        state = self.session.step(BEFORE.pipeline, dict(BEFORE.options), wanted=self.wanted)
        self._find_loops(self.session)
        if "own" in self.observer.names:
            self.own = own_choices(self.session, self.decisions)
        return state

    def _begin(self, program: Program, state: State, cost: int) -> None:
        super()._begin(program, state, cost)
        self.hints, self.fused = (), ()

    # -- step -----------------------------------------------------------------------

    def check(self, action: Any) -> None:
        """See ``Episode.check``."""
        self.check_running()
        chosen = np.asarray(action)
        names = ("widths", "interleaves", "unrolls", "fusions")[: len(self._choices)]
        if chosen.shape != (len(names),) or chosen.dtype.kind not in "iu":
            raise ValueError(
                f"action {action!r} is not {len(names)} integers, one each for "
                f"{', '.join(names)}: sample from env.action_space"
            )
        for name, value, values in zip(names, chosen, self._choices, strict=True):
            if not 0 <= value < len(values):
                raise ValueError(
                    f"action chooses number {value} of {name}, which is not in "
                    f"[0, {len(values)}): sample from env.action_space"
                )

    def _plan(self, action: Any) -> Pass | None:
        return REST if len(self.hints) + 1 == len(self.decisions) else None

    def _hints_of(self, action: Any) -> LoopHints:
        number = self.decisions[len(self.hints)].number
        width, interleave, unroll = (int(self._choices[at][action[at]]) for at in range(3))
        return LoopHints(number, width, interleave, unroll)

    def _fused_by(self, action: Any) -> tuple[int, ...]:
        number = self.decisions[len(self.hints)].number
        return (*self.fused, number) if len(action) > 3 and action[3] else self.fused

    def _prepare(self) -> None:
        assert self.session is not None
        hints = [*self.hints, self._hints_of(self._in_flight)]
        self.session.hint_loops(hints, wanted=NO_KEY)
        if fused := self._fused_by(self._in_flight):
            self.session.fuse_loops(fused, wanted=NO_KEY)

    def _record(self, action: Any) -> None:
        self.fused = self._fused_by(action)
        self.hints = (*self.hints, self._hints_of(action))
        self.taken.append(tuple(int(value) for value in action))
        self._history.steps += 1

    def _stops(self, action: Any) -> bool:
        return False

    def _arrive(self, action: Any, state: State) -> Outcome:
        self._over = True
        self._move_to(state, changed=True)
        reward = math.log(max(self._costs.baseline, 1) / max(self._cost, 1))
        return self._outcome(reward, changed=state.changed, terminated=True)

    # -- looking ----------------------------------------------------------------------

    @property
    def _at(self) -> int:
        """Which decision is next; after the last one, the last."""
        return min(len(self.hints), len(self.decisions) - 1)

    def look(self) -> dict[str, Any]:
        """See ``Episode.look``."""
        decision = self.decisions[self._at]
        left = 1.0 - len(self.hints) / len(self.decisions)
        parts = {"facts": fact_vector(decision.facts, left), "embedding": decision.code}
        if self.own:
            parts["own"] = own_vector(self.own[self._at])
        return {name: parts[name] for name in self.observer.names}

    def info(self, *, changed: bool, error: str | None) -> dict[str, Any]:
        """See ``Episode.info``."""
        found = super().info(changed=changed, error=error)
        decision = self.decisions[self._at]
        return {**found, "loop": decision.number, "loops": len(self.decisions)}

    def action_mask(self) -> np.ndarray:
        """One for each value of each of the choices, in a row.

        Vectors, and bodies beside each other, are masked where LLVM cannot vectorize.
        """
        able = bool(self.decisions[self._at].facts.vectorizable)
        widths, interleaves, *others = self._choices
        masks = [able or value <= 1 for value in (*widths, *interleaves)]
        return np.array([*masks, *(True for values in others for _ in values)], bool)

    def runs(self) -> list[Pass]:
        """The pipelines that ran; between the two ``hints`` are set and ``fused`` loops fused."""
        done = len(self.hints) == len(self.decisions)
        return [] if not self.decisions else [BEFORE, REST] if done else [BEFORE]

    def fork(self) -> LoopsEpisode:
        """See ``Episode.fork``."""
        twin = super().fork()
        assert isinstance(twin, LoopsEpisode)
        twin.decisions, twin.own = self.decisions, self.own
        twin.hints, twin.fused = self.hints, self.fused
        return twin


class LlvmLoopsEnv(LlvmEnv):
    """Choose how each loop of a program is vectorized, interleaved and unrolled.

    ## Description
    After NeuroVectorizer (Haj-Ali et al., CGO 2020). At reset the program is optimised by O3 up
    to the vectorizer. Then each step decides about one loop, in the order of the functions and
    of the loops in them. The last step sets the decisions as ``llvm.loop.*`` metadata, as clang
    does for its pragmas, runs the rest of O3 and the program. LLVM stays free to refuse what
    would not be correct, and floating-point arithmetic is never reordered for a width.

    ## Action space
    ``MultiDiscrete([6, 5, 5])``, indices of a vector width (LLVM's choice, 1, 2, 4, 8 or 16
    elements), an interleave count (LLVM's, 1, 2, 4, 8) and an unroll count (LLVM's, 1, 2, 4, 8).
    0 is always LLVM's choice: an episode of zeros gives what ``default<O3>`` gives. With
    ``fusion=True`` it is ``MultiDiscrete([6, 5, 5, 2])``: a last 1 makes one loop of this one and
    the one right after it, which LLVM does where it is correct and both run equally often. That
    is done after the last step, and the loop made of two has the hints of the second.

    ## Observation space
    A ``Dict`` of ``facts`` and ``embedding``, or of the names asked for, or one name alone:

    ============= ========================================= =============================
    name          space                                     contents
    ============= ========================================= =============================
    ``facts``     ``Box(0, 64, (31,), float32)``            ln(1 + fact) for each of
                                                            ``loop_observations.FACTS``
                                                            (depth, trip count, strides …),
                                                            and the share of loops left
    ``own``       ``Box(0, 64, (4,), float32)``             ln(1 + number) for each field of
                                                            ``OwnChoice``: what O3 by itself
                                                            makes of the loop; one more
                                                            compilation for each reset
    ``embedding`` ``Box(-inf, inf, (256,), float32)``       of the loop's function, and of the
                                                            loop taken out as a function
                                                            (zeros where it cannot be)
    ============= ========================================= =============================

    ## Reward
    0, and ``ln(baseline cost ÷ cost)`` for the last step: 0 for LLVM's own choices.

    ## Episode end
    *Terminated* when every loop is decided about. *Truncated* when LLVM or the program fails at
    the end: then the reward is 0 and ``info["error"]`` says so, and the next ``reset()`` works.

    ## Info
    As in ``LlvmEnv``, with ``loop`` (number of the loop that is next) and ``loops`` (how many
    decisions the episode has). ``cost`` is that of the program as it is now: of the simplified
    one until the end. ``env.unwrapped.hints``: the decisions.

    ## Arguments
    The fields of ``LoopsConfig``: those of ``LlvmEnv`` but for ``actions``, and ``loops``,
    ``max_loops``, ``widths``, ``interleaves``, ``unrolls``, ``fusion``. The objective is
    ``dynamic_cost`` or ``runtime_ns``. A program without loops is left out, with a warning, or an
    error when it is asked for.

    >>> import gymnasium as gym, mirgym
    >>> env = gym.make("mir-llvm-loops-v0", programs="loops://7", observation="facts")
    >>> observation, info = env.reset(seed=0)
    >>> _, reward, terminated, _, info = env.step(env.action_space.sample())
    >>> env.close()

    ## Version history
    * v0: first release, LLVM 23.1.
    """

    _id = "mir-llvm-loops-v0"
    _config_type = LoopsConfig
    _episode_type = LoopsEpisode

    @property
    def hints(self) -> tuple[LoopHints, ...]:
        """What the loops were told so far, by their numbers in the view ``loops``."""
        assert isinstance(self._episode, LoopsEpisode)
        return self._episode.hints

    @property
    def fused(self) -> tuple[int, ...]:
        """Numbers of the loops that are fused with the one after them at the end."""
        assert isinstance(self._episode, LoopsEpisode)
        return self._episode.fused

    @property
    def facts(self) -> tuple[LoopFacts, ...]:
        """Facts about the loops of this episode, in the order of its steps."""
        assert isinstance(self._episode, LoopsEpisode)
        return tuple(decision.facts for decision in self._episode.decisions)


class LlvmLoopsVectorEnv(LlvmVectorEnv):
    """``num_envs`` copies of ``mir-llvm-loops-v0`` that compute side by side.

    See ``LlvmVectorEnv`` and ``LlvmLoopsEnv``.
    """

    _id = "mir-llvm-loops-v0"
    _config_type = LoopsConfig
    _episode_type = LoopsEpisode
