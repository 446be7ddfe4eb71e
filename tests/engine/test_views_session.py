"""The encoder's views over a session's life: keys, caches, what is sent and when."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirgym.passes import catalogue
from mirgym.session import InProcessSession, Session
from mirgym.views import FunctionView, ModuleView
from mirgym.wire import Wanted

FUNCTIONS = Wanted.of((), ("functions",))
NEW = Wanted.of((), ("new_functions",))
DATA = Path(__file__).parents[1] / "data" / "views"
PASSES = [p.pipeline for p in catalogue("core", "dormant")]
EMPTY = b'@g = global i32 0\ndeclare void @f()\n@a = alias i32, ptr @g\nmodule asm "nop"\n'

pipelines = st.lists(st.sampled_from(PASSES), min_size=1, max_size=10)


def all_views(session: Session) -> ModuleView:
    return session.observe(FUNCTIONS).views["functions"]


def new_views(session: Session) -> ModuleView:
    return session.observe(NEW).views["new_functions"]


def arrays(module: ModuleView) -> list[bytes]:
    return [as_bytes(f) for f in module.functions]


def as_bytes(function: FunctionView) -> bytes:
    return b"|".join(a.tobytes() for a in function[1:])


class TestKeys:
    @settings(max_examples=30)
    @given(data=st.data())
    def test_over_random_passes(self, real_modules, data):
        """Equal structural keys mean equal views; no cached view is stale."""
        view_of: dict[int, bytes] = {}  # by structural key
        key_of: dict[bytes, int] = {}
        bytes_of: dict[int, bytes] = {}
        with InProcessSession() as session:
            session.load(real_modules[data.draw(st.sampled_from(sorted(real_modules)))])
            for pipeline in ["no-op-module", *data.draw(pipelines)]:
                cached = session.step(pipeline, wanted=NEW).views["new_functions"]
                fresh = all_views(session)
                assert (cached.names, cached.keys) == (fresh.names, fresh.keys), pipeline
                assert (cached.instructions, cached.callees) == fresh[2:4], pipeline
                records = session.functions()
                assert [r.name for r in records] == fresh.names
                assert [r.instructions for r in records] == fresh.instructions
                for record, key, view in zip(records, fresh.keys, arrays(fresh), strict=True):
                    assert view_of.setdefault(record.key, view) == view, (pipeline, record)
                    assert bytes_of.setdefault(key, view) == view
                    assert key_of.setdefault(view, key) == key

    @settings(max_examples=20)
    @given(data=st.data())
    def test_caches_over_many_steps(self, real_modules, data):
        """Only new views are asked for, so that the rest stay cached for long."""
        with InProcessSession() as session, InProcessSession() as other:
            module = real_modules[data.draw(st.sampled_from(sorted(real_modules)))]
            session.load(module, wanted=NEW)
            for pipeline in data.draw(pipelines):
                cached = session.step(pipeline, wanted=NEW).views["new_functions"]
            other.restore(session.snapshot())
            fresh = all_views(other)
            assert (cached.names, cached.keys) == (fresh.names, fresh.keys)
            assert (cached.instructions, cached.callees) == fresh[2:4]

    @pytest.mark.parametrize("path", sorted(DATA.glob("*.ll")), ids=lambda p: p.stem)
    def test_does_not_depend_on_local_names(self, local, path):
        local.load(path.read_bytes())
        views, text = all_views(local), local.emit("ll").decode()
        lines = [re.sub(r"^([A-Za-z][\w.]*):", r"renamed.\1:", n) for n in text.split("\n")]
        text = re.sub(r"%([A-Za-z][\w.]*)", r"%renamed.\1", "\n".join(lines))
        assert "%renamed." in text
        local.load(text.encode())
        assert arrays(all_views(local)) == arrays(views)
        assert all_views(local).keys == views.keys

    def test_does_not_depend_on_the_names_of_defined_functions(self, local, tiny):
        local.load(tiny)
        keys, text = all_views(local).keys, local.emit("ll").decode()
        local.load(text.replace("@twice", "@other").encode())
        assert all_views(local).keys == keys

    def test_does_not_depend_on_how_a_zero_is_kept_in_memory(self, local):
        """Passes make vectors of zeros and null pointers that reading IR does not make."""
        target = 'target triple = "x86_64-unknown-linux-gnu"\n'
        store = "%p{2} = getelementptr {0}, ptr %p, i64 {2}\nstore {0} {1}, ptr %p{2}\n"
        for kind, zero in [("double", "0.0"), ("i64", "0"), ("ptr", "null"), ("double", "0.5")]:
            stores = "".join(store.format(kind, zero, i) for i in range(4))
            text = target + f"define void @f(ptr %p) {{ {stores} ret void }}"
            local.load(text.encode())
            assert local.step("function(slp-vectorizer)").changed
            before, snapshot = all_views(local), local.snapshot()
            assert re.search(rb"store <\d x", local.emit("ll"))
            local.restore(snapshot)
            assert arrays(all_views(local)) == arrays(before)

    def test_depends_on_what_is_called(self, local):
        text = "declare i32 @{0}(i32)\ndefine i32 @f(i32 %x) {{ %y = call i32 @{0}(i32 %x) ret i32 %y }}"
        keys = set()
        for name in ("abs", "isalpha", "toupper"):
            local.load(text.format(name).encode())
            keys.update(all_views(local).keys)
        assert len(keys) == 3


class TestNewFunctions:
    @settings(max_examples=15)
    @given(data=st.data())
    def test_sends_exactly_what_was_not_sent(self, real_modules, data):
        sent: dict[int, bytes] = {}
        with InProcessSession() as session:
            module = real_modules[data.draw(st.sampled_from(sorted(real_modules)))]
            session.load(module)
            for pipeline in data.draw(pipelines):
                action = data.draw(
                    st.sampled_from(["step", "new", "new", "all", "load", "restore"])
                )
                views = act(session, action, module, pipeline)
                if action in ("load", "restore"):
                    sent.clear()
                if views is None:
                    continue
                for key, function in zip(views.keys, views.functions, strict=True):
                    assert (function is None) == (key in sent and action == "new")
                    if function is not None:
                        sent[key] = as_bytes(function)
            last = all_views(session)
            for key, view in zip(last.keys, arrays(last), strict=True):
                assert sent.get(key, view) == view

    def test_starts_again_with_each_load_and_restore(self, session, modules):
        module = modules["loops"]
        first = session.load(module, wanted=NEW).views["new_functions"]
        assert None not in first.functions
        assert not any(new_views(session).functions)
        snapshot = session.snapshot()
        session.restore(snapshot)
        again = new_views(session)
        assert (again.keys, arrays(again)) == (first.keys, arrays(first))
        session.load(module)
        assert arrays(new_views(session)) == arrays(first)

    def test_a_fork_has_sent_nothing(self, session, modules):
        session.load(modules["loops"])
        session.step("function(sroa)")
        before = new_views(session)
        with session.fork() as twin:
            views = new_views(twin)
            assert (views.keys, arrays(views)) == (before.keys, arrays(before))
            assert not any(new_views(twin).functions)
            changed = twin.step("function(instcombine)", wanted=NEW).views["new_functions"]
            assert any(changed.functions)
            assert not any(new_views(session).functions)  # each keeps its own account
            session.step("function(instcombine)")
            assert new_views(session).keys == changed.keys

    def test_equal_functions_are_sent_once(self, local):
        body = "(i32 %x) { %y = mul i32 %x, %x ret i32 %y }\n"
        local.load(f"define i32 @a{body}define i32 @b{body}".encode())
        views = new_views(local)
        assert views.keys[0] == views.keys[1]
        assert [f is None for f in views.functions] == [False, True]
        assert None not in all_views(local).functions

    def test_what_was_sent_before_a_change_stays_sent(self, local, tiny):
        local.load(tiny)
        local.step("function(mem2reg)")
        keys = new_views(local).keys
        assert any(local.step("function(reg2mem)", wanted=NEW).views["new_functions"].functions)
        back = local.step("function(mem2reg,dce)", wanted=NEW).views["new_functions"]
        assert back.keys == keys
        assert not any(back.functions)


def act(session: InProcessSession, action: str, module: bytes, pipeline: str) -> ModuleView | None:
    match action:
        case "step":
            session.step(pipeline)
        case "load":
            session.load(module)
        case "restore":
            session.restore(session.snapshot())
        case "new":
            return session.step(pipeline, wanted=NEW).views["new_functions"]
        case "all":
            return session.step(pipeline, wanted=FUNCTIONS).views["functions"]
    return None


class TestSizes:
    @pytest.mark.parametrize("text", [b"; nothing\n", EMPTY], ids=["empty", "no-bodies"])
    def test_module_without_functions(self, session, text):
        session.load(text)
        assert all_views(session) == new_views(session) == ([], [], [], [], [])

    def test_large_function(self, local):
        count = 50_000
        lines = [f"%v{i} = add i64 %v{i * 7 // 8}, {i}" for i in range(1, count)]
        text = "define i64 @f(i64 %v0) {\n" + "\n".join(lines) + f"\nret i64 %v{count - 1}\n}}\n"
        local.load(text.encode())
        views = all_views(local)
        (found,) = views.functions
        assert views.instructions == [count]
        assert found.tokens.shape == (8, count)
        assert found.tokens[0].tolist() == [14] * (count - 1) + [1]
        distances = found.tokens[5, 1:]  # the first adds to the argument
        assert distances.min() >= 40 and distances.max() == 63
        # Definitions, flow, two operands each; one operand of the return.
        assert found.edges.shape[1] == 4 * (count - 1) + 1
        assert found.edges.max() < found.nodes.shape[1]

    def test_many_operands(self, local):
        text = "declare void @g(...)\ndefine void @f(ptr %p) {{ call void (...) @g({}) ret void }}"
        local.load(text.format(", ".join(["ptr %p"] * 300)).encode())
        (found,) = all_views(local).functions
        assert found.tokens[4, 0] % 8 == 7
        assert np.bincount(found.edge_kinds)[8:16].tolist() == [1] * 7 + [293]
