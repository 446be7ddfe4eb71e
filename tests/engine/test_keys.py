"""Structural keys against printed IR: equal keys only for functions that print the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirgym.passes import catalogue
from mirgym.session import InProcessSession, Session

PASSES = [p.pipeline for p in catalogue("core", "dormant")]
NAME = re.compile(r'%("[^"]*"|[-\w$.]+)|^("[^"]*"|[-\w$.]+):', re.MULTILINE)

FLAGS = """
declare float @llvm.fabs.f32(float)
define float @f(float %x, i32 %n, ptr %p, i1 %c) {{
entry:
  %a = add {0} i32 %n, 1
  %l = lshr {1} i32 %a, 1
  %o = or {2} i32 %l, 64
  %z = zext {3} i32 %o to i64
  %t = trunc {0} i64 %z to i8
  %i = icmp {4} ult i32 %o, %n
  %g = getelementptr {5} i8, ptr %p, i64 %z
  %m = fmul {6} float %x, 2.0
  %e = fneg {6} float %m
  %q = fcmp {6} olt float %e, %x
  %s = select {6} i1 %q, float %m, float %x
  %b = call {6} float @llvm.fabs.f32(float %s)
  %u = uitofp {7} i8 %t to float
  %d = fpext {6} float %b to double
  %v = load {8} i32, ptr %g
  store {8} i32 %v, ptr %p
  br i1 %i, label %more, label %end
more:
  br label %end
end:
  %h = phi {6} float [ %u, %entry ], [ %b, %more ]
  %k = fptrunc {6} double %d to float
  ret float %h
}}
"""
CHOICES = (
    ["", "nuw", "nsw", "nuw nsw"],
    ["", "exact"],
    ["", "disjoint"],
    ["", "nneg"],
    ["", "samesign"],
    ["", "inbounds", "nusw", "nuw", "nusw nuw", "inbounds nuw"],
    ["", "fast", "reassoc", "nnan", "ninf", "nsz", "arcp", "contract", "afn", "nnan nsz"],
    ["", "nneg", "fast", "fast nneg"],
    ["", "volatile"],
)
PLACES = [m.start() for m in re.finditer(r"\{\d\}", FLAGS)]


@pytest.mark.parametrize(
    "place", PLACES, ids=lambda p: FLAGS[p - 12 : p].rpartition("= ")[2].strip()
)
def test_each_flag_is_in_the_key(local, place):
    choices = CHOICES[int(FLAGS[place + 1])]
    keys = set()
    for flag in choices:
        text = (FLAGS[:place] + flag + FLAGS[place + 3 :]).format(*[""] * len(CHOICES))
        state = local.load(text.encode())
        (record,) = local.functions()
        keys.add((state.key, record.key))
    assert len({module for module, _ in keys}) == len(keys) == len(choices)
    assert len({function for _, function in keys}) == len(choices)


@settings(max_examples=25)
@given(data=st.data())
def test_equal_keys_mean_equal_text(real_modules, data):
    text_of: dict[int, str] = {}
    with InProcessSession() as session:
        session.load(real_modules[data.draw(st.sampled_from(sorted(real_modules)))])
        for pipeline in data.draw(st.lists(st.sampled_from(PASSES), min_size=1, max_size=10)):
            session.step(pipeline)
            texts = function_texts(session)
            for record in session.functions():
                text = texts.get(record.name)
                assert text is None or text_of.setdefault(record.key, text) == text, pipeline


def function_texts(session: Session) -> dict[str, str]:
    """Functions as printed, without the names of local values and numbers of metadata."""
    text = session.emit("ll").decode()
    text = re.sub(
        r"^ *(#dbg_.*|;.*)\n| *; (preds = .*|No predecessors!)", "", text, flags=re.MULTILINE
    )
    text = re.sub(r", !dbg !\d+|[!#]\d+", "", text)
    texts = {}
    for one in re.findall(r"^define .*?^}$", text, re.MULTILINE | re.DOTALL):
        token = re.search(r'@("[^"]*"|[-\w$.]+)\(', one)[1]
        body = re.sub(f"@{re.escape(token)}(?=\\W)", "", one)  # itself
        if not token.isdigit():  # else without a name
            texts[token.strip('"')] = with_numbers(body)
    return texts


def with_numbers(body: str) -> str:
    """Values, blocks and types by the order in which they are met."""
    numbers: dict[str, int] = {}
    return NAME.sub(lambda m: f"%{numbers.setdefault(m[1] or m[2], len(numbers))}", body)
