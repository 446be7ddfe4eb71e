"""Get a package's source files from its registry, checked against the lock.

Debian's come through ``apt-get`` with lists of its own in the work folder, so the system's
configuration is read and never changed; npm's through ``npm pack``; PyPI's from the index
that pip is set to. Nothing of a package is run here: pip's own download of a source
distribution would run its build script.
"""

from __future__ import annotations

import hashlib
import html.parser
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from ..errors import DatasetError
from ..programs.cache import locked, make_directory
from .sources import Package

DEFAULT_INDEX = "https://pypi.org/simple"
LISTS_AGE_SECONDS = 24 * 3600
"""Debian's lists are fetched again when they are older."""

LIMIT_SECONDS = 900
TIMEOUT_SECONDS = 60
TRIES = 3
LARGEST_PAGE = 32 << 20
LARGEST_FILE = 256 << 20


def obtain(package: Package, work: Path) -> list[Path]:
    """The package's files below ``work/downloads``, downloaded unless they are there.

    Raises:
        DatasetError: The registry or its client is missing, it lacks the version, or a
            file is not the one that the lock names.
    """
    folder = make_directory(work / "downloads" / package.key)
    paths = [folder / name for name in package.files]
    if not all(path.is_file() for path in paths):
        get = {"deb": _from_debian, "pypi": _from_pypi, "npm": _from_npm}[package.kind]
        get(package, folder, work)
    for path in paths:
        _check(path, package.files[path.name])
    return paths


def _check(path: Path, expected: str) -> None:
    if not path.is_file():
        raise DatasetError(f"{path.name} did not come: the registry has another version")
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != expected:
        path.unlink()
        raise DatasetError(f"{path.name}: sha256 {actual}, expected {expected}")


def _run(command: Sequence[str], folder: Path) -> str:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DatasetError(f"{command[0]} failed: {error}") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        raise DatasetError(f"{command[0]} failed: {lines[-1]}")
    return done.stdout


# -- Debian -----------------------------------------------------------------------------


def _from_debian(package: Package, folder: Path, work: Path) -> None:
    if not shutil.which("apt-get"):
        raise DatasetError("apt-get is not on this machine; Debian's sources need it")
    with locked(work / "apt"):  # one list for all packages
        options = _apt_options(work / "apt")
        wanted = f"{package.name}={package.version}"
        try:
            _run(["apt-get", *options, "source", "--download-only", "-qq", wanted], folder)
        except DatasetError:
            # Mirrors may lack a signature or the like, which is not among these.
            if not all((folder / name).is_file() for name in package.files):
                raise


def _apt_options(state: Path) -> list[str]:
    """Options that keep apt in ``state``; its lists are fetched when they are old."""
    parts = make_directory(state / "parts")
    make_directory(state / "lists" / "partial")
    settings = {
        "Dir::Etc::SourceList": "/dev/null",
        "Dir::Etc::SourceParts": str(parts.absolute()),
        "Dir::State": str(state.absolute()),
        "Dir::State::Lists": str((state / "lists").absolute()),
        "Dir::Cache": str((state / "cache").absolute()),
        "APT::Sandbox::User": "",
        "Acquire::Retries": str(TRIES),
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    stamp = state / "updated"
    if not stamp.exists() or time.time() - stamp.stat().st_mtime > LISTS_AGE_SECONDS:
        (parts / "corpus.list").write_text("")
        (parts / "corpus.sources").write_text(source_lists(Path("/etc/apt")))
        _run(["apt-get", *options, "update", "-qq"], state)
        stamp.touch()
    return options


def source_lists(etc: Path) -> str:
    """The system's Debian archives, as deb822 stanzas of type ``deb-src``.

    Other archives are left out: they hold no sources.

    Raises:
        DatasetError: The system has no Debian archive.
    """
    stanzas: list[str] = []
    for path in sorted(etc.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text()):
            if re.search(r"(?m)^URIs:.*/debian(-security)?/?\s*$", stanza):
                stanzas.append(re.sub(r"(?m)^Types:.*$", "Types: deb-src", stanza.strip()))
    for path in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]:
        for line in path.read_text().splitlines() if path.is_file() else ():
            stanzas += _stanza_of(line)
    if not stanzas:
        raise DatasetError("apt is not set to an archive of Debian: its sources need one")
    return "\n\n".join(dict.fromkeys(stanzas)) + "\n"


def _stanza_of(line: str) -> list[str]:
    """A line of a ``sources.list`` as a stanza, when it names Debian's archive.

    >>> print(*_stanza_of("deb http://deb.debian.org/debian bookworm main"))
    Types: deb-src
    URIs: http://deb.debian.org/debian
    Suites: bookworm
    Components: main
    """
    match = re.match(r"deb\s+(?:\[(.*?)\]\s+)?(\S+/debian(?:-security)?/?)\s+(\S+)\s+(.+)", line)
    if not match:
        return []
    signed = re.search(r"signed-by=(\S+)", match[1] or "")
    key = f"\nSigned-By: {signed[1]}" if signed else ""
    return [f"Types: deb-src\nURIs: {match[2]}\nSuites: {match[3]}\nComponents: {match[4]}{key}"]


# -- npm --------------------------------------------------------------------------------


def _from_npm(package: Package, folder: Path, _work: Path) -> None:
    if not shutil.which("npm"):
        raise DatasetError("npm is not on this machine; its packages need it")
    _run(["npm", "pack", "--silent", f"{package.name}@{package.version}"], folder)


# -- PyPI -------------------------------------------------------------------------------


def _from_pypi(package: Package, folder: Path, _work: Path) -> None:
    index = index_url()
    for name in package.files:
        page = f"{index}/{re.sub(r'[-_.]+', '-', package.name).lower()}/"
        links = find_links(_get(page, LARGEST_PAGE).decode("utf-8", "replace"), page)
        if name not in links:
            raise DatasetError(f"{page} has no file {name}")
        content = _get(links[name], LARGEST_FILE)
        part = folder / f"{name}.part"
        part.write_bytes(content)
        part.replace(folder / name)


def index_url() -> str:
    """The index that pip is set to, without the slash at its end."""
    chosen = os.environ.get("PIP_INDEX_URL")
    if not chosen:
        ask = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
        done = subprocess.run(ask, capture_output=True, text=True, timeout=60, check=False)
        chosen = done.stdout.strip() if done.returncode == 0 else ""
    return (chosen or DEFAULT_INDEX).rstrip("/")


def find_links(text: str, base: str) -> dict[str, str]:
    """Addresses by file name on a page of a simple index (PEP 503).

    >>> find_links('<a href="../../f/x-1.tar.gz#sha256=0">x</a>', "https://h/simple/x/")
    {'x-1.tar.gz': 'https://h/f/x-1.tar.gz'}
    """
    found: dict[str, str] = {}

    class Parser(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            address = dict(attrs).get("href")
            if tag == "a" and address:
                url = urllib.parse.urldefrag(urllib.parse.urljoin(base, address)).url
                path = urllib.parse.urlsplit(url).path
                found[urllib.parse.unquote(path.rpartition("/")[2])] = url

    Parser().feed(text)
    return found


def _get(url: str, limit: int) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise DatasetError(f"cannot download {url}: expected http:// or https://")
    for left in reversed(range(TRIES)):
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
                content: bytes = response.read(limit + 1)
            break
        except OSError as error:
            if not left:
                raise DatasetError(f"cannot download {url}: {error}") from error
    if len(content) > limit:
        raise DatasetError(f"cannot download {url}: more than {limit} bytes")
    return content
