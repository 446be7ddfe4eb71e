"""Operands and expressions of one function; they remember what was used."""

from __future__ import annotations

import random
from collections.abc import Sequence

from .profile import Profile

LOCALS = {"u32": "v", "u64": "w", "double": "d"}
_OPERATORS = {"arithmetic": ("+", "-", "*"), "bits": ("^", "&", "|")}
_TINY = 1e-9
"""Keeps a choice possible where all weights are 0."""


class Operands:
    """The names that a function's expressions may use.

    ``double`` values stay within 1000 (see ``tame`` in ``source``), and their expressions
    within 10^6, so that they never overflow an ``int``; all else is unsigned.
    """

    def __init__(self, rng: random.Random, profile: Profile, parameters: Sequence[str]) -> None:
        self.rng = rng
        self.shares = profile.shares
        self.global_share = profile.globals
        self.used: dict[str, str] = {}
        """Local variables and arrays by name, with their types."""
        self.counters: list[str] = []
        """Loop counters in scope, all below LEN."""
        self.of_type: dict[str, list[str]] = {}
        for index, type_name in enumerate(parameters):
            self.of_type.setdefault(type_name, []).append(f"p{index}")
        self._locals = rng.randint(2, 5)

    def _is_global(self) -> bool:
        return self.rng.random() < self.global_share

    def _often(self, *kinds: str) -> bool:
        """True as often as these kinds are among all."""
        return self.rng.random() < sum(self.shares[kind] for kind in kinds)

    def variable(self, type_name: str) -> str:
        """An lvalue of a scalar type."""
        letter = LOCALS[type_name]
        if self._is_global():
            return f"g{letter}{self.rng.randrange(6 if letter == 'v' else 3)}"
        name = f"{letter}{self.rng.randrange(self._locals if letter == 'v' else 2)}"
        self.used[name] = type_name
        return name

    def array(self) -> str:
        """LEN words: global, the caller's, or the function's own."""
        own = self.of_type.get("u32 *", [])
        if own and not self._is_global():
            return self.rng.choice(own)
        if self._is_global() or self.rng.random() < 0.5:
            return f"t{self.rng.randrange(4)}"
        self.used["z"] = "u32 array"
        return "z"

    def record(self) -> str:
        """A pointer to a record."""
        own = self.of_type.get("struct record *", [])
        if own and self.rng.random() < 0.6:
            return self.rng.choice(own)
        return f"(&records[{self._atom()} & 15u])"

    def node(self) -> str:
        """A pointer to a node, or null."""
        own = self.of_type.get("struct node *", [])
        if own and self.rng.random() < 0.6:
            return self.rng.choice(own)
        return self.head()

    def head(self) -> str:
        """The head of a list."""
        return f"heads[{self.rng.randrange(8)}]"

    def index(self) -> str:
        """Below LEN."""
        if self.counters and self.rng.random() < 0.7:
            counter = self.rng.choice(self.counters)
            if self.rng.random() < 0.6:
                return counter
            return f"({counter} + {self.rng.randint(1, 9)}u) & MASK"
        if self.rng.random() < 0.2:
            return f"{self.rng.randrange(64)}u"
        return f"({self.expression()}) & MASK"

    def _atom(self) -> str:
        kinds = ("arrays", "strides", "structs")
        if self._often(*kinds) and self.rng.random() < 0.5:
            if self._often("structs"):
                return f"{self.record()}->id"
            return f"{self.array()}[{self._mask_of_name()}]"
        names = [*self.of_type.get("u32", []), *(f"(u32){name}" for name in self.counters)]
        if names and self.rng.random() < 0.5:
            return self.rng.choice(names)
        if self.rng.random() < 0.2:
            return f"{self.rng.randint(0, 100)}u"
        return self.variable("u32")

    def _mask_of_name(self) -> str:
        if self.counters:
            return self.rng.choice(self.counters)
        return f"{self.variable('u32')} & MASK"

    def operator(self) -> str:
        """An operator between words that is defined for all of them."""
        weights = [self.shares[kind] + _TINY for kind in _OPERATORS]
        (kind,) = self.rng.choices(list(_OPERATORS), weights)
        return self.rng.choice(_OPERATORS[kind])

    def expression(self) -> str:
        """Of type ``u32``, in parentheses where it needs them."""
        form = self.rng.random()
        if form < 0.4:
            return self._atom()
        if form < 0.8:
            return f"({self._atom()} {self.operator()} {self._atom()})"
        if form < 0.9:
            shift = self.rng.choice(("<<", ">>"))
            return f"({self._atom()} {shift} {self.rng.randint(1, 9)})"
        return (
            f"(({self._atom()} {self.operator()} {self._atom()}) {self.operator()} {self._atom()})"
        )

    def _real(self) -> str:
        names = self.of_type.get("double", [])
        if names and self.rng.random() < 0.4:
            return self.rng.choice(names)
        form = self.rng.random()
        if form < 0.3:
            return f"r{self.rng.randrange(3)}[{self._mask_of_name()}]"
        return f"{self.rng.randint(1, 63) / 8}" if form < 0.45 else self.variable("double")

    def real(self) -> str:
        """An expression of type ``double``."""
        form = self.rng.random()
        if form < 0.4:
            return self._real()
        return f"({self._real()} {self.rng.choice('+-**')} {self._real()})"

    def condition(self) -> str:
        """A comparison."""
        if self._often("floats"):
            return f"{self.real()} {self.rng.choice('<>')} {self.real()}"
        if self._often("lists") and self.rng.random() < 0.5:
            return f"{self.node()} != NULL"
        form = self.rng.random()
        if form < 0.4:
            return f"({self.expression()} & {self.rng.choice((1, 2, 3, 4, 7, 8))}u) == 0"
        comparison = self.rng.choice(("<", ">", "<=", ">=", "==", "!="))
        return f"{self.expression()} {comparison} {self.expression()}"

    def argument(self, type_name: str) -> str:
        """What is passed for a parameter."""
        if type_name == "u64":
            return f"(u64){self._atom()} << 7 ^ {self._atom()}"
        if type_name == "double":
            return f"tame({self.real()})"
        makers = {"u32 *": self.array, "struct record *": self.record, "struct node *": self.node}
        return makers.get(type_name, self.expression)()
