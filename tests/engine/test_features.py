"""The integer features against golden arrays and a slow reference over printed IR."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirgym.features import (
    AUTOPHASE_NAMES,
    FUNCTION_FEATURES,
    INSTCOUNT_NAMES,
    IR2VEC_NAMES,
    TOTAL_INSTRUCTIONS,
)
from mirgym.passes import catalogue
from mirgym.session import InProcessSession
from mirgym.wire import Wanted

from ..reference import features as reference
from ..reference.ir_text import parse, parse_instruction

VIEWS = Wanted.of((), ("instcount", "autophase", "ir"))
GOLDEN = Path(__file__).parents[1] / "data" / "golden"
PASSES = [p.pipeline for p in catalogue("core", "dormant")]

STRAIGHT = {  # counted by hand
    "TotalFuncs": 1, "TotalBlocks": 1, "TotalInsts": 5, "TotalMemInst": 2, "BlockLow": 1,
    "BBNoPhi": 1, "NumLoadInst": 2, "NumAddInst": 1, "NumMulInst": 1, "NumRetInst": 1,
    "const32Bit": 1, "numConstOnes": 1, "binaryConstArg": 1, "testUnary": 2,
}  # fmt: skip
LOOP = {  # entry: 2 successors; body: 2 predecessors; exit: 2 predecessors; all edges critical
    "TotalFuncs": 2, "TotalBlocks": 3, "TotalInsts": 11, "NumEdges": 4, "CriticalCount": 4,
    "twoSuccessor": 2, "twoPred": 2, "twoEach": 1, "BranchCount": 2, "NumBrInst": 2,
    "BeginPhi": 2, "NumPHIInst": 3, "ArgsPhi": 6, "BB03Phi": 2, "BBNoPhi": 1,
    "BBNumArgsLo": 2, "BlockLow": 3, "NumICmpInst": 2, "NumAddInst": 2, "NumRetInst": 1,
    "NumCallInst": 1, "TotalMemInst": 1, "returnInt": 1, "const32Bit": 5,
    "numConstZeroes": 2, "numConstOnes": 2, "binaryConstArg": 1,
}  # fmt: skip


def test_lengths_and_names():
    assert len(INSTCOUNT_NAMES) == len(set(INSTCOUNT_NAMES)) == 70
    assert len(AUTOPHASE_NAMES) == len(set(AUTOPHASE_NAMES)) == 56
    assert len(IR2VEC_NAMES) == len(set(IR2VEC_NAMES)) == 112
    names = {"instcount": INSTCOUNT_NAMES, "autophase": AUTOPHASE_NAMES, "ir2vec": IR2VEC_NAMES}
    widths = {name: part.stop - part.start for name, part in FUNCTION_FEATURES.items()}
    assert widths == {name: len(columns) for name, columns in names.items()}
    assert TOTAL_INSTRUCTIONS == {"instcount": 0, "autophase": 51}


@pytest.mark.parametrize(("name", "counted"), [("straight", STRAIGHT), ("loop", LOOP)])
def test_counted_by_hand(local, name, counted):
    state = local.load((GOLDEN / f"{name}.ll").read_bytes(), wanted=VIEWS)
    values = dict(zip(AUTOPHASE_NAMES, state.views["autophase"].tolist(), strict=True))
    assert {n: v for n, v in values.items() if v} == counted


IR2VEC = {
    "straight": {
        "Ret": 1, "Add": 1, "Mul": 1, "Load": 2, "VoidTy": 1, "IntegerTy": 4, "Pointer": 2,
        "Constant": 1, "Variable": 4,
    },
    "loop": {  # labels count as variables in LLVM
        "Ret": 1, "CondBr": 2, "Add": 2, "ICmp": 2, "PHI": 3, "Call": 1, "VoidTy": 3,
        "IntegerTy": 8, "Function": 1, "Constant": 5, "Variable": 17, "ICMP_eq": 1,
        "ICMP_ult": 1,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", IR2VEC)
def test_ir2vec_counted_by_hand(local, name):
    wanted = Wanted.of(views=("ir2vec",))
    state = local.load((GOLDEN / f"{name}.ll").read_bytes(), wanted=wanted)
    values = dict(zip(IR2VEC_NAMES, state.views["ir2vec"].tolist(), strict=True))
    assert {n: v for n, v in values.items() if v} == IR2VEC[name]


def test_ir2vec_leaves_out_what_cannot_be_reached(local):
    text = "define void @f() {\n  ret void\ndead:\n  ret void\n}\n"
    state = local.load(text.encode(), wanted=Wanted.of(views=("ir2vec",)))
    assert state.views["ir2vec"][IR2VEC_NAMES.index("Ret")] == 1


def test_features_of_functions_add_up(local, modules):
    """Declarations have a row in none; they count in TotalFuncs and in Autophase's."""
    wanted = Wanted.of(views=("instcount", "autophase", "ir2vec", "function_features"))
    for module in modules.values():
        local.load(module)
        for pipeline in ("no-op-module", "sroa", "inline"):
            views = local.step(pipeline, wanted=wanted).views
            rows = views["function_features"]
            assert len(rows) == len(local.functions())
            for name, columns in FUNCTION_FEATURES.items():
                missing = views[name] - rows[:, columns].sum(0)
                names = {"instcount": INSTCOUNT_NAMES, "autophase": AUTOPHASE_NAMES}.get(name)
                counted = {names[i] for i in np.flatnonzero(missing)} if names else set()
                assert counted <= {"TotalFuncs"}
                assert names or not missing.any()


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.ll")), ids=lambda p: p.stem)
class TestGolden:
    def test_engine(self, local, path):
        golden = json.loads((GOLDEN / "features.json").read_text())[path.stem]
        state = local.load(path.read_bytes(), wanted=VIEWS)
        assert state.views["instcount"].dtype == np.int64
        assert state.views["instcount"].tolist() == golden["instcount"]
        assert state.views["autophase"].tolist() == golden["autophase"]

    def test_reference(self, local, path):
        golden = json.loads((GOLDEN / "features.json").read_text())[path.stem]
        local.load(path.read_bytes())
        text = local.emit("ll").decode()
        assert reference.instcount(text) == golden["instcount"]
        assert reference.autophase(text) == golden["autophase"]


