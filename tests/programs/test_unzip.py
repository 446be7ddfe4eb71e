"""Unpacking zip archives that nobody trusts."""

from __future__ import annotations

import io
import zipfile

import pytest

from mirgym.errors import CacheError, DatasetError
from mirgym.programs import unzip as module
from mirgym.programs.unzip import unzip


def archive(*members: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in members:
            opened.writestr(name, text)
    return content.getvalue()


def everything(name: str) -> bool:
    return True


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out"


def test_wanted_files(make_file, folder):
    path = make_file("x.zip", archive(("a/b.ll", b"1"), ("c.txt", b"2"), ("a/", b"")))
    assert unzip(path, folder, lambda name: name.endswith(".ll")) == ["a/b.ll"]
    assert [p.name for p in folder.rglob("*")] == ["a", "b.ll"]


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "a\\..\\evil"])
def test_leaving_the_folder(make_file, folder, name):
    with pytest.raises(DatasetError, match="leaves its folder"):
        unzip(make_file("x.zip", archive((name, b"1"))), folder, everything)
    assert not list(folder.rglob("evil"))


def test_link(make_file, folder):
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with pytest.raises(DatasetError, match="'link' is a link"):
        unzip(make_file("x.zip", archive((info, b"/etc/passwd"))), folder, everything)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_twice(make_file, folder):
    with pytest.raises(DatasetError, match="'a' is there twice"):
        unzip(make_file("x.zip", archive(("a", b"1"), ("a", b"2"))), folder, everything)


@pytest.mark.parametrize(
    ("limit", "value"), [("LARGEST_MEMBER", 3), ("LARGEST_TOTAL", 7), ("MOST_MEMBERS", 1)]
)
def test_too_large(make_file, folder, monkeypatch, limit, value):
    monkeypatch.setattr(module, limit, value)
    with pytest.raises(DatasetError, match="larger than a data set can be"):
        unzip(make_file("x.zip", archive(("a", b"1234"), ("b", b"1234"))), folder, everything)


@pytest.mark.parametrize("keep", [0, 10, -5])
def test_damaged(make_file, folder, keep):
    content = archive(("a", b"1" * 1000))
    with pytest.raises(DatasetError, match=r"x\.zip is damaged"):
        unzip(make_file("x.zip", content[:keep]), folder, everything)


def test_changed_content(make_file, folder):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        opened.writestr("a", b"some text")
    changed = content.getvalue().replace(b"some text", b"same text")
    with pytest.raises(DatasetError, match="damaged.*CRC"):
        unzip(make_file("x.zip", changed), folder, everything)


def test_folder_that_cannot_be_written(make_file):
    path = make_file("x.zip", archive(("a", b"1")))
    with pytest.raises(CacheError, match="MIRGYM_CACHE"):
        unzip(path, make_file("file") / "out", everything)
