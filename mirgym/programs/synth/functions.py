"""Functions of a generated program: constructs drawn by their shares, until a budget is spent."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from .expressions import Operands
from .profile import KINDS, Profile
from .templates import LOOPS, Template, templates

DEEPEST = 6
"""Blocks within blocks."""
_WORK = 4_000
"""How often a statement may run in one call of its function, roughly."""
_CALL_WORK = 60_000
"""Operations that one call of a function may take, with what it calls, roughly."""
_PLACEHOLDER = re.compile(r"\$([a-zA-Z])(\d?)")
_TABLES = {"A": ("t0", "t1"), "D": ("t2", "t3"), "r": ("r0", "r1", "r2"), "y": ("bytes0", "bytes1"),
           "s": ("text0", "text1", "text2", "text3")}  # fmt: skip


@dataclass(frozen=True)
class Function:
    """One generated function."""

    name: str
    parameters: tuple[str, ...]
    text: str
    cost: int
    """Operations that a call takes, roughly."""


@dataclass
class Draft:
    """A program while it is being written."""

    rng: random.Random
    profile: Profile
    length: int
    """Of its arrays: LEN."""
    counts: Counter[str] = field(default_factory=Counter)
    """Constructs by kind."""
    functions: list[Function] = field(default_factory=list)
    names: int = 0

    def fresh(self, prefix: str) -> str:
        """A name that was not there before."""
        self.names += 1
        return f"{prefix}{self.names}"


class FunctionWriter:
    """Writes one function of a draft."""

    def __init__(self, draft: Draft, parameters: tuple[str, ...]) -> None:
        self.draft = draft
        self.rng = draft.rng
        self.parameters = parameters
        self.operands = Operands(draft.rng, draft.profile, parameters)
        self.before: list[str] = []
        self.cost = 0
        self._left = 0
        self._loops = 0
        self._depth = 0
        self._runs = 1
        """How often what is being written runs in one call."""
        names = self.operands
        self._makers: dict[str, Callable[[], str]] = {
            "v": lambda: names.variable("u32"),
            "w": lambda: names.variable("u64"),
            "d": lambda: names.variable("double"),
            "e": names.expression,
            "x": names.real,
            "c": names.condition,
            "k": lambda: str(self.rng.randint(1, 15)),
            "K": lambda: f"0x{self.rng.getrandbits(32) | 1:x}u",
            "o": names.operator,
            "a": names.array,
            "j": names.index,
            "P": names.record,
            "N": names.node,
            "h": names.head,
            "n": self._trips,
            "m": lambda: draft.fresh("m"),
            "i": lambda: draft.fresh("i"),
            "f": lambda: draft.fresh("op"),
            "t": lambda: draft.fresh("table"),
            "C": self._call,
            **{letter: self._chooser(some) for letter, some in _TABLES.items()},
        }

    def write(self, name: str, budget: int) -> Function:
        """The function, of about ``budget`` constructs."""
        self._left = max(budget, 1)
        lines = []
        while self._left > 0:
            lines += self._construct()
        linkage = "static " if self.rng.random() < 0.8 else ""
        given = ", ".join(
            f"{type_name}{'' if type_name.endswith('*') else ' '}p{index}"
            for index, type_name in enumerate(self.parameters)
        )
        text = [*self.before, f"{linkage}u32 {name}({given or 'void'}) {{"]
        text += [f"  {line}" for line in (*self._locals(), *lines, self._result())]
        return Function(name, self.parameters, "\n".join([*text, "}"]), self.cost)

    def _chooser(self, some: tuple[str, ...]) -> Callable[[], str]:
        return lambda: self.rng.choice(some)

    def _kinds(self) -> list[str]:
        """What may stand here."""
        nested = self._depth >= DEEPEST
        looped = self._loops >= self.draft.profile.depth
        out = {"branches", "switches", *LOOPS} if nested else set(LOOPS) if looped else set()
        if not self._callees():
            out.add("calls")
        return [kind for kind in KINDS if kind not in out]

    def _callees(self) -> list[Function]:
        affordable = (_CALL_WORK - self.cost) // self._runs
        return [one for one in self.draft.functions if one.cost <= affordable]

    def _construct(self) -> list[str]:
        """Draw and write one construct, with all that is in it."""
        shares = self.draft.profile.shares
        kinds = [kind for kind in self._kinds() if shares[kind] > 0] or ["arithmetic"]
        (kind,) = self.rng.choices(kinds, [shares.get(one, 0) or 1.0 for one in kinds])
        fitting = [one for one in templates()[kind] if self._loops or not one.in_loop]
        self.draft.counts[kind] += 1
        self._left -= 1
        return self._fill(self.rng.choice(fitting))

    def _fill(self, template: Template) -> list[str]:
        outer_runs, known = self._runs, dict[str, str]()
        self._runs *= template.trips
        counter = ""

        def text_of(match: re.Match[str]) -> str:
            nonlocal counter
            letter, digit = match.groups()
            if letter == "B":
                indent = "\n" + " " * (match.start() - match.string.rfind("\n") - 1)
                return indent.join(self._block(template.kind in LOOPS, counter))
            key = letter + digit
            if key not in known or not digit:
                known[key] = self._makers[letter]()
            if key == "i1":
                counter = known[key]
            return known[key]

        # What stands before the function sees none of its names.
        if template.before:
            self.before += [_PLACEHOLDER.sub(text_of, template.before), ""]
        # A block is filled in where it stands, so that $n and $i1 before it hold for it.
        body = _PLACEHOLDER.sub(text_of, template.body)
        self.cost += template.cost * self._runs
        self._runs = outer_runs
        return body.split("\n")

    def _block(self, looped: bool, counter: str) -> list[str]:
        """Some constructs; in a loop its counter can be read."""
        self._depth += 1
        self._loops += looped
        if counter:
            self.operands.counters.append(counter)
        lines: list[str] = []
        for _ in range(self.rng.randint(1, 4)):
            if self._left > 0 or not lines:
                lines += self._construct()
        if counter:
            self.operands.counters.pop()
        self._loops -= looped
        self._depth -= 1
        return lines

    def _trips(self) -> str:
        """A trip count; what follows in the same construct runs that often."""
        most = min(2 * self.draft.profile.trips - 2, self.draft.length, _WORK // self._runs)
        count = self.rng.randint(2, max(most, 2))
        self._runs *= count
        if self.rng.random() < 0.7:
            return f"{count}u"
        return f"({self.operands.expression()} % {count}u + 1u)"

    def _call(self) -> str:
        callee = self.rng.choice(self._callees())
        self.cost += callee.cost * self._runs
        return f"{callee.name}({', '.join(map(self.operands.argument, callee.parameters))})"

    def _locals(self) -> list[str]:
        """Declarations of what was used."""
        starts = {"u32": f"{self.rng.getrandbits(16)}u", "u64": "1", "double": "0.5"}
        for index, type_name in enumerate(self.parameters):
            if type_name in starts:
                starts[type_name] = f"p{index}"
        lines = []
        for order, (name, type_name) in enumerate(sorted(self.operands.used.items())):
            if type_name == "u32 array":
                lines.append(f"u32 {name}[LEN] = {{0}};")
            else:
                change = "* 0.5" if type_name == "double" else f"+ {order}u"
                lines.append(f"{type_name} {name} = {starts[type_name]} {change};")
        return lines

    def _result(self) -> str:
        words = {"u32": "{}", "u64": "(u32){}", "double": "bits({})", "u32 array": "{}[3]"}
        parts = [words[t].format(name) for name, t in sorted(self.operands.used.items())]
        return f"return {' ^ '.join(parts) or '1u'};"
