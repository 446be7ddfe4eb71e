"""The two baselines of a program, and the costs of a pipeline's result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...errors import CodegenError, MirgymError
from ...passes import Pass
from ...validate.reference import PATIENT
from ...wire import NOTHING, Wanted
from ...worker import WorkerSession
from ..pipelines import O2, render

LEVEL = "Oz"
B_STEPS = (Pass("default<O2>", "default<O2>"),)
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


@dataclass(frozen=True)
class Anchors:
    """Costs of a program at B and A."""

    b: Sizes
    a: Sizes | None
    """None when LLVM fails on it."""


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


def measure_anchors(module: bytes) -> Anchors:
    """Costs of a program at B and A.

    Raises:
        MirgymError: The program cannot be loaded, or B fails on it.
    """
    b = make(module, B_STEPS).sizes
    try:
        return Anchors(b, make(module, (old_oz(),), level=A_LEVEL).sizes)
    except MirgymError:
        return Anchors(b, None)


def make(module: bytes, steps: Iterable[Pass], *, level: str = LEVEL) -> Made:
    """Run passes one by one on a program; ``.text`` is that of the whole object.

    Raises:
        MirgymError: The program cannot be loaded, or a pass fails on it.
    """
    with WorkerSession(PATIENT) as session:
        state = session.load(module, level=level)
        for step in steps:
            state = session.step(step.pipeline, dict(step.options))
        session.verify()
        try:
            metrics = session.observe(_SIZES).metrics
            object_code: bytes | None = session.emit("obj")
        except CodegenError:
            metrics, object_code = session.observe(NOTHING).metrics, None
        text = metrics.get("object_text_size_bytes")
        return Made(Sizes(metrics["ir_instructions"], text), state.key, object_code)


def why(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    if isinstance(error, MirgymError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
