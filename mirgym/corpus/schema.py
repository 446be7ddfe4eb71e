"""The layout of the corpus: Parquet shards of functions, ready for pre-training.

A row is one function in one state of its module. State 0 is the module as clang gives
it with optimisation off (and the size attributes of Oz), later ones follow a random
sequence of passes. Rows of one source function (``origin``) lie together.

================== ============ ========================================================
column             type         contents
================== ============ ========================================================
package            string       source package, the unit of the split
module, function   string       source path in the package, name
origin             uint32       the source function, one number for all its states
state              uint8        0, or which random sequence was run
key                uint64       of the function's view (``mirgym.views``)
t0 … t7            list uint16  rows of the tokens
n0, n1             list uint16  rows of the nodes
e_src, e_dst       list int32   edges, sorted by kind; each end minus the one before it,
                                which compresses well
e_kind             list uint8   kinds of the edges
effects            list int16   change in instructions when each pass of ``EFFECT_PASSES``
                                is run alone in this state; ``UNKNOWN`` when it failed or
                                the function went away
changed            list uint8   whether that pass changed the function's structural key
oz_instructions    int32        instructions after Oz from this state, −1 when unknown
================== ============ ========================================================
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

UNKNOWN = -(2**15)
"""An effect that could not be measured."""

EFFECT_PASSES = (
    "mem2reg", "sroa<modify-cfg>", "early-cse", "early-cse<memssa>", "gvn",
    "instcombine<no-verify-fixpoint>", "instsimplify", "aggressive-instcombine", "simplifycfg",
    "simplifycfg<no-keep-loops>", "simplifycfg<hoist-common-insts;sink-common-insts>",
    "jump-threading", "reassociate", "licm<allowspeculation>", "sccp", "ipsccp",
    "correlated-propagation", "indvars", "dse", "loop-rotate", "bdce", "adce", "gvn-hoist",
    "loop-reduce", "inline", "scc-oz-module-inliner", "globalopt", "speculative-execution",
    "lower-switch", "sink", "mldst-motion", "loop-deletion", "loop-vectorize", "slp-vectorizer",
    "loop-unroll", "loop-unroll-full", "loop-idiom", "memcpyopt", "simple-loop-unswitch",
    "constraint-elimination", "tailcallelim", "reg2mem", "lcssa", "loop-simplify",
    "break-crit-edges", "scalarizer", "load-store-vectorizer", "nary-reassociate",
    "separate-const-offset-from-gep", "consthoist", "deadargelim", "vector-combine",
)  # fmt: skip
"""Passes whose effect on each function is measured; all of them of the core catalogue."""

TEST_PACKAGES = frozenset(
    {
        "deb_nettle", "deb_lua5.4", "deb_flac", "deb_glpk", "deb_bsdgames", "deb_hmmer",
        "deb_twolame", "pypi_edlib", "pypi_scs", "npm_secp256k1",
    }
)  # fmt: skip
VALID_PACKAGES = frozenset(
    {
        "deb_mujs", "deb_libvorbis", "deb_lcms2", "deb_qhull", "deb_speex", "pypi_pymunk",
        "pypi_ephem",
    }
)  # fmt: skip


def split_of(package: str) -> str:
    """``train``, ``valid`` or ``test``: by package, so that no source is in two."""
    if package in TEST_PACKAGES:
        return "test"
    return "valid" if package in VALID_PACKAGES else "train"


def seed_of(*parts: str | int) -> int:
    """A seed that depends on these names only."""
    return zlib.crc32("\0".join(map(str, parts)).encode())


def schema() -> pa.Schema:
    """The Arrow schema of a shard."""
    import json

    import pyarrow as pa

    u16 = pa.list_(pa.uint16())
    fields = [
        ("package", pa.string()),
        ("module", pa.string()),
        ("function", pa.string()),
        ("origin", pa.uint32()),
        ("state", pa.uint8()),
        ("key", pa.uint64()),
        *[(f"t{row}", u16) for row in range(8)],
        *[(f"n{row}", u16) for row in range(2)],
        ("e_src", pa.list_(pa.int32())),
        ("e_dst", pa.list_(pa.int32())),
        ("e_kind", pa.list_(pa.uint8())),
        ("effects", pa.list_(pa.int16())),
        ("changed", pa.list_(pa.uint8())),
        ("oz_instructions", pa.int32()),
    ]
    return pa.schema(fields, metadata={"effect_passes": json.dumps(EFFECT_PASSES)})
