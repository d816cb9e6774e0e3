"""The service's contract as OpenAPI 3, kept by hand: what it says is tested against the running service."""

from __future__ import annotations

from typing import Any

from tintype.serving.settings import Settings


def openapi(settings: Settings) -> dict[str, Any]:
    """The contract.

    Parameters
    ----------
    settings : Settings
    """
    return {"openapi": "3.0.3", "info": {"title": "Tintype", "version": "1"}, "paths": {}}
