"""Downloads: an index on this machine, and clients that are scripts of the test."""

from __future__ import annotations

import dataclasses
import textwrap
from pathlib import Path

import pytest

from mirgym.corpus import download
from mirgym.errors import DatasetError

from ..programs.archives import Server, serving
from .packages import SOURCE, package_of, place, sdist

TOY = sdist("toy", {"toy.c": SOURCE})
PYPI = package_of("toy", TOY)


@pytest.fixture
def server(monkeypatch):
    with serving() as state:
        monkeypatch.setenv("PIP_INDEX_URL", state.url + "/simple/")
        # The server goes by the last part of the path, which is empty for a folder.
        state.files[""] = b'<a href="../../f/toy-1.tar.gz#sha256=00">toy</a>'
        state.files["toy-1.tar.gz"] = TOY
        yield state


@pytest.fixture
def client(tmp_path: Path, monkeypatch):
    """``client("npm", "shell script")``: the only program of that name."""

    def make(name: str, script: str) -> None:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\n" + textwrap.dedent(script))
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")

    return make


class TestPyPI:
    def test_downloaded_once(self, server: Server, tmp_path: Path):
        for _ in range(2):
            (path,) = download.obtain(PYPI, tmp_path)
            assert path.read_bytes() == TOY
        assert [name for name, _ in server.requests] == ["", "toy-1.tar.gz"]

    def test_wrong_sum(self, server: Server, tmp_path: Path):
        server.files["toy-1.tar.gz"] = b"something else"
        with pytest.raises(DatasetError, match=r"toy-1.tar.gz: sha256 .*, expected "):
            download.obtain(PYPI, tmp_path)
        server.files["toy-1.tar.gz"] = TOY
        assert download.obtain(PYPI, tmp_path)  # what was wrong is not kept

    def test_no_such_file(self, server: Server, tmp_path: Path):
        server.files[""] = b"<a href='toy-2.tar.gz'>"
        with pytest.raises(DatasetError, match=r"/simple/toy/ has no file toy-1.tar.gz"):
            download.obtain(PYPI, tmp_path)

    def test_no_such_project(self, server: Server, tmp_path: Path):
        del server.files[""]
        with pytest.raises(DatasetError, match=r"cannot download .*404"):
            download.obtain(PYPI, tmp_path)

    def test_too_large(self, server: Server, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(download, "LARGEST_FILE", len(TOY) - 1)
        with pytest.raises(DatasetError, match="more than"):
            download.obtain(PYPI, tmp_path)

    def test_only_http(self, monkeypatch, tmp_path: Path):
        monkeypatch.setenv("PIP_INDEX_URL", "file:///etc")
        with pytest.raises(DatasetError, match="expected http:// or https://"):
            download.obtain(PYPI, tmp_path)

    def test_index(self, monkeypatch):
        monkeypatch.setenv("PIP_INDEX_URL", "https://mirror/simple/")
        assert download.index_url() == "https://mirror/simple"


class TestNpm:
    npm = dataclasses.replace(PYPI, kind="npm")

    def test_packed(self, client, tmp_path: Path):
        (tmp_path / "toy.tgz").write_bytes(TOY)
        client("npm", f'[ "$3" = toy@1 ] && cp {tmp_path}/toy.tgz toy-1.tar.gz')
        (path,) = download.obtain(self.npm, tmp_path / "work")
        assert path.read_bytes() == TOY

    def test_refused(self, client, tmp_path: Path):
        client("npm", "echo 'npm error: no such version' >&2; exit 1")
        with pytest.raises(DatasetError, match="npm failed: npm error: no such version"):
            download.obtain(self.npm, tmp_path / "work")

    def test_no_client(self, monkeypatch, tmp_path: Path):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(DatasetError, match="npm is not on this machine"):
            download.obtain(self.npm, tmp_path)


class TestDebian:
    deb = dataclasses.replace(PYPI, kind="deb")

    @pytest.fixture(autouse=True)
    def _lists(self, monkeypatch):
        monkeypatch.setattr(download, "source_lists", lambda _: "Types: deb-src\n")

    def test_system_is_left_alone(self, client, tmp_path: Path):
        (tmp_path / "toy.tgz").write_bytes(TOY)
        client(
            "apt-get",
            f"""\
            echo "$@" >> {tmp_path}/log
            case "$*" in *" source "*) cp {tmp_path}/toy.tgz toy-1.tar.gz;; esac
            """,
        )
        work = tmp_path / "work"
        assert download.obtain(self.deb, work)
        update, source = (tmp_path / "log").read_text().splitlines()
        assert update.endswith("update -qq")
        assert source.endswith("source --download-only -qq toy=1")
        for line in (update, source):
            assert f"Dir::State={work}/apt" in line and "Dir::Etc::SourceList=/dev/null" in line

    def test_files_that_are_not_needed_may_be_missing(self, client, tmp_path: Path):
        (tmp_path / "toy.tgz").write_bytes(TOY)
        script = 'case "$*" in *" source "*) cp {}/toy.tgz toy-1.tar.gz; exit 100;; esac'
        client("apt-get", script.format(tmp_path))
        assert download.obtain(self.deb, tmp_path / "work")

    def test_another_version(self, client, tmp_path: Path):
        client("apt-get", 'case "$*" in *" source "*) echo "E: none" >&2; exit 100;; esac')
        with pytest.raises(DatasetError, match="apt-get failed: E: none"):
            download.obtain(self.deb, tmp_path / "work")

    def test_other_files(self, client, tmp_path: Path):
        client("apt-get", "touch other")
        with pytest.raises(DatasetError, match="toy-1.tar.gz did not come"):
            download.obtain(self.deb, tmp_path / "work")

    def test_no_client(self, monkeypatch, tmp_path: Path):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(DatasetError, match="apt-get is not on this machine"):
            download.obtain(self.deb, tmp_path)

    def test_downloaded_before(self, monkeypatch, tmp_path: Path):
        monkeypatch.setenv("PATH", str(tmp_path))
        place(self.deb, TOY, tmp_path)
        assert download.obtain(self.deb, tmp_path)


class TestSourceLists:
    def test_both_forms(self, tmp_path: Path):
        (tmp_path / "sources.list.d").mkdir()
        (tmp_path / "sources.list").write_text(
            "# deb http://h/debian no main\n"
            "deb [arch=amd64 signed-by=/k.gpg] http://h/debian trixie main contrib\n"
            "deb http://elsewhere/apt trixie main\n"
        )
        (tmp_path / "sources.list.d" / "debian.sources").write_text(
            "Types: deb\nURIs: http://h/debian-security\nSuites: s\nComponents: main\n\n"
            "Types: deb\nURIs: http://other/tool\nSuites: s\nComponents: main\n"
        )
        text = download.source_lists(tmp_path)
        assert text == (
            "Types: deb-src\nURIs: http://h/debian-security\nSuites: s\nComponents: main\n\n"
            "Types: deb-src\nURIs: http://h/debian\nSuites: trixie\nComponents: main contrib\n"
            "Signed-By: /k.gpg\n"
        )

    def test_not_debian(self, tmp_path: Path):
        with pytest.raises(DatasetError, match="apt is not set to an archive of Debian"):
            download.source_lists(tmp_path)
