"""One file of a package that was never built."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirgym.corpus import front_end
from mirgym.corpus.front_end import FileCompiler

from .packages import package_of


@pytest.fixture
def compile_in(tmp_path: Path):
    """``compile_in({path: text}, source, *flags)`` gives bitcode and reason."""

    def compile_one(files: dict[str, str], source: str, *flags: str) -> tuple[bytes, str]:
        for name, text in files.items():
            path = tmp_path / "tree" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        stand_ins = tmp_path / "stand-ins"
        return FileCompiler(
            package_of("x", b"", flags=flags), tmp_path / "tree", stand_ins
        ).compile(source)

    return compile_one


class TestHeaders:
    def test_the_nearest_is_taken(self, compile_in):
        files = {
            "a/inc/k.h": "#define VALUE good\n",
            "b/k.h": "#error wrong one\n",
            "a/src/x.c": '#include "k.h"\nint VALUE(void) { return 1; }\n',
        }
        bitcode, reason = compile_in(files, "a/src/x.c")
        assert not reason and b"good" in bitcode

    def test_with_a_folder_in_its_name(self, compile_in):
        files = {"deep/lib/k.h": "", "x.c": "#include <lib/k.h>\nint f(void) { return 1; }\n"}
        assert compile_in(files, "x.c")[0]

    def test_beside_the_source_in_angled_brackets(self, compile_in):
        files = {"d/k.h": "", "d/x.c": "#include <k.h>\nint f(void) { return 1; }\n"}
        assert compile_in(files, "d/x.c")[0]

    def test_none_hides_the_system_s(self, compile_in):
        files = {
            "stdio.h": "#error not this one\n",
            "k.h": "",
            "d/x.c": "#include <stdio.h>\n#include <k.h>\nint f(void) { return EOF; }\n",
        }
        assert compile_in(files, "d/x.c")[0]

    def test_nowhere(self, compile_in):
        assert compile_in({"x.c": "#include <no/such.h>\nint f(void) { return 1; }\n"}, "x.c")[0]

    def test_moved_on_installation(self, compile_in):
        files = {
            "a/toy.h": "int toy(void);\n",
            "b/x.c": "#include <toy/toy.h>\nint f(void) { return toy(); }\n",
        }
        assert compile_in(files, "b/x.c")[0]

    def test_from_a_template(self, compile_in):
        files = {
            "config.h.in": "#undef HAVE_STDINT_H\n#undef SIZEOF_LONG\n",
            "x.c": '#include "config.h"\n#if !HAVE_STDINT_H || SIZEOF_LONG != 8\n#error\n#endif\n'
            "int f(void) { return 1; }\n",
        }
        bitcode, reason = compile_in(files, "x.c")
        assert bitcode and not reason

    def test_above_the_source(self, compile_in):
        files = {
            "config.h.in": "#define VALUE @VALUE@\n",
            "a/b/x.c": '#include "../../config.h"\nint f(void) { return VALUE; }\n',
        }
        assert compile_in(files, "a/b/x.c")[0]

    @pytest.mark.parametrize("name", ["/no/such.h", "../" * 5 + "k.h", "a/../../k.h"])
    def test_outside_of_the_package(self, compile_in, tmp_path: Path, name):
        bitcode, reason = compile_in({"x.c": f'#include "{name}"\n'}, "x.c")
        assert (bitcode, reason) == (b"", f"no header {name}")
        assert not list(tmp_path.rglob("k.h"))

    def test_too_many(self, compile_in, monkeypatch):
        monkeypatch.setattr(front_end, "TRIES", 2)
        text = "".join(f"#include <h{i}.h>\n" for i in range(3))
        bitcode, reason = compile_in({"x.c": text}, "x.c")
        assert not bitcode and "'h1.h' file not found" in reason


class TestCompile:
    def test_flags(self, compile_in, tmp_path: Path):
        files = {"inc/k.h": "", "x.c": "#include <k.h>\nint f(void) { return A + B; }\n"}
        assert compile_in(files, "x.c", "D=A=1", "cflags=-DB=2 -O1", "inc=inc")[0]

    def test_cpp(self, compile_in):
        assert compile_in({"x.cpp": "#include <vector>\nint f() { return 1; }\n"}, "x.cpp")[0]

    def test_old_c(self, compile_in):
        assert compile_in({"x.c": "f(x) { return g(x); }\n"}, "x.c")[0]

    def test_the_same_bytes_wherever_it_lies(self, compile_in, tmp_path: Path):
        files = {"k/a.h": "const char *f(void) { return __FILE__; }\n", "x.c": "#include <a.h>\n"}
        bitcode, _ = compile_in(files, "x.c")
        assert bitcode and str(tmp_path).encode() not in bitcode

    def test_error(self, compile_in):
        bitcode, reason = compile_in({"x.c": "int f(void) { return y; }\n"}, "x.c")
        assert not bitcode and "error: use of undeclared identifier 'y'" in reason

    def test_too_long(self, compile_in, monkeypatch):
        monkeypatch.setattr(front_end, "LIMIT_SECONDS", 0.001)
        assert "did not finish within" in compile_in({"x.c": "int x;"}, "x.c")[1]

    def test_too_large(self, compile_in, monkeypatch):
        monkeypatch.setattr(front_end, "LARGEST_BITCODE", 10)
        assert "its bitcode has" in compile_in({"x.c": "int x;"}, "x.c")[1]
