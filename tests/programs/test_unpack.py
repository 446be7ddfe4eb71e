"""Archives that are damaged or hostile, and limits on what one may hold."""

from __future__ import annotations

import bz2
import os
import shutil
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirgym.errors import CacheError, DatasetError
from mirgym.programs import unpack as unpacker
from mirgym.programs.unpack import unpack

from .archives import member, tar_bytes, tar_of


@pytest.fixture
def refuses(tmp_path: Path, make_file):
    """``refuses(archive_bytes, message)``: an error, and nothing outside the folder."""

    def check(content: bytes, message: str) -> None:
        archive = make_file("x.tar.bz2", content)
        folder = tmp_path / "deep" / "folder"
        before = set(tmp_path.iterdir()) | {folder.parent}
        with pytest.raises(DatasetError, match=message) as caught:
            unpack(archive, folder)
        assert "\n" not in str(caught.value)
        assert set(tmp_path.iterdir()) == before
        assert list(folder.parent.iterdir()) == [folder]
        assert not any(path.is_symlink() for path in folder.rglob("*"))

    return check


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_regular_files_and_directories(make_file, tmp_path, mode):
    archive = make_file("a.tar", tar_of({"d/a": b"1", "./d/e/b": b"22"}, mode))
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "out/d/a").read_bytes() == b"1"
    assert (tmp_path / "out/d/e/b").read_bytes() == b"22"


def test_modes_and_owners_are_not_taken_over(make_file, tmp_path):
    content = tar_bytes((member("a", mode=0o6777, uid=1234), b"x"))
    unpack(make_file("a.tar", content), tmp_path / "out")
    status = (tmp_path / "out/a").stat()
    assert status.st_mode & 0o7111 == 0
    assert status.st_uid == os.getuid()


def test_empty_directory_entry(make_file, tmp_path):
    unpack(make_file("a.tar", tar_bytes((member("d/", tarfile.DIRTYPE), b""))), tmp_path / "out")
    assert (tmp_path / "out/d").is_dir()


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/tmp/evil", "..", "a\\..\\evil", "//evil", "a/.."]
)
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE])
def test_paths_that_leave(refuses, name, kind):
    refuses(tar_bytes((member(name, kind), b"")), "refused: .* leaves its directory")


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_links_and_devices(refuses, kind):
    refuses(tar_bytes((member("evil", kind, linkname="/etc/passwd"), b"")), "a link or a device")


def test_write_through_a_link(refuses):
    refuses(
        tar_bytes((member("d", tarfile.SYMTYPE, linkname=".."), b""), (member("d/evil"), b"owned")),
        "'d' is a link or a device",
    )


def test_sparse_file(refuses):
    """GNU's sparse files claim any size with no content."""
    info = member("big", tarfile.GNUTYPE_SPARSE)
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"%011o\0" % (1 << 33)  # the real size
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:512]))
    refuses(bz2.compress(bytes(header) + bytes(1024)), "refused|damaged")


def test_same_name_twice(refuses):
    refuses(tar_bytes((member("a"), b"1"), (member("a"), b"2")), "'a' is there twice")


def test_file_where_a_directory_is(refuses):
    refuses(tar_bytes((member("a"), b"1"), (member("a/b"), b"2")), "'a/b' is there twice")


class TestBombs:
    def test_many_members(self, refuses, monkeypatch):
        monkeypatch.setattr(unpacker, "MOST_MEMBERS", 10)
        refuses(tar_of({str(i): b"" for i in range(11)}), "larger than a data set")

    def test_large_member(self, refuses, monkeypatch):
        monkeypatch.setattr(unpacker, "LARGEST_MEMBER", 1000)
        refuses(tar_of({"a": bytes(1001)}), "larger than a data set")

    def test_large_in_all(self, refuses, monkeypatch):
        monkeypatch.setattr(unpacker, "LARGEST_TOTAL", 5000)
        refuses(tar_of({str(i): bytes(1000) for i in range(6)}), "larger than a data set")

    def test_claimed_size_is_refused_before_it_is_written(self, refuses):
        info = member("huge")
        info.size = 1 << 32
        refuses(bz2.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)), "larger than a data")

    @pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
    def test_header_that_tarfile_would_read_into_memory(self, refuses, kind):
        info = member("header", kind)
        info.size = 64 << 20
        first = tar_of({"a": b""}, "w")[:512]
        content = bz2.compress(first + info.tobuf(tarfile.GNU_FORMAT) + bytes(64 << 20))
        assert len(content) < 1000
        tracemalloc.start()
        refuses(content, f"damaged .* a header of {64 << 20} bytes")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 << 20


class TestDamage:
    GOOD = tar_of({"a": os.urandom(3000), "b": b"b" * 3000})

    @pytest.mark.parametrize("content", [b"", b"hello", b"BZh9 not really"])
    def test_no_archive(self, make_file, tmp_path, content):
        with pytest.raises(DatasetError, match=r"x\.tar is damaged .*: not a tar archive"):
            unpack(make_file("x.tar", content), tmp_path / "out")

    @pytest.mark.parametrize("keep", [0.2, 0.5, 0.95])
    def test_truncated(self, refuses, keep):
        refuses(self.GOOD[: int(len(self.GOOD) * keep)], "damaged and cannot be unpacked")

    def test_flipped_bit(self, refuses):
        broken = bytearray(self.GOOD)
        broken[len(broken) // 2] ^= 4
        refuses(bytes(broken), "damaged and cannot be unpacked")

    def test_garbage_where_a_header_should_be(self, refuses):
        plain = bytearray(tar_of({"a": b"1", "b": b"2"}, "w"))
        plain[1024:1030] = b"\xff" * 6
        refuses(bytes(plain), "damaged header at byte 1024")

    @given(st.binary(max_size=2000))
    def test_random_bytes(self, content):
        folder = Path(os.environ["MIRGYM_CACHE"]) / "random-archive"
        folder.mkdir(parents=True, exist_ok=True)
        archive = folder / "x.tar"
        archive.write_bytes(content)
        try:
            unpack(archive, folder / "out")
        except DatasetError:
            pass
        finally:
            assert {p.name for p in folder.iterdir()} <= {"x.tar", "out"}
            shutil.rmtree(folder)

    @given(at=st.integers(0, 2047), value=st.integers(0, 255))
    def test_any_changed_byte_is_refused_or_harmless(self, at, value):
        plain = bytearray(tar_of({"d/a": b"1"}, "w")[:2048])
        plain[at] = value
        folder = Path(os.environ["MIRGYM_CACHE"]) / "changed-archive"
        folder.mkdir(parents=True, exist_ok=True)
        archive = folder / "x.tar"
        archive.write_bytes(plain)
        try:
            unpack(archive, folder / "out")
        except DatasetError:
            pass
        finally:
            assert {p.name for p in folder.iterdir()} <= {"x.tar", "out"}
            shutil.rmtree(folder)


def test_full_disk(make_file, tmp_path, monkeypatch):
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", no_space)
    with pytest.raises(CacheError, match=r"No space left on device.*MIRGYM_CACHE"):
        unpack(make_file("x.tar", tar_of({"a": b"1"})), tmp_path / "out")


def test_folder_that_cannot_be_made(make_file, tmp_path):
    make_file("out", "a file")
    with pytest.raises(CacheError, match="cannot write"):
        unpack(make_file("x.tar", tar_of({"a": b"1"})), tmp_path / "out")
