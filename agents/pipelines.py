"""LLVM's O2 written out, so that a search can leave passes out of it.

``default<O2>`` is one word to ``opt``, yet nearly all of what beats it is less of it: on the
bundled programs at Oz, O2 without ``indvars`` alone gives up to 5 % less code, and a search
in 500 compiles 5.5 % on average (geomean 1.058), where passes added after O2 give 1 %.

``O2`` is what ``clang -O2 -mllvm -print-pipeline-passes`` prints for LLVM 23, with
parameters that are defaults left out; a test holds it identical to ``default<O2>``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .. import levels
from ..passes import Pass

_O2_TEXT = (
    "memprof-remove-attributes,annotation2metadata,forceattrs,declare-to-assign,inferattrs,"
    "coro-early,function<eager-inv>(ee-instrument,lower-expect,simplifycfg,sroa,early-cse),"
    "openmp-opt,ipsccp,called-value-propagation,globalopt,function<eager-inv>(mem2reg,"
    "instcombine<no-verify-fixpoint>,simplifycfg<switch-range-to-icmp>),always-inline,"
    "require<globals-aa>,function(invalidate<aa>),require<profile-summary>,"
    "cgscc(devirt<4>(inline,function-attrs<skip-non-recursive-function-attrs>,"
    "openmp-opt-cgscc,function<eager-inv;no-rerun>(sroa,early-cse<memssa>,"
    "speculative-execution<only-if-divergent-target>,jump-threading,correlated-propagation,"
    "jump-table-to-switch,simplifycfg<switch-range-to-icmp>,instcombine<no-verify-fixpoint>,"
    "aggressive-instcombine,libcalls-shrinkwrap,tailcallelim,"
    "simplifycfg<switch-range-to-icmp>,reassociate,constraint-elimination,"
    "loop-mssa(loop-instsimplify,loop-simplifycfg,licm<no-allowspeculation>,loop-rotate,"
    "licm<allowspeculation>,simple-loop-unswitch),simplifycfg<switch-range-to-icmp>,"
    "instcombine<no-verify-fixpoint>,loop(loop-idiom,indvars,"
    "extra-simple-loop-unswitch-passes,loop-deletion,loop-unroll-full),sroa,vector-combine,"
    "mldst-motion,gvn,sccp,bdce,instcombine<no-verify-fixpoint>,dfa-jump-threading,"
    "jump-threading,correlated-propagation,adce,memcpyopt,dse,move-auto-init,"
    "loop-mssa(licm<allowspeculation>),coro-elide,simplifycfg<switch-range-to-icmp;"
    "switch-to-arithmetic;hoist-common-insts;sink-common-insts>,"
    "instcombine<no-verify-fixpoint>),function-attrs,"
    "function(require<should-not-run-function-passes>),coro-split,coro-annotation-elide)),"
    "deadargelim,coro-cleanup,globalopt,globaldce,elim-avail-extern,rpo-function-attrs,"
    "recompute-globalsaa,function<eager-inv>(drop-unnecessary-assumes,float2int,"
    "lower-constant-intrinsics,loop(loop-rotate<check-exit-count>,loop-deletion),"
    "loop-distribute,inject-tli-mappings,loop-vectorize,drop-unnecessary-assumes,"
    "infer-alignment,loop-load-elim,instcombine<no-verify-fixpoint>,"
    "simplifycfg<forward-switch-cond;switch-range-to-icmp;switch-to-arithmetic;"
    "switch-to-lookup;no-keep-loops;hoist-common-insts;sink-common-insts>,slp-vectorizer,"
    "vector-combine,instcombine<no-verify-fixpoint>,loop-unroll<O2>,transform-warning,"
    "sroa<preserve-cfg;aggregate-to-vector>,infer-alignment,"
    "instcombine<no-verify-fixpoint>,loop-mssa(licm<allowspeculation>),"
    "alignment-from-assumptions,loop-sink,instsimplify,div-rem-pairs,mergeicmps,"
    "expand-memcmp,tailcallelim,simplifycfg<switch-range-to-icmp;switch-to-arithmetic;"
    "hoist-loads-stores-with-cond-faulting;speculate-unpredictables>),alloc-token,globaldce,"
    "constmerge,cg-profile,rel-lookup-table-converter,lower-comment-string,"
    "function(annotation-remarks)"
)

Tree = tuple[tuple[str, "Tree | None"], ...]
"""A pipeline: passes as ``(name, None)``, and adaptors with the pipeline inside them."""
Place = tuple[int, ...]
"""A pass in a tree: the index at each level."""

NEEDED = (
    "coro-",
    "always-inline",
    "forceattrs",
    "annotation2metadata",
    "declare-to-assign",
    "ee-instrument",
    "lower-constant-intrinsics",
    "memprof-remove-attributes",
    "alloc-token",
)
"""Lowering that code generation may rely on: left out only where that changes nothing."""

_AMBIGUOUS = ("declare-to-assign",)
"""Module passes of O2 that are function passes too; a test looks for others."""

_FIRST = (
    "indvars",
    "inline",
    "gvn",
    "sroa",
    "early-cse",
    "instsimplify",
    "ipsccp",
    "reassociate",
    "jump-threading",
    "slp-vectorizer",
)
"""Passes whose absence most often helped on the training programs of mirbench, in order of
the sum of gains in ``.text`` and instructions. A small budget goes further this way."""


def parse(text: str) -> Tree:
    """The tree of a textual pipeline.

    >>> parse("function(sroa,gvn<pre>),globaldce")
    (('function', (('sroa', None), ('gvn<pre>', None))), ('globaldce', None))
    """
    tree, end = _parse_level(text, 0)
    if end != len(text):
        raise ValueError(f"unbalanced ')' at {end} of pipeline {text!r}")
    return tree


def _parse_level(text: str, at: int) -> tuple[Tree, int]:
    found: list[tuple[str, Tree | None]] = []
    start, angles = at, 0
    while at < len(text):
        character = text[at]
        angles += (character == "<") - (character == ">")
        if angles == 0 and character == "(":
            inner, at = _parse_level(text, at + 1)
            found.append((text[start : text.index("(", start)], inner))
            start = at + 1
        elif angles == 0 and character in ",)":
            if text[start:at]:
                found.append((text[start:at], None))
            if character == ")":
                return tuple(found), at
            start = at + 1
        at += 1
    if text[start:]:
        found.append((text[start:], None))
    return tuple(found), at


def render(tree: Tree) -> str:
    """The text of a tree; adaptors that became empty are left out."""
    parts = []
    for name, inner in tree:
        if inner is None:
            parts.append(name)
        elif text := render(inner):
            parts.append(f"{name}({text})")
    return ",".join(parts)


def as_module(text: str) -> str:
    """A module pipeline as ``opt`` understands it.

    A first pass that is a function's as well as a module's would make all of it a pipeline
    of function passes.

    >>> as_module("declare-to-assign,inferattrs")
    'module(declare-to-assign,inferattrs)'
    """
    return f"module({text})" if text.startswith(_AMBIGUOUS) else text


def leaves(tree: Tree, above: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every pass with its place, in the order of the text."""
    for index, (name, inner) in enumerate(tree):
        if inner is None:
            yield (*above, index), name
        else:
            yield from leaves(inner, (*above, index))


