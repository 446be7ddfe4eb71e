"""The 70 instruction counts and the 56 Autophase features, from printed IR."""

from __future__ import annotations

from collections import Counter

from mirgym.features import AUTOPHASE_NAMES, INSTCOUNT_NAMES

from .ir_text import BINARY, CASTS, Block, Function, Instruction, parse

UNARY = CASTS | {"alloca", "load", "fneg", "va_arg", "extractvalue", "freeze"}


def _by_opcode(functions: list[Function]) -> Counter[str]:
    return Counter(i.opcode for f in functions for b in f.blocks for i in b.instructions)


def instcount(text: str) -> list[int]:
    """CompilerGym's InstCount, in the order of ``INSTCOUNT_NAMES``."""
    functions = parse(text)
    opcodes = _by_opcode(functions)
    opcodes["ptrtoint"] += opcodes.pop("ptrtoaddr", 0)
    opcodes["atomiccmpxchg"] = opcodes.pop("cmpxchg", 0)
    counts = {name: opcodes.get(name.lower(), 0) for name in INSTCOUNT_NAMES}
    counts["TotalInsts"] = sum(opcodes.values())
    counts["TotalBlocks"] = sum(len(f.blocks) for f in functions)
    counts["TotalFuncs"] = len(functions)
    return [counts[name] for name in INSTCOUNT_NAMES]


def autophase(text: str) -> list[int]:
    """Autophase as CompilerGym counts it, in the order of ``AUTOPHASE_NAMES``."""
    functions = parse(text)
    names = {f.name for f in functions}
    counts: Counter[str] = Counter()
    for function in functions:
        counts["TotalFuncs"] += 1
        before = Counter(s for b in function.blocks for i in b.instructions for s in i.successors)
        for block in function.blocks:
            _count_block(block, before, counts)
            for instruction in block.instructions:
                _count_instruction(instruction, names, counts)
    opcodes = _by_opcode(functions)
    _count_opcodes(opcodes, counts)
    return [counts[name] for name in AUTOPHASE_NAMES]


def _count_opcodes(opcodes: Counter[str], counts: Counter[str]) -> None:
    for name in AUTOPHASE_NAMES:
        if name.startswith("Num") and name.endswith("Inst"):
            counts[name] = opcodes[name[3:-4].lower()]
    counts["BranchCount"] = opcodes["br"]
    counts["TotalInsts"] = sum(opcodes.values())
    counts["TotalMemInst"] = sum(
        opcodes[o] for o in ("getelementptr", "load", "store", "call", "invoke", "alloca")
    )


def _count_block(block: Block, predecessors: Counter[str], counts: Counter[str]) -> None:
    before = predecessors[block.label]
    successors = block.instructions[-1].successors
    after = len(successors)
    counts["TotalBlocks"] += 1
    counts["NumEdges"] += after
    if after > 1:
        counts["CriticalCount"] += sum(predecessors[s] > 1 for s in successors)
    counts["UncondBranches"] += block.instructions[-1].opcode == "br" and after == 1
    counts["oneSuccessor"] += after == 1
    counts["twoSuccessor"] += after == 2
    counts["onePred"] += before == 1
    counts["twoPred"] += before == 2
    counts["morePreds"] += before > 2
    counts["onePredOneSuc"] += (before, after) == (1, 1)
    counts["onePredTwoSuc"] += (before, after) == (1, 2)
    counts["twoPredOneSuc"] += (before, after) == (2, 1)
    counts["twoEach"] += (before, after) == (2, 2)
    phis = [i for i in block.instructions if i.opcode == "phi"]
    arguments = sum(p.incoming for p in phis)
    counts["BeginPhi"] += block.instructions[0].opcode == "phi"
    counts["ArgsPhi"] += arguments
    counts["BBNoPhi"] += not phis
    counts["BB03Phi"] += 1 <= len(phis) <= 3
    counts["BBHiPhi"] += len(phis) > 3
    counts["BBNumArgsLo"] += 1 <= arguments <= 5
    counts["BBNumArgsHi"] += arguments > 5
    counts["BlockLow"] += len(block.instructions) < 15
    counts["BlockMid"] += 15 <= len(block.instructions) <= 500


def _count_instruction(one: Instruction, functions: set[str], counts: Counter[str]) -> None:
    for operand in one.operands:
        if operand.integer is None:
            continue
        width, value = operand.integer
        counts["const32Bit"] += width == 32
        counts["const64Bit"] += width == 64
        counts["numConstZeroes"] += value == 0
        counts["numConstOnes"] += value == 1
    if one.opcode == "call":
        counts["returnInt"] += one.callee.value in functions and one.type.startswith("i")
    elif one.opcode in UNARY:
        counts["testUnary"] += 1
    elif one.opcode in BINARY:
        counts["binaryConstArg"] += any(o.is_constant for o in one.operands)
