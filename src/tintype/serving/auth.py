"""The key, where one is set."""

from __future__ import annotations

import hmac

from pydantic import SecretStr
from starlette.requests import Request

from tintype.serving.responses import Refusal

_BEARER = "bearer "


def check_key(request: Request, key: SecretStr | None) -> None:
    """Let a request with the right key pass; all, if none is set.

    Parameters
    ----------
    request : Request
        With the key as ``Authorization: Bearer KEY`` or ``X-Api-Key: KEY``.
    key : SecretStr or None

    Raises
    ------
    Refusal
        401.
    """
    if key is None:
        return
    # Bytes, because compare_digest takes no other text than ASCII; it takes as long for any wrong key.
    expected = key.get_secret_value().encode()
    if not hmac.compare_digest(_given(request).encode("latin-1"), expected):
        raise Refusal(
            "unauthorized",
            "Expected this service's key as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'. Received none or another.",
            {"WWW-Authenticate": "Bearer"},
        )


def _given(request: Request) -> str:
    authorization = request.headers.get("authorization", "")
    if authorization.lower().startswith(_BEARER):
        return authorization[len(_BEARER) :].strip()
    return request.headers.get("x-api-key", "")
