"""The wire format: what goes out comes in, and nothing that comes in can crash."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirgym import errors, wire
from mirgym.session import InProcessSession, WireSession
from mirgym.wire import METRICS, VIEWS, Wanted

metric_sets = st.sets(st.sampled_from(sorted(METRICS))).map(tuple)
# Functions have a codec of their own, tested in test_views.py.
view_sets = st.sets(st.sampled_from(["instcount", "autophase", "ir"])).map(tuple)
int64 = st.integers(-(2**63), 2**63 - 1)


class FakeEngine(WireSession):
    """Keeps the request and gives a reply made beforehand."""

    def __init__(self, reply: bytes) -> None:
        self.reply, self.request = reply, b""

    def _request(self, request: bytes, extra_seconds: float = 0.0) -> bytes:
        self.request = request
        return self.reply


def encode_state(state: wire.State, wanted: Wanted) -> bytes:
    """As native/requests.cpp writes it."""
    parts = [struct.pack("<BBQQ", 0, state.changed, state.key, state.pass_ns)]
    parts.append(struct.pack("<q", state.metrics["ir_instructions"]))
    parts += [struct.pack("<q", state.metrics[name]) for name in wanted.metric_names]
    for name in wanted.view_names:
        view = state.views[name]
        encoded = view.encode() if isinstance(view, str) else view.tobytes()
        parts += [struct.pack("<I", len(encoded)), encoded]
    return b"".join(parts)


@st.composite
def states(draw) -> tuple[wire.State, Wanted]:
    wanted = Wanted.of(draw(metric_sets), draw(view_sets))
    numbers = st.lists(int64, max_size=80).map(lambda v: np.array(v, np.int64))
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
    return wire.State(
        draw(st.booleans()),
        draw(st.integers(0, 2**64 - 1)),
        draw(st.integers(0, 2**64 - 1)),
        {name: draw(int64) for name in ("ir_instructions", *wanted.metric_names)},
        {name: draw(text if name == "ir" else numbers) for name in wanted.view_names},
    ), wanted


class TestReplies:
    @given(states())
    def test_states(self, made):
        state, wanted = made
        got = wire.decode_state(encode_state(state, wanted), wanted)
        assert got._replace(views={}) == state._replace(views={})
        assert all(np.array_equal(got.views[name], state.views[name]) for name in state.views)
        assert list(got.views) == list(wanted.view_names)

    @given(states(), st.data())
    def test_truncated_states(self, made, data):
        state, wanted = made
        reply = encode_state(state, wanted)
        fixed = 26 + 8 * len(wanted.metric_names)
        cut = reply[: data.draw(st.integers(1, fixed - 1))]
        with pytest.raises((struct.error, ValueError)):
            wire.decode_state(cut, wanted)

    @given(
        st.lists(
            st.tuples(
                st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
                st.integers(0, 2**64 - 1),
                int64,
                st.integers(-1, 2**40),
            ),
            max_size=20,
        )
    )
    def test_functions(self, rows):
        reply = b"\0"
        for name, *numbers in rows:
            encoded = name.encode()
            reply += struct.pack("<I", len(encoded)) + encoded + struct.pack("<Qqq", *numbers)
        records = wire.decode_functions(reply)
        assert [tuple(r[:3]) for r in records] == [row[:3] for row in rows]
        assert [r.text_bytes for r in records] == [None if r[3] < 0 else r[3] for r in rows]

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (1, errors.InvalidModuleError),
            (2, errors.UnknownPassError),
            (3, errors.ModuleTooLargeError),
            (4, errors.CodegenError),
            (5, errors.VerifyError),
            (6, errors.SessionError),
            (7, ValueError),
            (8, errors.SessionCrashedError),
            (9, errors.SessionTimeoutError),
            (10, errors.NotRunnableError),
            (200, errors.SessionError),
        ],
    )
    def test_errors(self, status, kind):
        reply = bytes((status,)) + "what went wrong: ünïcode ".encode() + b"\xff"
        for call in (
            lambda s: s.observe(),
            lambda s: s.functions(),
            lambda s: s.snapshot(),
            lambda s: s.verify(),
            lambda s: s.load(b""),
        ):
            with pytest.raises(kind, match="what went wrong: ünïcode \ufffd"):
                call(FakeEngine(reply))


class TestRequests:
    @given(module=st.binary(max_size=100), level=st.sampled_from(sorted(wire.LEVELS)))
    def test_load(self, module, level):
        request = wire.load_request(module, level, 2.5, wire.NOTHING)
        assert request[0] == wire.Verb.LOAD
        assert request[1] == wire.LEVELS[level]
        assert struct.unpack_from("<dII", request, 2) == (2.5, 4, 0)
        assert request[18:] == module

    def test_load_at_an_unknown_level(self):
        with pytest.raises(ValueError, match=r"unknown level 'oz'; expected one of .*'Oz'"):
            wire.load_request(b"", "oz", 1.0, wire.NOTHING)

    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

    @given(pipeline=texts, options=st.dictionaries(texts, texts, max_size=5))
    def test_step(self, pipeline, options):
        request = wire.step_request(pipeline, options, Wanted.of(tuple(METRICS), tuple(VIEWS)))
        metrics, views, count = struct.unpack_from("<IIH", request, 1)
        assert (metrics, views, count) == (7, sum(VIEWS.values()), len(options))
        at, read = 11, []
        for _ in range(2 * count):
            (length,) = struct.unpack_from("<I", request, at)
            read.append(request[at + 4 : at + 4 + length].decode())
            at += 4 + length
        assert dict(zip(read[::2], read[1::2], strict=True)) == options
        assert request[at:].decode() == pipeline

    def test_wanted(self):
        assert Wanted.of() == wire.NOTHING
        assert Wanted.of(("ir_instructions",)) == wire.NOTHING
        assert Wanted.of(("ir_instructions",), key=False) == wire.NO_KEY
        everything = Wanted.of(tuple(reversed(METRICS)), tuple(reversed(VIEWS)))
        assert everything == Wanted.of(tuple(METRICS), tuple(VIEWS))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((("text_size",),), r"unknown metric 'text_size'.*'text_size_bytes'\?"),
            (((), ("autofase",)), r"unknown view 'autofase'.*Did you mean 'autophase'\?"),
        ],
    )
    def test_wanting_what_there_is_not(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            Wanted.of(*arguments)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        b"\x00",
        b"\xff",
        bytes((wire.Verb.LOAD,)),
        bytes((wire.Verb.LOAD, 3)) + bytes(15),
        bytes((wire.Verb.STEP,)) + bytes(9),
        bytes((wire.Verb.STEP,)) + struct.pack("<IIH", 0, 0, 60000) + b"\xff" * 8,
        bytes((wire.Verb.STEP,)) + struct.pack("<IIHI", 0, 0, 1, 0xFFFFFFFF) + b"x",
        bytes((wire.Verb.OBSERVE, 1, 2)),
        bytes((wire.Verb.EMIT,)),
        bytes((wire.Verb.FORK,)),
    ],
    ids=lambda r: r[:12].hex() or "empty",
)
def test_short_and_unknown_requests(local, modules, request_bytes):
    local.load(modules["loops"])
    with pytest.raises(ValueError, match="request"):
        wire.raise_on_error(local._request(request_bytes))


def test_an_unknown_kind_of_output(local, modules):
    local.load(modules["loops"])
    with pytest.raises(ValueError, match="unknown output kind"):
        wire.raise_on_error(local._request(bytes((wire.Verb.EMIT, 77))))


FUZZ = """
import random, sys
from mirgym import _native
engine, source = _native.Engine(), random.Random(int(sys.argv[1]))
module = open(sys.argv[2], "rb").read()
load = bytes((1, 0)) + bytes(16)
engine.handle(load + module)
statuses = set()
for round in range(4000):
    size = source.choice((0, 1, 2, 9, 17, 30, 200))
    request = bytes((source.randrange(12),)) + source.randbytes(size)
    if source.random() < 0.3:  # a request that is right but for a few bytes
        request = bytearray(source.choice((load + module, b"\\x02" + bytes(10) + b"function(dce)")))
        for _ in range(source.randrange(1, 4)):
            request[source.randrange(min(len(request), 30))] = source.randrange(256)
        request = bytes(request)
    reply = engine.handle(request)
    assert isinstance(reply, bytes) and reply
    statuses.add(reply[0])
print("done", sorted(statuses))
"""


def test_random_requests_get_a_reply(modules, tmp_path):
    """In a process of its own, since a crash is what is looked for."""
    path = tmp_path / "module.bc"
    path.write_bytes(modules["floats"])
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(random.Random(7).randrange(1000)), str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("done [0, 1, 2")
    assert done.stderr == ""


def test_arrays_are_read_only(modules):
    with InProcessSession() as session:
        state = session.load(modules["loops"], wanted=Wanted.of((), ("autophase",)))
        with pytest.raises(ValueError, match="read-only"):
            state.views["autophase"][0] = 1
