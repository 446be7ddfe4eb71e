"""The codes of the encoder's views, from the text of types, constants and instructions."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass, field

from .ir_text import Function, Instruction
from .ir_tokens import BINARY, CASTS, Operand, Tokens

OPCODE_NAMES = [
    "ret", "br", "condbr", "switch", "indirectbr", "invoke", "resume", "unreachable",
    "cleanupret", "catchret", "catchswitch", "callbr", "fneg", "add", "fadd", "sub", "fsub",
    "mul", "fmul", "udiv", "sdiv", "fdiv", "urem", "srem", "frem", "shl", "lshr", "ashr",
    "and", "or", "xor", "alloca", "load", "store", "getelementptr", "fence", "cmpxchg",
    "atomicrmw", "trunc", "zext", "sext", "fptoui", "fptosi", "uitofp", "sitofp", "fptrunc",
    "fpext", "ptrtoint", "ptrtoaddr", "inttoptr", "bitcast", "addrspacecast", "cleanuppad",
    "catchpad", "icmp", "fcmp", "phi", "call", "select", "user1", "user2", "va_arg",
    "extractelement", "insertelement", "shufflevector", "extractvalue", "insertvalue",
    "landingpad", "freeze",
]  # fmt: skip
OPCODES = {name: number for number, name in enumerate(OPCODE_NAMES, 1)}
ICMP = ["eq", "ne", "ugt", "uge", "ult", "ule", "sgt", "sge", "slt", "sle"]
FCMP = [
    "false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord", "uno", "ueq", "ugt", "uge",
    "ult", "ule", "une", "true",
]  # fmt: skip
ATOMICS = [
    "xchg", "add", "sub", "and", "nand", "or", "xor", "max", "min", "umax", "umin", "fadd",
    "fsub", "fmax", "fmin", "fmaximum", "fminimum", "fmaximumnum", "fminimumnum", "uinc_wrap",
    "udec_wrap", "usub_cond", "usub_sat",
]  # fmt: skip
FAST = {"fast", "nnan", "ninf", "nsz", "arcp", "contract", "reassoc", "afn"}
FLOATS = {
    "half": 16, "bfloat": 17, "float": 18, "double": 19, "x86_fp80": 20, "fp128": 21,
    "ppc_fp128": 22,
}  # fmt: skip
SIMPLE = {"void": 0, "label": 1, "metadata": 2, "token": 3, "ptr": 5} | FLOATS
INTEGERS = {1: 8, 8: 9, 16: 10, 32: 11, 64: 12, 128: 13}
ELEMENTS = {"i1": 0, "i8": 1, "i16": 2, "i32": 3, "i64": 4, "float": 6, "double": 7}
OVERLOAD = re.compile(
    r"\.(p\d+|(nx)?v\d+\w+|[ib]\d+|f(16|32|64|80|128)|bf16|ppcf128|isVoid|x86amx|a\d+\w+"
    r"|sl?_\w+|Metadata)$"
)


@dataclass
class Module:
    """What a function's views need to know of its module."""

    structs: dict[str, str] = field(default_factory=dict)
    """The bodies of named types."""
    globals: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Of variables and aliases: the code of an operand, and the type."""
    functions: dict[str, Function] = field(default_factory=dict)
    """The functions, with bodies or without."""

    @classmethod
    def parse(cls, text: str, functions: list[Function]) -> Module:
        made = cls(functions={f.name: f for f in functions})
        for line in text.splitlines():
            if line.startswith("%") and " = type " in line:
                name, body = line.split(" = type ", 1)
                made.structs[name] = body
            elif line.startswith("@"):
                tokens = Tokens(line)
                name, words = tokens.next(), []
                while tokens.peek() not in ("global", "constant", "alias", "ifunc"):
                    words.append(tokens.next())
                word = tokens.next()
                kind = tokens.type()
                if tokens.peek() == "(":
                    kind = "function"
                code = {"global": 14, "constant": 13}.get(word, 16)
                made.globals[name] = 15 if "thread_local" in words else code, kind
        return made

    def type_code(self, kind: str) -> int:
        """A type's code."""
        if kind in SIMPLE:
            return SIMPLE[kind]
        if kind == "function":
            return 7
        if kind.startswith("ptr"):
            return 6
        if re.fullmatch(r"i\d+", kind):
            width = int(kind[1:])
            return INTEGERS.get(width, 14 if width < 64 else 15)
        if kind.startswith("%"):
            kind = self.structs[kind]
            if kind == "opaque":
                return 23
        first, second = kind.replace(" ", "")[:2].ljust(2)
        if first == "{" or first + second == "<{":
            return 24 + min(7, len(members(kind)).bit_length())
        if first == "[":
            length, element = array_parts(kind)
            size = sum(length > limit for limit in (8, 64, 1024))
            return 32 + self.element_class(element) * 4 + size
        if first == "<":
            length, element = array_parts(kind)
            size = 7 if "vscale" in kind else min(6, (length - 1).bit_length())
            return 80 + self.element_class(element) * 8 + size
        return 4

    def element_class(self, kind: str) -> int:
        if kind in ELEMENTS:
            return ELEMENTS[kind]
        if re.fullmatch(r"i\d+", kind):
            return 5
        if kind in FLOATS:
            return 8
        return 9 if kind.startswith("ptr") else 10 if kind.startswith("[") else 11

    def member(self, kind: str, path: list[int]) -> str:
        """The type at this path of indices into an aggregate."""
        for index in path:
            kind = self.structs.get(kind, kind)
            kind = array_parts(kind)[1] if kind.startswith("[") else members(kind)[index]
        return kind

    def constant_code(self, constant: Operand) -> int:
        """The code of a constant or a global."""
        kind, value = constant.type, constant.value
        if value in self.globals:
            return self.globals[value][0]
        if value in self.functions:
            return 12
        words = {"undef": 1, "poison": 2, "null": 3, "zeroinitializer": 4, "none": 8}
        if value in words:
            return words[value]
        if value == "blockaddress":
            return 7
        if value == "splat":
            element = Tokens("")
            element.items = list(constant.tokens[2:-1])
            value = element.typed_value()
            if value.type in FLOATS or re.fullmatch(r"i\d+", value.type):
                code = self.constant_code(value)
                return {5: 6, 128: 4, 642: 4}.get(code, code)
            return 4 if value.value == "null" else 6
        if value in CASTS | BINARY | {"getelementptr", "extractelement", "insertelement"}:
            return 5
        if kind in FLOATS:
            return float_code(kind, "".join(constant.tokens))
        integer = constant.integer
        if integer:
            return integer_code(integer[1]) if -(2**63) <= integer[1] < 2**63 else 17
        return 6 if value[0] in '[{<c"' else 11


