"""Make the .bc files beside this script; see README.md."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SUITE = HERE.parents[2] / "mirgym" / "programs" / "mirbench"
CLANG = [
    "clang-14",
    "-O1",
    "-Xclang",
    "-disable-llvm-passes",
    "-S",
    "-emit-llvm",
    "-w",
    "-o",
    "-",
    "-x",
    "c",
]
# Attributes and metadata that LLVM 10 does not know.
NEWER = (r"\bmustprogress\b", r"\bnoundef\b", r'"min-legal-vector-width"="\d+"')
NEWER_METADATA = re.compile(r", !llvm\.loop !\d+|, !srcloc !\d+")


def llvm10(library: Path) -> ctypes.CDLL:
    """LLVM 10 inside llvmlite 0.36, with the four functions that are needed."""
    lib = ctypes.CDLL(str(library))
    lib.LLVMPY_GetGlobalContext.restype = ctypes.c_void_p
    lib.LLVMPY_ParseAssembly.restype = ctypes.c_void_p
    lib.LLVMPY_ParseAssembly.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p)
    ]  # fmt: skip
    lib.LLVMPY_WriteBitcodeToString.argtypes = [
        ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_size_t)
    ]  # fmt: skip
    lib.LLVMPY_InitializeCore()
    return lib


def bitcode(lib: ctypes.CDLL, text: str) -> bytes:
    """Parse IR text with LLVM 10 and write it as LLVM 10 does."""
    error = ctypes.c_char_p()
    module = lib.LLVMPY_ParseAssembly(
        lib.LLVMPY_GetGlobalContext(), text.encode(), ctypes.byref(error)
    )
    if not module:
        raise SystemExit((error.value or b"").decode())
    start, size = ctypes.c_void_p(), ctypes.c_size_t()
    lib.LLVMPY_WriteBitcodeToString(module, ctypes.byref(start), ctypes.byref(size))
    return ctypes.string_at(start.value or 0, size.value)


def main() -> None:
    """``python make.py libllvmlite.so``."""
    lib = llvm10(Path(sys.argv[1]))
    for name in ("primes", "adpcm", "crc"):
        source = (SUITE / f"{name}.c").read_bytes()
        text = subprocess.run([*CLANG, "-"], input=source, stdout=-1, check=True).stdout.decode()
        for newer in NEWER:
            text = re.sub(newer, "", text)
        text = NEWER_METADATA.sub("", text)
        text = text.replace("Debian clang version 14", "typed pointers by clang 14")
        (HERE / f"{name}.bc").write_bytes(bitcode(lib, text))


if __name__ == "__main__":
    main()
