"""What a session writes can be used: by a linker, by LLVM, by another session."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from mirgym import errors
from mirgym.session import InProcessSession
from mirgym.wire import Wanted

CC = shutil.which("cc")


def build_and_run(obj: bytes, directory, *libs: str) -> str:
    if CC is None:
        pytest.skip("no C compiler to link with")
    path = directory / "program.o"
    path.write_bytes(obj)
    done = subprocess.run(
        [CC, str(path), "-o", str(directory / "program"), *libs],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return subprocess.run(
        [str(directory / "program")], capture_output=True, text=True, check=True, timeout=20
    ).stdout


@pytest.mark.parametrize("name", ["loops", "strings", "features", "floats"])
def test_an_object_links_and_runs(local, modules, tmp_path, name):
    local.load(modules[name])
    plain = build_and_run(local.emit("obj"), tmp_path, "-lm")
    assert plain.strip()
    for level in ("O3", "Oz"):
        local.load(modules[name], level=level)
        local.step("default<O2>" if level == "Oz" else "default<O3>")
        assert build_and_run(local.emit("obj"), tmp_path, "-lm") == plain


@pytest.mark.parametrize("kind", ["bc", "ll"])
def test_reads_back_to_the_same_key(local, modules, kind):
    with InProcessSession() as other:
        for module in modules.values():
            for pipeline in ("function(dce)", "function(sroa)", "default<O2>"):
                local.load(module)
                key = local.step(pipeline).key
                assert other.load(local.emit(kind)).key == key


def test_text_keeps_triple_and_layout(local, modules):
    local.load(modules["loops"])
    text = local.emit("ll").decode()
    assert "target datalayout = " in text
    assert "target triple = " in text


def test_other_llvm_tools_read_it(local, modules, tmp_path):
    clang = shutil.which("clang")
    if clang is None:
        pytest.skip("no clang on this machine")
    local.load(modules["loops"])
    (tmp_path / "a.bc").write_bytes(local.emit("bc"))
    subprocess.run([clang, "-c", "a.bc", "-o", "a.o"], cwd=tmp_path, check=True)


class TestOtherTargets:
    ARM = b"""
        target datalayout = "e-m:e-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128"
        target triple = "aarch64-unknown-linux-gnu"
        define i32 @f(i32 %x) {
          %y = add i32 %x, 0
          ret i32 %y
        }"""

    def test_passes_and_counts_work(self, session):
        assert session.load(self.ARM).metrics["ir_instructions"] == 2
        assert session.step("function(instsimplify)").metrics["ir_instructions"] == 1
        assert b"aarch64" in session.emit("ll")

    @pytest.mark.parametrize("metric", ["text_size_bytes", "object_text_size_bytes"])
    def test_there_is_no_code_to_measure(self, session, metric):
        session.load(self.ARM)
        message = "no code generator for.*aarch64.*use the objective ir_instructions"
        with pytest.raises(errors.CodegenError, match=message):
            session.observe(Wanted.of((metric,)))
        with pytest.raises(errors.CodegenError, match=message):
            session.emit("obj")
        assert session.observe().metrics["ir_instructions"] == 2

    def test_a_layout_that_does_not_fit(self, session):
        text = b"""
            target datalayout = "E-p:16:16"
            target triple = "x86_64-unknown-linux-gnu"
            define void @f() {
              ret void
            }"""
        session.load(text)
        with pytest.raises(errors.CodegenError, match="'E-p:16:16' does not fit its target x86_64"):
            session.emit("obj")
        assert session.observe().metrics["ir_instructions"] == 1

    def test_no_triple_means_this_machine(self, session):
        text = b"define i32 @f(i32 %x) {\n  %y = mul i32 %x, 77\n  ret i32 %y\n}"
        both = Wanted.of(("text_size_bytes", "object_text_size_bytes"))
        metrics = session.load(text, wanted=both).metrics
        assert metrics["text_size_bytes"] == metrics["object_text_size_bytes"] > 0
        assert session.emit("obj").startswith(b"\x7fELF")