def members(kind: str) -> list[str]:
    """The types in a structure."""
    tokens = Tokens(kind)
    tokens.accept("<")
    tokens.expect("{")
    found = []
    while not tokens.accept("}"):
        found.append(tokens.type())
        tokens.accept(",")
    return found


def array_parts(kind: str) -> tuple[int, str]:
    """Length and element type of an array or vector."""
    tokens = Tokens(kind)
    tokens.next()
    if tokens.accept("vscale"):
        tokens.expect("x")
    length = int(tokens.next())
    tokens.expect("x")
    return length, tokens.type()


def integer_code(value: int) -> int:
    if value == 0:
        return 128
    exponent = abs(value).bit_length() - 1
    leading = (abs(value) << 2 >> exponent) & 3
    return 129 + (value < 0) * 256 + exponent * 4 + leading


def float_code(kind: str, text: str) -> int:
    if "nan" in text:
        return 646
    if text in ("+inf", "-inf"):
        return 644 + (text == "-inf")
    if re.match(r"-?(f?0x)", text):
        digits = text.split("0x")[1]
        number = struct.unpack(">d", bytes.fromhex(digits.rjust(16, "0")))[0]
    else:
        number = float(text)
    if number == 0:
        return 642 + text.startswith("-")
    if kind not in ("float", "double"):
        return 18
    fraction, exponent = math.frexp(abs(number))
    return 648 + (number < 0) * 180 + max(0, min(89, exponent + 44)) * 2 + (fraction >= 0.75)


def distance_bucket(distance: int) -> int:
    if distance <= 4:
        return distance - 1
    exponent = distance.bit_length() - 1
    return min(23, 4 + (exponent - 2) * 2 + (distance >> (exponent - 1) & 1))


def plain_name(token: str) -> str:
    """The name of a global that prints so; those without a name print as numbers."""
    if token[1:].isdigit():
        return ""
    name = token[1:].strip('"').encode()
    name = re.sub(rb"\\([0-9A-Fa-f]{2})", lambda m: bytes.fromhex(m[1].decode()), name)
    return name.decode(errors="replace")


def name_hash(name: str) -> int:
    hashed = 0x811C9DC5
    for letter in name.encode():
        hashed = (hashed ^ letter) * 0x01000193 % 2**32
    return hashed % 768


def callee_code(one: Instruction, function: Function, module: Module) -> int:
    callee = one.callee.value
    if callee == "asm":
        return 257
    if callee not in module.functions:
        return 256
    if callee == function.name:
        return 258
    name = plain_name(callee)
    if name.startswith("llvm."):
        while OVERLOAD.search(name):
            name = OVERLOAD.sub("", name)
        return 1280 + name_hash(name)
    return 259 if module.functions[callee].blocks else 512 + name_hash(name)


def opcode_code(one: Instruction, callee: int) -> int:
    kinds = {259: 1, 258: 2, 256: 3, 257: 4}
    kind = kinds.get(callee, 5 if callee >= 1280 else 0)
    match one.opcode:
        case "icmp":
            return 80 + ICMP.index(one.words[-1])
        case "fcmp":
            return 90 + FCMP.index(one.words[-1])
        case "call":
            return 110 + kind
        case "invoke":
            return 116 + kind
        case "callbr":
            return 122 + kind
        case "atomicrmw":
            operation = next(w for w in one.words if w in ATOMICS)
            return 128 + ATOMICS.index(operation)
        case "br" if one.operands:
            return OPCODES["condbr"]
    return OPCODES[one.opcode]


def flags_code(one: Instruction) -> int:
    words = set(one.words)
    signed = {"inbounds", "nusw"} if one.opcode == "getelementptr" else {"nsw"}
    exact = {"exact", "disjoint", "nneg", "samesign"}
    flags = bool(words & {"nuw"}) * 1 + bool(words & signed) * 2 + bool(words & exact) * 4
    flags += ("inbounds" in words) * 8 + bool(words & FAST) * 16 + ("volatile" in words) * 32
    return flags + ("atomic" in words or one.opcode in ("cmpxchg", "atomicrmw", "fence")) * 64