def without(tree: Tree, places: Collection[Place], above: Place = ()) -> Tree:
    """The tree without the passes at these places."""
    return tuple(
        (name, inner if inner is None else without(inner, places, (*above, index)))
        for index, (name, inner) in enumerate(tree)
        if (*above, index) not in places
    )


O2 = parse(_O2_TEXT)

_O3_MORE = (
    ("simplifycfg,sroa,early-cse)", "simplifycfg,sroa,early-cse,callsite-splitting)"),
    ("openmp-opt-cgscc,", "argpromotion,openmp-opt-cgscc,"),
    ("simple-loop-unswitch)", "simple-loop-unswitch<nontrivial;trivial>)"),
    ("lower-constant-intrinsics,", "lower-constant-intrinsics,chr,"),
    ("loop-unroll<O2>", "loop-unroll<O3>"),
)


def _o3() -> Tree:
    text = _O2_TEXT
    for less, more in _O3_MORE:
        assert text.count(less) == 1, less
        text = text.replace(less, more)
    return parse(text)


O3 = _o3()
"""``default<O3>`` written out; what it does beside its passes is in ``O3_OPTIONS``."""
O3_OPTIONS = tuple(levels.O3_OPTIONS.items())
"""A level tells these passes how hard to try; written out they try as at O2."""
O2_PASSES: dict[Place, str] = dict(leaves(O2))


def is_needed(place: Place) -> bool:
    """Whether the pass may be left out only where that changes nothing."""
    return O2_PASSES[place].startswith(NEEDED)


def promise(place: Place) -> tuple[bool, int]:
    """Sort key: the places to try first come first."""
    name = O2_PASSES[place].partition("<")[0]
    rank = _FIRST.index(name) if name in _FIRST else len(_FIRST)
    return is_needed(place), rank


def o2_without(places: Collection[Place], *, unnamed: Collection[Place] = ()) -> Pass:
    """O2 less the passes at ``places``, as one pass.

    Args:
        places: What to leave out.
        unnamed: Those of them that make no difference: the name does not tell them.
    """
    told = [O2_PASSES[p].partition("<")[0] for p in sorted(set(places) - set(unnamed))]
    less = f" without {', '.join(dict.fromkeys(told))}" if told else ""
    pipeline = as_module(render(without(O2, places)))
    return Pass(f"O2{less}", pipeline, reason="O2 with passes left out")
