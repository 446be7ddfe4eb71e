"""Modules that cannot be read, and manifests that are not valid: one clear error each."""

from __future__ import annotations

import re

import pytest

from mirgym.errors import DatasetError, InvalidModuleError, UnknownProgramError
from mirgym.programs import Program, resolve, resolve_all

GOOD_IR = "define i32 @main() {\n  ret i32 0\n}\n"


class TestModules:
    def test_text_is_read(self, make_file):
        program = resolve(make_file("good.ll", GOOD_IR))
        assert program.bitcode().startswith(b"BC\xc0\xde")

    def test_bitcode_is_read(self, make_file):
        bitcode = resolve(make_file("good.ll", GOOD_IR)).bitcode()
        assert resolve(make_file("good.bc", bitcode)).bitcode().startswith(b"BC\xc0\xde")

    def test_text_under_the_name_of_bitcode_is_read(self, make_file):
        assert resolve(make_file("text.bc", GOOD_IR)).bitcode().startswith(b"BC\xc0\xde")

    @pytest.mark.parametrize("name", ["empty.c", "empty.ll", "empty.bc", "empty.cc"])
    def test_empty_file(self, make_file, name):
        path = make_file(name)
        message = re.escape(f"{path}: the file is empty (0 bytes)")
        with pytest.raises(InvalidModuleError, match=message):
            resolve(path).bitcode()

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("Dear diary,\n", "expected top-level entity"),
            ("define i32 @f() {\n  ret i32 0\n", "end of file|expected instruction opcode"),
            ("define i32 @f() {\n  %a = frobnicate i32 1\n  ret i32 %a\n}\n", "expected instr"),
            ("define i32 @f() newattribute {\n  ret i32 0\n}\n", r"3|expected|newattribute"),
            ("define i32 @f() {\n  ret i32 %x\n}\n", "use of undefined value '%x'"),
            ("define i32 @f() {\n  ret i64 0\n}\n", "value doesn't match function result type"),
            ("@text = global i8 1\n\0\0\0", "."),
        ],
        ids=["prose", "cut off", "new instruction", "new attribute", "undefined", "types", "nul"],
    )
    def test_text_that_is_not_ir(self, make_file, content, message):
        path = make_file("bad.ll", content)
        with pytest.raises(InvalidModuleError, match=message) as caught:
            resolve(path).bitcode()
        assert "bad.ll" in str(caught.value)

    @pytest.mark.parametrize("keep", [4, 20, 0.3, 0.7, -4])
    def test_truncated_bitcode(self, make_file, keep):
        whole = resolve("mirbench/crc").bitcode()
        length = int(keep * len(whole)) if isinstance(keep, float) else keep
        path = make_file("cut.bc", whole[:length])
        with pytest.raises(InvalidModuleError, match=r"cut\.bc"):
            resolve(path).bitcode()

    def test_garbage_after_the_magic(self, make_file):
        path = make_file("garbage.bc", b"BC\xc0\xde" + bytes(range(256)) * 4)
        with pytest.raises(InvalidModuleError, match=r"garbage\.bc"):
            resolve(path).bitcode()

    def test_other_binary_file(self, make_file):
        path = make_file("object.bc", b"\x7fELF" + bytes(200))
        with pytest.raises(InvalidModuleError, match=r"object\.bc"):
            resolve(path).bitcode()

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("data.ll", "@answer = global i32 42\n"),
            ("declared.ll", "declare i32 @puts(ptr)\n"),
            ("data.c", "int answer = 42;\n"),
            ("header.c", "int puts(const char *);\n"),
            ("comment.ll", "; nothing\n"),
        ],
    )
    def test_nothing_to_optimise(self, make_file, name, content):
        with pytest.raises(InvalidModuleError, match="the module defines no function"):
            resolve(make_file(name, content)).bitcode()

    def test_unknown_suffix_of_a_source(self, make_file):
        path = make_file("one.rs", "fn main() {}")
        with pytest.raises(InvalidModuleError, match="cannot tell what this is"):
            Program("file:///one.rs", (path,)).bitcode()

    def test_file_that_went_away(self, make_file):
        path = make_file("good.ll", GOOD_IR)
        program = resolve(path)
        program.bitcode()
        path.unlink()
        with pytest.raises(UnknownProgramError, match=r"cannot read .*good\.ll: No such file"):
            program.bitcode()

    def test_the_error_does_not_stick(self, make_file):
        path = make_file("fixed.ll", "nonsense")
        with pytest.raises(InvalidModuleError):
            resolve(path).bitcode()
        path.write_text(GOOD_IR)
        assert resolve(path).bitcode()


PROGRAM = '[[program]]\nname = "a"\nsources = ["a.c"]\n'


