"""The conformance suite: what every implementation of ``Session`` does, and equally."""

from __future__ import annotations

import numpy as np
import pytest

from mirgym import errors
from mirgym.loops import LoopView
from mirgym.passes import catalogue
from mirgym.session import InProcessSession, Session
from mirgym.views import ModuleView
from mirgym.wire import METRICS, NO_KEY, VIEWS, Wanted

from . import sources

EVERYTHING = Wanted.of(tuple(METRICS), tuple(VIEWS))
SEQUENCE = ["function(sroa)", "cgscc(inline)", "function(simplifycfg,early-cse)", "globalopt"]


class TestLoad:
    def test_tells_the_number_of_instructions(self, session: Session, modules):
        state = session.load(modules["loops"])
        assert state.metrics["ir_instructions"] > 100
        assert not state.changed
        assert state.key != 0

    def test_takes_bitcode_and_text(self, session: Session, modules):
        key = session.load(modules["loops"]).key
        text = session.emit("ll")
        assert session.load(text).key == key

    def test_gives_the_metrics_and_views_asked_for(self, session: Session, modules):
        state = session.load(modules["loops"], wanted=EVERYTHING)
        assert state.metrics["text_size_bytes"] == state.metrics["object_text_size_bytes"] > 0
        assert state.views["instcount"].shape == (70,)
        assert state.views["autophase"].shape == (56,)
        assert "define" in state.views["ir"]
        assert state.views["instcount"][0] == state.metrics["ir_instructions"]

    def test_gives_nothing_that_was_not_asked_for(self, session: Session, modules):
        state = session.load(modules["loops"], wanted=NO_KEY)
        assert state.key == 0
        assert state.views == {}
        assert list(state.metrics) == ["ir_instructions"]

    @pytest.mark.parametrize(
        ("level", "present", "absent"),
        [
            ("Oz", {"minsize", "optsize"}, set()),
            ("Os", {"optsize"}, {"minsize"}),
            ("O2", set(), {"minsize", "optsize"}),
        ],
    )
    def test_level_sets_size_attributes(self, session: Session, modules, level, present, absent):
        session.load(modules["loops"], level=level)
        words = set(session.emit("ll").decode().split())
        assert present <= words
        assert not absent & words

    def test_as_is_keeps_size_attributes(self, session: Session, modules):
        session.load(modules["loops"], level="Oz")
        small = session.emit("bc")
        session.load(small)
        assert b"minsize" in session.emit("ll")
        session.load(small, level="O3")
        assert b"minsize" not in session.emit("ll")

    def test_unknown_level(self, session: Session, modules):
        with pytest.raises((ValueError, KeyError), match="O9"):
            session.load(modules["loops"], level="O9")

    def test_again_starts_over(self, session: Session, modules):
        first = session.load(modules["loops"], wanted=EVERYTHING)
        session.step("default<O2>")
        again = session.load(modules["loops"], wanted=EVERYTHING)
        assert (again.key, again.metrics) == (first.key, first.metrics)

    def test_failure_keeps_the_module(self, session: Session, modules):
        key = session.load(modules["loops"]).key
        with pytest.raises(errors.InvalidModuleError, match="empty"):
            session.load(b"")
        assert session.observe().key == key


