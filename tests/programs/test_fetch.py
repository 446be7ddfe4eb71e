"""Fetching cbench-v1: from a server, a mirror that misbehaves, a file, a directory."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirgym.errors import CacheError, DatasetError, UnknownProgramError
from mirgym.programs import Run, cbench, datasets, fetch, resolve, resolve_all
from mirgym.programs.fetch import download, install_directory
from mirgym.session import InProcessSession
from mirgym.validate import validate

from .archives import Server, cbench_archive, runtime_archive, serving, sha256, tar_of

pytestmark = pytest.mark.usefixtures("own_cache")
CBENCH, RUNTIME = cbench_archive(), runtime_archive()


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    """A mirror with both archives, whose sums are the expected ones."""
    with serving() as state:
        monkeypatch.setenv("MIRGYM_CBENCH_URL", state.url + "/")
        for name, content in (("PROGRAMS", CBENCH), ("RUNTIME_DATA", RUNTIME)):
            archive = getattr(cbench, name)._replace(sha256=sha256(content))
            monkeypatch.setattr(cbench, name, archive)
            state.files[archive.file_name] = content
        yield state


@pytest.fixture
def part(own_cache: Path) -> Path:
    """Where the first archive's part is kept while it is downloaded."""
    folder = own_cache / "downloads"
    folder.mkdir(parents=True)
    return folder / f"{cbench.PROGRAMS.file_name}.part"


def installed() -> list[str]:
    return [program.name for program in resolve_all("cbench-v1")]


class TestPublishedFacts:
    def test_sums_and_addresses(self):
        assert cbench.PROGRAMS.sha256.startswith("601fff3944c866f6") and len(cbench.NAMES) == 23
        assert cbench.RUNTIME_DATA.sha256.startswith("a1b5b5d6b115e580")
        assert cbench.DEFAULT_URL.startswith("https://")
        assert len(cbench.PROGRAMS.sha256) == len(cbench.RUNTIME_DATA.sha256) == 64

    def test_mirror(self, monkeypatch):
        monkeypatch.delenv("MIRGYM_CBENCH_URL", raising=False)
        assert cbench.base_url() == cbench.DEFAULT_URL
        monkeypatch.setenv("MIRGYM_CBENCH_URL", "http://mirror/x/")
        assert cbench.base_url() == "http://mirror/x"

    def test_commands_are_of_known_programs(self):
        assert set(cbench.COMMANDS) < set(cbench.NAMES)


class TestInstall:
    def test_programs_and_data(self, server, own_cache):
        assert fetch("cbench-v1") == install_directory("cbench-v1")
        assert installed() == ["adpcm", "crc32"]
        assert [name for name, _ in server.requests] == [
            cbench.PROGRAMS.file_name,
            cbench.RUNTIME_DATA.file_name,
        ]
        assert list((own_cache / "downloads").iterdir()) == []
        names = {p.name for p in (own_cache / "datasets").iterdir()}
        assert names <= {"cbench-v1", ".cbench-v1.lock"}

    def test_all_is_held_out(self, server):
        fetch("cbench-v1")
        assert {program.split for program in resolve_all("cbench-v1:test")} == {"test"}
        with pytest.raises(UnknownProgramError, match="no split 'train'"):
            resolve_all("cbench-v1:train")

    def test_llvm_10_bitcode_runs_and_is_checked_against_itself(self, server):
        """Its runs have no expected output: the program before optimisation is the reference."""
        fetch("cbench-v1")
        program = resolve("benchmark://cbench-v1/crc32")
        assert [run.args for run in program.runs] == [("1.pcm",), ("2.pcm",)]
        assert [file.name for file in program.runs[0].files] == ["1.pcm", "_finfo_dataset"]
        # What stands in for crc32 here takes a number.
        program = dataclasses.replace(program, runs=(Run(("2000",)),))
        with InProcessSession() as session:
            session.load(program.bitcode(), level="Oz")
            session.step("default<O2>")
            optimised = session.emit("obj")
            session.load(resolve("mirbench/adpcm").bitcode(), level="Oz")
            another = session.emit("obj")
        assert validate(program, optimised).verdict == "equal"
        found = validate(program, another)
        assert (found.verdict, found.runs[0].what) == ("different", "stdout")

    def test_second_time_downloads_nothing(self, server):
        fetch("cbench-v1")
        server.requests.clear()
        fetch("cbench-v1")
        assert server.requests == []

    def test_progress(self, server):
        seen: list[tuple[str, int, int]] = []
        fetch("cbench-v1", progress=lambda *step: seen.append(step))
        assert (cbench.PROGRAMS.file_name, len(CBENCH), len(CBENCH)) in seen
        assert (cbench.RUNTIME_DATA.file_name, len(RUNTIME), len(RUNTIME)) in seen

    def test_without_run_time_data_until_they_are_there(self, server):
        name = cbench.RUNTIME_DATA.file_name
        content = server.files.pop(name)
        with pytest.warns(UserWarning, match=r"optimised but not run: .*404"):
            fetch("cbench-v1")
        assert resolve("cbench-v1/crc32").runs == ()
        server.files[name] = content
        server.requests.clear()
        fetch("cbench-v1")
        assert server.requests == [(name, None)]
        assert installed() == ["adpcm", "crc32"]
        assert len(resolve("cbench-v1/crc32").runs) == 2

    def test_unknown_data_set(self):
        with pytest.raises(DatasetError, match=r"no data set 'spec2006' to fetch.*'cbench-v1'"):
            fetch("spec2006")

    def test_nothing_is_there_before(self):
        assert datasets()["cbench-v1"].programs == ()
        with pytest.raises(UnknownProgramError, match="mirgym programs fetch cbench-v1"):
            resolve("cbench-v1/qsort")

    def test_archive_without_programs_installs_nothing(self, server, monkeypatch):
        content = tar_of({"cBench-v1/else.bc": b"BC\xc0\xde"})
        self._serve(server, monkeypatch, content)
        with pytest.raises(DatasetError, match=r"expected files such as cBench-v1/adpcm\.bc"):
            fetch("cbench-v1")
        assert not install_directory("cbench-v1").exists()

    def test_program_that_is_no_bitcode(self, server, monkeypatch):
        self._serve(server, monkeypatch, tar_of({"cBench-v1/adpcm.bc": b"<html>"}))
        with pytest.raises(DatasetError, match=r"adpcm\.bc is refused: it is not LLVM bitcode"):
            fetch("cbench-v1")
        assert not install_directory("cbench-v1").exists()

    @staticmethod
    def _serve(server: Server, monkeypatch, content: bytes) -> None:
        archive = cbench.PROGRAMS._replace(sha256=sha256(content))
        monkeypatch.setattr(cbench, "PROGRAMS", archive)
        server.files[archive.file_name] = content


