"""The incremental size of code against the size of the whole object, step by step."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirgym.passes import catalogue
from mirgym.session import InProcessSession
from mirgym.wire import Wanted

BOTH = Wanted.of(("text_size_bytes", "object_text_size_bytes"))
INCREMENTAL = Wanted.of(("text_size_bytes",))
CORE = [p.pipeline for p in catalogue()]


def assert_equal(state, where: str) -> None:
    """Equal within 0.2 %, or a short jump where the module is tiny."""
    quick, whole = state.metrics["text_size_bytes"], state.metrics["object_text_size_bytes"]
    assert abs(quick - whole) <= max(4, 0.002 * whole), f"{where}: {quick} != {whole}"


@settings(max_examples=25)
@given(
    name=st.sampled_from(["loops", "strings", "features", "floats"]),
    level=st.sampled_from(["as-is", "Oz", "Os", "O3"]),
    sequence=st.lists(st.sampled_from(CORE), min_size=1, max_size=12),
)
def test_every_step_of_random_sequences(modules, name, level, sequence):
    with InProcessSession() as session:
        assert_equal(session.load(modules[name], level=level, wanted=BOTH), "load")
        for pipeline in sequence:
            assert_equal(session.step(pipeline, wanted=BOTH), f"{name} after {pipeline}")


@settings(max_examples=8)
@given(data=st.data(), sequence=st.lists(st.sampled_from(CORE), min_size=1, max_size=5))
def test_real_programs(real_modules, data, sequence):
    name = data.draw(st.sampled_from(sorted(real_modules)))
    with InProcessSession() as session:
        assert_equal(session.load(real_modules[name], level="Oz", wanted=BOTH), "load")
        for pipeline in sequence[:-1]:
            session.step(pipeline, wanted=INCREMENTAL)
        assert_equal(session.step(sequence[-1], wanted=BOTH), f"{name} after {sequence}")


@pytest.mark.parametrize("level", ["O0", "O1", "O2", "O3", "Os", "Oz"])
@pytest.mark.parametrize("name", ["loops", "strings", "features", "floats", "cpp"])
def test_levels(local, modules, name, level):
    local.load(modules[name], level=level)
    if level != "O0":
        local.step(f"default<{'O2' if level in ('Os', 'Oz') else level}>")
    assert_equal(local.observe(BOTH), f"{name} at {level}")


SNIPPETS = {
    "tail calls": """static __attribute__((noinline)) int g(int x) { return x / 3; }
        static __attribute__((noinline)) int h(int x) { return g(x + 1); }
        int f(int x) { return x & 1 ? g(x) : h(x); }""",
    "no return": """void stop(void) __attribute__((noreturn));
        static __attribute__((noinline)) void fail(void) { stop(); }
        int f(int x) { if (x) fail(); return 1; } int g(int x) { fail(); return x; }""",
    "constant struct": """struct s { double a, b; }; static double sum(struct s v) { return v.a + v.b; }
        double f(void) { struct s v = {1.0, 2.5}; return sum(v); }""",
    "large table": "static const int t[512] = {1,2,3}; int f(unsigned i) { return t[i & 511]; }",
    "string copy": """#include <string.h>
        void f(char *p) { strcpy(p, "copied as immediate values"); memcpy(p + 40, "abcdefg", 8); }""",
    "sections": """__attribute__((section(".text.mine"))) int f(int x) { return x * 5; }
        __attribute__((section(".text.mine"))) int g(int x) { return x * 9 + 1; }
        __attribute__((section("other"))) int h(int x) { return x * 11 + 1; }""",
    "cold and hot": """__attribute__((cold)) int f(int x) { return x * 5; }
        __attribute__((cold)) int g(int x) { return x * 3; }
        __attribute__((hot)) int h(int x) { return x * 11 + 1; }""",
    "constructor": "int v; __attribute__((constructor)) static void f(void) { v = 3; }",
    "weak and alias": """__attribute__((weak)) int f(int x) { return x; }
        int g(int x) { return f(x) + 1; } int h(int) __attribute__((alias("g")));""",
    "alignment": """__attribute__((aligned(64))) int f(int x) { return x + 1; }
        __attribute__((aligned(128))) int g(int x) { return x + 2; } int h(int x) { return x; }""",
    "module assembly": '__asm__(".text\\n.globl raw\\nraw: nop\\nret"); int f(void) { return 1; }',
    "nothing": "int v = 3;",
}


@pytest.mark.parametrize("level", ["O2", "Oz"])
@pytest.mark.parametrize("name", SNIPPETS)
def test_snippets(local, compile_c, name, level):
    local.load(compile_c(SNIPPETS[name]), level=level)
    assert_equal(local.observe(BOTH), name)
    assert_equal(local.step("default<O2>", wanted=BOTH), f"{name} optimised")


def test_is_the_text_sections_only(local, compile_c):
    """Constants and data do not count, as they do for Berkeley `size`."""
    small = compile_c("const char t[1] = {1}; char v[1]; int f(void) { return t[0] + v[0]; }")
    large = compile_c("const char t[9999] = {1}; char v[9999]; int f(void) { return t[0] + v[0]; }")
    sizes = [local.load(m, wanted=BOTH).metrics["text_size_bytes"] for m in (small, large)]
    assert sizes[0] == sizes[1] > 0


def test_unlikely_text_counts(local, compile_c):
    warm = "int f(int x) { return x * 1234 + 5; }"
    cold = "__attribute__((cold)) " + warm
    sizes = [local.load(compile_c(s), wanted=BOTH).metrics["text_size_bytes"] for s in (warm, cold)]
    assert sizes[0] == sizes[1]


def test_oz_is_smaller_than_o2(local, modules):
    sizes = {}
    for level in ("O2", "Oz"):
        local.load(modules["strings"], level=level)
        sizes[level] = local.step("default<O2>", wanted=INCREMENTAL).metrics["text_size_bytes"]
    assert sizes["Oz"] < sizes["O2"]


def test_measuring_does_not_change_the_module(local, modules):
    """Code generation changes IR; it must work on a copy."""
    local.load(modules["cpp"])
    text = local.emit("ll")
    local.observe(BOTH)
    assert local.emit("ll") == text
