"""Rewrites C text in a style: the same program with other loops, branches and accesses.

Templates are plain C in which all bodies have braces. On top of C they may say

* ``each (T x : a, n) { … }``: a loop over the elements ``x`` of the array ``a``;
* ``NAME(x, y)`` for the macros that the writer knows, expanded here.

Loops take another form, loops that count up may walk a pointer instead, branches may be
negated, comparisons turned round.
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Mapping

from .style import Style

_HEAD = re.compile(r"\b(for|while|if|each) \(")
_SIMPLE = re.compile(r"([^<>=&|!?,]+) (<|>|<=|>=) ([^<>=&|!?,]+)")
_MIRROR = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_BRACKET = re.compile(r"""[()\[\]{}]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""")
_CLOSING = {"(": ")", "{": "}", "[": "]"}


def matching(text: str, at: int) -> int:
    """Position of the bracket that closes the one at ``at``; literals do not count."""
    stack: list[str] = []
    for token in _BRACKET.finditer(text, at):
        if token[0] in _CLOSING:
            stack.append(_CLOSING[token[0]])
        elif stack and token[0] == stack[-1]:
            stack.pop()
            if not stack:
                return token.start()
    raise ValueError(f"no closing bracket for: {text[at : at + 60]!r}")


def split_outside(text: str, separator: str) -> list[str]:
    """Split where no bracket and no literal is open."""
    parts, start, depth = [], 0, 0
    for token in re.finditer(f"{_BRACKET.pattern}|{separator}", text):
        if token[0] == separator and depth == 0:
            parts.append(text[start : token.start()].strip())
            start = token.end()
        depth += (token[0] in _CLOSING) - (token[0] in _CLOSING.values())
    return [*parts, text[start:].strip()]


def expand(text: str, name: str, render: Callable[..., str]) -> str:
    """Replace every ``name(arguments)``, the inner ones first."""
    end = len(text)
    while (at := text.rfind(f"{name}(", 0, end)) >= 0:
        end = at + len(name)
        if text[at - 1 : at].isalnum() or text[at - 1 : at] == "_":
            continue  # the end of another name
        closing = matching(text, end)
        inside = text[end + 1 : closing]
        arguments = split_outside(inside, ",") if inside.strip() else []
        text = text[:at] + render(*arguments) + text[closing + 1 :]
    return text


def layout(text: str) -> str:
    """One statement a line, indented by braces, without empty lines and statements."""
    lines, depth = [], 0
    for raw in text.splitlines():
        for line in _statements(raw.strip()):
            plain = re.sub(r"'.'|\"(\\.|[^\"])*\"", "", line)
            closing = len(plain) - len(plain.lstrip("}"))
            lines.append("    " * (depth - closing) + line)
            depth += plain.count("{") - plain.count("}")
    return "\n".join(lines) + "\n"


def _statements(line: str) -> list[str]:
    line = "}" if line == "};" else line
    whole = line.startswith(("for (", "struct ", "static ", "#")) or ";" not in line
    if whole or "{" in line or "}" in line:
        return [line] * bool(line)
    return [f"{part};" for part in split_outside(line, ";") if part]


class Rewriter:
    """Rewrites in one style; ``arrays`` gives the element type of every array by name."""

    def __init__(self, rng: random.Random, style: Style, arrays: Mapping[str, str]) -> None:
        self.rng, self.style, self.arrays = rng, style, arrays
        self.walked = False
        self._count = 0

    def __call__(self, text: str) -> str:
        """All loops and branches of a text, rewritten."""
        head = _HEAD.search(text)
        if head is None:
            return text
        close = matching(text, head.end() - 1)
        condition = text[head.end() : close]
        rest = text[close + 1 :].lstrip()
        if not rest.startswith("{"):  # the end of a do loop
            return text[: close + 1] + self(text[close + 1 :])
        end = matching(rest, 0)
        body, tail = rest[1:end].strip(), rest[end + 1 :]
        before = text[: head.start()]
        if head[1] == "if":
            return before + self._branch(condition, body, tail)
        if head[1] == "each":
            return before + self(self._each(condition, body)) + self(tail)
        parts = [s.strip() for s in condition.split(";")] if head[1] == "for" else ["", condition]
        return before + self._loop(*parts, body=body) + self(tail)

    def _fresh(self) -> int:
        self._count += 1
        return self._count

    def _each(self, head: str, body: str) -> str:
        kind, name, array, size = re.fullmatch(r"(.+?)\s*(\w+) : (.+), (.+)", head).groups()  # type: ignore[union-attr]
        i = f"k{self._fresh()}"
        if self.style.access == "pointer":
            self.walked = True
            body = re.sub(rf"\b{name}\b", f"(*{i})", body)
            return f"for ({kind} *{i} = {array}; {i} < {array} + {size}; {i}++) {{\n{body}\n}}"
        body = re.sub(rf"\b{name}\b", f"{array}[{i}]", body)
        return f"for (I {i} = 0; {i} < {size}; {i}++) {{\n{body}\n}}"

    def _branch(self, condition: str, body: str, tail: str) -> str:
        otherwise = re.match(r"\s*else \{", tail)
        condition = self._turned(condition)
        if otherwise and self.rng.random() < 0.35:
            end = matching(tail, otherwise.end() - 1)
            other, after = tail[otherwise.end() : end], tail[end + 1 :]
            swapped = f"if (!({condition})) {{\n{self(other)}\n}} else {{\n{self(body)}\n}}"
            return swapped + self(after)
        return f"if ({condition}) {{\n{self(body)}\n}}" + self(tail)

    def _turned(self, condition: str) -> str:
        """``a < b`` as ``b > a``, sometimes."""
        simple = _SIMPLE.fullmatch(condition)
        if simple and self.rng.random() < 0.35:
            return f"{simple[3]} {_MIRROR[simple[2]]} {simple[1]}"
        return condition

    def _loop(self, init: str, condition: str, step: str = "", *, body: str) -> str:
        before = ""
        if self.style.access == "pointer" and self.rng.random() < 0.85:
            before, init, condition, step, body = self._walk(init, condition, step, body)
        condition = self._turned(condition)
        form = self._form(step, body)
        body = self(body)
        test, start = condition or "1", f"{init};\n" if init else ""
        ended = f"{step};\n" if step else ""
        if form == "for":
            text = f"for ({init}; {condition}; {step}) {{\n{body}\n}}"
        elif form == "while":
            text = f"{start}while ({test}) {{\n{body}\n{ended}}}"
        elif form == "do":
            text = f"{start}if ({test}) {{\ndo {{\n{body}\n{ended}}} while ({test});\n}}"
        else:
            k = self._fresh()
            text = (
                f"{start}goto test{k};\nagain{k}:;\n{{\n{body}\n}}\n"
                f"{ended}test{k}:\nif ({test}) {{\ngoto again{k};\n}}"
            )
        return f"{{\n{before}{text}\n}}" if before or (init and form != "for") else text

    def _form(self, step: str, body: str) -> str:
        form = self.style.loop
        if self.rng.random() < 0.3:
            form = self.rng.choice(("for", "while"))
        own = _without_inner_loops(body)
        if "continue;" in own and step:
            return "for"
        if form == "goto" and ("break;" in own or "continue;" in own):
            return "while"
        return form

    def _walk(
        self, init: str, condition: str, step: str, body: str
    ) -> tuple[str, str, str, str, str]:
        """A loop that counts up over arrays, with pointers that go along or instead."""
        same = ("", init, condition, step, body)
        counted = re.fullmatch(r"(I|int|long) (\w+) = ([^,]+)", init)
        if counted is None or step != f"{counted[2]}++":
            return same
        i, start = counted[2], counted[3]
        if re.search(rf"(\+\+|--)\s*{i}\b|\b{i}\s*(\+\+|--|[-+*/]?=[^=])", body):
            return same
        pointers = []
        for array, kind in self.arrays.items():
            access = rf"(?<![\w.>]){array}\[{i}(?: ([+-]) (\d+))?\]"
            if re.search(access, body) and not re.search(rf"\b{array}\s*=[^=]", body):
                pointer = f"{array}{self._fresh()}"
                body = re.sub(access, functools.partial(_through, pointer), body)
                pointers.append((pointer, kind, array))
        if not pointers:
            return same
        self.walked = True
        steps = ", ".join(f"{pointer}++" for pointer, _, _ in pointers)
        offset = "" if start == "0" else f" + {start}"
        declared = [f"{kind} *{p} = {array}{offset}" for p, kind, array in pointers]
        bound = re.fullmatch(rf"{i} < ([^<>&|]+)", condition)
        if bound and not re.search(rf"\b{i}\b", body):
            first, _, array = pointers[0]
            before = "".join(f"{line};\n" for line in declared[1:])
            return before, declared[0], f"{first} < {array} + ({bound[1]})", steps, body
        before = "".join(f"{line};\n" for line in declared)
        return before, init, condition, f"{step}, {steps}", body


def _through(pointer: str, access: re.Match[str]) -> str:
    """``a[i + 1]`` as ``p[1]``."""
    sign, offset = access[1], access[2]
    if offset is None:
        return f"(*{pointer})"
    return f"{pointer}[{'-' if sign == '-' else ''}{offset}]"


def _without_inner_loops(body: str) -> str:
    """A body without the loops inside, whose jumps are their own."""
    while head := re.search(r"\b(?:for|while|each) \(|\bdo \{", body):
        end = matching(body, head.end() - 1)
        block = re.compile(r"\s*\{").match(body, end + 1)
        if block and not head[0].startswith("do"):
            end = matching(body, block.end() - 1)
        body = body[: head.start()] + body[end + 1 :]
    return body
