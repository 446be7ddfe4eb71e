"""The C program around the generated functions: types, global data, and ``main``."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from .functions import Draft, Function, FunctionWriter
from .profile import NUMBERS, Profile

_SMALLEST_LENGTH = 64
_LARGE_WORK = 1_000_000_000
"""Operations of the large run, roughly."""


class Piece(NamedTuple):
    """Global data that is there if something uses it."""

    used: str
    """Pattern that finds a use."""
    text: str
    start: str = ""
    """Statement of ``main`` before the work."""
    sum: str = ""
    """Statement after it, which adds the data to the checksum."""


_PIECES = (
    Piece(r"\btame\b|\bd\d|\bgd\d|\br\d\b", """\
static double tame(double x) { return fabs(x) > 1000.0 ? 1.0 / x : x; }
"""),
    Piece(r"\bbits\b|\bgd\d|\br\d\b", """\
static u32 bits(double x) {
  u64 word;
  memcpy(&word, &x, sizeof(word));
  return (u32)(word ^ word >> 32);
}
"""),
    Piece(r"\bt\d\b", "static u32 t0[LEN], t1[LEN], t2[LEN], t3[LEN];\n",
          "for (u32 i = 0; i < LEN; i++) t0[i] = i * 7u, t1[i] = i ^ 5u, t2[i] = LEN - i;",
          "for (u32 i = 0; i < LEN; i++) sum = sum * 31u + (t0[i] ^ t1[i]) + (t2[i] ^ t3[i]);"),
    Piece(r"\br\d\b", "static double r0[LEN], r1[LEN], r2[LEN];\n",
          "for (u32 i = 0; i < LEN; i++) r0[i] = i * 0.5, r1[i] = 3.0, r2[i] = 1.0 / (i + 1u);",
          "for (u32 i = 0; i < LEN; i++) sum = sum * 31u + bits(r0[i] + r1[i] + r2[i]);"),
    Piece(r"\bbytes\d", "static u8 bytes0[LEN], bytes1[LEN];\n",
          "for (u32 i = 0; i < LEN; i++) bytes0[i] = (u8)(i * 3u), bytes1[i] = (u8)(i + 1u);",
          "for (u32 i = 0; i < LEN; i++) sum = sum * 31u + (u32)(bytes0[i] << 8) + bytes1[i];"),
    Piece(r"\btext\d", """\
static char text0[] = "a generator of training programs", text1[] = "The Quick Brown Fox, 2048";
static char text2[] = "sphinx of black quartz 17", text3[] = "a generator of test programs";
""", "", "for (u32 i = 0; i < 24u; i++) sum = sum * 31u + (u32)(text0[i] ^ text1[i]) + "
         "(u32)(text2[i] ^ text3[i]);"),
    Piece(r"\brecord", """\
struct record {
  u32 id;
  u16 kind;
  int delta;
  u64 weight;
  u8 tag[8];
};
static struct record records[16];
""", "for (u32 i = 0; i < 16u; i++) records[i].id = i * 11u, records[i].weight = i << 20;",
     "for (u32 i = 0; i < 16u; i++) sum = sum * 31u + records[i].id + records[i].kind + "
     "(u32)records[i].weight + records[i].tag[i & 7u] + (u32)records[i].delta;"),
    Piece(r"\bnode\b|\bheads\b", """\
struct node {
  struct node *next;
  u32 key, value;
};
static struct node nodes[48], *heads[8];
""", "for (u32 i = 0; i < 48u; i++) nodes[i].key = i * 5u, nodes[i].next = heads[i % 8u], "
     "heads[i % 8u] = &nodes[i];",
     "for (u32 i = 0; i < 8u; i++)\n"
     "    for (struct node *n = heads[i]; n; n = n->next) sum = sum * 31u + n->value;"),
    Piece(r"\btree\b", """\
