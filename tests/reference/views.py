"""The encoder's views of each function, from printed IR: the oracle of native/views.cpp."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from . import codes
from .codes import Module
from .ir_text import Function, Instruction, parse
from .ir_tokens import BINARY, Operand

CONTROL, DATA, DEFINITION, CALL = 0, 8, 16, 24
CALLS = ("call", "invoke", "callbr")
TERMINATORS = (*CALLS[1:], "ret", "br", "switch", "indirectbr", "resume", "unreachable")


@dataclass
class View:
    """As ``mirgym.views.FunctionView``, with the names of the functions it calls."""

    name: str
    tokens: np.ndarray
    nodes: np.ndarray
    edges: np.ndarray
    edge_kinds: np.ndarray
    callees: list[str]


def views(text: str) -> list[View]:
    """The views of all functions with a body, in module order."""
    functions = parse(text)
    module = Module.parse(text, functions)
    return [Builder(module, f).build() for f in functions if f.blocks]


def is_local(operand: Operand) -> bool:
    return operand.value.startswith("%")


@dataclass
class Builder:
    """Builds the views of one function."""

    module: Module
    function: Function
    nodes: list[tuple[int, int]] = field(default_factory=list)
    edges: list[tuple[int, int, int]] = field(default_factory=list)
    tokens: list[list[int]] = field(default_factory=list)
    others: dict[object, int] = field(default_factory=dict)
    """Nodes of constants, globals and called functions."""
    callees: list[str] = field(default_factory=list)

    def build(self) -> View:
        self.lay_out()
        for current in range(len(self.all)):
            self.visit(current)
        edges = np.array(self.edges, np.int64).reshape(-1, 3).T
        return View(
            codes.plain_name(self.function.name),
            np.array(self.tokens).T,
            np.array(self.nodes).T,
            edges[:2],
            edges[2],
            [codes.plain_name(c) for c in self.callees],
        )

    def lay_out(self) -> None:
        blocks = self.function.blocks
        self.all = [i for b in blocks for i in b.instructions]
        self.block_of = [n for n, b in enumerate(blocks) for _ in b.instructions]
        self.block_number = {b.label: n for n, b in enumerate(blocks)}
        self.starts = [self.block_of.index(n) for n in range(len(blocks))]
        self.predecessors = Counter(s for i in self.all for s in i.successors)
        used = [o for i in self.all for o in self.operands(i)]
        used += [i.callee for i in self.all if i.callee]
        self.uses = Counter(o.value for o in used)
        self.nodes = [(0, 0)] * len(self.all)
        self.node_of: dict[str, int] = {}
        """Of the values of instructions and arguments, by name."""
        self.argument_number: dict[str, int] = {}
        self.instruction_of: dict[str, int] = {}
        for number, argument in enumerate(self.function.arguments):
            self.argument_number[argument.value] = number
            kind = 192 + self.module.type_code(argument.type)
            self.node_of[argument.value] = self.add_node(kind, 1 + min(number, 30))
        self.result_types = [self.result_type(i) for i in self.all]
        for index, (one, kind) in enumerate(zip(self.all, self.result_types, strict=True)):
            if kind != "void":
                self.instruction_of[one.name] = index
                self.node_of[one.name] = self.add_node(192 + self.module.type_code(kind), 0)

    def operands(self, one: Instruction) -> list[Operand]:
        """Those that the instruction has in memory, with those of its bundles."""
        return one.operands[:2] if one.opcode == "shufflevector" else one.operands

    def result_type(self, one: Instruction) -> str:
        kinds = [o.type for o in one.operands]
        match one.opcode:
            case "store" | "fence":
                return "void"
            case "call" | "invoke" | "callbr":
                return one.type
            case opcode if opcode in TERMINATORS:
                return "void"
            case opcode if opcode in BINARY or opcode in ("fneg", "freeze", "insertvalue"):
                return kinds[0]
            case "insertelement":
                return kinds[0]
            case "icmp" | "fcmp":
                return self.with_element(kinds[0], "i1")
            case "select" | "atomicrmw":
                return kinds[1]
            case "cmpxchg":
                return "{ " + kinds[1] + " , i1 }"
            case "extractelement":
                return codes.array_parts(kinds[0])[1]
            case "shufflevector":
                return self.with_element(kinds[2], codes.array_parts(kinds[0])[1])
            case "extractvalue":
                return self.module.member(kinds[0], [int(t) for t in one.rest if t.isdigit()])
            case "alloca":
                space = one.rest.index("addrspace") if "addrspace" in one.rest else None
                return "ptr" if space is None else f"ptr addrspace ( {one.rest[space + 2]} )"
            case "getelementptr":
                vectors = [k for k in kinds if k.startswith("<")]
                return self.with_element(vectors[0], "ptr") if vectors else kinds[0]
        assert one.type, one
        return one.type

    @staticmethod
    def with_element(kind: str, element: str) -> str:
        """The element, in a vector if the type is one."""
        if not kind.startswith("<"):
            return element
        return kind[: kind.rindex(" x ")] + " x " + element + " >"

    def add_node(self, kind: int, attribute: int) -> int:
        self.nodes.append((kind, attribute))
        return len(self.nodes) - 1

    def visit(self, current: int) -> None:
        one = self.all[current]
        block = self.function.blocks[self.block_of[current]]
        callee = codes.callee_code(one, self.function, self.module) if one.callee else 0
        worked_on = self.worked_on_type(one)
        token = [
            codes.opcode_code(one, callee),
            self.module.type_code(self.result_types[current]),
            self.module.type_code(worked_on) if worked_on else 0,
            callee if one.callee else codes.flags_code(one),
        ]
        self.nodes[current] = token[0], token[1]
        shown = [self.visit_operand(o, n, current) for n, o in enumerate(self.shown(one))]
        count = len(shown)
        if one.opcode in ("br", "indirectbr", "switch"):
            count += len(one.successors)
        if one.opcode == "switch":
            shown += [self.block_code(one.successors[0], current)]
            shown += [codes.integer_code(len(one.successors) - 1)]
        elif one.opcode in ("br", "indirectbr"):
            shown += [self.block_code(s, current) for s in one.successors]
        if one.callee:
            self.connect_callee(one, callee, current)
        if self.result_types[current] != "void":
            self.edges.append((current, self.node_of[one.name], DEFINITION))
        self.connect_successors(one, current)
        uses = self.uses[one.name] if one.name else 0
        uses = uses if uses < 4 else 4 if uses < 8 else 5
        first = current == self.starts[self.block_of[current]]
        start = 1 + min(self.predecessors[block.label], 3) if first else 0
        token.append(uses * 40 + start * 8 + min(count, 7))
        self.tokens.append([*token, *shown, 0, 0, 0][:8])

    def worked_on_type(self, one: Instruction) -> str | None:
        if one.opcode in ("alloca", "getelementptr"):
            return one.type
        if one.opcode == "load":
            return None
        shown = self.shown(one)
        return shown[0].type if shown else None

    def shown(self, one: Instruction) -> list[Operand]:
        """The operands with edges."""
        if one.opcode == "switch":
            return one.operands[:1]
        if one.opcode in CALLS:
            return one.operands[: one.arguments]
        return self.operands(one)

    def visit_operand(self, operand: Operand, position: int, current: int) -> int:
        """The operand's code; adds its edge."""
        if operand.type == "metadata":
            return 9
        position = min(position, 7)
        if not is_local(operand):
            self.edges.append((self.constant_node(operand), current, DATA + position))
            return self.module.constant_code(operand)
        self.edges.append((self.node_of[operand.value], current, DATA + position))
        if operand.value in self.argument_number:
            return 20 + min(self.argument_number[operand.value], 14)
        there = self.instruction_of[operand.value]
        if there >= current:
            return 88 + codes.distance_bucket(max(there - current, 1))
        base = 40 if self.block_of[there] == self.block_of[current] else 64
        return base + codes.distance_bucket(current - there)

    def block_code(self, label: str, current: int) -> int:
        distance = self.block_number[label] - self.block_of[current]
        return (112 if distance > 0 else 120) + min(abs(distance).bit_length(), 7)

    def constant_node(self, constant: Operand) -> int:
        kind = self.module.type_code(constant.type)
        code = self.module.constant_code(constant)
        name = constant.value
        if name in self.module.globals:
            value_type = self.module.globals[name][1]
            return self.node(name, 608 + code - 12, self.module.type_code(value_type))
        if name in self.module.functions:
            return self.node(name, 608, 7)
        return self.node((kind, code), 384 + kind, code)

    def node(self, key: object, kind: int, attribute: int) -> int:
        if key not in self.others:
            self.others[key] = self.add_node(kind, attribute)
        return self.others[key]

    def connect_callee(self, one: Instruction, callee: int, current: int) -> None:
        if callee == 256:
            pointer = Operand("ptr", one.callee.value, one.callee.tokens)
            self.visit_operand(pointer, 7, current)
            return
        node = 0
        if callee != 258:
            key = one.callee.value
            if callee == 257:
                arguments = one.operands[: one.arguments]
                key = (one.type, tuple(o.type for o in arguments), one.callee.tokens)
            kind = {257: 603, 259: 601}.get(callee, 602 if callee >= 1280 else 600)
            node = self.node(key, kind, callee)
        if callee == 259 and one.callee.value not in self.callees:
            self.callees.append(one.callee.value)
        self.edges.append((current, node, CALL))

    def connect_successors(self, one: Instruction, current: int) -> None:
        if one.opcode not in TERMINATORS:
            self.edges.append((current, current + 1, CONTROL))
        for position, label in enumerate(one.successors):
            start = self.starts[self.block_number[label]]
            self.edges.append((current, start, CONTROL + min(position, 7)))