@pytest.mark.parametrize("level", ["O0", "O1", "O2", "O3", "Oz"])
def test_equal_to_the_reference_at_each_level(local, modules, level):
    for module in modules.values():
        local.load(module, level=level)
        if level != "O0":
            local.step("default<O2>" if level == "Oz" else f"default<{level}>")
        assert_as_reference(local)


@settings(max_examples=25)
@given(data=st.data())
def test_equal_to_the_reference_in_random_states(real_modules, data):
    with InProcessSession() as session:
        session.load(real_modules[data.draw(st.sampled_from(sorted(real_modules)))])
        for pipeline in data.draw(st.lists(st.sampled_from(PASSES), min_size=1, max_size=10)):
            session.step(pipeline, wanted=VIEWS)  # fills the caches that the next step mends
        assert_as_reference(session)


def assert_as_reference(session: InProcessSession) -> None:
    state = session.observe(VIEWS)
    text = state.views["ir"]
    for view, names in (("instcount", INSTCOUNT_NAMES), ("autophase", AUTOPHASE_NAMES)):
        expected = dict(zip(names, getattr(reference, view)(text), strict=True))
        assert dict(zip(names, state.views[view].tolist(), strict=True)) == expected


class TestReferenceParser:
    """The oracle needs a test of its own."""

    def test_blocks_and_edges(self, local):
        local.load((GOLDEN / "loop.ll").read_bytes())
        declared, loop = parse(local.emit("ll").decode())
        assert (declared.name, declared.blocks) == ("@next", [])
        assert [b.label for b in loop.blocks] == ["%entry", "%body", "%exit"]
        assert [len(b.instructions) for b in loop.blocks] == [2, 7, 2]
        assert loop.blocks[1].instructions[-1].successors == ["%body", "%exit"]

    @pytest.mark.parametrize(
        ("text", "operands"),
        [
            ("%a = add nuw nsw i32 %b, -3", [("i32", "%b"), ("i32", "-3")]),
            ("store volatile i8 1, ptr @g, align 1", [("i8", "1"), ("ptr", "@g")]),
            (
                "%p = getelementptr inbounds nuw [4 x { i8, i64 }], ptr %q, i64 0, i32 1",
                [("ptr", "%q"), ("i64", "0"), ("i32", "1")],
            ),
            ("%c = call noundef range(i32 0, 9) i32 @f(i1 zeroext true) #3", [("i1", "true")]),
            ("%v = alloca %struct.s, align 8", [("i32", "1")]),
            ("%x = select i1 %c, i64 0, i64 ptrtoint (ptr @g to i64)",
             [("i1", "%c"), ("i64", "0"), ("i64", "ptrtoint")]),
            ("%y = phi i8 [ 0, %a ], [ %n, %b ]", [("i8", "0"), ("i8", "%n")]),
            ("ret void", []),
        ],
    )  # fmt: skip
    def test_operands(self, text, operands):
        assert [(o.type, o.value) for o in parse_instruction(text).operands] == operands
