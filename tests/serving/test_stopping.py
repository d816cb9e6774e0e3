"""Starting, stopping and losing a worker."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tintype.serving.model.store import ModelError, find_model
from tintype.serving.settings import read_settings


def post(server, content):
    return httpx.post(server.url + "/colorize", content=content, timeout=60, trust_env=False)


def test_it_lives_before_it_is_ready_and_answers_who_is_inside_when_it_stops(start_server, cat_file):
    server = start_server()
    server.wait_until("/livez", 200)
    not_ready = server.wait_until("/readyz", 503)
    assert not_ready.json()["error"] == "not_ready"
    refused = post(server, cat_file)
    assert (refused.status_code, refused.json()["error"]) == (503, "not_ready")
    assert "retry-after" in refused.headers
    server.wait_until("/readyz", 200)
    assert post(server, cat_file).status_code == 200
    # Told to stop, it answers who is inside.
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=60) as uploading,
        ThreadPoolExecutor(6) as pool,
    ):
        head = b"POST /colorize HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(cat_file)
        uploading.sendall(head + cat_file[:1000])
        inside = [pool.submit(post, server, cat_file) for _ in range(6)]
        while "tintype_photos_in_house 7.0" not in httpx.get(server.url + "/metrics", trust_env=False).text:
            if all(request.done() for request in inside):  # they were too fast: again
                inside = [pool.submit(post, server, cat_file) for _ in range(6)]
        server.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        uploading.sendall(cat_file[1000:])
        answer = uploading.recv(100)
        assert [request.result().status_code for request in inside] == [200] * 6
    assert answer.startswith(b"HTTP/1.1 200")
    assert server.process.wait(30) == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(server.url + "/livez", trust_env=False)


def test_a_killed_worker_comes_back_while_the_other_answers(start_server, cat_file):
    server = start_server(TINTYPE_WORKERS="2")
    server.wait_until("/readyz", 200)
    expected = post_until_ok(server, cat_file)
    first, second = server.workers()
    wait_until_both_are_warm(server)
    os.kill(first, signal.SIGKILL)
    end = time.monotonic() + 120
    while len(server.workers()) < 2 or first in server.workers():
        assert time.monotonic() < end
        assert post(server, cat_file).content == expected
    assert second in server.workers()
    assert post(server, cat_file).content == expected


def post_until_ok(server, content):
    for _ in range(600):
        response = post(server, content)
        if response.status_code == 200:
            return response.content
        time.sleep(0.1)
    raise AssertionError(response.text)


def wait_until_both_are_warm(server):
    """The two share a port, so that one may answer for both: many in a row, each over a connection of its own."""
    in_row = 0
    for _ in range(2000):
        in_row = in_row + 1 if httpx.get(server.url + "/readyz", trust_env=False).status_code == 200 else 0
        if in_row == 50:
            return
        time.sleep(0.05)
    raise AssertionError(server.log.read_text())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"TINTYPE_QUEUE": "many"}, "TINTYPE_QUEUE: "),
        ({"TINTYPE_BUNDLE": "."}, "bundle.json"),
        ({"TINTYPE_MONITOR_DIR": "/proc/none"}, "TINTYPE_MONITOR_DIR: Expected a folder"),
    ],
)
def test_what_cannot_be_served_is_reported_at_the_start(tmp_path, settings, sentence):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TINTYPE_")}
    environment |= {"BENTOML_HOME": str(tmp_path / "bentoml"), "BENTOML_DO_NOT_TRACK": "True", **settings}
    done = subprocess.run(
        [sys.executable, "-m", "bentoml", "serve", "tintype.serving.service:Tintype", "--port", "0"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_model_there_is_nothing_to_serve():
    with pytest.raises(ModelError, match=r"Expected a model to serve\. Received: none\."):
        find_model(read_settings({"TINTYPE_BUNDLE": ""}))
