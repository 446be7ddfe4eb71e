"""One environment's episodes, in halves: send the work, then receive the result.

``LlvmEnv`` calls the two halves in a row; ``LlvmVectorEnv`` sends for all its
environments before it receives from any, so that the workers compute side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from ..dynamic_cost import take_step
from ..errors import MirgymError, SessionError, WorkerStartError
from ..objective import wanted_for
from ..parameters import compatible
from ..passes import Pass, is_profile, to_commandline, to_pipeline
from ..programs import Program
from ..programs.execute import Limits
from ..session import InProcessSession, Session
from ..validate import Validation, validate
from ..views import ModuleView
from ..wire import State, Wanted
from ..worker import WorkerSession
from .actions import ActionSet, build_actions
from .config import EnvConfig, EpisodeConfig
from .observations import History, Observer, one_hot
from .pool import Costs, ProgramPool

_ALL_FUNCTIONS = Wanted.of(views=("functions",), key=False)


class Outcome(NamedTuple):
    """What ``Env.step`` returns, with a look that ``Observer.finish`` makes the observation."""

    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


class Episode:
    """The session, program, costs and history of one environment."""

    _wants_key = False
    """No step of an episode needs the module's hash, and it costs as much as a cheap pass."""

    def __init__(
        self,
        config: EpisodeConfig,
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
        self.actions: ActionSet = self._build_actions()
        self._knob_sizes = [len(knob.values) for knob in self.actions.knobs]
        self.observer = self._build_observer()
        metrics = wanted_for(config.objective).metric_names
        self.wanted = Wanted.of(metrics, self.observer.views, key=self._wants_key)
        self._pool = pool
        self.session: InProcessSession | WorkerSession | None = None
        self._useful = np.ones(len(self.actions.passes), bool)
        self.program: Program | None = None
        self.taken: list[Any] = []
        self.choice: list[int] = [0] * len(self.actions.knobs)
        """Index of each knob's present value."""
        self._state: State | None = None
        self._history = History(len(self.actions.passes), horizon)
        self._costs = Costs(1, 1)
        self._cost = 1
        self._over = True
        self._in_flight: Any = None
        self._planned: Pass | None = None  # what the step in flight runs, if anything
        self._failure: SessionError | None = None  # what sending it raised

    def _build_actions(self) -> ActionSet:
        assert isinstance(self.config, EnvConfig)
        return build_actions(self.config.actions)

    def _build_observer(self) -> Observer:
        config = self.config
        n_actions = len(self.actions.passes)
        return Observer(config.observation, n_actions, self._knob_sizes, config.encoder)

    @property
    def action_space(self) -> spaces.Space[Any]:
        """The action space."""
        return spaces.Discrete(len(self.actions.passes))

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
        first = self._first_state(state)
        # Running the program again would only find the same.
        cost = self.pool.cost(chosen, first, session) if first.changed else self._costs.start
        self._begin(chosen, first, cost)
        return self.look(), self.info(changed=False, error=None)

    def _first_state(self, loaded: State) -> State:
        """The state that an episode starts from, of a program that was just loaded."""
        return loaded

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

    def _begin(self, program: Program, state: State, cost: int) -> None:
        self.program = program
        self._state = state
        self._cost = cost
        self._history = History(len(self.actions.passes), self.horizon)
        self.taken = []
        self.choice = [0] * len(self.actions.knobs)
        self._over = False
        self._in_flight = None
        self._all_useful()

    # -- step -----------------------------------------------------------------------

    def check(self, action: Any) -> None:
        """Raise what ``send`` would for an ended episode or an action out of range."""
        self.check_running()
        if not 0 <= int(action) < len(self.actions.passes):
            raise ValueError(
                f"action {int(action)} is not in [0, {len(self.actions.passes)}): "
                "sample from env.action_space"
            )

    def check_running(self) -> None:
        """Raise ``RuntimeError`` for an ended episode."""
        if self._over or self._state is None or self.session is None:
            raise RuntimeError("the episode is over; call reset() before step()")

    def send(self, action: Any) -> None:
        """Start a step. Known no-ops, settings and ``stop`` need no work."""
        self.check(action)
        assert self.session is not None
        self._in_flight = action
        self._failure = None
        self._planned = self._plan(action)
        if self._planned is None:
            return
        try:
            self._prepare()
            if isinstance(self.session, WorkerSession) and not self._profiles():
                chosen = self._planned
                self.session.send_step(chosen.pipeline, dict(chosen.options), wanted=self.wanted)
        except SessionError as error:
            self._failure = error

    def _plan(self, action: Any) -> Pass | None:
        """What the action runs now, with the options that are set; None if nothing."""
        action = int(action)
        if action == self.actions.stop or not self._useful[action]:
            return None
        return None if action in self.actions.settings else self._with_options(action, self.choice)

    def _with_options(self, action: int, choice: Sequence[int]) -> Pass:
        chosen = self.actions.passes[action]
        if is_profile(chosen):
            return chosen
        values = [k.values[v] for k, v in zip(self.actions.knobs, choice, strict=True)]
        options = dict(option for value in values for option in value.options)
        together = compatible({**options, **dict(chosen.options)})
        return chosen._replace(options=tuple(together.items()))

    def _prepare(self) -> None:
        """What the session needs before the planned pass."""

    def _profiles(self) -> bool:
        """Whether the step in flight runs the program, which this process waits for."""
        return self._planned is not None and is_profile(self._planned)

    def awaited(self) -> int:
        """Descriptor that ``receive`` will wait for, −1 when it need not wait."""
        if self._planned is None or self._failure is not None or self._profiles():
            return -1
        return self.session.fileno() if isinstance(self.session, WorkerSession) else -1

    def _finish(self, chosen: Pass) -> State:
        if self._failure is not None:
            raise self._failure
        if isinstance(self.session, WorkerSession) and not self._profiles():
            return self.session.receive_state(self.wanted)
        assert self.session is not None
        return take_step(self.session, chosen, self.program, self.wanted)

    def receive(self) -> Outcome:
        """Finish the step that ``send`` began."""
        action = self._in_flight
        assert action is not None
        assert self._state is not None
        self._in_flight = None
        self._record(action)
        if self._planned is None:
            self._over = stopped = self._stops(action)
            return self._outcome(0.0, changed=False, terminated=stopped)
        try:
            state = self._finish(self._planned)
            return self._arrive(action, state)
        except SessionError as error:
            self._over = True
            return self._outcome(0.0, changed=False, error=str(error))

    def _record(self, action: Any) -> None:
        """Take note of an action, and of what it sets."""
        action = int(action)
        self._history.record(action)
        self.taken.append(action)
        if action in self.actions.settings and self._useful[action]:
            knob, value = self.actions.settings[action]
            self.choice[knob] = value
            self._all_useful()

    def _stops(self, action: Any) -> bool:
        return int(action) == self.actions.stop

    def _arrive(self, action: Any, state: State) -> Outcome:
        """The outcome of a pass that left the module in this state."""
        if state.changed:
            self._all_useful()
        else:
            self._useful[action] = False
        reward = self._move_to(state, changed=state.changed)
        return self._outcome(reward, changed=state.changed)

    def _move_to(self, state: State, *, changed: bool) -> float:
        """Make it the current state; returns the reward of that.

        Raises:
            SessionError: The program in this state cannot be run.
        """
        assert self.program is not None
        assert self.session is not None
        before, cost = self._cost, self._cost
        if changed:
            cost = self.pool.cost(self.program, state, self.session)
        self._state, self._cost = state, cost
        return self._costs.scale.reward(before, cost)

    def _all_useful(self) -> None:
        """Forget the known no-ops, but for settings that are in force."""
        self._useful[:] = True
        for action, (knob, value) in self.actions.settings.items():
            self._useful[action] = self.choice[knob] != value

    def _outcome(
        self, reward: float, *, changed: bool, terminated: bool = False, error: str | None = None
    ) -> Outcome:
        info = self.info(changed=changed, error=error)
        return Outcome(self.look(), reward, terminated, error is not None, info)

    # -- looking ----------------------------------------------------------------------

    def look(self) -> dict[str, Any]:
        """The current state, for ``Observer.finish``."""
        assert self._state is not None
        costs = self._costs
        own = {
            "history": self._history.vector(self._cost, costs.start, costs.baseline),
            "parameters": one_hot(self.choice, self._knob_sizes),
        }
        return self.observer.look(self._state, own, self._all_functions)

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
        found = {
            "program": self.program.uri,
            "cost": self._cost,
            "start_cost": self._costs.start,
            "baseline_cost": self._costs.baseline,
            "changed": changed,
            "error": error,
        }
        return {**found, "commandline": self.commandline()} if self.actions.settings else found

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

    def runs(self) -> list[Pass]:
        """What a session runs to get here from the program, each with all its options."""
        choice = [0] * len(self.actions.knobs)
        found = []
        for action in self.taken:
            if action in self.actions.settings:
                knob, value = self.actions.settings[action]
                choice[knob] = value
            elif action != self.actions.stop:
                found.append(self._with_options(action, choice))
        return found

    def pipeline(self) -> str:
        """What ``opt -passes=`` takes to get here from the program, without options."""
        return to_pipeline(self.runs())

    def commandline(self) -> str:
        """The ``opt`` commands that get here from the program; empty when nothing ran."""
        return to_commandline(self.runs())

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
        twin = type(self)(self.config, self.horizon, self.pool)
        twin.session = self.session.fork()
        assert self.program is not None
        assert self._state is not None
        twin._begin(self.program, self._state, self._cost)
        twin._costs = self._costs
        twin.taken, twin.choice = list(self.taken), list(self.choice)
        twin._useful = self._useful.copy()
        twin._history.counts = self._history.counts.copy()
        twin._history.steps = self._history.steps
        return twin