class TestStep:
    def test_runs_the_pipeline(self, session: Session, modules):
        before = session.load(modules["loops"])
        after = session.step("function(mem2reg)")
        assert after.changed
        assert after.key != before.key
        assert after.pass_ns > 0
        assert after.metrics["ir_instructions"] < before.metrics["ir_instructions"]
        assert b"alloca i32" not in session.emit("ll")

    def test_no_change(self, session: Session, modules):
        session.load(modules["loops"])
        key = session.step("function(mem2reg)").key
        again = session.step("function(mem2reg)")
        assert not again.changed
        assert again.key == key

    def test_views_follow(self, session: Session, modules):
        session.load(modules["loops"], wanted=EVERYTHING)
        state = session.step("function(mem2reg)", wanted=EVERYTHING)
        seen = session.observe(EVERYTHING)
        assert state.key == seen.key
        assert state.metrics == seen.metrics
        for view in ("instcount", "autophase", "ir"):
            assert np.array_equal(state.views[view], seen.views[view])
        for view in ("functions", "new_functions"):
            assert state.views[view].keys == seen.views[view].keys

    @pytest.mark.parametrize(
        ("pipeline", "message"),
        [
            ("function(mem2regg)", "mem2regg"),
            ("function(", r"invalid pipeline 'function\('"),
            ("", "unknown pass name ''"),
            ("default<O9>", "O9"),
            ("default<Oz>", r"no Os and Oz.*Load the program with level Oz.*default<O2>"),
            ("thinlto<Os>", "no Os and Oz"),
            ("mem2reg,inline", "inline"),
        ],
    )
    def test_unknown_pipeline(self, session: Session, modules, pipeline, message):
        key = session.load(modules["loops"]).key
        with pytest.raises(errors.UnknownPassError, match=message):
            session.step(pipeline)
        assert session.observe().key == key

    def test_growth_limit(self, session: Session, compile_c):
        bomb = compile_c(sources.inlining_bomb(12))
        session.load(bomb, growth_limit=2.0)
        with pytest.raises(errors.ModuleTooLargeError, match=r"grew to \d+.*always-inline.*10000"):
            session.step("always-inline")
        with pytest.raises(errors.SessionError, match="load a program first"):
            session.observe(NO_KEY)
        assert session.load(bomb).metrics["ir_instructions"] < 1000

    @pytest.mark.parametrize("limit", [float("inf"), 1e300])
    def test_no_growth_limit(self, session: Session, compile_c, limit):
        session.load(compile_c(sources.inlining_bomb(12)), growth_limit=limit)
        assert session.step("always-inline").metrics["ir_instructions"] > 10_000

    def test_growth_limit_survives_fork(self, session: Session, compile_c):
        session.load(compile_c(sources.inlining_bomb(12)), growth_limit=2.0)
        with session.fork() as twin, pytest.raises(errors.ModuleTooLargeError, match="limit"):
            twin.step("always-inline")


class TestNoModule:
    VERBS = {
        "step": lambda s: s.step("function(dce)"),
        "observe": lambda s: s.observe(),
        "observe-all": lambda s: s.observe(EVERYTHING),
        "snapshot": lambda s: s.snapshot(),
        "fork": lambda s: s.fork(),
        "emit": lambda s: s.emit("ll"),
        "verify": lambda s: s.verify(),
        "functions": lambda s: s.functions(),
    }

    @pytest.mark.parametrize("verb", VERBS)
    def test_before_any_load(self, session: Session, verb):
        with pytest.raises(errors.SessionError, match=r"no module is loaded; load a program"):
            self.VERBS[verb](session)

    @pytest.mark.parametrize("verb", [v for v in VERBS if v != "fork"])
    def test_after_a_failed_load(self, session: Session, verb):
        with pytest.raises(errors.InvalidModuleError, match="empty"):
            session.load(b"")
        with pytest.raises(errors.SessionError, match="no module is loaded"):
            self.VERBS[verb](session)

    @pytest.mark.parametrize("verb", VERBS)
    def test_after_close(self, session: Session, modules, verb):
        session.load(modules["loops"])
        session.close()
        with pytest.raises(ValueError, match="closed; make a new one"):
            self.VERBS[verb](session)
        with pytest.raises(ValueError, match="closed; make a new one"):
            session.load(modules["loops"])

    def test_close_is_idempotent(self, session: Session, modules):
        session.load(modules["loops"])
        session.close()
        session.close()

    def test_is_a_session(self, session: Session):
        assert isinstance(session, Session)


class TestSnapshotAndFork:
    def test_restore_goes_back(self, session: Session, modules):
        session.load(modules["strings"])
        key = session.step("function(sroa)").key
        snapshot = session.snapshot()
        session.step("default<O2>")
        assert session.restore(snapshot).key == key

    def test_restore_refuses_garbage(self, session: Session, modules):
        session.load(modules["strings"])
        with pytest.raises(errors.InvalidModuleError, match="neither LLVM bitcode nor"):
            session.restore(b"not a snapshot")

    def test_restored_goes_on_as_the_original(self, session: Session, modules):
        session.load(modules["strings"])
        session.step("function(sroa)")
        snapshot = session.snapshot()
        straight = [session.step(p).key for p in SEQUENCE]
        session.restore(snapshot)
        assert [session.step(p).key for p in SEQUENCE] == straight

    def test_fork_is_in_the_same_state(self, session: Session, modules):
        session.load(modules["strings"])
        session.step("function(sroa)")
        before = session.observe(EVERYTHING)
        with session.fork() as twin:
            same = twin.observe(EVERYTHING)
            assert type(twin) is type(session)
            assert (same.key, same.metrics) == (before.key, before.metrics)
            assert twin.emit("ll").splitlines()[1:] == session.emit("ll").splitlines()[1:]

    def test_forks_are_independent(self, session: Session, modules):
        key = session.load(modules["strings"]).key
        with session.fork() as twin:
            changed = twin.step("default<O2>").key
            assert session.observe().key == key != changed
            session.step("function(sroa)")
            assert twin.observe().key == changed

    def test_fork_outlives_its_origin(self, session: Session, modules):
        key = session.load(modules["strings"]).key
        twin = session.fork()
        session.close()
        with twin:
            assert twin.observe().key == key
            assert twin.step("function(sroa)").changed

    def test_origin_outlives_its_fork(self, session: Session, modules):
        key = session.load(modules["strings"]).key
        session.fork().close()
        assert session.observe().key == key

    def test_fork_of_fork_goes_on_alike(self, session: Session, modules):
        session.load(modules["strings"])
        with session.fork() as twin, twin.fork() as third:
            keys = [[s.step(p).key for p in SEQUENCE] for s in (session, twin, third)]
        assert keys[0] == keys[1] == keys[2]


