"""Where a program's values come from: a generator in it, its standard input, or a table.

The same values are drawn here in Python, in the order in which the program reads them.
"""

from __future__ import annotations

import random
from collections.abc import Callable

MASK = 0xFFFFFFFF


def _xorshift(state: int) -> int:
    state ^= state << 13 & MASK
    state ^= state >> 17
    return state ^ (state << 5 & MASK)


GENERATORS: dict[str, tuple[str, str, Callable[[int], int], Callable[[int], int]]] = {
    # C: next state, value of a state; Python: the same two.
    "lcg": (
        "state = state * 1103515245u + 12345u;",
        "(state >> 16 & 32767u)",
        lambda s: (s * 1103515245 + 12345) & MASK,
        lambda s: s >> 16 & 32767,
    ),
    "xorshift": (
        "state ^= state << 13; state ^= state >> 17; state ^= state << 5;",
        "(state >> 8)",
        _xorshift,
        lambda s: s >> 8,
    ),
    "modular": (
        "state = (state * 75u + 74u) % 65537u;",
        "state",
        lambda s: (s * 75 + 74) % 65537,
        lambda s: s,
    ),
    "weyl": (
        "state += 2654435769u;",
        "((state ^ state >> 15) * 2246822519u >> 12)",
        lambda s: (s + 2654435769) & MASK,
        lambda s: ((s ^ s >> 15) * 2246822519 & MASK) >> 12,
    ),
}


class Source:
    """Draws values and renders the C that reads the same ones.

    ``read`` gives the statement of one reading; ``top`` the file-level C that all
    readings need; ``numbers`` and ``stdin`` what stands in the table and in the input.
    """

    def __init__(self, rng: random.Random, kind: str) -> None:
        self.kind = kind
        self.rng = rng
        self.generator = GENERATORS[rng.choice(tuple(GENERATORS))]
        self.seed = self.state = rng.randrange(1, 60000)
        self.numbers: list[int] = []
        self.stdin = ""
        self.as_function = rng.random() < 0.5
        self.separator = rng.choice((" ", "\n"))

    def draw(self, low: int, high: int) -> int:
        """The next value, ``low`` to ``high`` inclusive."""
        if not self.kind.startswith("random"):
            return self.put(self.rng.randint(low, high))
        _, _, step, value = self.generator
        self.state = step(self.state)
        return value(self.state) % (high - low + 1) + low

    def put(self, value: int) -> int:
        """A given value, for inputs that hold one."""
        self.numbers.append(value)
        if self.kind in ("scanf", "getchar"):
            self.stdin += f"{value}{self.separator}"
        return value

    def read(self, target: str, low: str, high: str) -> str:
        """C that reads the next value into ``target``; it stands in main."""
        if self.kind == "random":
            return f"{target} = next_value({low}, {high})"
        if self.kind == "random inline":
            step, value, _, _ = self.generator
            span = f"{int(high) - int(low) + 1}"
            return f"{step}\n{target} = (int)({value} % {span}u) + {low}"
        if self.kind == "table":
            return f"{target} = table[next_in_table++]"
        if self.kind == "scanf" and not self.as_function:
            return f'if (scanf("%d", &got) != 1) {{\nreturn 2;\n}}\n{target} = got'
        return f"{target} = read_number()"

    def top(self) -> str:
        """File-level C that the readings use."""
        step, value, _, _ = self.generator
        if self.kind == "random":
            return f"""static unsigned state = {self.seed}u;
                static int next_value(int low, int high) {{
                {step}
                return (int)({value} % (unsigned)(high - low + 1)) + low;
                }}"""
        if self.kind == "random inline":
            return f"static unsigned state = {self.seed}u;" if self.as_function else ""
        if self.kind == "table":
            listed = ", ".join(map(str, self.numbers))
            return f"static const int table[] = {{{listed}}};\nstatic int next_in_table = 0;"
        if self.kind == "scanf":
            return _SCANF_FUNCTION if self.as_function else ""
        return _GETCHAR_FUNCTION

    def local(self) -> str:
        """Variables of main that the readings use."""
        if self.kind == "random inline" and not self.as_function:
            return f"unsigned state = {self.seed}u;"
        return "int got = 0;" if self.kind == "scanf" and not self.as_function else ""


_SCANF_FUNCTION = """
static int read_number(void) {
    int got = 0;
    if (scanf("%d", &got) != 1) {
        fputs("a number is missing in the input\\n", stderr);
        exit(2);
    }
    return got;
}"""

_GETCHAR_FUNCTION = """
static int read_number(void) {
    int c = getchar(), sign = 1, value = 0;
    while (c == ' ' || c == '\\n') {
        c = getchar();
    }
    if (c == '-') {
        sign = -1;
        c = getchar();
    }
    if (c < '0' || c > '9') {
        exit(2);
    }
    while (c >= '0' && c <= '9') {
        value = value * 10 + (c - '0');
        c = getchar();
    }
    return sign * value;
}"""
