"""The list of packages and its lock."""

from __future__ import annotations

import re

import pytest

from mirgym.corpus import sources
from mirgym.corpus.schema import TEST_PACKAGES, VALID_PACKAGES
from mirgym.errors import DatasetError

LOCK = {"deb_x": {"version": "1", "files": {}, "bytes": 1, "licence": "MIT"}}


class TestList:
    def test_every_package_is_locked(self):
        packages = sources.load_packages()
        assert len(packages) >= 50
        for one in packages:
            assert one.kind in ("deb", "pypi", "npm") and one.files and one.size_bytes > 0
            assert all(re.fullmatch("[0-9a-f]{64}", total) for total in one.files.values())
            assert one.licence and "?" not in one.licence and one.version not in ("", "-")
            for flag in ("only", "skip"):
                assert all(re.compile(pattern) for pattern in one.values(flag))

    def test_the_splits_name_packages_of_the_list(self):
        known = {one.key for one in sources.load_packages()}
        assert known >= TEST_PACKAGES | VALID_PACKAGES

    def test_headers_of_other_packages_stay_within_a_split(self):
        for one in sources.load_packages():
            for folder in one.values("inc"):
                if folder.startswith("../"):
                    sources.package(folder.split("/")[1])


class TestLookup:
    def test_the_chosen_ones_in_the_order_of_the_list(self):
        chosen = sources.load_packages(["deb_gsl", "deb_bc", "deb_gsl"])
        assert [one.key for one in chosen] == ["deb_bc", "deb_gsl"]

    def test_unknown(self):
        with pytest.raises(DatasetError, match=r"no package 'deb_gls'.*Did you mean 'deb_gsl'"):
            sources.load_packages(["deb_gls"])


class TestParse:
    def test_flags(self):
        line = "deb\tx\t1\t5\tconfigure=--a --b;D=A=1;D=B;configure"
        one = sources._parse(line, LOCK)
        assert one.cap == 5 and one.values("D") == ["A=1", "B"]
        assert one.has("configure") and not one.has("cmd")
        assert one.values("configure") == ["--a --b"]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("deb\tx\t1\t0", "expected 5 columns between tabs, got 4"),
            ("deb\tx\t1\t0\tconfig", "unknown flag 'config'; expected one of configure, cmd"),
            ("deb\ty\t1\t0\t", "deb_y 1 is not in packages.lock.json"),
            ("deb\tx\t2\t0\t", "deb_x 2 is not in packages.lock.json"),
        ],
    )
    def test_wrong_lines(self, line, message):
        with pytest.raises(DatasetError, match=message):
            sources._parse(line, LOCK)
