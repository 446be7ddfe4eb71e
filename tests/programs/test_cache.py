"""The cache directory: whole files or none, one lock a name, clear errors."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from mirgym.errors import CacheError
from mirgym.programs.cache import cache_root, locked, make_directory, write_atomically


def test_root_is_chosen_by_the_environment(own_cache, monkeypatch):
    assert cache_root() == own_cache
    monkeypatch.delenv("MIRGYM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(own_cache / "xdg"))
    monkeypatch.setenv("HOME", str(own_cache / "home"))
    assert cache_root().is_relative_to(own_cache)
    assert "mirgym" in cache_root().parts


def test_write_makes_directories_and_replaces(tmp_path):
    path = tmp_path / "a/b/c"
    write_atomically(path, b"1")
    write_atomically(path, b"22")
    assert path.read_bytes() == b"22"
    assert list(path.parent.iterdir()) == [path]


def test_readers_never_see_a_part(tmp_path):
    path, sizes = tmp_path / "file", (1 << 20, 3 << 20)
    write_atomically(path, bytes(sizes[0]))
    stop, seen = threading.Event(), set()

    def read() -> None:
        while not stop.is_set():
            seen.add(len(path.read_bytes()))

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(20):
        write_atomically(path, bytes(sizes[turn % 2]))
    stop.set()
    reader.join()
    assert seen <= set(sizes)


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def no_space(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_space)
    with pytest.raises(CacheError, match=r"cannot write .*file: No space left.*MIRGYM_CACHE"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_directory_that_cannot_be_made(make_file):
    with pytest.raises(CacheError, match=r"cannot write .*Free some space, or set MIRGYM_CACHE"):
        make_directory(make_file("file") / "below")
    with pytest.raises(CacheError):
        write_atomically(make_file("file") / "below" / "x", b"")
    with pytest.raises(CacheError), locked(make_file("file") / "below" / "x"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(CacheError, match="Permission denied"):
        write_atomically(tmp_path / "x", b"")


def test_lock_holds_between_processes(tmp_path):
    """Two processes add to one counter, reading and writing apart."""
    counter = tmp_path / "counter"
    counter.write_text("0")
    code = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from mirgym.programs.cache import locked
        counter = Path({str(counter)!r})
        for _ in range(20):
            with locked(counter):
                value = int(counter.read_text())
                time.sleep(0.001)
                counter.write_text(str(value + 1))
    """)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    both = [subprocess.Popen([sys.executable, "-c", code], env=environment) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert counter.read_text() == "40"


def test_lock_is_given_back_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "x"):
        raise ZeroDivisionError
    with locked(tmp_path / "x"):
        pass
