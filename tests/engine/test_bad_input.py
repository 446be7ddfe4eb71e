"""Modules that are not: one clear error each, and never the parent's death."""

from __future__ import annotations

import contextlib
import random

import pytest

from mirgym import _native, errors
from mirgym.session import Session
from mirgym.wire import METRICS, VIEWS, Wanted
from mirgym.worker import WorkerLimits, WorkerSession

EVERYTHING = Wanted.of(tuple(METRICS), tuple(VIEWS))
HEADER = 'target triple = "x86_64-unknown-linux-gnu"\n'

BAD = {
    "empty": (b"", r"the input is empty \(0 bytes\); expected LLVM bitcode or IR text"),
    "prose": (b"This is not a program.\n", r"line 1: .*neither LLVM bitcode nor LLVM IR"),
    "source": (b"int main(void) { return 0; }\n", r"line 1: .*compile it with clang -emit-llvm"),
    "an object": (b"\x7fELF\x02\x01\x01" + bytes(100), r"a binary file without the bitcode magic"),
    "zeros": (bytes(1000), "not an LLVM module: a binary file"),
    "noise": (random.Random(3).randbytes(1 << 20), "module: "),
    "only the magic": (b"BC\xc0\xde", r"cannot read this bitcode.*truncated, damaged"),
    "magic and noise": (b"BC\xc0\xde" + random.Random(4).randbytes(4096), "cannot read this"),
    "cut text": (b"define void @f() {\n  ret", r"line 2: "),
    "a type error": (b"define i32 @f() {\n  ret i64 0\n}", r"line 2: .*i32"),
    "not valid": (
        b"define i32 @f(i1 %c) {\n br i1 %c, label %a, label %b\na:\n %x = add i32 1, 1\n"
        b" br label %b\nb:\n ret i32 %x\n}",
        r"the IR does not verify: .*dominate",
    ),
    "a newer LLVM": (
        b"define void @f() {\n  %x = frobnicate i32 0\n  ret void\n}",
        r"line 2: expected instruction opcode.*that LLVM 23",
    ),
}


@pytest.mark.parametrize("name", BAD)
class TestRefused:
    def test_by_load(self, session: Session, name):
        data, message = BAD[name]
        with pytest.raises(errors.InvalidModuleError, match=f"(?s){message}"):
            session.load(data)

    def test_by_read_module(self, name):
        data, message = BAD[name]
        with pytest.raises(_native.EngineError, match=f"(?s)some/path.*{message[-12:]}"):
            _native.read_module(data, "some/path")

    def test_and_nothing_is_printed(self, local, name, capfd):
        with pytest.raises(errors.InvalidModuleError, match="module: "):
            local.load(BAD[name][0])
        assert capfd.readouterr() == ("", "")


@contextlib.contextmanager
def error_or_not():
    """Damaged bitcode may still be a module; anything but an error of ours fails."""
    with contextlib.suppress(errors.MirgymError):
        yield


@pytest.fixture(scope="module")
def hasty_worker():
    with WorkerSession(WorkerLimits(step_seconds=2.0)) as made:
        yield made


def test_truncated_bitcode(hasty_worker, modules):
    module = modules["strings"]
    for cut in range(4, len(module), max(4, len(module) // 40 // 4 * 4)):
        with pytest.raises(errors.InvalidModuleError, match="truncated, damaged"):
            hasty_worker.load(module[:cut])
    assert hasty_worker.load(module).key


def test_truncated_at_odd_places(hasty_worker, modules):
    module = modules["strings"]
    for cut in range(5, len(module), len(module) // 20 | 1):
        with error_or_not():
            hasty_worker.load(module[:cut])
    assert hasty_worker.load(module).key


@pytest.mark.parametrize("name", ["floats", "strings"])
def test_flipped_bits(hasty_worker, modules, name):
    source = random.Random(11)
    crashes = 0
    for _ in range(100):
        damaged = bytearray(modules[name])
        damaged[source.randrange(len(damaged))] ^= 1 << source.randrange(8)
        try:
            hasty_worker.load(bytes(damaged))
            with error_or_not():
                hasty_worker.step("function(sroa,simplifycfg)")
        except (errors.SessionCrashedError, errors.SessionTimeoutError):
            crashes += 1
        except errors.InvalidModuleError:
            pass
    assert crashes < 50  # LLVM's reader trusts some of what it reads
    assert hasty_worker.load(modules[name]).key


class TestOddButValid:
    def test_no_functions(self, session: Session):
        state = session.load(b"@v = global i32 3", wanted=EVERYTHING)
        assert state.metrics == {
            "ir_instructions": 0, "text_size_bytes": 0, "object_text_size_bytes": 0,
        }  # fmt: skip
        assert not state.views["instcount"].any()
        assert session.functions() == []
        assert not session.step("default<O2>").metrics["ir_instructions"]
        session.verify()

    def test_nothing_at_all(self, session: Session):
        assert session.load(b"; a comment").metrics["ir_instructions"] == 0
        assert session.load(b"\n").metrics["ir_instructions"] == 0

    def test_only_declarations(self, session: Session):
        text = HEADER + "declare void @f()\ndeclare i32 @g(ptr)\n"
        state = session.load(text.encode(), wanted=EVERYTHING)
        assert state.metrics["text_size_bytes"] == state.metrics["object_text_size_bytes"] == 0
        assert state.views["instcount"][2] == 2
        assert session.functions() == []

    def test_typed_pointers_of_old_text(self, session: Session):
        key = session.load(b"define void @f(i32* %p) {\n  ret void\n}").key
        assert session.load(b"define void @f(ptr %p) {\n  ret void\n}").key == key

    def test_names_that_are_not_utf8(self, session: Session):
        state = session.load(b'define void @"\\FF\\FE"() {\n  ret void\n}', wanted=EVERYTHING)
        assert state.metrics["ir_instructions"] == 1
        assert len(session.functions()) == 1

    def test_a_long_pipeline(self, session: Session, modules):
        session.load(modules["loops"])
        assert session.step(",".join(["function(dce)"] * 2000)).metrics["ir_instructions"] > 0


class TestLink:
    def test_two(self, compile_c, local):
        one = compile_c("int g(int); int f(int x) { return g(x) + 1; }")
        other = compile_c("int g(int x) { return x * 2; }")
        local.load(_native.link_bitcode([one, other]))
        assert {r.name for r in local.functions()} == {"f", "g"}

    def test_text_and_bitcode(self, compile_c, local, tiny):
        local.load(_native.link_bitcode([tiny, b"@extra = global i32 7"]))
        assert b"@extra" in local.emit("ll")

    def test_nothing(self):
        with pytest.raises(_native.EngineError, match="nothing to link"):
            _native.link_bitcode([])

    def test_the_same_function_twice(self, tiny):
        with pytest.raises(_native.EngineError, match=r"module 2: cannot be linked.*twice"):
            _native.link_bitcode([tiny, tiny])

    def test_a_bad_one_is_named(self, tiny):
        with pytest.raises(_native.EngineError, match="module 2: the input is empty"):
            _native.link_bitcode([tiny, b""])
