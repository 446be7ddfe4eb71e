"""Puts one program together: its arrays, input, algorithm, self-check and output.

A family module calls the methods of ``Writer`` in the order of the program; ``finish``
rewrites the whole text in the style and returns it. In all C text ``T`` is the element
type, ``I`` the index type, and these are expanded:

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

import dataclasses
import random
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .inputs import MASK, Source
from .noise import NOISE
from .rewrite import Rewriter, expand, layout
from .style import Style


_GETCHAR_TEXT = """{
    int c = getchar(), read = 0;
    while (c == 32 || c == 10) { c = getchar(); }
    while (c != EOF && c != 10 && read < LENGTH) { TEXT[read++] = (char)c; c = getchar(); }
    TEXT[read] = 0;
    if (read == 0) { return 2; }
}"""


class Text(NamedTuple):
    """One program's source, its input, what it must print, and its style as it came out."""

    source: str
    stdin: str
    stdout: str
    style: Style


class Writer:
    """One program in the making."""

    def __init__(self, rng: random.Random, style: Style, template: str) -> None:
        self.rng, self.style, self.template = rng, style, template
        self.source = Source(rng, style.input)
        self.arrays: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self.key_type = ""
        self.matrices: dict[str, tuple[str, int]] = {}
        self.tables: dict[str, tuple[str, ...]] = {}
        self.called = "inline"
        self.has_graph = False
        self._top: list[str] = []
        self._functions: list[str] = []
        self._parts: dict[str, list[str]] = {
            part: [] for part in ("declare", "input", "before", "work", "check", "show", "end")
        }
        self._shown: list[int] = []
        self._first: tuple[str, str] | None = None
        self._printed = False

    # What the program holds.

    @property
    def unsigned(self) -> bool:
        """Whether elements cannot be negative."""
        return self.style.element == "unsigned"

    def size(self, name: str, low: int, high: int) -> int:
        """A size that C text may use by name."""
        value = self.rng.randint(low, high)
        self.sizes[name] = value
        if self.style.sizes == "global":
            self._top.append(f"static {self.rng.choice(('const int', 'int'))} {name} = {value};")
        elif self.style.sizes == "variable":
            self._add("declare", f"I {name} = {value};")
        elif self.style.sizes == "read":
            self.source.put(value)
            self._add("declare", f"I {name} = 0;")
            self._add("input", f"READ({name}, {value}, {value});")
            self._add("input", f"if ({name} != {value}) {{ return 2; }}")
        return value

    def records(self) -> None:
        """Make T a struct with a key of the element type and a tag, half of the time."""
        if self.rng.random() < 0.3:
            fields = self.rng.choice(("T key; int tag;", "int tag; T key;", "long tag; T key;"))
            self.key_type = self.style.element
            self._top.append(f"struct item {{ {fields.replace('T', self.key_type)} }};")

    def array(self, name: str, kind: str, size: int) -> None:
        """Declare an array of at least ``size`` elements; its content is zero."""
        self.arrays[name] = kind
        room = self.rng.choice((size, size + 1, 1 << size.bit_length()))
        storage = self.style.storage
        if storage == "static":
            self._top.append(f"static {kind} {name}[{room}];")
        elif storage == "local":
            self._add("declare", f"{kind} {name}[{room}];\nmemset({name}, 0, sizeof {name});")
        elif storage == "malloc":
            call = self.rng.choice((f"calloc({room}, sizeof({kind}))",) * 2)
            self._add("declare", f"{kind} *{name} = {call};\nif (!{name}) {{ return 3; }}")
            self._add("end", f"free({name});")
        else:
            self._top.append(f"static struct {{ int used; {kind} at[{room}]; }} {name}_box;")
            self._add("declare", f"{kind} *{name} = {name}_box.at;\n{name}_box.used = {size};")

    def input(
        self, name: str, size: str, low: int, high: int, kind: str = "T", room: int = 0
    ) -> list[int]:
        """Declare and read an array; returns what it will hold."""
        if kind == "T" and self.unsigned:
            low = max(low, 0)
        count = self.sizes[size]
        self.array(name, kind, max(count, room))
        target = f"{name}[i]"
        tag = ""
        if kind == "T" and self.key_type:
            target, tag = f"{name}[i].key", f"{name}[i].tag = i;"
        elif self._first is None:
            self._first = name, size
        self._add(
            "input", f"for (I i = 0; i < {size}; i++) {{ READ({target}, {low}, {high});\n{tag} }}"
        )
        return [self.source.draw(low, high) for _ in range(count)]

    def text(self, name: str, size: str, letters: str) -> str:
        """Declare and read a string of so many letters, and its end."""
        count = self.sizes[size]
        self.array(name, "char", count + 1)
        if not self.style.input.startswith("random"):
            return self.given_text(name, "".join(self.rng.choices(letters, k=count)))
        read = f"int letter = 0;\nREAD(letter, 0, {len(letters) - 1});"
        self._add(
            "input",
            f"""for (I i = 0; i < {size}; i++) {{ {read}\n{name}[i] = "{letters}"[letter]; }}
            {name}[{size}] = 0;""",
        )
        return "".join(letters[self.source.draw(0, len(letters) - 1)] for _ in range(count))

    def given_text(self, name: str, text: str) -> str:
        """Read a known string into a declared array: from the input, or a literal."""
        if self.style.input in ("scanf", "getchar"):
            self.source.stdin += text + "\n"
        if self.style.input == "scanf":
            form = f' %{len(text)}[^\\n]' if " " in text else f"%{len(text)}s"
            self._add("input", f'if (scanf("{form}", {name}) != 1) {{ return 2; }}')
        elif self.style.input == "getchar":
            self._add("input", _GETCHAR_TEXT.replace("TEXT", name).replace("LENGTH", str(len(text))))
        elif self.rng.random() < 0.5:
            self._add("input", f'strcpy({name}, "{text}");')
        else:
            self._top.append(f'static const char {name}_text[] = "{text}";')
            self._add("input", f"for (int i = 0; i <= {len(text)}; i++) {{ {name}[i] = {name}_text[i]; }}")
        return text

    def matrix(self, name: str, kind: str, rows: int, columns: int) -> None:
        """Declare a matrix of zeros for ``M``."""
        self.matrices[name] = kind, columns
        shape = self.style.matrix
        if shape == "flat":
            self.array(name, kind, rows * columns)
            del self.arrays[name]  # its elements are reached through M only
        elif shape == "grid":
            text = f"{kind} {name}[{rows}][{columns}]"
            if self.style.storage == "local":
                self._add("declare", f"{text};\nmemset({name}, 0, sizeof {name});")
            else:
                self._top.append(f"static {text};")
        else:
            self._rows(name, kind, rows, columns)

    def _rows(self, name: str, kind: str, rows: int, columns: int) -> None:
        row = f"{name}_store[i]"
        pointers = f"{kind} *{name}[{rows}];"
        self._top.append(f"static {kind} {name}_store[{rows}][{columns}];")
        if self.style.calls == "globals":
            self._top.append(f"static {pointers}")
            pointers = ""
        self._add("declare", f"{pointers}\nfor (int i = 0; i < {rows}; i++) {{ {name}[i] = {row}; }}")

    def input_matrix(
        self, name: str, rows: str, columns: str, low: int, high: int, kind: str = "T"
    ) -> list[list[int]]:
        """Declare and read a matrix."""
        if kind == "T" and self.unsigned:
            low = max(low, 0)
        height, width = self.sizes[rows], self.sizes[columns]
        self.matrix(name, kind, height, width)
        self._add(
            "input",
            f"""for (I i = 0; i < {rows}; i++) {{
            for (I j = 0; j < {columns}; j++) {{ READ(M({name}, i, j), {low}, {high}); }}
            }}""",
        )
        return [[self.source.draw(low, high) for _ in range(width)] for _ in range(height)]

    def input_table(
        self, name: str, size: str, fields: Mapping[str, tuple[int, int]]
    ) -> list[tuple[int, ...]]:
        """Declare and read rows of int fields, as an array of structs or several arrays."""
        self.tables[name] = tuple(fields)
        count = self.sizes[size]
        if self.style.records == "aos":
            members = " ".join(f"int {field};" for field in fields)
            self._top.append(f"struct {name}_row {{ {members} }};")
            self.array(name, f"struct {name}_row", count)
        else:
            for field in fields:
                self.array(f"{name}_{field}", "int", count)
        reads = [f"READ(F({name}, i, {f}), {a}, {b});" for f, (a, b) in fields.items()]
        self._add("input", "\n".join([f"for (I i = 0; i < {size}; i++) {{", *reads, "}"]))
        draw = self.source.draw
        return [tuple(draw(a, b) for a, b in fields.values()) for _ in range(count)]

    # What it does.

    def top(self, text: str) -> None:
        """Add file-level C ahead of the functions."""
        self._top.append(text)

    def function(self, text: str) -> None:
        """Add a function."""
        self._functions.append(text)

    def work(self, text: str) -> None:
        """Add C to main where the algorithm stands."""
        self._add("work", text)

    def declare(self, text: str) -> None:
        """Add C to the start of main."""
        self._add("declare", text)

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
        variable = re.split(r"[ *]", result)[-1]
        returns = re.search(r"\breturn\b", body)
        if self.style.calls == "inline" and not returns:
            return f"{{\n{body}\n}}"
        self.called = "globals" if self.style.calls == "globals" else "helper"
        kept = [p for p in self._parameters(parameters) if not self._known(p)]
        kind = result[: -len(variable)].strip() if result else "void"
        inherits = any(variable == p.split()[-1] for p in kept)  # starts from the caller's
        start = "" if inherits or not result else f"{result} = 0;"
        end = f"return {variable};" if result else ""
        linkage = self.rng.choice(("static ", "static ", "", "static inline "))
        self._functions.append(
            f"{linkage}{kind} {name}({', '.join(kept) or 'void'}) {{\n{start}\n{body}\n{end}\n}}"
        )
        arguments = ", ".join(re.split(r"[ *]", p.split(")")[0])[-1] for p in kept)
        return f"{variable} = {name}({arguments});" if result else f"{name}({arguments});"

    def _parameters(self, text: str) -> list[str]:
        text = expand(text, "TAB", self._table_parameters)
        text = expand(text, "MAT", self._matrix_parameter)
        return [p.strip() for p in text.split(",") if p.strip()]

    def _known(self, parameter: str) -> bool:
        """Whether functions see this parameter anyway, or it is a literal."""
        name = re.split(r"[ *]", parameter.split(")")[0])[-1]
        if name in self.sizes:
            return self.style.sizes in ("literal", "global")
        known = name in self.arrays or name in self.matrices
        return known and self.style.calls == "globals"

    def _table_parameters(self, table: str) -> str:
        if self.style.records == "aos":
            return f"struct {table}_row *{table}"
        return ", ".join(f"int *{table}_{field}" for field in self.tables[table])

    def _matrix_parameter(self, kind: str, name: str) -> str:
        shape = self.style.matrix
        if shape == "grid":
            return f"{kind} (*{name})[{self.matrices[name][1]}]"
        return f"{kind} **{name}" if shape == "rows" else f"{kind} *{name}"

    def check(self, text: str, before: str = "") -> None:
        """Add a self-check: C that says ``FAIL();`` when the result is wrong.

        Args:
            text: Stands after the algorithm.
            before: Stands ahead of it, in the same scope.
        """
        if self.style.check != "none":
            self._add("before", before)
            self._add("check", text)

    def show(self, name: str, size: str, values: Sequence[int], item: str = "{}") -> None:
        """Print an array; ``values`` is what it must hold."""
        body = self._show_one(item.format("x"))
        kind = self.arrays[name]
        self._add("show", f"each ({kind} x : {name}, {size}) {{ {body} }}")
        self._shown += values

    def show_value(self, expression: str, value: int) -> None:
        """Print one number."""
        self._add("show", self._show_one(expression))
        self._shown.append(value)

    def show_matrix(self, name: str, rows: str, columns: str, values: list[list[int]]) -> None:
        """Print a matrix, row by row."""
        body = self._show_one(f"M({name}, i, j)")
        self._add(
            "show",
            f"for (I i = 0; i < {rows}; i++) {{\nfor (I j = 0; j < {columns}; j++) {{ {body} }}\n}}",
        )
        self._shown += [value for row in values for value in row]

    def _show_one(self, expression: str) -> str:
        if not self._printed:
            start = {"checksum": "unsigned shown = 17u;", "weighted": "long shown = 0, rank = 1;"}
            self._add("declare", start.get(self.style.output, ""))
        self._printed = True
        if self.style.output == "checksum":
            return f"shown = shown * 31u + (unsigned)(long)({expression});"
        if self.style.output == "weighted":
            return f"shown += rank * (long)({expression});\nrank++;"
        end = "\\n" if self.style.output == "lines" else " "
        return f'printf("%ld{end}", (long)({expression}));'

    def _stdout(self) -> tuple[str, str]:
        """The C that ends the output, and all that the program prints."""
        if self.style.output == "checksum":
            total = 17
            for value in self._shown:
                total = (total * 31 + value) & MASK
            return 'printf("%u\\n", shown);', f"{total}\n"
        if self.style.output == "weighted":
            weighted = sum(rank * value for rank, value in enumerate(self._shown, 1))
            return 'printf("%ld\\n", shown);', f"{weighted}\n"
        if self.style.output == "lines":
            return "", "".join(f"{value}\n" for value in self._shown)
        return "putchar(10);", "".join(f"{value} " for value in self._shown) + "\n"

    def _add(self, part: str, text: str) -> None:
        if text.strip():
            self._parts[part].append(text)

    # The end.

    def finish(self) -> Text:
        """The whole program."""
        noise = self._place_noise()
        ending, stdout = self._stdout()
        self._add("show", ending)
        check, failing = self.style.check, bool(self._parts["check"])
        if failing and check == "flag":
            self._parts["declare"].append("int bad = 0;")
        if self.style.counts:
            self._top.append("static long steps = 0;")
            self._add("end", 'fprintf(stderr, "%ld steps\\n", steps);')
        self._add("end", "return bad;" if failing and check == "flag" else "return 0;")
        order = ("declare", "input", "before", "work", "check", "show", "end")
        if check == "flag" and self.rng.random() < 0.5:
            order = ("declare", "input", "before", "work", "show", "check", "end")
        body = "\n".join(line for part in order for line in self._parts[part])
        tops = "\n".join([*self._top, self.source.top(), *self._order_functions()])
        functions, body, rewriter = self._rewritten(tops, f"{self.source.local()}\n{body}")
        source = (
            "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\n"
            f"{functions}\nint main({'int argc, char **argv' if 'argc' in body else 'void'}) {{\n"
            f"{body}\n}}\n"
        )
        return Text(layout(source), self.source.stdin, stdout, self._facts(rewriter, noise))

    def _order_functions(self) -> list[str]:
        """The comparison of keys ahead of what uses it."""
        used = any("LT(" in text for text in [*self._functions, *sum(self._parts.values(), [])])
        if self.style.compare == "direct" or not used:
            return self._functions
        sign = ">" if self.style.descending else "<"
        text = f"static int before(T x, T y) {{ return KEY(x) {sign} KEY(y); }}"
        if self.style.compare == "callback":
            text += "\nstatic int (*compare)(T, T) = before;"
        return [text, *self._functions]

    def _rewritten(self, tops: str, body: str) -> tuple[str, str, Rewriter]:
        rewriter = Rewriter(self.rng, self.style, self.arrays)
        return self._expanded(rewriter(tops)), self._expanded(rewriter(body)), rewriter

    def _expanded(self, text: str) -> str:
        style = self.style
        text = expand(text, "ANY", lambda *s: ";\n".join(self.rng.sample(s, len(s))))
        text = expand(text, "PICK", lambda *s: self.rng.choice(s))
        text = expand(text, "COUNT", lambda: "steps++" if style.counts else "")
        text = expand(text, "READ", self.source.read)
        text = expand(text, "SWAP", self._swap)
        text = expand(text, "LT", self._less)
        text = expand(text, "KEY", self._key)
        text = expand(text, "F", self._field)
        text = expand(text, "M", self._element)
        text = expand(text, "MAT", self._matrix_parameter)
        text = expand(text, "TAB", self._table_parameters)
        text = expand(text, "FAIL", self._fail)
        if style.sizes == "literal":
            for name, value in self.sizes.items():
                text = re.sub(rf"(?<![\\%.>])\b{name}\b(?!\()", str(value), text)
        kind = "struct item" if self.key_type else style.element
        text = re.sub(r"\bT\b", kind, text)
        return re.sub(r"\bI\b", style.index, text)

    def _swap(self, x: str, y: str) -> str:
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
        if not self.key_type:
            return x
        return f"({x}).key" if x.startswith("*") else f"{x}.key"

    def _field(self, table: str, i: str, field: str) -> str:
        return f"{table}[{i}].{field}" if self.style.records == "aos" else f"{table}_{field}[{i}]"

    def _element(self, name: str, i: str, j: str) -> str:
        if self.style.matrix != "flat":
            return f"{name}[{i}][{j}]"
        return f"{name}[({i}) * {self.matrices[name][1]} + ({j})]"

    def _fail(self) -> str:
        check = self.style.check
        if check == "flag":
            return "bad = 1"
        return "exit(1)" if check == "exit" else "abort()"

    def _place_noise(self) -> tuple[str, ...]:
        """Put the bookkeeping of the style into the program; returns what could be."""
        placed = []
        for name in self.style.noise:
            top, text = NOISE[name]
            if re.search(r"\bA\b", text) or re.search(r"\bN\b", text):
                if self._first is None:
                    continue
                array, size = self._first
                text = re.sub(r"\bA\b", array, re.sub(r"\bA_T\b", self.arrays[array], text))
                text = re.sub(r"\bN\b", size, text)
            self._functions.insert(0, top) if top else None
            self._parts[self.rng.choice(("input", "before", "show"))].append(f"{{\n{text}\n}}")
            placed.append(name)
        return tuple(placed)

    def _facts(self, rewriter: Rewriter, noise: tuple[str, ...]) -> Style:
        """The style without the axes that this program does not have."""
        sorts = any("LT(" in text for text in [*self._functions, *self._parts["work"]])
        return dataclasses.replace(
            self.style,
            access="pointer" if rewriter.walked else "index",
            calls=self.called,
            matrix=self.style.matrix if self.matrices else "none",
            records=self.style.records if self.tables else "none",
            graph=self.style.graph if self.has_graph else "none",
            compare=self.style.compare if sorts else "none",
            descending=self.style.descending and sorts,
            noise=noise,
            check=self.style.check if self._parts["check"] else "none",
        )
