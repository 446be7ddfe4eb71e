"""From objects to executables: libraries, and what can go wrong."""

from __future__ import annotations

import shutil

import pytest

from mirgym.errors import CompileError, ToolMissingError
from mirgym.programs import Program, linking
from mirgym.programs.linking import link_executable
from mirgym.session import InProcessSession

pytestmark = [
    pytest.mark.usefixtures("own_cache"),
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler"),
]
NOTHING = Program("file:///nothing", ())


def test_does_not_link(make_file, tmp_path):
    path = make_file("a.c", "int gone(void);\nint main(void) { return gone(); }\n")
    program = Program(path.as_uri(), (path,))
    with InProcessSession() as session:
        session.load(program.bitcode())
        object_code = session.emit("obj")
    with pytest.raises(CompileError, match=r"(?s)linking failed:.*gone"):
        link_executable(object_code, program, tmp_path / "out")


def test_no_linker(tmp_path, monkeypatch):
    monkeypatch.setattr(linking, "LINKERS", ("no-such-compiler",))
    with pytest.raises(ToolMissingError, match="no linker was found; install a C compiler"):
        link_executable(b"", NOTHING, tmp_path / "out")


def test_linker_that_does_not_finish(tmp_path, make_file, monkeypatch):
    slow = make_file("slow", "#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(linking, "LINKERS", (str(slow),))
    monkeypatch.setattr(linking, "LINK_LIMIT_SECONDS", 0.1)
    with pytest.raises(CompileError, match=r"linking did not finish within 0\.1 s"):
        link_executable(b"", NOTHING, tmp_path / "out")
