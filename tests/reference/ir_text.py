"""A small parser of printed LLVM IR: blocks, instructions, edges, operands.

It knows as much of the language as the integer features need: for each instruction its
opcode, its operands with their types, and the blocks it may go to. It reads what LLVM
prints, not everything that LLVM accepts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .ir_tokens import BINARY, CASTS, Operand, Tokens


@dataclass
class Instruction:
    """One instruction.

    Attributes:
        callee: What a call names, with the type that it returns.
        arguments: The operands of a call without those in bundles.
        type: Of what a call returns, a load loads, a cast makes, an alloca allocates,
            a getelementptr starts from.
        words: Flags and the like before the first type.
        rest: The tokens that the parser did not need.
    """

    opcode: str
    name: str = ""
    operands: list[Operand] = field(default_factory=list)
    successors: list[str] = field(default_factory=list)
    incoming: int = 0
    callee: Operand | None = None
    arguments: int = 0
    type: str = ""
    words: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)


@dataclass
class Block:
    """A basic block; the first one of a function may have no label."""

    label: str
    instructions: list[Instruction] = field(default_factory=list)


@dataclass
class Function:
    """A definition, or a declaration (without blocks)."""

    name: str
    blocks: list[Block] = field(default_factory=list)
    arguments: list[Operand] = field(default_factory=list)


def parse(text: str) -> list[Function]:
    """The functions of a module, in order."""
    functions: list[Function] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("declare "):
            functions.append(Function(_function_name(line)))
        elif line.startswith("define "):
            name = _function_name(line)
            functions.append(Function(name, _parse_body(lines), _arguments(line, name)))
    return functions


def _function_name(line: str) -> str:
    found = re.search(r'@("[^"]*"|[-\w$.]+)\(', line)
    assert found, line
    return "@" + found[1]


def _arguments(line: str, name: str) -> list[Operand]:
    tokens = Tokens(line[line.index(name + "(") + len(name) :])
    tokens.expect("(")
    found = []
    while not tokens.accept(")", "..."):
        found.append(tokens.typed_value())
        tokens.accept(",")
    return found


def _parse_body(lines) -> list[Block]:
    blocks: list[Block] = []
    pending: list[str] = []

    def finish() -> None:
        if pending:
            blocks[-1].instructions.append(parse_instruction(" ".join(pending)))
            pending.clear()

    for line in lines:
        if line == "}":
            finish()
            return blocks
        label = re.match(r'("[^"]*"|[-\w$.]+):', line)
        if label:
            finish()
            blocks.append(Block("%" + label[1]))
        elif line.startswith("    #dbg_"):
            continue
        elif re.match(r"  \S", line) and not line.startswith("  ]"):
            finish()
            if not blocks:
                blocks.append(Block(""))
            pending.append(line.strip())
        elif line.strip():
            pending.append(line.strip())
    raise AssertionError("the function does not end")


def parse_instruction(text: str) -> Instruction:
    """One instruction, its continuation lines joined."""
    try:
        return _parse(Tokens(text))
    except (IndexError, AssertionError) as error:
        raise AssertionError(f"cannot parse: {text}") from error


def _parse(tokens: Tokens) -> Instruction:
    name = ""
    if tokens.peek(1) == "=":
        name = tokens.next()
        tokens.next()
    while tokens.peek() in ("tail", "musttail", "notail"):
        tokens.next()
    made = Instruction(tokens.next(), name)
    if made.opcode in BINARY:
        _two_of_one_type(tokens, made)
    elif made.opcode in CASTS or made.opcode in ("fneg", "freeze", "va_arg", "resume"):
        made.words = tokens.skip_words_until_type()
        made.operands.append(tokens.typed_value())
        if tokens.accept("to", ","):
            made.type = tokens.type()
    else:
        PARSERS.get(made.opcode, _list_of_values)(tokens, made)
    made.rest = tokens.items[tokens.at :]
    return made


def _two_of_one_type(tokens: Tokens, made: Instruction) -> None:
    made.words = tokens.skip_words_until_type()
    kind = tokens.type()
    made.operands.append(tokens.value_of(kind))
    tokens.expect(",")
    made.operands.append(tokens.value_of(kind))


def _list_of_values(tokens: Tokens, made: Instruction) -> None:
    """Flags, then typed values with commas between them, up to anything else."""
    made.words += tokens.skip_words_until_type()
    _values(tokens, made)


def _values(tokens: Tokens, made: Instruction) -> None:
    while tokens.at_type():
        if tokens.peek() == "void":
            return
        operand = tokens.typed_value()
        if operand.type == "label":
            made.successors.append(operand.value)
        else:
            made.operands.append(operand)
        if not tokens.accept(","):
            return


def _nothing(tokens: Tokens, made: Instruction) -> None:
    """No operands that count."""


def _type_then_values(tokens: Tokens, made: Instruction) -> None:
    made.words += tokens.skip_words_until_type()
    made.type = tokens.type()
    if tokens.accept(","):
        _values(tokens, made)


def _alloca(tokens: Tokens, made: Instruction) -> None:
    _type_then_values(tokens, made)
    # The number of elements is an operand even when it is not printed.
    if not made.operands:
        made.operands = [Operand("i32", "1", ("1",))]


def _switch(tokens: Tokens, made: Instruction) -> None:
    _list_of_values(tokens, made)
    tokens.expect("[")
    while not tokens.accept("]"):
        _values(tokens, made)


def _indirectbr(tokens: Tokens, made: Instruction) -> None:
    made.operands.append(tokens.typed_value())
    tokens.expect(",")
    tokens.expect("[")
    _list_of_values(tokens, made)


def _phi(tokens: Tokens, made: Instruction) -> None:
    made.words += tokens.skip_words_until_type()
    made.type = tokens.type()
    while tokens.accept("[", ","):
        made.operands.append(tokens.value_of(made.type))
        tokens.expect(",")
        tokens.next()
        tokens.expect("]")
        made.incoming += 1
        if tokens.peek() != "," or tokens.peek(1) != "[":
            return
        tokens.next()


def _call(tokens: Tokens, made: Instruction) -> None:
    made.words += tokens.skip_words_until_type()
    made.type = tokens.type()
    if tokens.peek() == "(":  # the whole type of a function with varargs
        tokens.skip_group()
    made.callee = tokens.value_of(made.type)
    tokens.expect("(")
    while not tokens.accept(")"):
        made.operands.append(tokens.typed_value())
        tokens.accept(",")
    made.arguments = len(made.operands)
    _bundles(tokens, made)
    while tokens.peek():
        if tokens.accept("label"):
            made.successors.append(tokens.next())
        else:
            tokens.next()


def _bundles(tokens: Tokens, made: Instruction) -> None:
    while tokens.peek().startswith("#") or re.fullmatch(r"[a-z_]+", tokens.peek()):
        if tokens.peek() == "to":
            return
        tokens.next()
        if tokens.peek() == "(":
            tokens.skip_group()
    if not tokens.accept("["):
        return
    while not tokens.accept("]"):
        tokens.next()
        tokens.expect("(")
        while not tokens.accept(")"):
            made.operands.append(tokens.typed_value())
            tokens.accept(",")
        tokens.accept(",")


def _landingpad(tokens: Tokens, made: Instruction) -> None:
    made.type = tokens.type()
    tokens.accept("cleanup")
    while tokens.accept("catch", "filter"):
        made.operands.append(tokens.typed_value())


def _atomicrmw(tokens: Tokens, made: Instruction) -> None:
    if tokens.accept("volatile"):
        made.words.append("volatile")
    made.words.append(tokens.next())
    _list_of_values(tokens, made)


PARSERS = {
    "icmp": _two_of_one_type,
    "fcmp": _two_of_one_type,
    "alloca": _alloca,
    "load": _type_then_values,
    "getelementptr": _type_then_values,
    "switch": _switch,
    "indirectbr": _indirectbr,
    "phi": _phi,
    "call": _call,
    "invoke": _call,
    "callbr": _call,
    "atomicrmw": _atomicrmw,
    "landingpad": _landingpad,
    "fence": _nothing,
    "unreachable": _nothing,
}