class TestManifest:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('[dataset]\nlicence = "MIT"\n' + PROGRAM,
             "unknown key 'licence' in [dataset]; expected some of"),
            ('[dataset]\nlicence = "MIT"\n' + PROGRAM, "Did you mean 'license'?"),
            (PROGRAM + "flag = []\n", "unknown key 'flag' in [[program]]"),
            (PROGRAM + '[[program.run]]\nargz = []\n', "Did you mean 'args'?"),
            ("programs = 1\n" + PROGRAM, "unknown key 'programs' in manifest.toml"),
            (PROGRAM.replace("a.c", "../b.c"), "'../b.c' leaves the directory"),
            (PROGRAM.replace("a.c", "/etc/passwd"), "'/etc/passwd' leaves the directory"),
            (PROGRAM.replace("a.c", "b.c"), "there is no file 'b.c'"),
            (PROGRAM + '[[program.run]]\nstdin = "no.txt"\n', "there is no file 'no.txt'"),
            (PROGRAM + '[[program.run]]\nfiles = ["../x"]\n', "'../x' leaves the directory"),
            (PROGRAM + '[[program.run]]\noutputs = {"o" = "no"}\n', "there is no file 'no'"),
            (PROGRAM + PROGRAM, "expected programs with distinct names, got ['a', 'a']"),
            ('[dataset]\nname = "x"\n', "expected programs with distinct names, got []"),
            ('[dataset]\nsplit_test = ["b"]\n' + PROGRAM, "split_test names 'b', which is not"),
            ("[dataset\n", "not a valid TOML file"),
            ("[[program]]\nname = 'a'\n", "needs a name and sources"),
            ("[[program]]\nsources = ['a.c']\n", "needs a name and sources"),
            (PROGRAM.replace('["a.c"]', '"a.c"'), "sources is not a list"),
            (PROGRAM + '[[program.run]]\nargs = "10"\n', "args is not a list"),
            ('[dataset]\nsplit_test = "a"\n' + PROGRAM, "split_test is not a list"),
            ("dataset = 3\n" + PROGRAM, "[dataset] is not a table"),
            ("[program]\nname = 'a'\n", "program is not tables in [[double brackets]]"),
            (PROGRAM + "[program.run]\nargs = []\n", "run is not tables"),
            (PROGRAM + '[[program.run]]\nexit_code = "1"\n', "exit_code is not a whole number"),
            (PROGRAM + '[[program.run]]\noutputs = ["o"]\n', "outputs is not a table"),
            (PROGRAM + '[[program.run]]\noutputs = {"../o" = "a.c"}\n', "'../o' leaves"),
            (PROGRAM + 'flags = ["-I../x"]\n', "'-I../x' leaves the directory"),
            (PROGRAM.replace('"a"', '"x/a"'), "the name 'x/a' holds a '/'"),
        ],
    )  # fmt: skip
    def test_says_what_is_wrong(self, make_file, text, message):
        make_file("suite/a.c", "int a;")
        manifest = make_file("suite/manifest.toml", text)
        with pytest.raises(DatasetError, match=re.escape(message)) as caught:
            resolve_all(manifest.parent)
        assert str(manifest.parent) in str(caught.value)

    def test_directory_of_headers_counts_from_the_manifest(self, make_file):
        make_file("suite/include/n.h", "#define N 3\n")
        make_file("suite/src/a.c", '#include "n.h"\nint n(void) { return N; }\n')
        text = PROGRAM.replace("a.c", "src/a.c") + 'flags = ["-Iinclude", "-I/usr/include"]\n'
        (program,) = resolve_all(make_file("suite/manifest.toml", text).parent)
        assert program.flags[1] == "-I/usr/include"
        assert program.bitcode().startswith(b"BC")

    def test_not_utf8(self, make_file):
        manifest = make_file("suite/manifest.toml", b"\xff\xfe")
        with pytest.raises(DatasetError, match="not a valid TOML file"):
            resolve_all(manifest.parent)

    def test_link_out_of_the_directory(self, make_file):
        outside = make_file("outside.c", "int a;")
        manifest = make_file("suite/manifest.toml", PROGRAM)
        (manifest.parent / "a.c").symlink_to(outside)
        with pytest.raises(DatasetError, match=r"'a\.c' leaves the directory"):
            resolve_all(manifest.parent)

    def test_everything_is_read(self, make_file):
        for name in ("a.c", "b.c", "in.txt", "t.bin", "out.txt", "o.bin"):
            make_file(f"suite/{name}", "x")
        manifest = make_file(
            "suite/manifest.toml",
            '[dataset]\nname = "mine"\nsplit_test = ["b"]\n' + PROGRAM
            + '[[program]]\nname = "b"\nsources = ["b.c", "a.c"]\ndomain = "d"\n'
            'description = "e"\nflags = ["-DN=3"]\nlibs = ["m"]\n'
            '[[program.run]]\nargs = [10, "x"]\nstdin = "in.txt"\nfiles = ["t.bin"]\n'
            'stdout = "out.txt"\noutputs = {"o" = "o.bin"}\nexit_code = 3\n[[program.run]]\n',
        )  # fmt: skip
        here = manifest.parent
        first, second = resolve_all(here)
        assert (first.split, second.split) == ("train", "test")
        assert [p.name for p in second.sources] == ["b.c", "a.c"]
        assert (second.domain, second.description) == ("d", "e")
        assert (second.flags, second.libs) == (("-DN=3",), ("m",))
        run, empty = second.runs
        assert run.args == ("10", "x")
        assert (run.stdin, run.stdout) == (here / "in.txt", here / "out.txt")
        assert run.files == (here / "t.bin",)
        assert run.outputs == (("o", here / "o.bin"),)
        assert (run.exit_code, empty.exit_code, empty.stdout) == (3, 0, None)
