"""What a program holds: sizes, arrays, matrices, tables and strings, and how it reads them."""

from __future__ import annotations

import random
from collections.abc import Mapping

from .inputs import Source
from .style import Style

PARTS = ("declare", "input", "before", "work", "check", "show", "end")
"""Sections of main, in their order."""

_GETCHAR_TEXT = """{
    int c = getchar(), read = 0;
    while (c == 32 || c == 10) { c = getchar(); }
    while (c != EOF && c != 10 && read < LENGTH) { TEXT[read++] = (char)c; c = getchar(); }
    TEXT[read] = 0;
    if (read == 0) { return 2; }
}"""


class Declarations:
    """The data of one program. Methods that read return what the program will read."""

    def __init__(self, rng: random.Random, style: Style) -> None:
        self.rng, self.style = rng, style
        self.source = Source(rng, style.input)
        self.sizes: dict[str, int] = {}
        self.arrays: dict[str, str] = {}
        """Element type by name; matrices are not in it."""
        self.matrices: dict[str, tuple[str, int]] = {}
        """Element type and columns by name."""
        self.tables: dict[str, tuple[str, ...]] = {}
        """Fields by name."""
        self.key_type = ""
        """Type of the keys where T is a struct."""
        self.has_graph = False
        self._top: list[str] = []
        self._parts: dict[str, list[str]] = {part: [] for part in PARTS}
        self._first: tuple[str, str] | None = None
        """First array that was read, and its size: bookkeeping looks at it."""

    @property
    def element(self) -> str:
        """C type of T."""
        return "struct item" if self.key_type else self.style.element

    def _least(self, kind: str, low: int) -> int:
        unsigned = kind == "T" and self.style.element == "unsigned"
        return max(low, 0) if unsigned else low

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
            self._add("input", f"if ({name} < 1 || {name} > {value}) {{ return 2; }}")
        return value

    def records(self) -> None:
        """Make T a struct with a key of the element type and a tag."""
        self.key_type = kind = self.style.element
        tag = self.rng.choice(("int tag;", "long tag;", "short tag, mark;"))
        fields = [tag, f"{kind} key;"]
        self._top.append(f"struct item {{ {' '.join(self.rng.sample(fields, 2))} }};")

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
            allocated = f"{kind} *{name} = calloc({room}, sizeof({kind}));"
            self._add("declare", f"{allocated}\nif (!{name}) {{ return 3; }}")
            self._add("end", f"free({name});")
        else:
            self._top.append(f"static struct {{ int used; {kind} at[{room}]; }} {name}_box;")
            self._add("declare", f"{kind} *{name} = {name}_box.at;\n{name}_box.used = {size};")

    def input(
        self, name: str, size: str, low: int, high: int, kind: str = "T", room: int = 0
    ) -> list[int]:
        """Declare and read an array; returns what it will hold."""
        low = self._least(kind, low)
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
            # The first is no space, which scanf would skip.
            drawn = self.rng.choices(letters.strip()) + self.rng.choices(letters, k=count - 1)
            return self.given_text(name, "".join(drawn))
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
            form = f" %{len(text)}[^\\n]" if " " in text else f"%{len(text)}s"
            self._add("input", f'if (scanf("{form}", {name}) != 1) {{ return 2; }}')
        elif self.style.input == "getchar":
            self._add(
                "input", _GETCHAR_TEXT.replace("TEXT", name).replace("LENGTH", str(len(text)))
            )
        elif self.rng.random() < 0.5:
            self._add("input", f'strcpy({name}, "{text}");')
        else:
            self._top.append(f'static const char {name}_text[] = "{text}";')
            self._add(
                "input", f"for (int i = 0; i <= {len(text)}; i++) {{ {name}[i] = {name}_text[i]; }}"
            )
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
        self._add(
            "declare", f"{pointers}\nfor (int i = 0; i < {rows}; i++) {{ {name}[i] = {row}; }}"
        )

    def input_matrix(
        self, name: str, rows: str, columns: str, low: int, high: int, kind: str = "T"
    ) -> list[list[int]]:
        """Declare and read a matrix."""
        low = self._least(kind, low)
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

    def _add(self, part: str, text: str) -> None:
        if text.strip():
            self._parts[part].append(text)
