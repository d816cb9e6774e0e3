from __future__ import annotations

import io
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from PIL import Image

# What the service promises for each of a photo's errors; said here again so that it does not change by accident.
STATUS = {
    "empty": 400,
    "too_many_bytes": 413,
    "too_many_pixels": 413,
    "too_many_frames": 413,
    "unknown_format": 415,
    "unsupported": 415,
    "broken": 422,
    "too_slow": 422,
}
NO_HTTP = b"Invalid HTTP request received."  # the HTTP server's own answer to what it cannot parse
ANSWER_S = 25.0
PANORAMA = Path(__file__).parents[1] / "support/photos/panorama-65500x16.jpg"


@pytest.fixture(scope="module")
def keepalive(server: Any) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(autouse=True)
def alive_after_each(server: Any, keepalive: httpx.Client) -> Iterator[None]:
    workers = server.workers()
    yield
    assert keepalive.get("/livez", timeout=5).status_code == 200
    assert server.workers() == workers, "a worker died"


def post(corpus: ModuleType, server: Any, case: Any) -> Any:
    wire = corpus.wire
    disposition = f'form-data; name="photo"; filename="{case.name}"'
    parts = wire.form(wire.part(case.content, disposition, case.content_type))
    return corpus.send("127.0.0.1", server.port, parts, seconds=ANSWER_S)


def error_of(answer: Any) -> dict[str, str]:
    assert answer.headers["content-type"] == "application/json", answer.body[:200]
    error = json.loads(answer.body)
    assert set(error) == {"error", "message"}
    assert len(error["message"]) > 20
    assert error["message"][0].isupper()
    assert "Traceback" not in error["message"]
    return dict(error)


def test_each_kind_of_answer_has_a_case(corpus: ModuleType) -> None:
    sure = {case.outcome.codes for case in corpus.KINDS if case.outcome.size is None}
    assert {next(iter(codes)) for codes in sure if len(codes) == 1} == set(STATUS)
    coloured = {case.suffix for case in corpus.KINDS if case.outcome.size and not case.outcome.codes}
    assert coloured >= {"jpg", "png", "tif", "webp", "bmp", "gif", "avif"}


def test_each_kind_of_file_is_coloured_or_refused_with_a_reason(
    corpus: ModuleType, server: Any, kind_case: Any
) -> None:
    answer = post(corpus, server, kind_case)
    wanted = kind_case.outcome
    assert answer is not None, "no answer"
    if answer.status != 200:
        error = error_of(answer)
        assert error["error"] in wanted.codes, error["message"]
        assert answer.status == STATUS[error["error"]]
        return
    assert wanted.size is not None, f"expected to be refused as {sorted(wanted.codes)}"
    assert answer.headers["content-type"] in ("image/jpeg", "image/png", "image/tiff", "image/webp")
    assert answer.headers["x-tintype-receipt"].startswith("mean_dl=")
    with Image.open(io.BytesIO(answer.body)) as image:
        image.load()
        assert image.size == wanted.size
        assert image.getexif().get(0x0112, 1) == 1
    assert b"<script>" not in answer.body


def test_a_panorama_is_coloured(corpus: ModuleType, server: Any) -> None:
    """It is wider than some of OpenCV's functions can take."""
    wire = corpus.wire
    parts = wire.form(wire.part(PANORAMA.read_bytes()), wire.value("saturation", "2"))
    answer = corpus.send("127.0.0.1", server.port, parts, seconds=2 * ANSWER_S)
    assert answer is not None, "no answer"
    assert answer.status == 200, answer.body[:300]
    with Image.open(io.BytesIO(answer.body)) as image:
        assert image.size == (65500, 16)


def test_every_request_gets_one_of_its_answers(corpus: ModuleType, server: Any, request_case: Any) -> None:
    answer = corpus.send("127.0.0.1", server.port, request_case.parts(), seconds=ANSWER_S)
    assert answer is not None, "no answer"
    assert answer.status in request_case.statuses, answer.body[:300]
    if answer.status == 200:
        assert "x-evil" not in answer.headers
        assert not set("/\\\r\n\0") & set(answer.headers.get("content-disposition", ""))
    elif answer.body != NO_HTTP and answer.body:
        error_of(answer)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_client_that_leaves_in_the_middle_of_its_upload(
    corpus: ModuleType, server: Any, share: float
) -> None:
    wire = corpus.wire
    upload = b"".join(wire.form(wire.part(corpus.jpeg.plain())))
    for _ in range(5):
        corpus.send("127.0.0.1", server.port, [upload[: int(len(upload) * share)]], wait=False)


def test_a_client_that_leaves_before_its_answer(corpus: ModuleType, server: Any) -> None:
    wire = corpus.wire
    for _ in range(5):
        corpus.send("127.0.0.1", server.port, wire.form(wire.part(corpus.jpeg.plain())), wait=False)


def test_an_upload_in_drops_is_coloured(corpus: ModuleType, server: Any) -> None:
    def drops() -> Iterator[bytes]:
        content = b"".join(corpus.wire.whole(corpus.jpeg.plain(), "image/jpeg"))
        for at in range(0, len(content), 150):
            yield content[at : at + 150]
            time.sleep(0.05)

    answer = corpus.send("127.0.0.1", server.port, drops(), seconds=ANSWER_S)
    assert answer is not None
    assert answer.status == 200


def test_an_upload_that_never_ends_is_refused_and_others_are_served(corpus: ModuleType, server: Any) -> None:
    wire = corpus.wire
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=ANSWER_S) as slow:
        slow.sendall(wire.head(["Content-Type: image/jpeg", "Content-Length: 1000"]) + b"\xff\xd8")
        other = corpus.send("127.0.0.1", server.port, wire.whole(corpus.jpeg.plain(), "image/jpeg"))
        assert other is not None
        assert other.status == 200
        assert time.monotonic() - start < 4
        assert slow.recv(100).startswith(b"HTTP/1.1 408")
    assert 4 < time.monotonic() - start < 15


def test_two_hundred_open_connections_do_not_shut_out_others(corpus: ModuleType, server: Any) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(200)]
    try:
        for connection in idle:
            connection.sendall(b"POST /colorize HTTP/1.1\r\nHost: x\r\n")
        answer = corpus.send("127.0.0.1", server.port, corpus.wire.whole(corpus.jpeg.plain(), "image/jpeg"))
        assert answer is not None
        assert answer.status == 200
    finally:
        for connection in idle:
            connection.close()


def test_nothing_is_fetched_for_a_client(corpus: ModuleType, server: Any) -> None:
    """An address in the photo's place, at which somebody listens: nobody may call."""
    wire = corpus.wire
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/photo.jpg"
        json_body = json.dumps({"photo": address}).encode()
        for parts in (
            wire.form(wire.value("photo", address)),
            wire.whole(json_body, "application/json"),
            wire.whole(address.encode(), "text/uri-list"),
            wire.whole(f"photo={address}".encode(), "application/x-www-form-urlencoded"),
        ):
            answer = corpus.send("127.0.0.1", server.port, parts)
            assert answer is not None
            assert 400 <= answer.status < 500
        with pytest.raises(TimeoutError):
            listener.accept()


def test_the_log_tells_of_no_error_of_ours(server: Any) -> None:
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "internal_error" not in log


def test_unknown_paths_do_not_grow_the_metrics(server: Any, keepalive: httpx.Client) -> None:
    for number in range(50):
        keepalive.get(f"/nothing/{number}")
    assert "/nothing/" not in keepalive.get("/metrics").text
