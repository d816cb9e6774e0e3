"""Messages of MLflow: which are believed, and that they can do no more than wake."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from mlflow.webhooks.delivery import _generate_hmac_signature

from tintype.cli.listening import listening
from tintype.registry.webhook import DELIVERY, SIGNATURE, TIMESTAMP, WebhookError, check_signature

SECRET = "correct horse battery"
BODY = b'{"entity": "model_version_alias", "action": "created", "data": {"name": "tintype", "alias": "champion"}}'


def signed(now: float, secret: str = SECRET, body: bytes = BODY) -> dict[str, str]:
    """Headers as MLflow itself makes them."""
    timestamp = str(int(now))
    signature = _generate_hmac_signature(secret, "an-id", timestamp, body.decode())
    return {SIGNATURE: signature, TIMESTAMP: timestamp, DELIVERY: "an-id"}


def test_what_mlflow_signs_is_believed() -> None:
    check_signature(SECRET, signed(1000.0), BODY, 1000.0)
    check_signature(SECRET, signed(1000.0), BODY, 1299.0)


@pytest.mark.parametrize(
    ("headers", "body", "now"),
    [
        (signed(1000.0, "another secret, as long"), BODY, 1000.0),
        (signed(1000.0), BODY + b" ", 1000.0),
        (signed(1000.0) | {DELIVERY: "another-id"}, BODY, 1000.0),
        (signed(1000.0) | {TIMESTAMP: "1001"}, BODY, 1000.0),
        (signed(1000.0) | {SIGNATURE: ""}, BODY, 1000.0),
        (signed(1000.0) | {SIGNATURE: "v1,schl\u00fcssel"}, BODY, 1000.0),
        ({}, BODY, 1000.0),
    ],
)
def test_what_was_signed_otherwise_is_not(headers: dict[str, str], body: bytes, now: float) -> None:
    with pytest.raises(WebhookError, match="right signature"):
        check_signature(SECRET, headers, body, now)


@pytest.mark.parametrize("now", [1301.0, 699.0])
def test_what_is_old_or_ahead_is_not(now: float) -> None:
    with pytest.raises(WebhookError, match=r"within the last 300 s\. Received: 1000"):
        check_signature(SECRET, signed(1000.0), BODY, now)


@pytest.fixture
def woken() -> list[float]:
    return []


@pytest.fixture
def port(woken: list[float]) -> Iterator[int]:
    with listening("127.0.0.1", 0, SECRET, lambda: woken.append(time.monotonic())) as port:
        yield port


def post(port: int, headers: dict[str, str], body: bytes = BODY) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("POST", "/", body, headers)
        return connection.getresponse().status


def test_the_right_signature_wakes_and_no_other(port: int, woken: list[float]) -> None:
    assert post(port, signed(time.time(), "another secret, as long")) == 401
    assert post(port, signed(time.time() - 400)) == 401
    assert woken == []
    lowered = {name.lower(): value for name, value in signed(time.time()).items()}  # as proxies write them
    assert post(port, lowered) == 200
    assert len(woken) == 1


def test_what_is_large_without_length_or_another_method_is_refused(port: int, woken: list[float]) -> None:
    assert post(port, signed(time.time()), b"x" * 65_537) == 413
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.putrequest("POST", "/")
        connection.endheaders()
        assert connection.getresponse().status == 411
        connection.close()
        connection.request("GET", "/")
        assert connection.getresponse().status == 501
    assert woken == []


def test_those_who_connect_and_say_nothing_keep_nobody_out_for_long(
    port: int, woken: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tintype.cli.listening._SECONDS", 2.0)
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(16)]
    time.sleep(0.3)
    with pytest.raises((http.client.HTTPException, OSError)):
        post(port, signed(time.time()))
    time.sleep(3)
    assert post(port, signed(time.time())) == 200
    assert len(woken) == 1
    for one in silent:
        one.close()
