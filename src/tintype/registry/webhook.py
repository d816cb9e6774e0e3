"""MLflow's webhooks: whether a message comes from who knows the secret.

MLflow signs the way of Standard Webhooks: HMAC-SHA256 of ``ID.TIMESTAMP.BODY``. Nothing of a message is believed but
that something happened: what did is asked of the registry.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from tintype.errors import TintypeError

SIGNATURE, TIMESTAMP, DELIVERY = "X-MLflow-Signature", "X-MLflow-Timestamp", "X-MLflow-Delivery-Id"
SECONDS = 300  # that a message may be old, or a clock ahead


class WebhookError(TintypeError):
    """A message is not one of MLflow's."""


def check_signature(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Refuse a message that was not signed with the secret, or not now.

    Parameters
    ----------
    secret : str
        What the webhook was created with.
    headers : mapping of str to str
        Of the request.
    body : bytes
        As it came.
    now : float
        Seconds since 1970.

    Raises
    ------
    WebhookError
        The sentence says what is wrong, and nothing that helps to forge.
    """
    signature, timestamp = headers.get(SIGNATURE, ""), headers.get(TIMESTAMP, "")
    signed = f"{headers.get(DELIVERY, '')}.{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    # In constant time, and before anything else is looked at.
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise WebhookError(f"Expected a message with the right signature in {SIGNATURE}. Received: another.")
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > SECONDS:
        raise WebhookError(
            f"Expected a message signed within the last {SECONDS} s. Received: {timestamp}. Check both clocks."
        )
