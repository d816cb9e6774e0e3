"""A training may begin with the weights of a bundle instead of fresh ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tintype.errors import TintypeError
from tintype.models.bundle import NETWORK_FILE, read_info
from tintype.models.decoding import undecoded
from tintype.models.keras_file import load_network
from tintype.params import NetworkParams

STARTER = "starter"
_CURE = "Set train.start to null for fresh weights, or `network` to what that bundle was trained with."


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
    """Fail at once where a bundle says that its network is another one; `take_weights` looks at every array.

    Raises
    ------
    TintypeError
        With what differs.
    """
    info = read_info(bundle)
    has = info.network.model_dump() | {"head": "tanh" if info.decoding.temperature is None else "classes"}
    wanted = {"name": network.name, "width": network.width, "needs": network.needs, "head": network.head}
    apart = [f"{key} {value} instead of {has[key]}" for key, value in wanted.items() if value != has[key]]
    if apart:
        raise TintypeError(
            f"Expected the network that {bundle} has, whose weights train.start begins with. Received: "
            f"{', '.join(apart)}. {_CURE}"
        )


def take_weights(network: Any, bundle: Path) -> Any:
    """Give a fresh network the weights of a bundle's, the backbone's inside it among them.

    Parameters
    ----------
    network : keras.Model
        As `tintype.models.network.build_network` makes it; its input may be of another size than the bundle's.

    Returns
    -------
    keras.Model
        The same network.

    Raises
    ------
    TintypeError
        If it is not of the same layers as the bundle's.
    """
    given = {weight.path: weight for weight in undecoded(load_network(bundle / NETWORK_FILE)).weights}
    wanted = {weight.path: weight for weight in network.weights}
    apart = sorted(
        path
        for path in given.keys() | wanted.keys()
        if path not in given or path not in wanted or given[path].shape != wanted[path].shape
    )
    if apart:
        raise TintypeError(
            f"Expected a network of the same layers as that of {bundle}, whose weights train.start begins with. "
            f"Received: one that differs in {len(apart)} of {len(given)} arrays, such as {apart[0]}. {_CURE}"
        )
    for path, weight in wanted.items():
        weight.assign(given[path])
    return network
