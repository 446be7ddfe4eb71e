"""The C program around a kernel's body."""

from __future__ import annotations

from dataclasses import dataclass

SMALL = ("int8_t", "int16_t")
INTEGERS = (*SMALL, "uint8_t", "uint32_t", "uint64_t")
REALS = ("float", "double")
LENGTHS = (20, 64, 100, 256, 500, 1000, 1024, 2000)
GRID = (16, 24, 33, 40)
"""Rows and columns of matrices."""

_WORK = 60_000
"""Elements that the calls of a kernel see together: far more than what prepares them."""


@dataclass(frozen=True)
class Shape:
    """What a seed chooses beside the template."""

    element: str
    """C type of the elements."""
    length: int
    """Of the arrays; rows and columns for a grid."""
    grid: bool
    constant_length: bool
    """Whether the compiler knows the length."""
    visible_arrays: bool
    """Whether it knows which arrays these are: if not, they might overlap."""
    reassociate: bool
    """Whether it may reorder floating-point arithmetic in the kernel."""


def write(body: str, shape: Shape) -> str:
    """The program; it prints a checksum of all that the kernel wrote and returned."""
    real = shape.element in REALS
    size = shape.length**2 if shape.grid else shape.length
    calls = max(2, _WORK // (shape.length**3 if shape.grid else size))
    pragma = "#pragma clang fp reassociate(on)\n  " if real and shape.reassociate else ""
    unsigned = shape.element if real else "u" + shape.element.removeprefix("u")
    return _PROGRAM.format(
        element=shape.element,
        unsigned=unsigned,
        half="((x) * (T)0.5)" if real else "((T)((x) >> 1))",
        width=shape.length,
        size=size,
        constant=f"enum {{ n = {shape.length} }};\n" if shape.constant_length else "",
        unused="unused" if shape.constant_length else "n",
        linkage="static " if shape.visible_arrays else "",
        pragma=pragma,
        body=body.strip().replace("\n", "\n  "),
        offset=8 if shape.element in ("int8_t", "int16_t", *REALS) else 0,
        calls=calls,
    )


_PROGRAM = """\
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef {element} T;
typedef {unsigned} U;
#define W {width}
#define SIZE {size}
#define HALF(x) {half}

static T a[SIZE + 64], b[SIZE + 64], c[SIZE + 64], d[SIZE + 64];
static int32_t ix[SIZE + 64];
{constant}
__attribute__((noinline)) {linkage}T kernel(T *a, const T *b, const T *c, const T *d,
                                              const int32_t *ix, int {unused}) {{
  {pragma}{body}
}}

static void fill(uint32_t seed) {{
  for (int i = 0; i < SIZE + 64; i++) {{
    seed = seed * 1664525u + 1013904223u;
    a[i] = (T)((int)(seed >> 8 & 15) - {offset});
    b[i] = (T)((int)(seed >> 12 & 15) - {offset});
    c[i] = (T)((int)(seed >> 16 & 15) - {offset});
    d[i] = (T)(seed >> 20 & 15) + 1;
    ix[i] = (int32_t)((seed >> 4) % SIZE);
  }}
}}

static uint64_t mix(uint64_t sum, T value) {{
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof(value));
  return (sum ^ bits) * 1099511628211u;
}}

int main(int argc, char **argv) {{
  (void)argv;
  uint64_t sum = 14695981039346656037u;
  fill(12345);
  for (int call = 0; call < {calls}; call++) {{
    b[call % SIZE] = (T)(call & 7);
    sum = mix(sum, kernel(a, b, c, d, ix, {width} * argc));
  }}
  for (int i = 0; i < SIZE; i++) sum = mix(sum, a[i]);
  printf("%016llx\\n", (unsigned long long)sum);
  return 0;
}}
"""
