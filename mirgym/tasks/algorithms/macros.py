"""The macros of templates and frames, and what a style makes of them.

In all C text ``T`` is the element type, ``I`` the index type, and sizes are known by name.

====================== ==============================================================
``M(m, i, j)``         an element of a matrix; ``MAT(type, m)`` its parameter
``F(t, i, field)``     a field of a row of a table; ``TAB(t)`` its parameters
``LT(x, y)``           whether a key stands before another; ``KEY(x)`` the key itself
``SWAP(x, y)``         exchanges two elements of type T
``READ(x, low, high)`` reads the next value
``ANY(s, t, …)``       the statements in any order; ``PICK(a, b, …)`` one of the texts
``COUNT()``            counts a step, if the style counts
``FAIL()``             what the self-check does with a wrong result
====================== ==============================================================
"""

from __future__ import annotations

import re

from .declarations import Declarations
from .rewrite import expand


class Macros:
    """Expands macros for one program, after its loops were rewritten."""

    def __init__(self, program: Declarations) -> None:
        self.program, self.style, self.rng = program, program.style, program.rng

    def __call__(self, text: str) -> str:
        """A text without macros. An earlier one may expand to later ones."""
        rng = self.rng
        text = expand(text, "ANY", lambda *s: ";\n".join(rng.sample(s, len(s))))
        text = expand(text, "PICK", lambda *s: rng.choice(s))
        text = expand(text, "COUNT", lambda: "steps++" if self.style.counts else "")
        text = expand(text, "READ", self.program.source.read)
        text = expand(text, "SWAP", self._swap)
        text = expand(text, "LT", self._less)
        text = expand(text, "KEY", self._key)
        text = expand(text, "F", self._field)
        text = expand(text, "M", self._element)
        text = self.parameters(text)
        return self._names(expand(text, "FAIL", self._fail))

    def parameters(self, text: str) -> str:
        """A list of parameters, with those of matrices and tables."""
        text = expand(text, "MAT", self._matrix_parameter)
        return expand(text, "TAB", self._table_parameters)

    def _names(self, text: str) -> str:
        """The text with this program's types, and its sizes if they are literals."""
        if self.style.sizes == "literal":
            for name, value in self.program.sizes.items():
                text = re.sub(rf"(?<![\\%.>])\b{name}\b(?!\()", str(value), text)
        text = re.sub(r"\bT\b", self.program.element, text)
        return re.sub(r"\bI\b", self.style.index, text)

    def _swap(self, x: str, y: str) -> str:
        if self.style.swap == "function":
            return f"swap(&{x}, &{y})"
        return f"{{\nT swapped = {x};\n{x} = {y};\n{y} = swapped;\n}}"

    def _less(self, x: str, y: str) -> str:
        if self.style.compare == "function":
            return f"before({x}, {y})"
        if self.style.compare == "callback":
            return f"compare({x}, {y})"
        if self.style.descending:
            x, y = y, x
        return f"KEY({x}) < KEY({y})" if self.rng.random() < 0.6 else f"KEY({y}) > KEY({x})"

    def _key(self, x: str) -> str:
        if not self.program.key_type:
            return x
        return f"({x}).key" if x.startswith("*") else f"{x}.key"

    def _field(self, table: str, i: str, field: str) -> str:
        return f"{table}[{i}].{field}" if self.style.records == "aos" else f"{table}_{field}[{i}]"

    def _element(self, name: str, i: str, j: str) -> str:
        if self.style.matrix != "flat":
            return f"{name}[{i}][{j}]"
        i = i if i.isalnum() else f"({i})"
        return f"{name}[{i} * {self.program.matrices[name][1]} + {j}]"

    def _fail(self) -> str:
        return {"flag": "bad = 1", "exit": "exit(1)"}.get(self.style.check, "abort()")

    def _table_parameters(self, table: str) -> str:
        if self.style.records == "aos":
            return f"struct {table}_row *{table}"
        return ", ".join(f"int *{table}_{field}" for field in self.program.tables[table])

    def _matrix_parameter(self, kind: str, name: str) -> str:
        if self.style.matrix == "grid":
            return f"{kind} (*{name})[{self.program.matrices[name][1]}]"
        return f"{kind} **{name}" if self.style.matrix == "rows" else f"{kind} *{name}"

    def shared_functions(self, text: str) -> list[str]:
        """The functions that the macros in a text will call."""
        functions = []
        if "SWAP(" in text and self.style.swap == "function":
            functions.append("static void swap(T *x, T *y) { T kept = *x; *x = *y; *y = kept; }")
        if "LT(" in text and self.style.compare != "direct":
            sign = ">" if self.style.descending else "<"
            functions.append(f"static int before(T x, T y) {{ return KEY(x) {sign} KEY(y); }}")
            if self.style.compare == "callback":
                functions.append("static int (*compare)(T, T) = before;")
        return functions
