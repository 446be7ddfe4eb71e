"""One environment's episodes, in halves: send the work, then receive the result.

``LlvmEnv`` calls the two halves in a row; ``LlvmVectorEnv`` sends for all its
environments before it receives from any, so that the workers compute side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..errors import MirgymError, SessionError, WorkerStartError
from ..objective import METRICS, check_level, check_metric
from ..passes import Pass, to_pipeline
from ..programs import Program
from ..programs.execute import Limits
from ..session import DEFAULT_GROWTH_LIMIT, InProcessSession, Session
from ..validate import Validation, validate
from ..views import ModuleView
from ..wire import State, Wanted
from ..worker import WorkerLimits, WorkerSession
from .actions import ActionSet, build_actions
from .observations import History, Observer
from .pool import Costs, ProgramPool

_ALL_FUNCTIONS = Wanted.of(views=("functions",), key=False)


@dataclass(frozen=True)
class EnvConfig:
    """What an environment is; the keyword arguments of ``gym.make``."""

    programs: Any = "mirbench"
    """Programs to play on: a suite (``"mirbench"``, ``"mirbench:train"``, ``"cbench-v1"``),
    a URI, a path, a ``Program``, or a list of these."""
    objective: str = "text_size_bytes"
    """``text_size_bytes`` (bytes of machine code) or ``ir_instructions``."""
    baseline: str = "Oz"
    """``O0 O1 O2 O3 Os Oz``. Functions get this level's size attributes at reset, so that
    agent and baseline compete on the same footing."""
    observation: str | Sequence[str] = "embedding"
    """One or several of ``embedding``, ``instcount``, ``autophase``, ``history``, ``ir``."""
    actions: str | Sequence[str | Pass] = "passes"
    """See ``actions.build_actions``: ``"passes"``, ``"passes+stop"``, a list of names …"""
    isolation: str = "process"
    """``process``: a worker process, which a pass may crash. ``none``: in this process,
    faster on tiny modules, and a crash is yours."""
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    """Time and memory of the worker."""
    growth_limit: float = DEFAULT_GROWTH_LIMIT
    """The episode ends when the module grows past this many times its first size."""

    def __post_init__(self) -> None:
        check_metric(self.objective)
        check_level(self.baseline)
        if self.isolation not in ("process", "none"):
            raise ValueError(f"unknown isolation {self.isolation!r}; expected 'process' or 'none'")


class Outcome(NamedTuple):
    """What ``Env.step`` returns, with a look that ``Observer.finish`` makes the observation."""

    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


class Episode:
    """The session, program, costs and history of one environment."""

    def __init__(
        self,
        config: EnvConfig,
        horizon: int,
        pool: ProgramPool | None = None,
        *,
        alone: bool = True,
    ) -> None:
        self.config = config
        self.horizon = horizon
        # Alone, this process may look for the reply while it waits; among others it would
        # take a core from their workers.
        self._worker_options = {} if alone else {"spin_us": 100}
        self.actions: ActionSet = build_actions(config.actions)
        self.observer = Observer(config.observation, len(self.actions.passes))
        metrics = METRICS[config.objective].metric_names
        # No step of an episode needs the module's hash, and it costs as much as a cheap pass.
        self.wanted = Wanted.of(metrics, self.observer.views, key=False)
        self._pool = pool
        self.session: InProcessSession | WorkerSession | None = None
        self._useful = np.ones(len(self.actions.passes), bool)
        self.program: Program | None = None
        self.taken: list[int] = []
        self._state: State | None = None
        self._history = History(len(self.actions.passes), horizon)
        self._costs = Costs(1, 1)
        self._cost = 1
        self._over = True
        self._in_flight: int | None = None
        self._runs = False  # whether the step in flight needs the session
        self._failure: SessionError | None = None  # what sending it raised

    # -- resources ----------------------------------------------------------------

    @property
    def pool(self) -> ProgramPool:
        """The programs, resolved at first use: constructors do no work."""
        if self._pool is None:
            config = self.config
            self._pool = ProgramPool(config.programs, config.objective, config.baseline)
        return self._pool

    def _open_session(self) -> InProcessSession | WorkerSession:
        if self.session is None:
            process = self.config.isolation == "process"
            self.session = (
                WorkerSession(self.config.limits, **self._worker_options)
                if process
                else InProcessSession()
            )
        return self.session

    def close(self) -> None:
        """End the session; may be called again."""
        if self.session is not None:
            self.session.close()
            self.session = None
        self._over = True

    # -- reset ----------------------------------------------------------------------

    def reset(
        self, generator: np.random.Generator, program: Any = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode on ``program``, or on a sampled one; gives a look and the info."""
        session = self._open_session()
        self._over = True  # until this succeeds
        if isinstance(session, WorkerSession):
            session.start_again_if_dead()
        if program is not None:
            chosen = self.pool.choose(program)
            self._costs = self.pool.costs(chosen, session)
        else:
            chosen = self._sample_playable(generator, session)
        state = session.load(
            chosen.bitcode(),
            level=self.config.baseline,
            wanted=self.wanted,
            growth_limit=self.config.growth_limit,
        )
        self._begin(chosen, state)
        return self.look(), self.info(changed=False, error=None)

    def _sample_playable(self, generator: np.random.Generator, session: Session) -> Program:
        while True:
            chosen = self.pool.sample(generator)
            try:
                self._costs = self.pool.costs(chosen, session)
                return chosen
            except WorkerStartError:
                raise  # no program's fault
            except SessionError as error:
                self.pool.drop(chosen, error)

    def _begin(self, program: Program, state: State) -> None:
        self.program = program
        self._state = state
        self._cost = state.metrics[self.config.objective]
        self._history = History(len(self.actions.passes), self.horizon)
        self.taken = []
        self._over = False
        self._in_flight = None
        self._useful[:] = True

    # -- step -----------------------------------------------------------------------

    def check(self, action: int) -> None:
        """Raise what ``send`` would for an ended episode or an action out of range."""
        if self._over or self._state is None or self.session is None:
            raise RuntimeError("the episode is over; call reset() before step()")
        if not 0 <= int(action) < len(self.actions.passes):
            raise ValueError(
                f"action {int(action)} is not in [0, {len(self.actions.passes)}): "
                "sample from env.action_space"
            )

    def send(self, action: int) -> None:
        """Start a step. Known no-ops and ``stop`` need no work."""
        self.check(action)
        assert self.session is not None
        action = int(action)
        self._in_flight = action
        self._failure = None
        self._runs = action != self.actions.stop and bool(self._useful[action])
        if self._runs and isinstance(self.session, WorkerSession):
            chosen = self.actions.passes[action]
            try:
                self.session.send_step(chosen.pipeline, dict(chosen.options), wanted=self.wanted)
            except SessionError as error:
                self._failure = error

    def awaited(self) -> int:
        """Descriptor that ``receive`` will wait for, −1 when it need not wait."""
        if not self._runs or self._failure is not None:
            return -1
        return self.session.fileno() if isinstance(self.session, WorkerSession) else -1

    def _finish(self, chosen: Pass) -> State:
        if self._failure is not None:
            raise self._failure
        if isinstance(self.session, WorkerSession):
            return self.session.receive_state(self.wanted)
        assert self.session is not None
        return self.session.step(chosen.pipeline, dict(chosen.options), wanted=self.wanted)

    def receive(self) -> Outcome:
        """Finish the step that ``send`` began."""
        action = self._in_flight
        assert action is not None
        assert self._state is not None
        self._in_flight = None
        self._history.record(action)
        self.taken.append(action)
        if not self._runs:
            self._over = stopped = action == self.actions.stop
            return self._outcome(0.0, changed=False, terminated=stopped)
        try:
            state = self._finish(self.actions.passes[action])
        except SessionError as error:
            self._over = True
            return self._outcome(0.0, changed=False, error=str(error))
        if state.changed:
            self._useful[:] = True
        else:
            self._useful[action] = False
        self._state = state
        before, self._cost = self._cost, state.metrics[self.config.objective]
        reward = self._costs.scale.reward(before, self._cost)
        return self._outcome(reward, changed=state.changed)

    def _outcome(
        self, reward: float, *, changed: bool, terminated: bool = False, error: str | None = None
    ) -> Outcome:
        info = self.info(changed=changed, error=error)
        return Outcome(self.look(), reward, terminated, error is not None, info)

    # -- looking ----------------------------------------------------------------------

    def look(self) -> dict[str, Any]:
        """The current state, for ``Observer.finish``."""
        assert self._state is not None
        history = self._history.vector(self._cost, self._costs.start, self._costs.baseline)
        return self.observer.look(self._state, history, self._all_functions)

    def observation(self) -> Any:
        """The observation of the current state."""
        return self.observer.finish([self.look()])[0]

    def _all_functions(self) -> ModuleView:
        assert self.session is not None
        view = self.session.observe(_ALL_FUNCTIONS).views["functions"]
        assert isinstance(view, ModuleView)
        return view

    def info(self, *, changed: bool, error: str | None) -> dict[str, Any]:
        """The info dictionary; see ``LlvmEnv``."""
        assert self.program is not None
        return {
            "program": self.program.uri,
            "cost": self._cost,
            "start_cost": self._costs.start,
            "baseline_cost": self._costs.baseline,
            "changed": changed,
            "error": error,
        }

    def action_mask(self) -> np.ndarray:
        """True for actions not known to change nothing here, shape ``(n_actions,)``.

        A pass that changed nothing is masked until another pass changes the module.
        """
        return self._useful.copy() if self._useful.any() else np.ones_like(self._useful)

    @property
    def cost(self) -> int:
        """The current cost."""
        return self._cost

    @property
    def costs(self) -> Costs:
        """Start and baseline cost of the current program."""
        return self._costs

    @property
    def key(self) -> int:
        """The current module's structural hash; computed when asked for."""
        if self._over or self.session is None:
            raise RuntimeError("there is no running episode; call reset() first")
        return self.session.observe().key

    def pipeline(self) -> str:
        """What ``opt -passes=`` takes to get here from the program."""
        passes = [self.actions.passes[a] for a in self.taken if a != self.actions.stop]
        return to_pipeline(passes)

    def validate(self, limits: Limits | None, *, sanitize: bool) -> Validation:
        """Run the program as it is now; see ``LlvmEnv.validate``."""
        if self.program is None or self.session is None:
            raise RuntimeError("there is no episode to validate; call reset() first")
        if not self.program.runs:  # then there is no need for its object
            return validate(self.program, b"")
        try:
            object_code = self.session.emit("obj")
        except MirgymError as error:  # a pass crashed, or there is no code for this target
            return Validation(self.program.uri, (), f"there is nothing to run: {error}")
        return validate(self.program, object_code, limits=limits, sanitize=sanitize)

    def fork(self) -> Episode:
        """An independent episode in the same state; shares the pool, not the session."""
        if self._over or self.session is None:
            raise RuntimeError("there is no running episode to fork; call reset() first")
        twin = Episode(self.config, self.horizon, self.pool)
        twin.session = self.session.fork()
        assert self.program is not None
        assert self._state is not None
        twin._begin(self.program, self._state)
        twin._costs, twin._cost = self._costs, self._cost
        twin.taken = list(self.taken)
        twin._useful = self._useful.copy()
        twin._history.counts = self._history.counts.copy()
        twin._history.steps = self._history.steps
        return twin
