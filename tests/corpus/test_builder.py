"""From a package to bitcode, without a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirgym.corpus import builder, front_end, sources
from mirgym.corpus.builder import Skipped, build_modules, spread
from mirgym.errors import CacheError, DatasetError
from mirgym.session import InProcessSession

from .packages import HEADER, SOURCE, package_of, place, sdist

FILES = {
    "include/toy.h": HEADER,
    "src/toy.c": SOURCE,
    "src/copy.c": SOURCE,
    "src/more.cc": "int more(int x) { return x + 1; }\n",
    "src/broken.c": "int broken(void) { return y; }\n",
    "src/empty.c": "int no_function;\n",
    "tests/check.c": "int check(void) { return 0; }\n",
    "libtiff/tif_a.c": "int tiff(void) { return 0; }\n",
    "win32/main.c": "int win(void) { return 0; }\n",
}


@pytest.fixture
def work(tmp_path: Path, monkeypatch) -> Path:
    """A work folder with two packages, of which the second is damaged."""
    toy, bad = sdist("toy", FILES), b"no archive"
    catalogue = {
        "pypi_toy": package_of("toy", toy, flags=["skip=/tests/"]),
        "pypi_bad": package_of("bad", bad),
    }
    for one, archive in zip(catalogue.values(), (toy, bad), strict=True):
        place(one, archive, tmp_path)
    monkeypatch.setattr(sources, "_catalogue", lambda: catalogue)
    return tmp_path


class TestBuild:
    def test_modules_and_what_was_left_out(self, work: Path):
        modules, skipped = build_modules(work, jobs=2, progress=False)
        assert [(m.package, m.source) for m in modules] == [
            ("pypi_toy", "src/copy.c"),
            ("pypi_toy", "src/more.cc"),
        ]  # src/toy.c has the same content
        assert all(module.licence == "MIT" for module in modules)
        with InProcessSession() as session:
            for module in modules:
                session.load(module.path.read_bytes())
        reasons = {(s.package, s.source): s.reason for s in skipped}
        assert "undeclared identifier 'y'" in reasons["pypi_toy", "src/broken.c"]
        assert reasons["pypi_toy", "src/empty.c"] == "it defines no function"
        assert "damaged" in reasons["pypi_bad", ""]
        assert len(skipped) == 3

    def test_manifest(self, work: Path):
        build_modules(work, packages=["pypi_toy"], progress=False)
        folder = work / "modules" / "pypi_toy"
        first = json.loads((folder / "manifest.jsonl").read_text().splitlines()[0])
        assert first.keys() == {"index", "source", "sha256", "licence"}
        assert (folder / "0.bc").is_file() and len(first["sha256"]) == 64

    def test_a_relative_folder(self, work: Path, monkeypatch):
        monkeypatch.chdir(work.parent)
        modules, _ = build_modules(Path(work.name), packages=["pypi_toy"], progress=False)
        assert len(modules) == 2

    def test_what_is_done_is_not_redone(self, work: Path, monkeypatch):
        before = build_modules(work, packages=["pypi_toy"], progress=False)

        def fail(*_: object) -> None:
            raise AssertionError("compiled again")

        monkeypatch.setattr(front_end.FileCompiler, "compile", fail)
        assert build_modules(work, packages=["pypi_toy"], progress=False) == before
        # What decides the result changed:
        monkeypatch.setattr(builder, "VERSION", -1)
        with pytest.raises(AssertionError, match="compiled again"):
            build_modules(work, packages=["pypi_toy"], progress=False)

    def test_an_interrupted_package_is_not_finished(self, work: Path, monkeypatch):
        one = sources.package("pypi_toy")

        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            builder.build_package(one, work, interrupt)
        assert not (work / "modules" / "pypi_toy" / "finished").exists()
        assert len(build_modules(work, packages=["pypi_toy"], progress=False)[0]) == 2

    def test_a_full_disk_ends_the_run(self, work: Path, monkeypatch):
        def fail(path: Path, _: bytes) -> None:
            raise CacheError(f"cannot write {path}")

        monkeypatch.setattr(builder, "write_atomically", fail)
        with pytest.raises(CacheError, match="cannot write"):
            build_modules(work, packages=["pypi_toy"], progress=False)

    def test_twice_the_same(self, work: Path, tmp_path: Path):
        modules, _ = build_modules(work, packages=["pypi_toy"], progress=False)
        first = [module.path.read_bytes() for module in modules]
        (work / "modules" / "pypi_toy" / "finished").unlink()
        modules, _ = build_modules(work, packages=["pypi_toy"], progress=False)
        assert [module.path.read_bytes() for module in modules] == first

    def test_unknown_package(self, work: Path):
        with pytest.raises(DatasetError, match="Did you mean 'pypi_toy'"):
            build_modules(work, packages=["pypi_toi"], progress=False)

    def test_a_failed_package_is_tried_again(self, work: Path, monkeypatch):
        modules, skipped = build_modules(work, packages=["pypi_bad"], progress=False)
        assert modules == [] and [type(one) for one in skipped] == [Skipped]
        archive = sdist("bad", {"a.c": "int a(void) { return 0; }"})
        good = package_of("bad", archive)
        place(good, archive, work)
        monkeypatch.setattr(sources, "_catalogue", lambda: {"pypi_bad": good})
        modules, skipped = build_modules(work, progress=False)
        assert len(modules) == 1 and skipped == []


class TestCandidates:
    @pytest.fixture
    def found(self, tmp_path: Path):
        for name in ["a/1.c", "a/2.c", "b/3.cpp", "b/4.c", "c/5.h", "c/6.c", "debian/7.c"]:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("int x;")
        (tmp_path / "c/8.c").touch()

        def find(*flags: str, cap: int = 0) -> list[str]:
            return builder.candidates(package_of("x", b"", cap=cap, flags=flags), tmp_path)

        return find

    def test_in_order(self, found):
        assert found() == ["a/1.c", "a/2.c", "b/3.cpp", "b/4.c", "c/6.c"]

    def test_patterns(self, found):
        assert found("only=^b/") == ["b/3.cpp", "b/4.c"]
        assert found("skip=/(a|b)/") == ["c/6.c"]
        assert found("only=^(a|b)/", "skip=3") == ["a/1.c", "a/2.c", "b/4.c"]

    def test_large_files(self, found, monkeypatch):
        monkeypatch.setattr(builder, "LARGEST_SOURCE", 3)
        assert found() == []

    def test_cap(self, found):
        assert found(cap=2)[:2] == ["a/1.c", "b/3.cpp"]

    def test_spread(self):
        paths = [str(i) for i in range(100)]
        order = spread(paths, 10)
        assert order[:10] == paths[::10] and len(order) == len(set(order)) <= 30
        assert spread(paths, 0) == spread(paths, 100) == paths


def test_the_cap_counts_modules(tmp_path: Path, monkeypatch):
    """Files that fail are replaced by others."""
    files = {f"{i}.c": "int f(void) { return y; }" if i % 2 else SOURCE * 0 for i in range(8)}
    files |= {f"{i}.c": f"int f{i}(void) {{ return {i}; }}" for i in range(0, 8, 2)}
    archive = sdist("toy", files)
    one = package_of("toy", archive, cap=3)
    place(one, archive, tmp_path)
    monkeypatch.setattr(sources, "_catalogue", lambda: {one.key: one})
    modules, _ = build_modules(tmp_path, progress=False)
    assert len(modules) == 3
