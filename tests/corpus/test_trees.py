"""Unpacking and configuring a package."""

from __future__ import annotations

import tarfile
import time
from pathlib import Path

import pytest

from mirgym.corpus import sources, trees
from mirgym.errors import DatasetError

from ..programs.archives import member, tar_bytes, tar_of
from .packages import HEADER, SOURCE, package_of, place, sdist


def prepared(work: Path, archive: bytes, *flags: str) -> Path:
    one = package_of("toy", archive, flags=flags)
    place(one, archive, work)
    return trees.prepare(one, work)


def script(text: str) -> bytes:
    """A package whose configure is this script."""
    info = member("toy-1/configure", mode=0o755, mtime=1_000_000_000)
    return tar_bytes((info, text.encode()), (member("toy-1/a.c"), b"int a;"), mode="w:gz")


class TestUnpack:
    def test_without_its_outer_folder(self, tmp_path: Path):
        root = prepared(tmp_path, sdist("toy", {"src/toy.c": SOURCE, "toy.h": HEADER}))
        assert root == tmp_path / "trees" / "pypi_toy"
        assert (root / "src/toy.c").read_text() == SOURCE

    def test_several_at_the_top(self, tmp_path: Path):
        root = prepared(tmp_path, tar_of({"a.c": b"int a;", "b.c": b"int b;"}, "w:gz"))
        assert sorted(path.name for path in root.iterdir()) == ["a.c", "b.c"]

    def test_links_are_left_out(self, tmp_path: Path):
        link = member("toy-1/link.c", tarfile.SYMTYPE, linkname="../../../etc/passwd")
        archive = tar_bytes((link, b""), (member("toy-1/a.c"), b"int a;"), mode="w:gz")
        assert [path.name for path in prepared(tmp_path, archive).iterdir()] == ["a.c"]

    def test_nothing_leaves_the_folder(self, tmp_path: Path):
        with pytest.raises(DatasetError, match="leaves its directory"):
            prepared(tmp_path, tar_of({"../a.c": b"int a;"}, "w:gz"))

    def test_packed_twice(self, tmp_path: Path):
        inner = tar_of({"inner/a.c": b"int a;", "inner/readme": b""}, "w:xz")
        other = tar_of({"other/b.c": b"int b;"}, "w:xz")
        archive = tar_of({"toy-1/a.tar.xz": inner, "toy-1/b.tar.xz": other}, "w:gz")
        root = prepared(tmp_path, archive)
        files = [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()]
        assert sorted(files) == ["inner/a.c", "inner/readme"]

    def test_only_what_is_wanted(self, tmp_path: Path):
        archive = sdist("toy", {"good/a.c": "", "bad/b.c": ""})
        root = prepared(tmp_path, archive, "only=/good/")
        assert (root / "good/a.c").exists() and not (root / "bad/b.c").exists()

    def test_done_once(self, tmp_path: Path):
        archive = sdist("toy", {"toy.c": SOURCE})
        (prepared(tmp_path, archive) / "mark").touch()
        assert (prepared(tmp_path, archive) / "mark").exists()

    def test_no_archive(self, tmp_path: Path):
        one = sources.Package("deb", "x", "1", 0, (), {}, "MIT", 0)
        with pytest.raises(DatasetError, match="none of its files is an archive of sources"):
            trees.prepare(one, tmp_path)

    def test_after_the_packages_whose_headers_it_needs(self, tmp_path: Path, monkeypatch):
        archive = sdist("other", {"include/o.h": ""})
        other = package_of("other", archive)
        place(other, archive, tmp_path)
        monkeypatch.setattr(trees, "package", {"pypi_other": other}.__getitem__)
        root = prepared(tmp_path, sdist("toy", {"a.c": ""}), "inc=../pypi_other/include")
        assert (root / "../pypi_other/include/o.h").exists()


class TestConfigure:
    def test_arguments(self, tmp_path: Path):
        root = prepared(tmp_path, script('echo "$@" > config.h'), "configure=--with 'a b'")
        assert (root / "config.h").read_text() == "--with a b\n"

    def test_only_where_asked_for(self, tmp_path: Path):
        assert not (prepared(tmp_path, script("touch config.h")) / "config.h").exists()

    def test_command(self, tmp_path: Path):
        root = prepared(tmp_path, script("exit 1"), "cmd=touch a.h && ./configure || touch b.h")
        assert (root / "a.h").exists() and (root / "b.h").exists()
        assert (root / "configure").stat().st_mtime == 1_000_000_000

    def test_failing_is_not_fatal(self, tmp_path: Path):
        assert (prepared(tmp_path, script("kill $$"), "configure") / "a.c").exists()

    def test_time_limit(self, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(trees, "SCRIPT_LIMIT_SECONDS", 0.3)
        start = time.monotonic()
        prepared(tmp_path, script("sleep 60 & sleep 60"), "configure")
        assert time.monotonic() - start < 30

    def test_bare_environment(self, tmp_path: Path, monkeypatch):
        monkeypatch.setenv("SECRET", "1")
        root = prepared(tmp_path, script("env > out"), "configure")
        text = (root / "out").read_text()
        assert "SECRET" not in text and "LC_ALL=C" in text and "HOME=" in text

    def test_no_network(self, tmp_path: Path):
        if not trees._without_network():
            pytest.skip("this system gives no network of one's own")
        root = prepared(tmp_path, script("cat /proc/net/dev > out"), "configure")
        interfaces = (root / "out").read_text().splitlines()[2:]
        assert [line.split(":")[0].strip() for line in interfaces] in (["lo"], [])
