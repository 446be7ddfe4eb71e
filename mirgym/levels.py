"""clang's optimisation levels as pipelines that a session runs."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import did_you_mean
from .session import Session
from .wire import State, Wanted

LEVEL_PIPELINES: dict[str, str | None] = {
    "O0": None,
    "O1": "default<O1>",
    "O2": "default<O2>",
    "O3": "default<O3>",
    "Os": "default<O2>",
    "Oz": "default<O2>",
}
"""What each level runs. Since LLVM 23 Os and Oz are O2 on functions that carry
``optsize`` and ``minsize``; the levels' attributes are set when a program is loaded. For the 33
programs of mirbench O2, O3 and Oz give what clang gives. clang's own O1 also forbids unrolling."""


def check_level(name: str) -> str:
    """Return ``name`` if it is an optimisation level, else raise ``ValueError``."""
    if name not in LEVEL_PIPELINES:
        raise ValueError(
            f"unknown baseline {name!r}; expected one of {list(LEVEL_PIPELINES)}."
            + did_you_mean(name, LEVEL_PIPELINES)
        )
    return name


def run_level(session: Session, loaded: State, level: str, wanted: Wanted) -> State:
    """Run a level's pipeline on a program loaded at that level; return the state after."""
    pipeline = LEVEL_PIPELINES[check_level(level)]
    return loaded if pipeline is None else session.step(pipeline, wanted=wanted)


def measure_level(session: Session, module: bytes, level: str, wanted: Wanted) -> dict[str, int]:
    """Metrics of a program at a level. Leaves the optimised module in the session."""
    loaded = session.load(module, level=level, wanted=wanted)
    return run_level(session, loaded, level, wanted).metrics


O3_BEFORE_VECTORIZER = (
    "memprof-remove-attributes,annotation2metadata,forceattrs,declare-to-assign,inferattrs,"
    "coro-early,function<eager-inv>(ee-instrument,lower-expect,simplifycfg,sroa,early-cse,"
    "callsite-splitting),openmp-opt,ipsccp,called-value-propagation,globalopt,"
    "function<eager-inv>(mem2reg,instcombine<no-verify-fixpoint>,"
    "simplifycfg<switch-range-to-icmp>),always-inline,require<globals-aa>,"
    "function(invalidate<aa>),require<profile-summary>,cgscc(devirt<4>(inline,"
    "function-attrs<skip-non-recursive-function-attrs>,argpromotion,openmp-opt-cgscc,"
    "function<eager-inv;no-rerun>(sroa,early-cse<memssa>,"
    "speculative-execution<only-if-divergent-target>,jump-threading,correlated-propagation,"
    "jump-table-to-switch,simplifycfg<switch-range-to-icmp>,instcombine<no-verify-fixpoint>,"
    "aggressive-instcombine,libcalls-shrinkwrap,tailcallelim,"
    "simplifycfg<switch-range-to-icmp>,reassociate,constraint-elimination,"
    "loop-mssa(loop-instsimplify,loop-simplifycfg,licm<no-allowspeculation>,loop-rotate,"
    "licm<allowspeculation>,simple-loop-unswitch<nontrivial;trivial>),"
    "simplifycfg<switch-range-to-icmp>,instcombine<no-verify-fixpoint>,loop(loop-idiom,"
    "indvars,extra-simple-loop-unswitch-passes,loop-deletion,loop-unroll-full),sroa,"
    "vector-combine,mldst-motion,gvn,sccp,bdce,instcombine<no-verify-fixpoint>,"
    "dfa-jump-threading,jump-threading,correlated-propagation,adce,memcpyopt,dse,"
    "move-auto-init,loop-mssa(licm<allowspeculation>),coro-elide,"
    "simplifycfg<switch-range-to-icmp;switch-to-arithmetic;hoist-common-insts;"
    "sink-common-insts>,instcombine<no-verify-fixpoint>),function-attrs,"
    "function(require<should-not-run-function-passes>),coro-split,coro-annotation-elide)),"
    "deadargelim,coro-cleanup,globalopt,globaldce,elim-avail-extern,rpo-function-attrs,"
    "recompute-globalsaa,function<eager-inv>(drop-unnecessary-assumes,float2int,"
    "lower-constant-intrinsics,chr,loop(loop-rotate<check-exit-count>,loop-deletion))"
)
"""``default<O3>`` up to the passes that read loops' metadata: loops as the vectorizer sees them.
To be run with ``O3_OPTIONS``."""

O3_OPTIONS: Mapping[str, str] = {
    "inline-threshold": "250",
    "inlinecold-threshold": "45",
    "locally-hot-callsite-threshold": "525",
    "unroll-threshold-default": "300",
}
"""What O3 tells the inliner and full unrolling; the text of a pipeline cannot say it."""

O3_FROM_VECTORIZER = (
    "require<globals-aa>,require<profile-summary>,function<eager-inv>(loop-distribute,"
    "inject-tli-mappings,loop-vectorize,drop-unnecessary-assumes,infer-alignment,"
    "loop-load-elim,instcombine<no-verify-fixpoint>,"
    "simplifycfg<forward-switch-cond;switch-range-to-icmp;switch-to-arithmetic;"
    "switch-to-lookup;no-keep-loops;hoist-common-insts;sink-common-insts>,slp-vectorizer,"
    "vector-combine,instcombine<no-verify-fixpoint>,loop-unroll<O3>,transform-warning,"
    "sroa<preserve-cfg;aggregate-to-vector>,infer-alignment,"
    "instcombine<no-verify-fixpoint>,loop-mssa(licm<allowspeculation>),"
    "alignment-from-assumptions,loop-sink,instsimplify,div-rem-pairs,mergeicmps,"
    "expand-memcmp,tailcallelim,simplifycfg<switch-range-to-icmp;switch-to-arithmetic;"
    "hoist-loads-stores-with-cond-faulting;speculate-unpredictables>),alloc-token,globaldce,"
    "constmerge,cg-profile,rel-lookup-table-converter,lower-comment-string,"
    "function(annotation-remarks)"
)
"""The rest of ``default<O3>``; a test holds both together identical to it."""
