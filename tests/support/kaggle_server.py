"""A server that speaks enough of Kaggle's protocol for the real client, and fails on demand.

By hand:

    python tests/support/kaggle_server.py --archive imagenetmini-1000.zip --port 8900
    export TINTYPE_KAGGLE_ENDPOINT=http://localhost:8900

As Kaggle does, it answers `GetDataset` with JSON and `DownloadDataset` with a redirect to a signed address,
where the archive lies with `ETag`, `x-goog-hash` and ranges, as on Google's storage. An address is signed
for one file and works as often as `--uses` allows.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SERVICE = "/api/v1/datasets.DatasetApiService/"
CHUNK = 1 << 16


@dataclass
class Fault:
    """Something that goes wrong, a number of times.

    kind: a status ("500"), or "cut" (after `at` bytes of the answer), "silence" (for `at` seconds), "garbage"
    (bytes of another file), "html" (a login page), "ignore-range", "wrong-range" (one byte too far),
    "short-range" (`at` bytes of what was asked for, as HTTP allows).
    where: "api" or "storage".
    """

    kind: str
    where: str
    times: int = 1
    at: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, object] = field(default_factory=dict)


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, object]


class KaggleServer(ThreadingHTTPServer):
    """The state that the handler works on."""

    daemon_threads = True

    def __init__(
        self,
        archive: Path,
        *,
        dataset: str = "ifigotin/imagenetmini-1000",
        version: int = 1,
        token: str | None = None,
        port: int = 0,
        uses: int = 1_000_000,
        bytes_per_second: float | None = None,
        md5: bool = True,
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.archive = archive
        self.dataset = dataset
        self.version = version
        self.token = token
        self.uses = uses
        self.bytes_per_second = bytes_per_second
        self.md5 = md5
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.signatures: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def signed(self) -> str:
        with self.lock:
            signature = f"signature{next(self._numbers)}"
            self.signatures[signature] = self.uses
        return f"{self.url}/storage/{self.dataset}/archive.zip?X-Goog-Signature={signature}"

    def fault(self, where: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.where == where and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def storage_requests(self) -> list[Request]:
        return [request for request in self.requests if request.path.startswith("/storage/")]


class Handler(BaseHTTPRequestHandler):
    server: KaggleServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._note(body)
        if self._fails(self.server.fault("api")):
            return
        authorization = self.headers.get("Authorization")
        if self.server.token and authorization != f"Bearer {self.server.token}":
            self._json(401, {"code": 401, "message": "Unauthenticated"})
        elif f"{body.get('ownerSlug')}/{body.get('datasetSlug')}" != self.server.dataset:
            self._json(404, {"code": 404, "message": "Not found"})
        elif self.path == SERVICE + "GetDataset":
            self._json(200, {"ref": self.server.dataset, "currentVersionNumber": self.server.version})
        elif self.path == SERVICE + "DownloadDataset":
            if body.get("datasetVersionNumber") != self.server.version:
                self._json(404, {"code": 404, "message": "Not found"})
                return
            self.send_response(302)
            self.send_header("Location", self.server.signed())
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._json(404, {"code": 404, "message": "No such method"})

    def do_GET(self) -> None:
        self._note({})
        signature = parse_qs(urlsplit(self.path).query).get("X-Goog-Signature", [""])[0]
        with self.server.lock:
            left = self.server.signatures.get(signature, 0)
            self.server.signatures[signature] = left - 1
        if left <= 0:
            self._json(403, {"error": "ExpiredToken"})
            return
        fault = self.server.fault("storage")
        if not self._fails(fault):
            self._send_archive(fault)

    def _note(self, body: dict[str, object]) -> None:
        self.server.requests.append(Request(self.command, self.path, dict(self.headers.items()), body))

    def _fails(self, fault: Fault | None) -> bool:
        """Whether the fault was all of the answer."""
        if fault is None or fault.kind in ("cut", "garbage", "ignore-range", "wrong-range", "short-range"):
            return False
        if fault.kind == "silence":
            time.sleep(fault.at)
            self.close_connection = True
        elif fault.kind == "html":
            page = b"<html>Welcome to the hotel's network. Please sign in.</html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
        else:
            self._json(
                int(fault.kind), fault.body or {"code": int(fault.kind), "message": "Fault"}, fault.headers
            )
        return True

    def _json(self, status: int, content: dict[str, object], headers: dict[str, str] | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _send_archive(self, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        size = self.server.archive.stat().st_size
        md5 = _md5(self.server.archive)
        etag = f'"{md5.hex()}"'
        start = self._start(etag, size) if kind != "ignore-range" else None
        if start is not None and start >= size:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first, last = start or 0, size - 1
        if start is not None and kind == "wrong-range":
            first += 1
        if start is not None and kind == "short-range":
            last = first + fault.at - 1
        self.send_response(200 if start is None else 206)
        self.send_header("Content-Type", "application/zip")
        self.send_header("Content-Length", str(last + 1 - first))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", etag)
        if self.server.md5:
            self.send_header("x-goog-hash", f"crc32c=AAAAAA==,md5={base64.b64encode(md5).decode()}")
        if start is not None:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        self._send_bytes(first, last + 1 - first, fault)

    def _start(self, etag: str, size: int) -> int | None:
        """The first byte wanted, if only a part is."""
        span = self.headers.get("Range", "")
        if not span.startswith("bytes=") or self.headers.get("If-Range", etag) != etag:
            return None
        return int(span.removeprefix("bytes=").removesuffix("-"))

    def _send_bytes(self, start: int, count: int, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        left = min(fault.at, count) if fault and kind == "cut" else count
        try:
            with self.server.archive.open("rb") as file:
                file.seek(start)
                while chunk := file.read(min(CHUNK, left)):
                    left -= len(chunk)
                    self.wfile.write(bytes(len(chunk)) if kind == "garbage" else chunk)
                    if self.server.bytes_per_second:
                        time.sleep(len(chunk) / self.server.bytes_per_second)
            if kind == "cut":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client only wanted the headers


_hashes: dict[tuple[Path, int, int], bytes] = {}


def _md5(path: Path) -> bytes:
    stat = path.stat()
    key = (path, stat.st_mtime_ns, stat.st_size)
    if key not in _hashes:
        with path.open("rb") as file:
            _hashes[key] = hashlib.file_digest(file, "md5").digest()
    return _hashes[key]


@contextmanager
def running(server: KaggleServer) -> Iterator[KaggleServer]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--archive", type=Path, required=True, help="the ZIP file to hand out")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--dataset", default="ifigotin/imagenetmini-1000", help="owner/name")
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument("--token", help="the only token that is accepted; default: everybody is")
    parser.add_argument("--cut-at", type=int, help="cut the first transfer after this many bytes")
    parser.add_argument("--uses", type=int, default=1_000_000, help="how often a signed address works")
    parser.add_argument("--bytes-per-second", type=float, help="speed of a transfer")
    arguments = parser.parse_args()
    server = KaggleServer(
        arguments.archive,
        dataset=arguments.dataset,
        version=arguments.version,
        token=arguments.token,
        port=arguments.port,
        uses=arguments.uses,
        bytes_per_second=arguments.bytes_per_second,
    )
    if arguments.cut_at:
        # The client's own look at the headers is a transfer too.
        server.faults = [Fault("cut", "storage", times=2, at=arguments.cut_at)]
    print(f"export TINTYPE_KAGGLE_ENDPOINT={server.url}", flush=True)  # noqa: T201 - to whoever started it
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
