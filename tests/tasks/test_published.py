"""Fetching a task's files: from a server, from a folder, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mirgym.errors import CacheError, DatasetError
from mirgym.tasks import TASKS, devmap, get_task
from mirgym.tasks.published import install, install_directory, installed, require

from ..programs.archives import Server, serving
from .synthetic import PROGRAMS, devmap_files, publish, write, zipped

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    with serving() as state:
        monkeypatch.setenv("MIRGYM_TASKS_URL", state.url + "/")
        state.files.update(devmap_files())
        yield state


class TestPublishedFacts:
    def test_files(self):
        for name in TASKS:
            for file in get_task(name).files:
                assert len(file.commit) == 40 and len(file.sha256) == 64 and file.size_bytes > 0

    def test_address(self, monkeypatch):
        monkeypatch.delenv("MIRGYM_TASKS_URL", raising=False)
        url = devmap.FILES[0].remote().url
        assert url.startswith("https://raw.githubusercontent.com/ChrisCummins/paper-end2end-dl/")
        assert url.endswith(f"{devmap.FILES[0].commit}/data/case-study-a/cgo17-amd.csv")

    def test_unknown_task(self):
        with pytest.raises(DatasetError, match="no task 'devmapp'.*Did you mean 'devmap'"):
            get_task("devmapp")


class TestDownload:
    def test_installs_tables_and_kernels(self, server, monkeypatch, own_cache):
        files = publish(monkeypatch, devmap, server.files)
        assert not installed("devmap", files)
        folder = install("devmap", files)
        assert folder == install_directory("devmap") and installed("devmap", files)
        assert len(list((folder / "kernels_ir").glob("*.ll"))) == PROGRAMS
        assert {path.name for path in folder.iterdir()} == {
            "cgo17-amd.csv", "cgo17-nvidia.csv", "kernels_ir",
        }  # fmt: skip
        assert not (own_cache / "downloads" / "devmap").exists()

    def test_second_time_downloads_nothing(self, server, monkeypatch):
        files = publish(monkeypatch, devmap, server.files)
        install("devmap", files)
        server.requests.clear()
        install("devmap", files)
        assert server.requests == []

    def test_goes_on_where_it_stopped(self, server, monkeypatch):
        files = publish(monkeypatch, devmap, server.files)
        server.drop_after = 700
        with pytest.raises(DatasetError, match="What has come is kept.*--source"):
            install("devmap", files)
        install("devmap", files)
        assert server.requests[1] == ("cgo17-amd.csv", "bytes=700-")
        assert installed("devmap", files)

    def test_wrong_sum_installs_nothing(self, server, monkeypatch):
        files = publish(monkeypatch, devmap, server.files)
        server.files["cgo17-nvidia.csv"] += b"\n"
        with pytest.raises(DatasetError, match=r"cgo17-nvidia\.csv is not the published file"):
            install("devmap", files)
        assert not install_directory("devmap").exists()

    def test_cache_that_cannot_be_written(self, server, monkeypatch, tmp_path):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("MIRGYM_CACHE", str(tmp_path / "file"))
        with pytest.raises(CacheError, match="MIRGYM_CACHE"):
            install("devmap", devmap.FILES)


class TestLocal:
    def test_missing_file(self, tmp_path):
        with pytest.raises(DatasetError, match=r"does not hold cgo17-amd\.csv"):
            install("devmap", devmap.FILES, tmp_path)

    def test_no_folder(self, tmp_path):
        with pytest.raises(DatasetError, match="is not a folder"):
            install("devmap", devmap.FILES, tmp_path / "no")

    def test_other_size_and_other_content(self, tmp_path, monkeypatch):
        content = devmap_files()
        files = publish(monkeypatch, devmap, content)
        folder = write(tmp_path / "x", {**content, "cgo17-amd.csv": b"short"})
        with pytest.raises(DatasetError, match="it has 5 bytes, expected"):
            install("devmap", files, folder)
        changed = content["cgo17-amd.csv"][:-2] + b"9\n"
        write(folder, {"cgo17-amd.csv": changed})
        with pytest.raises(DatasetError, match="its sha256 is"):
            install("devmap", files, folder)

    def test_archive_without_kernels(self, tmp_path, monkeypatch):
        content = {**devmap_files(), "task_devmap.zip": zipped({"else.ll": "x"})}
        files = publish(monkeypatch, devmap, content)
        with pytest.raises(DatasetError, match=r"does not hold kernels_ir/\*\.ll"):
            install("devmap", files, write(tmp_path / "x", content))
        assert not install_directory("devmap").exists()

    def test_failure_keeps_what_is_installed(self, small_devmap, tmp_path):
        with pytest.raises(DatasetError):
            install("devmap", devmap.FILES, write(tmp_path / "empty", {}))
        assert (small_devmap / "cgo17-amd.csv").is_file()

    def test_not_installed(self):
        with pytest.raises(DatasetError, match="mirgym tasks fetch devmap"):
            require("devmap", devmap.FILES)
