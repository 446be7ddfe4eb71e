"""The kernels of ``openmp``: their sizes, how they are built, and what is embedded of them.

Each file of ``openmp_kernels`` is one kernel: ``prepare(size)`` makes its input, ``kernel()``
runs its parallel loops, all of them with ``schedule(runtime)``. ``harness.c`` sets threads,
schedule and chunk, and takes the times.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from ..errors import ToolMissingError
from ..programs import Program
from ..programs.cache import cache_root, write_atomically
from ..programs.compile import compile_source
from ..programs.linking import build_from_source
from .code import Kernels, Shown, read_kernels, show_nothing

FOLDER = Path(__file__).with_name("openmp_kernels")
SIZES: dict[str, tuple[int, ...]] = {
    "bfs": (200, 1500, 10_000, 50_000),
    "bucket_sort": (20, 150, 1000, 6000),
    "collatz": (50, 400, 3000, 20_000),
    "convolution": (24, 80, 250, 800),
    "dot": (4000, 40_000, 400_000, 2_000_000),
    "edit_distance": (6, 20, 100, 400),
    "elimination": (20, 60, 150, 300),
    "false_sharing": (60, 600, 6000, 40_000),
    "floyd_warshall": (16, 48, 110, 200),
    "gather": (2000, 20_000, 200_000, 1_000_000),
    "gcd": (60, 600, 6000, 30_000),
    "hash_blocks": (10, 60, 500, 4000),
    "heat": (200, 2000, 20_000, 100_000),
    "histogram": (1000, 10_000, 100_000, 500_000),
    "histogram_rows": (4, 30, 200, 1000),
    "hot_region": (150, 1000, 10_000, 60_000),
    "inversions": (150, 500, 2000, 6000),
    "knapsack": (200, 2000, 20_000, 100_000),
    "largest": (2000, 20_000, 200_000, 2_000_000),
    "life": (32, 100, 400, 1200),
    "mandelbrot": (8, 24, 80, 220),
    "matmul": (16, 32, 80, 180),
    "nbody": (40, 150, 500, 1500),
    "pagerank": (300, 2500, 20_000, 100_000),
    "polynomial": (100, 1000, 10_000, 60_000),
    "primes": (300, 1500, 8000, 40_000),
    "queens": (6, 8, 9, 10),
    "random_walks": (30, 200, 1500, 10_000),
    "saxpy": (2000, 20_000, 200_000, 1_000_000),
    "sieve": (1, 4, 16, 64),
    "spmv": (200, 1500, 10_000, 60_000),
    "stencil": (40, 150, 500, 1200),
    "string_search": (15, 100, 600, 4000),
    "transpose": (40, 150, 500, 1200),
    "triangular": (60, 200, 700, 2000),
    "wavefront": (30, 100, 300, 800),
}
"""About 2 µs, 20 µs, 200 µs and 2 ms on one core: at the first the start of a parallel loop
counts, at the last only how its work is divided."""

RUNTIMES = (("cmeel-libomp", "libomp"), ("intel-openmp", "libiomp5"))
"""Packages that hold LLVM's OpenMP runtime, and what their library is called."""

KERNEL_ONLY = "internalize<preserve-gv=kernel>,globaldce,function(mem2reg)"
"""Leaves the parallel loops and what they call: how inputs are made is no reason to choose."""


def find_openmp() -> Path:
    """LLVM's OpenMP runtime.

    Raises:
        ToolMissingError: None is installed; says how to get it.
    """
    for package, library in RUNTIMES:
        try:
            files = importlib.metadata.files(package) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in files:
            path = Path(str(file.locate())).resolve()
            if file.name == f"{library}.so" and path.is_file():
                return path
    raise ToolMissingError(
        "measuring OpenMP loops needs LLVM's OpenMP runtime, and none is installed; get it with: "
        "pip install 'mirgym[openmp]'"
    )


def build_kernel(name: str, out: Path) -> None:
    """Build a kernel with its harness; it wants the library of ``find_openmp`` beside it.

    Raises:
        ToolMissingError: There is no clang, or no runtime.
        CompileError: clang or the linker refused.
    """
    library = find_openmp()
    program = Program(f"openmp/{name}", (FOLDER / f"{name}.c", FOLDER / "harness.c"))
    flags = ("-O2", f"-fopenmp={library.stem}", f"-L{library.parent}")
    build_from_source(program, flags, out)


def read_code(names: Sequence[str], shown: Shown = show_nothing) -> Kernels:
    """What encoders and counters say about the parallel loops of the kernels.

    Raises:
        ToolMissingError: There is no clang.
    """
    from ..session import InProcessSession

    modules = {}
    with InProcessSession() as session:
        for name in names:
            session.load(compile_source(FOLDER / f"{name}.c", ("-fopenmp",)))
            session.step(KERNEL_ONLY)
            modules[name] = session.emit("bc")
    version = hashlib.sha256(repr(sorted(modules.items())).encode()).hexdigest()[:16]
    folder = cache_root() / "tasks" / f"openmp-{version}"
    for name, module in modules.items():
        if not (folder / f"{name}.bc").is_file():
            write_atomically(folder / f"{name}.bc", module)
    return read_kernels([folder / f"{name}.bc" for name in names], shown)
