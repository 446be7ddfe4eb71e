"""Archives with the layout of cBench, and a server that misbehaves on request."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LLVM10 = Path(__file__).parents[1] / "data" / "llvm10"


def member(name: str, kind: bytes = tarfile.REGTYPE, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in fields.items():
        setattr(info, key, value)
    return info


def tar_bytes(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w:bz2") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]
        for info, content in members:
            if info.isreg():
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def tar_of(files: Mapping[str, bytes], mode: str = "w:bz2") -> bytes:
    return tar_bytes(*((member(name), content) for name, content in files.items()), mode=mode)


def cbench_archive() -> bytes:
    """The published layout with bitcode of LLVM 10 under two of cBench's names."""
    return tar_of(
        {
            "cBench-v1/adpcm.bc": (LLVM10 / "adpcm.bc").read_bytes(),
            "cBench-v1/crc32.bc": (LLVM10 / "crc.bc").read_bytes(),
            "cBench-v1/README": b"not a program",
        }
    )


def runtime_archive() -> bytes:
    return tar_of({f"runtime_data/telecom_data/{i}.pcm": bytes(range(i)) * 9 for i in (1, 2)})


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Server:
    """What is served, how, and what was asked."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    wrong_start: bool = False
    no_length: bool = False
    drop_after: int | None = None
    """Close the connection after so many bytes of a body, once for each number here."""
    requests: list[tuple[str, str | None]] = field(default_factory=list)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            name, wanted = self.path.rsplit("/", 1)[-1], self.headers.get("Range")
            server.requests.append((name, wanted))
            if name not in server.files:
                self.send_error(404)
                return
            content, start = server.files[name], 0
            if wanted and server.ranges:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
                shown = start + 1 if server.wrong_start else start
                self.send_header("Content-Range", f"bytes {shown}-{len(content) - 1}/*")
            else:
                self.send_response(200)
            body = content[start:]
            if not server.no_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if server.drop_after is not None:
                body, server.drop_after = body[: server.drop_after], None
            self.wfile.write(body)

    return Handler


@contextmanager
def serving() -> Iterator[Server]:
    state = Server()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(state)) as http:
        http.daemon_threads = True
        state.url = f"http://127.0.0.1:{http.server_port}/mirror"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield state
        finally:
            http.shutdown()
            thread.join()
