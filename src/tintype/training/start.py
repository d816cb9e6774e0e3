"""A training may begin with the weights of a bundle instead of fresh ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tintype.errors import TintypeError
from tintype.params import NetworkParams

STARTER = "starter"
CURE = "Set train.start to null for fresh weights, or `network` to what that bundle was trained with."


def start_bundle(start: str | None, deps: list[str] | None) -> Path | None:
    """The bundle that `train.start` names.

    Parameters
    ----------
    start : str or None
        ``starter``, a bundle's folder, or None.
    deps : list of str or None
        What DVC watches for the stage; None where it is not run by DVC.

    Raises
    ------
    TintypeError
        If DVC does not watch the folder: it would take a training for up to date whose start has changed.
    """
    if start is None:
        return None
    if start == STARTER:
        from tintype.models.starter import starter_bundle

        return starter_bundle()
    if deps is not None and Path(start) not in map(Path, deps):
        raise TintypeError(
            f"Expected {start}, which train.start names, among the deps of train in dvc.yaml, so that DVC sees when "
            f"it changes. Add the line `- {start}` there."
        )
    return Path(start)


def refuse_another_network(network: NetworkParams, bundle: Path) -> None:
    """Fail at once where a bundle says that its network is another one; `tintype.training.inputs` looks at every array.

    Raises
    ------
    TintypeError
        With what differs.
    """
    info = _described(bundle)
    has = info["network"] | {"head": "tanh" if info["decoding"]["temperature"] is None else "classes"}
    wanted = {"name": network.name, "width": network.width, "needs": network.needs, "head": network.head}
    apart = [f"{key} {value} instead of {has[key]}" for key, value in wanted.items() if value != has[key]]
    if apart:
        raise TintypeError(
            f"Expected the network that {bundle} has, whose weights train.start begins with. Received: "
            f"{', '.join(apart)}. {CURE}"
        )


def _described(bundle: Path) -> dict[str, Any]:
    """What bundle.json says. `tintype.models.bundle`, which checks it, would bring the frameworks along."""
    path = bundle / "bundle.json"
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        content["network"]["name"], content["decoding"]["temperature"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TintypeError(
            f"Expected a bundle in {bundle}, which train.start names. Received: {path} cannot be read "
            f"({type(error).__name__}). Name another bundle, or set train.start to null."
        ) from None
    return content
