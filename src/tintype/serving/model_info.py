"""What `/model_info` tells: which model this is and what it was made from."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tintype.serving.follow import Follower
from tintype.serving.painter import Painter
from tintype.serving.settings import Settings


def model_info(painter: Painter, settings: Settings, follower: Follower | None) -> dict[str, Any]:
    """Lineage, network and limits, ready for JSON.

    Parameters
    ----------
    painter : Painter
    settings : Settings
    follower : Follower or None
        If an alias is followed.
    """
    info, limits = painter.colorizer.info, settings.limits
    return {
        **asdict(painter.lineage),
        "version": painter.lineage.version or "unregistered",
        "backend": painter.colorizer.backend,
        "ir": painter.colorizer.uses_ir,
        "network": {**info.network.model_dump(), "size": info.size, "backbone": info.backbone.name},
        "trained": info.trained.model_dump(),
        "preset": info.preset,
        "limits": {"bytes": limits.bytes, "pixels": limits.pixels, "queue": settings.queue},
        "key_needed": settings.api_key is not None,
        "following": None if follower is None else _following(settings.follow, follower),
    }


def _following(address: str, follower: Follower) -> dict[str, str]:
    """What is followed and how far: `error` says why another version answers than the one wanted."""
    return {"alias": address, "wanted": follower.wanted, "served": follower.served, "error": follower.error}