struct tree {
  struct tree *left, *right;
  u32 key, count;
};
static struct tree trees[64], *root;
static u32 planted;
""", "", "for (u32 i = 0; i < planted; i++) sum = sum * 31u + trees[i].key + trees[i].count;"),
    Piece(r"\bgv\d", "static u32 gv0 = 1, gv1 = 2, gv2 = 3, gv3, gv4, gv5;\n",
          "", "sum = sum * 31u + (gv0 ^ gv1 ^ gv2) + (gv3 ^ gv4 ^ gv5);"),
    Piece(r"\bgw\d", "static u64 gw0 = 1, gw1, gw2;\n", "",
          "sum = sum * 31u + (u32)(gw0 ^ gw1 ^ gw2) + (u32)(gw0 >> 32);"),
    Piece(r"\bgd\d", "static double gd0 = 0.5, gd1, gd2;\n", "",
          "sum = sum * 31u + bits(gd0) + bits(gd1) + bits(gd2);"),
)  # fmt: skip


@dataclass(frozen=True)
class Synthetic:
    """A generated program."""

    seed: int
    profile: Profile
    source: str
    counts: Counter[str]
    """Constructs by kind, as drawn."""
    repeats: int
    """Argument of the large run."""


def generate(seed: int, profile: Profile) -> Synthetic:
    """The program of a seed, the same everywhere."""
    rng = random.Random(f"synth/{seed}")
    draft = Draft(rng, profile, _array_length(profile))
    for index, budget in enumerate(_budgets(rng, profile)):
        parameters = _parameters(rng, profile)
        draft.functions.append(FunctionWriter(draft, parameters).write(f"work{index}", budget))
    source = _program(draft)
    work = sum(function.cost for function in draft.functions)
    repeats = min(max(_LARGE_WORK // work, 2), 1_000_000)
    return Synthetic(seed, profile, source, draft.counts, repeats)


def _array_length(profile: Profile) -> int:
    """A power of two that no trip count exceeds."""
    length = _SMALLEST_LENGTH
    while length < 2 * profile.trips:
        length *= 2
    return length


def _budgets(rng: random.Random, profile: Profile) -> list[int]:
    """Constructs of each function: the size split at random, each at least one."""
    size = round(profile.size * rng.uniform(0.5, 1.5))
    wanted = round(profile.functions * rng.uniform(0.5, 1.5))
    count = min(max(wanted, NUMBERS["functions"].low), max(size, 1))
    weights = [rng.uniform(0.3, 1.0) for _ in range(count)]
    return [max(round(size * weight / sum(weights)), 1) for weight in weights]


def _parameters(rng: random.Random, profile: Profile) -> tuple[str, ...]:
    """Types that fit what the functions do."""
    shares = profile.shares
    weights = {
        "u32": 0.5,
        "u64": 0.05,
        "double": 0.6 * shares["floats"],
        "u32 *": 0.6 * (shares["arrays"] + shares["strides"]),
        "struct record *": 0.6 * shares["structs"],
        "struct node *": 0.6 * shares["lists"],
    }
    return tuple(rng.choices(list(weights), list(weights.values()), k=rng.randint(1, 4)))


def _program(draft: Draft) -> str:
    functions = "\n\n".join(function.text for function in draft.functions)
    main = [f"sum = sum * 31u + {_root_call(draft, one)};" for one in draft.functions]
    used = "\n".join([functions, *main])
    pieces = [piece for piece in _PIECES if re.search(piece.used, used)]
    return _FRAME.format(
        length=draft.length,
        data="".join(piece.text for piece in pieces),
        functions=functions,
        starts="".join(f"  {piece.start}\n" for piece in pieces if piece.start),
        calls="\n".join(f"    {line}" for line in main),
        sums="".join(f"  {piece.sum}\n" for piece in pieces if piece.sum),
    )


def _root_call(draft: Draft, function: Function) -> str:
    """A call from ``main``, whose only variables are the checksum and the round."""
    simple = {"u32": "sum ^ round", "u64": "sum", "double": "(double)(sum & 255u) * 0.25"}
    simple |= {"struct record *": "&records[round & 15u]", "struct node *": "heads[round & 7u]"}
    simple["u32 *"] = f"t{draft.rng.randrange(4)}"
    return f"{function.name}({', '.join(simple[name] for name in function.parameters)})"


_FRAME = """\
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF
#define LEN {length}u
#define MASK (LEN - 1u)
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

{data}
{functions}

int main(int argc, char **argv) {{
  u32 sum = 1, rounds = argc > 1 ? (u32)strtoul(argv[1], NULL, 10) : 1;
{starts}  for (u32 round = 0; round < rounds; round++) {{
{calls}
  }}
  printf("%08x\\n", (unsigned)sum);
{sums}  printf("%08x\\n", (unsigned)sum);
  return 0;
}}
"""