class TestDownload:
    def test_goes_on_where_it_stopped(self, server, part):
        server.drop_after = 5000
        with pytest.raises(DatasetError, match=r"cannot download .*What has come is kept.*--from"):
            fetch("cbench-v1")
        assert part.read_bytes() == CBENCH[:5000]
        fetch("cbench-v1")
        assert server.requests[1] == (cbench.PROGRAMS.file_name, "bytes=5000-")
        assert installed() == ["adpcm", "crc32"]

    def test_progress_counts_what_was_there(self, server, part):
        part.write_bytes(CBENCH[:5000])
        seen: list[tuple[str, int, int]] = []
        download(cbench.PROGRAMS, part.parent, lambda *step: seen.append(step))
        assert seen[0][1] > 5000
        assert seen[-1][1:] == (len(CBENCH), len(CBENCH))

    def test_server_without_ranges(self, server, part):
        server.ranges = False
        part.write_bytes(b"something else")
        fetch("cbench-v1")
        assert installed() == ["adpcm", "crc32"]

    def test_server_without_length(self, server):
        server.no_length = True
        fetch("cbench-v1")
        assert installed() == ["adpcm", "crc32"]

    def test_drop_that_no_length_tells_is_found_by_the_sum(self, server):
        server.no_length, server.drop_after = True, 5000
        with pytest.raises(DatasetError, match="is not the published file"):
            fetch("cbench-v1")

    def test_server_that_sends_another_part(self, server, part):
        server.wrong_start = True
        part.write_bytes(CBENCH[:5000])
        with pytest.raises(DatasetError, match="sent another part than from byte 5000"):
            fetch("cbench-v1")
        assert part.read_bytes() == CBENCH[:5000]

    def test_everything_had_come(self, server, part):
        part.write_bytes(CBENCH)
        fetch("cbench-v1")
        assert installed() == ["adpcm", "crc32"]

    def test_too_much_had_come(self, server, part):
        part.write_bytes(CBENCH + b"more")
        with pytest.raises(DatasetError, match="is not the published file"):
            fetch("cbench-v1")
        fetch("cbench-v1")
        assert installed() == ["adpcm", "crc32"]

    def test_wrong_sum(self, server, part):
        broken = bytearray(CBENCH)
        broken[100] ^= 1
        server.files[cbench.PROGRAMS.file_name] = bytes(broken)
        with pytest.raises(DatasetError) as caught:
            fetch("cbench-v1")
        assert sha256(bytes(broken)) in str(caught.value)
        assert sha256(CBENCH) in str(caught.value)
        assert not part.exists()
        assert not install_directory("cbench-v1").exists()

    def test_endless_file(self, server, monkeypatch):
        monkeypatch.setattr("mirgym.programs.download.LARGEST_DOWNLOAD", 1000)
        with pytest.raises(DatasetError, match="more than 1000 bytes were sent"):
            fetch("cbench-v1")

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("http://127.0.0.1:9/x", "cannot download .*refused"),
            ("file:///etc", "begins with http://"),
            ("nonsense", "begins with http://"),
        ],
    )
    def test_address_that_gives_nothing(self, monkeypatch, url, message):
        monkeypatch.setenv("MIRGYM_CBENCH_URL", url)
        with pytest.raises(DatasetError, match=message):
            fetch("cbench-v1")

    def test_missing_on_the_server(self, server):
        server.files.clear()
        with pytest.raises(DatasetError, match="404"):
            fetch("cbench-v1")

    def test_cache_that_cannot_be_written(self, server, make_file, monkeypatch):
        monkeypatch.setenv("MIRGYM_CACHE", str(make_file("a-file")))
        with pytest.raises(CacheError, match="MIRGYM_CACHE"):
            fetch("cbench-v1")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_full_disk(self, server, part):
        part.symlink_to("/dev/full")
        with pytest.raises(CacheError, match="No space left on device"):
            fetch("cbench-v1")


