"""The tokens of one printed instruction, and the types and values among them."""

from __future__ import annotations

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""c?"[^"]*" | [-+](?:inf|q?nan|snan)\b | [%@$]"[^"]*" | [%@$!][-\w$.]* | \#\d+ | \.\.\.
    | -?\d+\.\d*(?:e[-+]?\d+)? | -?[\w.]+ | [][(){}<>,=*|:]""",
    re.VERBOSE,
)
OPEN = {"(": ")", "[": "]", "{": "}", "<": ">"}
SIMPLE_TYPE = re.compile(
    r"(i\d+|b\d+|void|half|bfloat|float|double|x86_fp80|fp128|ppc_fp128|x86_amx|ptr|label"
    r"|metadata|token|%.*)$"
)
CASTS = frozenset(
    [
        "trunc",
        "zext",
        "sext",
        "fptrunc",
        "fpext",
        "fptoui",
        "fptosi",
        "uitofp",
        "sitofp",
        "ptrtoint",
        "ptrtoaddr",
        "inttoptr",
        "bitcast",
        "addrspacecast",
    ]
)
BINARY = frozenset(
    [
        "add",
        "fadd",
        "sub",
        "fsub",
        "mul",
        "fmul",
        "udiv",
        "sdiv",
        "fdiv",
        "urem",
        "srem",
        "frem",
        "shl",
        "lshr",
        "ashr",
        "and",
        "or",
        "xor",
    ]
)
WITH_ARGUMENTS_IN_PARENS = frozenset(
    [
        "align",
        "byval",
        "sret",
        "byref",
        "inalloca",
        "preallocated",
        "elementtype",
        "dereferenceable",
        "dereferenceable_or_null",
        "captures",
        "nofpclass",
        "range",
        "initializes",
        "dead_on_return",
        "allocsize",
        "memory",
        "addrspace",
    ]
)
CAN_BE_FOLLOWED_BY_NUMBER = frozenset({"align", "cc"})


@dataclass(frozen=True)
class Operand:
    """A value with its type; the value of an aggregate or expression is its first token."""

    type: str
    value: str
    tokens: tuple[str, ...] = ()
    """All of the value, where the parser kept it."""

    @property
    def integer(self) -> tuple[int, int] | None:
        """Width and value of a plain integer constant."""
        if not re.fullmatch(r"i\d+", self.type):
            return None
        if self.value in ("true", "false"):
            return 1, int(self.value == "true")
        if re.fullmatch(r"-?\d+", self.value):
            return int(self.type[1:]), int(self.value)
        return None

    @property
    def is_constant(self) -> bool:
        """Everything but local values (and metadata and assembly) is a constant."""
        return not self.value.startswith("%")


class Tokens:
    """A cursor over the tokens of one instruction."""

    def __init__(self, text: str) -> None:
        self.items = TOKEN.findall(re.sub(r"/\*.*?\*/", "", text))
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.items[at] if at < len(self.items) else ""

    def next(self) -> str:
        self.at += 1
        return self.items[self.at - 1]

    def accept(self, *tokens: str) -> bool:
        if self.peek() in tokens and self.peek():
            self.at += 1
            return True
        return False

    def expect(self, token: str) -> None:
        assert self.next() == token, (token, self.at, self.items)

    def skip_group(self) -> None:
        """Skip a bracketed group, or one token."""
        token = self.next()
        if token in OPEN:
            while self.peek() != OPEN[token]:
                self.skip_group()
            self.next()

    def skip_words_until_type(self) -> list[str]:
        """Skip flags, calling conventions and attributes, and return their words."""
        words = []
        while self.peek() and not self.at_type():
            word = self.next()
            words.append(word)
            if self.peek() == "(" and word in WITH_ARGUMENTS_IN_PARENS:
                self.skip_group()
            elif word in CAN_BE_FOLLOWED_BY_NUMBER:
                self.next()
        return words

    def at_type(self) -> bool:
        return self.peek() in ("[", "{", "<") or bool(SIMPLE_TYPE.match(self.peek()))

    def type(self) -> str:
        start = self.at
        self.skip_group()
        if self.items[start] == "ptr" and self.peek() == "addrspace":
            self.next()
            self.skip_group()
        return " ".join(self.items[start : self.at])

    def value(self) -> str:
        """The first token of a value; all of it is consumed."""
        first = self.peek()
        self.skip_group()
        if first in ("null", "undef", "poison"):
            return first
        if first in ("dso_local_equivalent", "no_cfi"):
            self.next()
        elif first == "asm":
            while not self.items[self.at - 1].startswith('"'):
                self.next()
            self.expect(",")
            self.next()
        elif not first.startswith(("%", "@", "!", "c")) and first not in OPEN:
            # A constant expression: flags, perhaps a bracketed part.
            while self.peek() in ("inbounds", "nuw", "nusw", "nsw", "exact", "inrange"):
                self.next()
                if self.peek() == "(" and self.items[self.at - 1] == "inrange":
                    self.skip_group()
            if self.peek() == "(":
                self.skip_group()
        elif (
            first == "!"
            or (first.startswith("!") and self.peek() in ("{", "("))
            or (first == "<" and self.peek() == "{")
        ):
            self.skip_group()
        return first

    def typed_value(self) -> Operand:
        kind = self.type()
        if kind == "metadata" and not self.peek().startswith("!"):
            return Operand(kind, "!", (self.typed_value().value,))
        while self.peek() not in OPEN and self._at_attribute():
            word = self.next()
            if self.peek() == "(" and word in WITH_ARGUMENTS_IN_PARENS:
                self.skip_group()
            elif word in CAN_BE_FOLLOWED_BY_NUMBER:
                self.next()
        return self.value_of(kind)

    def value_of(self, kind: str) -> Operand:
        """A value whose type was read before."""
        start = self.at
        first = self.value()
        return Operand(kind, first, tuple(self.items[start : self.at]))

    def _at_attribute(self) -> bool:
        return bool(re.fullmatch(r"[a-z_]+", self.peek())) and self.peek() not in VALUE_WORDS


VALUE_WORDS = frozenset(
    [
        "true",
        "false",
        "null",
        "undef",
        "poison",
        "none",
        "zeroinitializer",
        "splat",
        "getelementptr",
        "blockaddress",
        "asm",
        "dso_local_equivalent",
        "no_cfi",
        "ptrauth",
        "inf",
        "nan",
    ]
) | (CASTS | BINARY)
