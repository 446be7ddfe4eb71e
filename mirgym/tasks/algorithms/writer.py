"""Puts one program together: what it holds, its algorithm, self-check and output.

A frame calls the methods of ``Writer`` in the order of the program; ``finish`` rewrites the
whole text in the style, expands its macros (``macros.py``) and returns it.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Sequence
from typing import NamedTuple

from .declarations import PARTS, Declarations
from .inputs import MASK
from .macros import Macros
from .noise import NOISE
from .rewrite import Rewriter, layout
from .style import Style


class Text(NamedTuple):
    """One program's source, its input, what it must print, and its style as it came out."""

    source: str
    stdin: str
    stdout: str
    style: Style


class Writer(Declarations):
    """One program in the making."""

    def __init__(self, rng: random.Random, style: Style, template: str) -> None:
        super().__init__(rng, style)
        self.template = template
        self._macros = Macros(self)
        self._functions: list[str] = []
        self._calls = "inline"
        self._shown: list[int] = []

    def function(self, text: str) -> None:
        """Add a function."""
        self._functions.append(text)

    def work(self, text: str) -> None:
        """Add C to main where the algorithm stands."""
        self._add("work", text)

    def call(self, name: str, parameters: str, text: str, result: str = "") -> str:
        """C that runs ``text``, in place or as a function, and sets the result variable.

        Args:
            name: Of the function, if it is one.
            parameters: Such as ``"T *a, I n"``; arguments are the variables of these names.
            text: The body; functions of its own stand before a line ``----``.
            result: Such as ``"long r"``, declared where the call stands.
        """
        own, _, body = text.rpartition("----\n")
        if own:
            self._functions.append(own)
            self._calls = "helper"
        if self.style.calls == "inline" and not re.search(r"\breturn\b", body):
            return f"{{\n{body}\n}}"
        self._calls = "globals" if self.style.calls == "globals" else "helper"
        listed = self._macros.parameters(parameters).split(",")
        kept = [p.strip() for p in listed if not self._known(_name(p))]
        linkage = self.rng.choice(("static ", "static ", "", "static inline "))
        signature = f"{name}({', '.join(kept) or 'void'})"
        call = f"{name}({', '.join(map(_name, kept))});"
        if not result:
            self._functions.append(f"{linkage}void {signature} {{\n{body}\n}}")
            return call
        variable = _name(result)
        if variable not in map(_name, kept):  # else it goes on from the caller's value
            body = f"{result} = 0;\n{body}"
        kind = result.removesuffix(variable)
        self._functions.append(f"{linkage}{kind}{signature} {{\n{body}\nreturn {variable};\n}}")
        return f"{variable} = {call}"

    def _known(self, name: str) -> bool:
        """Whether functions see this variable anyway, or it is a literal."""
        if name in self.sizes:
            return self.style.sizes in ("literal", "global")
        held = name in self.arrays or name in self.matrices
        return held and self.style.calls == "globals"

    def check(self, text: str, before: str = "") -> None:
        """Add a self-check: C that says ``FAIL();`` when the result is wrong.

        Args:
            text: Stands after the algorithm.
            before: Stands ahead of it, in the same scope.
        """
        if self.style.check != "none":
            self._add("before", before)
            self._add("check", text)

    def show(self, name: str, size: str, values: Sequence[int], item: str = "{0}") -> None:
        """Print an array; ``values`` is what it must hold."""
        body = self._show_one(item.format("x"))
        self._add("show", f"each ({self.arrays[name]} x : {name}, {size}) {{\n{body}\n}}")
        self._shown += values

    def show_value(self, expression: str, value: int) -> None:
        """Print one number."""
        self._add("show", self._show_one(expression))
        self._shown.append(value)

    def show_matrix(self, name: str, rows: str, columns: str, values: list[list[int]]) -> None:
        """Print a matrix, row by row."""
        inner = f"for (I j = 0; j < {columns}; j++) {{\n{self._show_one(f'M({name}, i, j)')}\n}}"
        self._add("show", f"for (I i = 0; i < {rows}; i++) {{\n{inner}\n}}")
        self._shown += [value for row in values for value in row]

    def _show_one(self, expression: str) -> str:
        if self.style.output == "checksum":
            return f"shown = shown * 31u + (unsigned)(long)({expression});"
        if self.style.output == "weighted":
            return f"shown += rank * (long)({expression});\nrank++;"
        end = "\\n" if self.style.output == "lines" else " "
        return f'printf("%ld{end}", (long)({expression}));'

    def _end_output(self) -> str:
        """Add how the output starts and ends; return all that the program prints."""
        if self.style.output == "checksum":
            total = 17
            for value in self._shown:
                total = (total * 31 + value) & MASK
            self._add("declare", "unsigned shown = 17u;")
            self._add("show", 'printf("%u\\n", shown);')
            return f"{total}\n"
        if self.style.output == "weighted":
            self._add("declare", "long shown = 0, rank = 1;")
            self._add("show", 'printf("%ld\\n", shown);')
            return f"{sum(rank * value for rank, value in enumerate(self._shown, 1))}\n"
        if self.style.output == "lines":
            return "".join(f"{value}\n" for value in self._shown)
        self._add("show", "putchar(10);")
        return "".join(f"{value} " for value in self._shown) + "\n"

    def finish(self) -> Text:
        """The whole program."""
        stdout = self._end_output()
        noise = self._place_noise()
        if self.style.counts:
            self._top.append("static long steps = 0;")
            self._add("end", 'fprintf(stderr, "%ld steps\\n", steps);')
        flagged = self.style.check == "flag" and bool(self._parts["check"])
        self._add("declare", "int bad = 0;" if flagged else "")
        self._add("end", "return bad;" if flagged else "return 0;")
        main = "\n".join(text for part in PARTS for text in self._parts[part])
        reads = "READ(" in main
        main = f"{self.source.local()}\n{main}" if reads else main
        functions = "\n".join(self._functions)
        shared = self._macros.shared_functions(functions + main)
        readers = self.source.top() if reads else ""
        top = "\n".join([*self._top, readers, *shared, functions])
        facts = self._facts("LT(" in functions + main, "SWAP(" in functions + main, noise)
        rewriter = Rewriter(self.rng, self.style, self.arrays)
        top, main = self._macros(rewriter(top)), self._macros(rewriter(main))
        arguments = "int argc, char **argv" if "argc" in main else "void"
        source = f"{_INCLUDES}{top}\nint main({arguments}) {{\n{main}\n}}\n"
        access = "pointer" if rewriter.walked else "index"
        style = dataclasses.replace(facts, access=access)
        return Text(layout(source), self.source.stdin, stdout, style)

    def _place_noise(self) -> tuple[str, ...]:
        """Put the bookkeeping of the style into the program; returns what could be."""
        placed = []
        for name in self.style.noise:
            top, text = NOISE[name]
            if re.search(r"\b[AN]\b", text):
                if self._first is None:
                    continue
                array, size = self._first
                text = re.sub(r"\bA_T\b", self.arrays[array], text)
                text = re.sub(r"\bN\b", size, re.sub(r"\bA\b", array, text))
            self._functions.insert(0, top)
            self._add(self.rng.choice(("input", "before", "show")), f"{{\n{text}\n}}")
            placed.append(name)
        return tuple(placed)

    def _facts(self, compares: bool, swaps: bool, noise: tuple[str, ...]) -> Style:
        """The style without the axes that this program does not have."""
        drawn = self.style
        return dataclasses.replace(
            drawn,
            calls=self._calls,
            matrix=drawn.matrix if self.matrices else "none",
            records="aos" if self.key_type else drawn.records if self.tables else "none",
            graph=drawn.graph if self.has_graph else "none",
            check=drawn.check if self._parts["check"] else "none",
            compare=drawn.compare if compares else "none",
            swap=drawn.swap if swaps else "none",
            descending=drawn.descending and compares,
            noise=noise,
        )


_INCLUDES = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\n"


def _name(declaration: str) -> str:
    """The variable of a declaration such as ``int (*m)[8]``."""
    words: list[str] = re.findall(r"\w+", declaration.partition(")")[0])
    return words[-1]