class TestEmitVerifyFunctions:
    def test_unknown_kind(self, session: Session, modules):
        session.load(modules["loops"])
        with pytest.raises(ValueError, match=r"unknown output 'exe'.*'bc', 'll', 'obj'"):
            session.emit("exe")

    def test_leaves_the_module_as_it_is(self, session: Session, modules):
        key = session.load(modules["loops"]).key
        text = session.emit("ll")
        assert session.emit("obj").startswith(b"\x7fELF")
        assert session.emit("bc").startswith(b"BC\xc0\xde")
        assert session.emit("ll") == text
        assert session.observe().key == key

    def test_verify_accepts_valid_ir(self, session: Session, modules):
        session.load(modules["loops"])
        session.step("default<O3>")
        session.verify()

    def test_functions(self, session: Session, modules):
        state = session.load(modules["loops"])
        records = session.functions()
        assert [r.name for r in records][0] == "main"
        assert {"fill", "mul", "sort", "cmp", "find"} <= {r.name for r in records}
        assert sum(r.instructions for r in records) == state.metrics["ir_instructions"]
        assert all(r.text_bytes is None for r in records)
        assert len({r.key for r in records}) == len(records)

    def test_functions_know_their_bytes_once_emitted(self, session: Session, modules):
        wanted = Wanted.of(("text_size_bytes",))
        size = session.load(modules["loops"], wanted=wanted).metrics["text_size_bytes"]
        records = session.functions()
        assert all(r.text_bytes is not None and r.text_bytes > 0 for r in records)
        # Padding between functions is not theirs.
        assert size - 16 * len(records) <= sum(r.text_bytes or 0 for r in records) <= size

    def test_only_changed_functions_get_a_new_key(self, session: Session, tiny):
        session.load(tiny)
        before = {r.name: r.key for r in session.functions()}
        session.step("cgscc(inline)")
        after = {r.name: r.key for r in session.functions()}
        assert after["twice"] == before["twice"]
        assert after["four"] != before["four"]


def _same_view(a, b) -> bool:
    if isinstance(a, LoopView):
        keys = ([code and code.key for code in view.code] for view in (a, b))
        return a.facts == b.facts and next(keys) == next(keys)
    return a[:4] == b[:4] if isinstance(a, ModuleView) else np.array_equal(a, b)


def test_both_kinds_agree(worker, local, real_modules):
    """The same keys, metrics, views and functions at each step of a long sequence."""
    pipelines = [p.pipeline for p in catalogue()][::5]
    wanted = Wanted.of(("text_size_bytes",), tuple(VIEWS))
    for name, module in real_modules.items():
        states = [s.load(module, level="Oz", wanted=wanted) for s in (worker, local)]
        for pipeline in pipelines:
            for a, b in zip(*(s.views.values() for s in states), strict=True):
                assert _same_view(a, b), (name, pipeline)
            mine, theirs = (s._replace(pass_ns=0, views={}) for s in states)
            assert mine == theirs, (name, pipeline)
            states = [s.step(pipeline, wanted=wanted) for s in (worker, local)]
        assert worker.functions() == local.functions()


def test_sessions_in_one_process_do_not_disturb_each_other(modules):
    with InProcessSession() as one, InProcessSession() as other:
        key = one.load(modules["loops"]).key
        other.load(modules["strings"])
        other.step("default<O2>")
        other.close()
        assert one.observe().key == key