class TestLocal:
    @pytest.fixture
    def archive(self, make_file) -> Path:
        return make_file("mine.tar.bz2", CBENCH)

    @pytest.fixture
    def unpacked(self, tmp_path, archive) -> Path:
        from mirgym.programs.unpack import unpack

        unpack(archive, tmp_path / "unpacked")
        return tmp_path / "unpacked"

    def test_archive(self, archive):
        fetch("cbench-v1", archive)
        assert installed() == ["adpcm", "crc32"]
        assert archive.exists()

    @pytest.mark.parametrize("below", ["", "cBench-v1"])
    def test_directory(self, unpacked, below):
        fetch("cbench-v1", unpacked / below)
        assert installed() == ["adpcm", "crc32"]
        assert resolve("cbench-v1/adpcm").bitcode().startswith(b"BC")

    def test_directory_with_the_published_archives(self, server, tmp_path):
        for name, content in server.files.items():
            (tmp_path / name).write_bytes(content)
        fetch("cbench-v1", tmp_path)
        assert installed() == ["adpcm", "crc32"]
        assert len(resolve("cbench-v1/crc32").runs) == 2
        assert server.requests == []

    def test_run_time_data_are_added(self, archive, make_file):
        data = make_file("data.tar.bz2", RUNTIME)
        with pytest.raises(DatasetError, match="does not hold cbench-v1"):
            fetch("cbench-v1", data)
        fetch("cbench-v1", archive)
        fetch("cbench-v1", data)
        assert installed() == ["adpcm", "crc32"]
        assert len(resolve("cbench-v1/crc32").runs) == 2
        fetch("cbench-v1", archive)
        assert len(resolve("cbench-v1/crc32").runs) == 2

    def test_replaces_what_is_installed(self, archive, make_file):
        fetch("cbench-v1", archive)
        content = (Path(__file__).parents[1] / "data/llvm10/primes.bc").read_bytes()
        fetch("cbench-v1", make_file("other.tar", tar_of({"cBench-v1/sha.bc": content}, "w")))
        assert installed() == ["sha"]

    def test_failure_keeps_what_is_installed(self, archive, make_file):
        fetch("cbench-v1", archive)
        with pytest.raises(DatasetError):
            fetch("cbench-v1", make_file("bad.tar.bz2", CBENCH[:3000]))
        assert installed() == ["adpcm", "crc32"]

    def test_published_name_with_another_sum(self, make_file):
        with pytest.raises(DatasetError, match="is not the published file"):
            fetch("cbench-v1", make_file(cbench.PROGRAMS.file_name, CBENCH))

    def test_hostile_archive(self, make_file, own_cache):
        content = tar_of({"cBench-v1/adpcm.bc": b"BC\xc0\xde", "../../evil": b"x"})
        with pytest.raises(DatasetError, match=r"'\.\./\.\./evil' leaves its directory"):
            fetch("cbench-v1", make_file("evil.tar.bz2", content))
        assert not list(own_cache.rglob("evil"))
        assert not list(own_cache.rglob("*.bc"))

    def test_missing(self, tmp_path):
        with pytest.raises(DatasetError, match="neither an archive nor a directory"):
            fetch("cbench-v1", tmp_path / "no")

    def test_empty_directory(self, tmp_path):
        (tmp_path / "empty").mkdir()
        with pytest.raises(DatasetError, match="empty does not hold cbench-v1"):
            fetch("cbench-v1", tmp_path / "empty")


def test_two_processes_at_once_download_once(server, own_cache):
    code = textwrap.dedent(f"""
        from mirgym.programs import cbench, fetch, resolve_all
        cbench.PROGRAMS = cbench.PROGRAMS._replace(sha256={cbench.PROGRAMS.sha256!r})
        cbench.RUNTIME_DATA = cbench.RUNTIME_DATA._replace(sha256={cbench.RUNTIME_DATA.sha256!r})
        fetch("cbench-v1")
        print(len(resolve_all("cbench-v1")))
    """)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "error", "-c", code]
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate(timeout=60)[0] for process in both] == ["2\n", "2\n"]
    assert len(server.requests) == 2
