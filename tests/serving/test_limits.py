"""Limits, key and origins, on a service with small ones."""

import io
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

KEY = {"X-Api-Key": "correct-horse"}
MEGABYTE = 1_000_000


@pytest.fixture
def client(strict_server):
    with strict_server.client() as client:
        yield client


@pytest.fixture
def small(cat):
    buffer = io.BytesIO()
    Image.fromarray(cat).save(buffer, "JPEG")
    return buffer.getvalue()


def talk(server, *pieces, pause=0.0, until=b""):
    """Send pieces over a socket; give what was answered, and how many pieces had been sent by then."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        sent, answer = 0, b""
        connection.settimeout(0.0001)
        for piece in pieces:
            connection.settimeout(30)
            connection.sendall(piece)
            sent += 1
            connection.settimeout(max(pause, 0.0001))
            try:
                answer += connection.recv(65536)
            except TimeoutError:
                continue
            if answer:
                break
        connection.settimeout(30)
        while chunk := connection.recv(65536):
            answer += chunk
    return answer, sent


def series(client):
    lines = client.get("/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def status_of(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, json.loads(body)


HEAD = b"POST /colorize HTTP/1.1\r\nHost: x\r\nX-Api-Key: correct-horse\r\n"


def test_an_announced_body_too_large_is_refused_before_it_is_sent(strict_server):
    answer, _ = talk(strict_server, HEAD + b"Content-Length: 50000000\r\n\r\n")
    status, head, body = status_of(answer)
    assert (status, body["error"]) == (413, "too_many_bytes")
    assert b"connection: close" in head.lower()


def test_a_chunked_body_too_large_is_refused_while_it_comes(strict_server):
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    pieces = [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 200]
    answer, sent = talk(strict_server, *pieces, pause=0.02)
    assert status_of(answer)[0] == 413
    assert sent < 30  # 16 make a megabyte; not all 200 were needed


def test_a_form_too_large_is_refused_while_it_comes(strict_server):
    start = b'--B\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
    head = HEAD + b"Content-Type: multipart/form-data; boundary=B\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    answer, sent = talk(
        strict_server, head, b"%x\r\n%s\r\n" % (len(start), start), *[chunk] * 200, pause=0.02
    )
    assert status_of(answer)[0] == 413
    assert sent < 30


def test_a_client_that_sends_first_and_listens_later_hears_why_too(client):
    response = client.post("/colorize", content=bytes(20 * MEGABYTE), headers=KEY)
    assert (response.status_code, response.json()["error"]) == (413, "too_many_bytes")
    assert "1 MB" in response.json()["message"]


def test_exactly_the_limit_is_taken(client):
    assert (
        client.post("/colorize", content=bytes(MEGABYTE), headers=KEY).status_code == 415
    )  # read, and no photo
    assert client.post("/colorize", content=bytes(MEGABYTE + 1), headers=KEY).status_code == 413
    assert client.post("/colorize", files={"photo": bytes(MEGABYTE)}, headers=KEY).status_code == 415
    assert client.post("/colorize", files={"photo": bytes(MEGABYTE + 1)}, headers=KEY).status_code == 413


def test_too_many_pixels_are_refused(client):
    buffer = io.BytesIO()
    Image.new("L", (1000, 1000)).save(buffer, "PNG")
    response = client.post("/colorize", content=buffer.getvalue(), headers=KEY)
    assert (response.status_code, response.json()["error"]) == (413, "too_many_pixels")


def test_a_slow_client_is_let_go(strict_server):
    start = time.monotonic()
    drip = [HEAD + b"Content-Length: 1000\r\n\r\n", *[b"x"] * 100]
    answer, _ = talk(strict_server, *drip, pause=0.2)
    status, head, body = status_of(answer)
    assert (status, body["error"]) == (408, "too_slow_upload")
    assert 2.5 < time.monotonic() - start < 15
    assert b"connection: close" in head.lower()


def test_one_place_and_a_second_photo_is_sent_away_before_its_body(strict_server, small):
    with socket.create_connection(("127.0.0.1", strict_server.port), timeout=30) as first:
        first.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(small) + small[:10])
        strict_server_busy(strict_server)
        answer, _ = talk(strict_server, HEAD + b"Content-Length: 500000\r\n\r\n")
        status, head, body = status_of(answer)
        assert (status, body["error"]) == (503, "overloaded")
        assert b"retry-after: " in head.lower()
        first.sendall(small[10:])
        assert first.recv(100).startswith(b"HTTP/1.1 200")  # who was inside is served


def strict_server_busy(server):
    with server.client() as client:
        for _ in range(100):
            if "tintype_photos_in_house 1.0" in client.get("/metrics", headers=KEY).text:
                return
            time.sleep(0.02)
    raise AssertionError("nobody is in the house")


def test_cut_uploads_leave_no_place_taken(strict_server, small):
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", strict_server.port)) as connection:
            connection.sendall(HEAD + b"Content-Length: 500000\r\n\r\n" + small[:1000])
    time.sleep(0.3)
    with strict_server.client() as client:
        assert client.post("/colorize", content=small, headers=KEY).status_code == 200
        assert "tintype_photos_in_house 0.0" in client.get("/metrics", headers=KEY).text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Api-Key": "wrong"},
        {"X-Api-Key": "correct-horse "[:-2]},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic correct-horse"},
        {"Authorization": b"Bearer \xff\xfe"},
        {"X-Api-Key": ""},
    ],
)
@pytest.mark.parametrize("path", ["/colorize", "/metrics"])
def test_without_the_right_key_nothing_is_done(client, small, headers, path):
    method = "POST" if path == "/colorize" else "GET"
    response = client.request(method, path, headers=headers, content=small if method == "POST" else None)
    assert (response.status_code, response.json()["error"]) == (401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"
    assert "correct-horse" not in response.text


@pytest.mark.parametrize(
    "headers", [KEY, {"Authorization": "Bearer correct-horse"}, {"Authorization": "bearer correct-horse"}]
)
def test_the_key_opens_both_ways(client, small, headers):
    assert client.post("/colorize", content=small, headers=headers).status_code == 200
    assert client.get("/metrics", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/livez", "/readyz", "/model_info", "/docs.json", "/static/index.html"]
)
def test_page_probes_and_contract_need_no_key(client, path):
    assert client.get(path).status_code == 200
    assert client.get("/model_info").json()["key_needed"] is True


def test_the_origin_that_is_named_may_ask(client, small):
    origin = {"Origin": "https://archive.example"}
    ask = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    preflight = client.options("/colorize", headers=ask)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://archive.example"
    answer = client.post("/colorize", content=small, headers={**KEY, **origin})
    assert answer.headers["access-control-allow-origin"] == "https://archive.example"
    assert "X-Tintype-Receipt" in answer.headers["access-control-expose-headers"]
    error = client.post("/colorize", content=b"x", headers={**KEY, **origin})
    assert error.headers["access-control-allow-origin"] == "https://archive.example"


def test_no_other_origin_may(client, small):
    origin = {"Origin": "https://other.example"}
    preflight = client.options("/colorize", headers={**origin, "Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
    assert (
        "access-control-allow-origin"
        not in client.post("/colorize", content=small, headers={**KEY, **origin}).headers
    )


def test_without_origins_there_is_no_cors(server, cat_file):
    with server.client() as client:
        origin = {"Origin": "https://archive.example"}
        answer = client.post("/colorize", content=cat_file, headers=origin)
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_service_is_alive_while_it_works_on_a_large_photo(server):
    noise = np.random.default_rng(1).integers(0, 255, (500, 800), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.tile(noise, (10, 10))).save(buffer, "JPEG", quality=60)  # 40 megapixels
    with ThreadPoolExecutor(1) as pool, server.client() as client, server.client() as other:
        work = pool.submit(other.post, "/colorize", content=buffer.getvalue(), timeout=120)
        waits = []
        while not work.done():
            start = time.perf_counter()
            assert client.get("/livez").status_code == 200
            waits.append(time.perf_counter() - start)
            time.sleep(0.02)
        assert work.result().status_code == 200
    assert len(waits) > 20
    assert np.quantile(waits, 0.95) < 0.1


def test_work_for_a_client_that_hung_up_is_dropped(server):
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize((5000, 5000)).save(buffer, "PNG")
    photo = buffer.getvalue()
    with server.client() as client:
        before = series(client)
        start = time.monotonic()
        for _ in range(12):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(
                    b"POST /colorize HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(photo) + photo
                )
        while (
            series(client).get('tintype_photos_total{outcome="gone"}', 0)
            < before.get('tintype_photos_total{outcome="gone"}', 0) + 12
        ):
            assert time.monotonic() - start < 60
            time.sleep(0.05)
        after = series(client)
        assert after["tintype_photos_in_house"] == 0
        worked_on = (
            after['tintype_stage_seconds_count{stage="finish"}']
            - before['tintype_stage_seconds_count{stage="finish"}']
        )
        assert worked_on < 12
