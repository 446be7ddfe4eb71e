"""What an embedding costs: a module from nothing, and a step of an environment."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from ..programs import resolve_all
from ..session import InProcessSession
from ..views import ModuleView
from ..wire import NO_KEY, Wanted, observe_request
from .modules import module_near, random_passes
from .report import Check, Report

ALL = Wanted.of(views=("functions",), key=False)
NEW = Wanted.of(views=("new_functions",), key=False)
IR2VEC = Wanted.of(views=("ir2vec",), key=False)
EPISODE = 45
REPEATS = 15


def measure(steps: int = 1_000, instructions: int = 5_000, seed: int = 0) -> Report:
    """Time extraction, cold embeddings and the observation of random steps, on one core."""
    import torch

    from ..encoder.embedder import Embedder

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    report = Report("embed")
    try:
        extraction, cold = _cold(instructions, Embedder)
        embedder = Embedder("tiny")
        observing, stale = _steps(steps, seed, embedder)
    finally:
        torch.set_num_threads(threads)
    median, p90 = np.percentile(observing, [50, 90])
    report.figures = {
        **cold,
        "tokens and graph, ms for 5,000 instructions": extraction,
        "step, embedding, median ms": median,
        "step, embedding, p90 ms": p90,
        "steps": steps,
        "steps that changed a function": stale,
    }
    report.checks = [
        Check("tokens and graph, ms for 5,000 instructions", extraction, 0.4),
        Check("cold module, tiny, ms", cold["cold module, tiny, ms"], 30.0),
        Check("step on top of the pass, median ms", float(median), 2.0),
        Check("step on top of the pass, p90 ms", float(p90), 10.0),
    ]
    return report


def _best(work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """Shortest of several times, in ms: what is above it is the machine's noise."""
    times = []
    for _ in range(REPEATS):
        before()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def _cold(instructions: int, embedder_of: type) -> tuple[float, dict[str, float]]:
    """Extraction in ms, and each way's time for the whole module with nothing cached."""
    module = module_near(instructions)
    from ..encoder.weights import SHIPPED

    with InProcessSession() as session:
        session.load(module.bitcode, level="Oz", wanted=NO_KEY)
        request = observe_request(ALL)
        extraction = _best(lambda: session._request(request)) * 5_000 / module.instructions

        def embed(model: str, *, text: bool = False) -> float:
            embedder = embedder_of(model)

            def work() -> None:
                embedder.forget()
                if text:
                    session.emit("ll")
                view = session.observe(ALL).views["functions"]
                assert isinstance(view, ModuleView)
                embedder.module(view)

            return _best(work)

        figures: dict[str, float] = {
            "instructions": module.instructions,
            # The session keeps what it counted, so each time is of a fresh load.
            "cold module, IR2Vec's counts by LLVM, ms": _best(
                lambda: session.observe(IR2VEC),
                lambda: session.load(module.bitcode, level="Oz", wanted=NO_KEY),
            ),
        }
        for model in SHIPPED:
            figures[f"cold module, {model}, ms"] = embed(model)
            figures[f"printed and embedded whole by {model}, ms"] = embed(model, text=True)
    return extraction, figures


def _steps(steps: int, seed: int, embedder: object) -> tuple[list[float], int]:
    """Time of each observation after a random pass, in ms; how many had new functions."""
    from ..encoder.embedder import Embedder

    assert isinstance(embedder, Embedder)
    times: list[float] = []
    stale = 0
    programs = resolve_all("mirbench")
    passes = random_passes(seed, steps)
    with InProcessSession() as session:
        for number, chosen in enumerate(passes):
            if number % EPISODE == 0:
                embedder.forget()
                program = programs[number // EPISODE % len(programs)]
                state = session.load(program.bitcode(), level="Oz", wanted=NEW)
                embedder.module(state.views["new_functions"])  # type: ignore[arg-type]
            session.step(chosen.pipeline, wanted=NO_KEY)
            start = time.perf_counter()
            view = session.observe(NEW).views["new_functions"]
            assert isinstance(view, ModuleView)
            embedder.module(view)
            times.append((time.perf_counter() - start) * 1e3)
            stale += any(function is not None for function in view.functions)
    return times, stale
