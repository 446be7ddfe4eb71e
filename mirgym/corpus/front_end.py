"""Compile one file of a package that was never built: find its headers, or stand in.

A header that is missing is looked for in the package's folder: the folder nearest to the
source that has it joins the include path, for this file and those beside it. For one that
is nowhere a stand-in is written outside of that folder: it includes a header of the same
name in another place (some are moved when a package is installed), or is made from the
template, as ``configure`` would, or is empty. Folders are searched after the system's own
(``-idirafter``), so that none of a package's files hides a system header.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
from collections import defaultdict
from pathlib import Path, PurePosixPath

from ..programs.compile import FRONT_END_FLAGS, cpp_flags, find_clang, is_cpp
from .sources import Package
from .trees import limited

LIMIT_SECONDS = 20
MEMORY_LIMIT_BYTES = 4 << 30
TRIES = 64
"""Headers that may be missing in one file."""

DEEPEST = 4
"""Most folders that an included header may lie above."""

LARGEST_BITCODE = 4 << 20

_LENIENT = (
    "-Wno-error=implicit-function-declaration",
    "-Wno-error=implicit-int",
    "-Wno-error=int-conversion",
    "-Wno-error=incompatible-pointer-types",
    "-Wno-error=incompatible-function-pointer-types",
    "-Wno-error=return-type",
    "-ferror-limit=3",
)
"""What compilers of the time of many a package let pass."""

_MISSING = re.compile(r"error: '([^']+)' file not found")
_ERROR = re.compile(r"(?m)^.*?\berror: .*$")


_PRESENT = re.compile(
    r"STDC_HEADERS|HAVE_((STDINT|INTTYPES|STDLIB|STDDEF|STDBOOL|STDARG|STRING|STRINGS|MEMORY|UNISTD|"
    r"SYS_(TYPES|STAT|TIME|PARAM|RESOURCE|MMAN|WAIT)|TIME|MATH|LIMITS|ERRNO|FCNTL|SIGNAL|LOCALE|"
    r"WCHAR|CTYPE|FLOAT|ASSERT|DIRENT|TERMIOS|PWD)_H|STRDUP|STRTOL|STRERROR|STRCASECMP|MEMMOVE|"
    r"MEMSET|MEMCPY|SNPRINTF|VSNPRINTF|VPRINTF|GETTIMEOFDAY|LONG_LONG(_INT)?|UINTPTR_T|SSIZE_T)"
)
"""What ``configure`` would find on any system of today."""

_SIZES = {"CHAR": 1, "SHORT": 2, "INT": 4, "FLOAT": 4, "LONG_DOUBLE": 16}


def fill_template(text: str) -> str:
    r"""A ``config.h`` from its ``config.h.in``, for a 64-bit system with the usual headers.

    >>> fill_template("#undef HAVE_STDINT_H\n#undef SIZEOF_LONG\n#define N @N@")
    '#define HAVE_STDINT_H 1\n#define SIZEOF_LONG 8\n#define N 0'
    """

    def define(match: re.Match[str]) -> str:
        name = match[1]
        if _PRESENT.fullmatch(name):
            return f"#define {name} 1"
        if name.startswith("SIZEOF_"):
            return f"#define {name} {_SIZES.get(name.removeprefix('SIZEOF_'), 8)}"
        return match[0]

    text = re.sub(r"(?m)^#\s*undef\s+(\w+).*$", define, text)
    text = re.sub(r"(?m)^#\s*cmakedefine01\s+(\w+)", r"#define \1 0", text)
    text = re.sub(r"(?m)^#\s*cmakedefine\s+(\w+).*$", r"#undef \1", text)
    return re.sub(r"@\w+@", "0", text)


class FileCompiler:
    """Compiles the files of one package, one after another, and remembers its headers."""

    def __init__(self, package: Package, root: Path, stand_ins: Path) -> None:
        # Deep enough for "../config.h" to be a stand-in, too.
        self._root, self._stand_ins = root, stand_ins / "/".join("x" * DEEPEST)
        self._stand_ins.mkdir(parents=True, exist_ok=True)
        self._folders_of: dict[str, list[str]] = defaultdict(list)
        for folder, subfolders, names in os.walk(root):
            subfolders.sort()
            relative = os.path.relpath(folder, root)
            for name in names:
                self._folders_of[name].append(relative)
        self._learned: dict[PurePosixPath, list[str]] = {}
        self._bases = [name for name in (".", "include") if (root / name).is_dir()]
        self._flags = [f"-D{macro}" for macro in package.values("D")]
        if package.has("configure") and "config.h" in self._folders_of:
            self._flags.append("-DHAVE_CONFIG_H")
        self._flags += [f"-I{folder}" for folder in package.values("inc")]
        self._flags += [word for text in package.values("cflags") for word in shlex.split(text)]

    def compile(self, source: str) -> tuple[bytes, str]:
        """Bitcode of one file, or nothing and the reason."""
        for _ in range(TRIES):
            bitcode, errors = self._run(source)
            missing = _MISSING.search(errors)
            if bitcode or not missing:
                break
            if not self._supply(missing[1], source):
                return b"", f"no header {missing[1]}"
        if not bitcode:
            error = _ERROR.search(errors)
            return b"", error[0][:200] if error else errors.strip()[:200] or "clang failed"
        if len(bitcode) > LARGEST_BITCODE:
            return b"", f"its bitcode has {len(bitcode)} bytes"
        return bitcode, ""

    def _run(self, source: str) -> tuple[bytes, str]:
        clang = find_clang()
        command = [
            str(clang),
            *(cpp_flags(clang) if is_cpp(Path(source)) else ()),
            *FRONT_END_FLAGS,
            *_LENIENT,
            *self._flags,
            *(word for folder in self._folders(source) for word in ("-idirafter", folder)),
            *("-idirafter", str(self._stand_ins), "-o", "-", f"./{source}"),
        ]
        try:
            done = subprocess.run(
                limited(command, MEMORY_LIMIT_BYTES),
                cwd=self._root,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt must not look like a failure of clang
                timeout=LIMIT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return b"", f"clang did not finish within {LIMIT_SECONDS} s"
        errors = done.stderr.decode("utf-8", "replace")
        return (b"", errors) if done.returncode else (done.stdout, errors)

    def _folders(self, source: str) -> list[str]:
        """The include path of a source's folder, as far as it is known."""
        return self._learned.setdefault(PurePosixPath(source).parent, list(self._bases))

    def _supply(self, header: str, source: str) -> bool:
        """Make a missing header available; False when that is not possible."""
        path = PurePosixPath(*itertools.dropwhile("..".__eq__, PurePosixPath(header).parts))
        above = len(PurePosixPath(header).parts) - len(path.parts)
        if path.is_absolute() or ".." in path.parts or not path.name or above > DEEPEST:
            return False
        folder = self._folder_with(path, source)
        folders = self._folders(source)
        if folder is not None and folder not in folders and not above:
            folders.append(folder)
            return True
        stand_in = (self._stand_ins / "/".join([".."] * above) / path).resolve()
        if stand_in.exists():
            return False
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        stand_in.write_text(self._stand_in_for(path, source))
        return True

    def _stand_in_for(self, header: PurePosixPath, source: str) -> str:
        moved = self._folder_with(PurePosixPath(header.name), source)
        if moved is not None:
            return f"#include <{PurePosixPath(moved, header.name)}>\n"
        template = self._folder_with(header.with_name(f"{header.name}.in"), source)
        if template is None:
            return ""
        text = (self._root / template / f"{header}.in").read_text("utf-8", "replace")
        return fill_template(text)

    def _folder_with(self, header: PurePosixPath, source: str) -> str | None:
        """The folder nearest to the source from which this header is found."""
        parents = header.parts[:-1]
        found = []
        for folder in self._folders_of.get(header.name, ()):
            parts = PurePosixPath(folder).parts
            if parts[len(parts) - len(parents) :] == parents:
                found.append(PurePosixPath(*parts[: len(parts) - len(parents)]))
        home = PurePosixPath(source).parent.parts

        def distance(folder: PurePosixPath) -> tuple[int, int, str]:
            pairs = itertools.takewhile(
                lambda pair: pair[0] == pair[1], zip(home, folder.parts, strict=False)
            )
            shared = len(list(pairs))
            return -shared, len(folder.parts), str(folder)

        return str(min(found, key=distance)) if found else None
