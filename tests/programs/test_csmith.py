"""``csmith://SEED``."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirgym.errors import CompileError, ToolMissingError, UnknownProgramError
from mirgym.programs import csmith, resolve, resolve_all

pytestmark = pytest.mark.usefixtures("own_cache")
needs_csmith = pytest.mark.skipif(not shutil.which("csmith"), reason="needs csmith")


@needs_csmith
class TestGenerated:
    def test_same_seed_same_program(self, tmp_path, monkeypatch):
        first = resolve("csmith://7").bitcode()
        monkeypatch.setenv("MIRGYM_CACHE", str(tmp_path / "other-cache"))
        assert resolve("csmith://7").bitcode() == first
        assert resolve("csmith://8").bitcode() != first

    def test_both_uris(self):
        assert resolve("generator://csmith-v0/7") == resolve("csmith://7")
        assert resolve("csmith://7").uri == "csmith://7"

    def test_is_generated_once(self, monkeypatch):
        (source,) = resolve("csmith://7").sources
        monkeypatch.setattr(subprocess, "run", None)
        assert resolve("csmith://7").sources == (source,)

    def test_another_csmith_makes_another_program(self, monkeypatch):
        (first,) = resolve("csmith://7").sources
        monkeypatch.setattr(csmith, "FLAGS", (*csmith.FLAGS, "--no-unions"))
        assert resolve("csmith://7").sources != (first,)

    def test_nothing_is_left_where_the_user_is(self, tmp_path, monkeypatch):
        here = tmp_path / "here"
        here.mkdir()
        monkeypatch.chdir(here)
        csmith._version.cache_clear()
        resolve("csmith://9").bitcode()
        assert list(here.iterdir()) == []

    def test_several(self):
        found = resolve_all([f"csmith://{seed}" for seed in range(3)])
        assert len({program.digest() for program in found}) == 3


@pytest.mark.parametrize("seed", ["", "x", "-1", "1.5", str(2**32), "1/2", "٣x"])
def test_seed_that_is_none(seed):
    with pytest.raises(UnknownProgramError, match="expected a seed from 0 to 4294967295"):
        resolve(f"csmith://{seed}")


@given(st.text(max_size=12))
def test_any_text_is_a_seed_or_refused(text):
    if text.isdecimal() and text.isascii() and int(text) < 2**32:
        return
    with pytest.raises((UnknownProgramError, ToolMissingError)):
        csmith.csmith_program(text if not text.isdecimal() else text + "x")


def test_not_installed(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(ToolMissingError, match="apt-get install csmith libcsmith-dev"):
        resolve("csmith://7")


@needs_csmith
def test_headers_not_installed(monkeypatch):
    monkeypatch.setattr(csmith, "_INCLUDES", ())
    with pytest.raises(ToolMissingError, match=r"csmith\.h was not found.*CSMITH_INCLUDE"):
        resolve("csmith://7")


def test_csmith_that_fails(make_file, monkeypatch):
    make_file("include/csmith.h", "")
    script = make_file("bin/csmith", "#!/bin/sh\n[ $1 = --version ] && exit 0\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    monkeypatch.setenv("CSMITH_INCLUDE", str(script.parents[1] / "include"))
    with pytest.raises(CompileError, match="csmith://7: csmith failed: .*exit status 3"):
        resolve("csmith://7")
