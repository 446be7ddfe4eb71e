"""``mir-llvm-v0``: pass ordering on real programs."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, Self

import gymnasium as gym
import numpy as np

from ..programs import Program
from ..programs.execute import Limits
from ..validate import Validation
from .config import EnvConfig, EpisodeConfig, make_config
from .episode import Episode
from .registration import DEFAULT_EPISODE_STEPS
from .render import render_episode


class LlvmEnv(gym.Env[Any, Any]):
    """Choose the order of LLVM's passes on a program to make it smaller.

    ## Description
    An episode plays on one module of LLVM IR. Each action runs one pass of LLVM 23 on it.
    At reset the functions get the size attributes of the baseline's level (``minsize`` and
    ``optsize`` for Oz), so agent and baseline start from the same module.

    ## Action space
    ``Discrete(n)``: the passes of ``actions``, in the order of ``env.unwrapped.passes``.
    The default ``"passes"`` is the core catalogue, 115 passes that neither crashed nor
    miscompiled in testing. ``"passes+stop"`` adds an action that ends the episode.
    ``"passes+parameters"`` adds one for each value of the parameters that single passes read
    (``mirgym.parameters``), such as ``unroll-count=2`` and ``unroll-count=default``. It runs
    nothing and earns 0: it holds for the passes of the rest of the episode, as a flag of
    ``opt`` does for all of its passes. So what a pass does depends on the settings too;
    observe ``parameters`` with the module to see the whole state.

    ## Observation space
    One name gives its space, several give a ``Dict`` of them:

    ============= ========================================= =============================
    name          space                                     contents
    ============= ========================================= =============================
    ``embedding`` ``Box(-inf, inf, (258,), float32)``       the default: ``mirgym.embed``'s
                                                            vector, of the tiny encoder
    ``instcount`` ``Box(0, 2**31-1, (70,), int64)``         ``features.INSTCOUNT_NAMES``
    ``autophase`` ``Box(0, 2**31-1, (56,), int64)``         ``features.AUTOPHASE_NAMES``
    ``history``   ``Box((n + 3,), float32)``                action counts ÷ episode length,
                                                            (0 … 1), fraction of steps left,
                                                            ln(cost ÷ start) and ln(cost ÷
                                                            baseline), clipped to ±8
    ``parameters`` ``Box(0, 1, (values,), float32)``        1 at each parameter's present value
                                                            (needs ``"…+parameters"``)
    ``ir``        ``Text(2**26)``                           the module as IR text (slow)
    ============= ========================================= =============================

    ## Reward
    With costs ``c`` (bytes of ``.text``, or IR instructions), a step earns
    ``ln(c[t-1] / c[t]) / max(ln(c[0] / c_baseline), ln 1.01)``. The sum telescopes to
    ``ln(c[0] / c[T]) / …``: 1 when the episode reaches the baseline, above 1 when it beats
    it. A failed step earns 0.

    ## Episode end
    *Terminated* by ``stop`` only. *Truncated* after 45 steps (``gym.make(...,
    max_episode_steps=N)``), or when a pass crashes, takes longer than
    ``limits.step_seconds`` or makes the module grow past ``growth_limit`` times its first
    size: then ``info["error"]`` says so, and the next ``reset()`` works.

    ## Info
    ``program`` (URI), ``cost``, ``start_cost``, ``baseline_cost`` (int), ``changed``
    (whether the last pass changed anything), ``error`` (None, or a message). With parameters
    among the actions also ``commandline``: the ``opt`` commands that get here from the program
    (``env.unwrapped.commandline()`` always has them).

    ## Arguments
    The fields of ``EnvConfig``: ``programs``, ``objective``, ``baseline``,
    ``observation``, ``actions``, ``isolation``, ``limits``, ``growth_limit``.
    ``horizon`` is the episode length that ``history`` counts in: an environment is not told
    of the ``TimeLimit`` around it, so give it what you give ``max_episode_steps``.
    ``reset(options={"program": "mirbench/crc"})`` chooses the program; else it is drawn
    uniformly from ``programs`` with the seeded generator.

    >>> import gymnasium as gym, mirgym
    >>> env = gym.make("mir-llvm-v0", programs="mirbench/crc", observation="autophase")
    >>> observation, info = env.reset(seed=0)
    >>> observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    >>> env.close()

    ## Version history
    * v0: first release, LLVM 23.1.
    """

    _id = "mir-llvm-v0"
    _config_type: type[EpisodeConfig] = EnvConfig
    _episode_type = Episode

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012

    def __init__(
        self,
        *,
        render_mode: str | None = None,
        horizon: int = DEFAULT_EPISODE_STEPS,
        **config: Any,
    ) -> None:
        check_render_mode(render_mode)
        self.render_mode = render_mode
        self.config: EpisodeConfig = make_config(self._config_type, config, self._id)
        self._episode = self._episode_type(self.config, horizon)
        self.observation_space = self._episode.observer.space
        self.action_space = self._episode.action_space

    @property
    def passes(self) -> tuple[str, ...]:
        """Names of the actions, in order."""
        return self._episode.actions.names

    @property
    def episode(self) -> Episode:
        """The running episode: its program, costs, session and actions taken."""
        return self._episode

    def commandline(self) -> str:
        """The ``opt`` commands, with options, that get here from the program."""
        return self._episode.commandline()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode; ``options={"program": …}`` chooses the program."""
        super().reset(seed=seed)
        options = dict(options or {})
        program: str | Program | None = options.pop("program", None)
        if options:
            raise ValueError(f"unknown reset options {sorted(options)}; expected 'program' only")
        look, info = self._episode.reset(self.np_random, program)
        return self._episode.observer.finish([look])[0], info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Run one pass; see the class for the reward and the info."""
        self._episode.send(action)
        outcome = self._episode.receive()
        (observation,) = self._episode.observer.finish([outcome.observation])
        return tuple(outcome._replace(observation=observation))

    def action_masks(self) -> np.ndarray:
        """Mask for MaskablePPO, shape ``(n,)``, bool: False for known no-ops here."""
        return self._episode.action_mask()

    def render(self) -> str | None:
        """The episode as an ``opt -passes=`` line and a table of costs."""
        if self.render_mode is None:
            gym.logger.warn("render() needs gym.make(..., render_mode='ansi')")
            return None
        return render_episode(self._episode)

    def validate(self, *, limits: Limits | None = None, sanitize: bool = True) -> Validation:
        """Run the program as the passes made it, and compare it with the unoptimised one.

        Also after the end of an episode. Whatever is wrong with the program is in the result;
        see ``mirgym.validate.validate``.

        Args:
            limits: What each run may use.
            sanitize: Where a run differs, look for undefined behaviour in the program itself.

        Raises:
            RuntimeError: There was no ``reset()``.
        """
        return self._episode.validate(limits, sanitize=sanitize)

    def fork(self) -> Self:
        """An independent environment in the same state, with its own worker.

        Wrappers are not forked: the copy is this environment without ``TimeLimit``.
        """
        twin = type(self)(
            render_mode=self.render_mode,
            horizon=self._episode.horizon,
            **_fields(self.config),
        )
        twin._episode = self._episode.fork()
        twin.np_random = copy.deepcopy(self.np_random)
        return twin

    def close(self) -> None:
        """End the worker; may be called again."""
        self._episode.close()


def check_render_mode(render_mode: str | None) -> None:
    """Raise ``ValueError`` unless it is a render mode of these environments."""
    if render_mode not in (None, "ansi"):
        raise ValueError(f"unknown render_mode {render_mode!r}; expected 'ansi' or None")


def _fields(config: EpisodeConfig) -> dict[str, Any]:
    return {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
