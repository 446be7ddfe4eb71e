"""The two baselines of a program, and the costs of a pipeline's result.

For sizes B is Oz and A what papers call Oz; for what takes running the program B is O3 and A
is O2. By the clock every cost is B's time, taken once, × a ratio to B in interleaved runs
(``mirgym.runtime``); that ratio of B itself is the noise floor.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ...dynamic_cost import take_step
from ...errors import CodegenError, MirgymError
from ...objective import Meter, run_meter
from ...passes import Pass
from ...programs import Program
from ...runtime import RuntimeMeter
from ...validate.reference import PATIENT
from ...wire import NOTHING, Wanted
from ...worker import WorkerSession
from ..pipelines import O2, render
from ..strategies import o_level

LEVEL = "Oz"
B_STEPS = (o_level("default<O2>"),)
RUN_LEVEL = "O3"
RUN_B_STEPS = (o_level("default<O3>"),)
A_LEVEL = "O2"
_SIZES = Wanted.of(("object_text_size_bytes",))
_OLD_OZ = (
    ("ipsccp,", "ipsccp<no-func-spec>,"),
    ("libcalls-shrinkwrap,", ""),
    ("loop-rotate,", "loop-rotate<no-header-duplication>,"),
    ("loop-rotate<check-exit-count>", "loop-rotate<no-header-duplication;check-exit-count>"),
)
_OLD_OZ_THRESHOLD = "5"
"""``InlineConstants::OptMinSizeThreshold``."""


@dataclass(frozen=True)
class Sizes:
    """Costs of one module. ``text_size_bytes`` is None where no code can be generated."""

    ir_instructions: int
    text_size_bytes: int | None = None
    run_cost: int | None = None
    """``dynamic_cost`` or ``runtime_ns``, where that is the objective."""


@dataclass(frozen=True)
class Anchors:
    """Costs of a program at B and A."""

    b: Sizes
    a: Sizes | None
    """None when LLVM fails on it."""
    b_key: int = 0
    """Structural hash of B."""
    floor: float | None = None
    """B's time ÷ B's time, interleaved as any other result's; None where no clock is read."""
    meter: Meter | None = None
    """What the run costs were measured with; knows B's time."""


@dataclass(frozen=True)
class Made:
    """The module that a pipeline gives."""

    sizes: Sizes
    key: int
    object_code: bytes | None


def old_oz() -> Pass:
    """What ``opt -Oz`` ran before LLVM 23: O2 under the size level 2.

    LLVM 23 has no size level any more, only the functions' attributes. This is O2 with the
    differences that the level made in ``PassBuilderPipelines.cpp`` until then: the inliner's
    threshold, no copies of loop headers, no specialised functions, no shrink-wrapped library
    calls. On the 33 programs of mirbench it leaves 1.095 times the instructions of B and
    1.264 times the ``.text``; published differences are 1.075 in instructions on cBench.

    Raises:
        AssertionError: This LLVM's O2 has no such passes.
    """
    text = render(O2)
    for new, old in _OLD_OZ:
        assert new in text, new
        text = text.replace(new, old)
    return Pass("old-oz", text, options=(("inline-threshold", _OLD_OZ_THRESHOLD),))


def measure_anchors(program: Program, objective: str = "text_size_bytes") -> Anchors:
    """Costs of a program at B and A.

    Raises:
        MirgymError: The program cannot be loaded, B fails on it, or it cannot run and must.
    """
    module = program.bitcode()
    meter = run_meter(objective, program, RUN_LEVEL)
    if meter is None:
        made = make(module, B_STEPS)
        a_steps: tuple[Pass, ...] = (old_oz(),)
    else:
        made = make(module, RUN_B_STEPS, level=RUN_LEVEL, meter=meter)
        a_steps = (o_level("default<O2>"),)
    b, floor = made.sizes, None
    if isinstance(meter, RuntimeMeter):
        assert b.run_cost is not None
        floor = b.run_cost / meter.baseline_ns
        b = replace(b, run_cost=meter.baseline_ns)
    try:
        a: Sizes | None = make(module, a_steps, level=A_LEVEL, meter=meter).sizes
    except MirgymError:
        a = None
    return Anchors(b, a, made.key, floor, meter)


def make(
    module: bytes,
    steps: Iterable[Pass],
    *,
    level: str = LEVEL,
    meter: Meter | None = None,
    known: Anchors | None = None,
    program: Program | None = None,
) -> Made:
    """Run passes one by one on a program; ``.text`` is that of the whole object.

    Args:
        module: The program.
        steps: The passes.
        level: Whose attributes the functions get.
        meter: Runs the result.
        program: Says how to run it, for steps that do.
        known: The baselines: B's own module has B's cost, without the noise.

    Raises:
        MirgymError: The program cannot be loaded, a pass fails on it, or it cannot run.
    """
    with WorkerSession(PATIENT) as session:
        state = session.load(module, level=level)
        for step in steps:
            state = take_step(session, step, program)
        session.verify()
        try:
            metrics = session.observe(_SIZES).metrics
            object_code: bytes | None = session.emit("obj")
        except CodegenError:
            metrics, object_code = session.observe(NOTHING).metrics, None
        sizes = Sizes(metrics["ir_instructions"], metrics.get("object_text_size_bytes"))
        if known is not None and state.key == known.b_key:
            sizes = replace(sizes, run_cost=known.b.run_cost)
        elif meter is not None:
            sizes = replace(sizes, run_cost=meter.cost(session))
        return Made(sizes, state.key, object_code)


def why(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    if isinstance(error, MirgymError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
