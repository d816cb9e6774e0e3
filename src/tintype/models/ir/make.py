"""Making a bundle's IR, and holding it to the Keras networks that it was made of."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from tintype.models.backbone import Backbone, BackboneSpec
from tintype.models.ir.check import MOST_AB, largest_difference
from tintype.models.ir.export import export_ir
from tintype.models.ir.network import IrNetwork
from tintype.models.ir.runtime import IrError
from tintype.models.keras_backend import compile_for_inference
from tintype.models.keras_file import load_network

_DIGITS = 5  # of the difference, in Lab units


def make_ir(
    network_file: Path, backbone_file: Path | None, spec: BackboneSpec, *, size: int, scale: float
) -> float:
    """Write the IR of a bundle's networks beside their `.keras` files.

    Parameters
    ----------
    network_file : Path
    backbone_file : Path or None
        None for a network that has what it needs of the backbone inside it.
    spec : BackboneSpec
        Describes the backbone.
    size : int
        Side of the network's input in pixels.
    scale : float
        Lab units of the network's 1, as they are shown.

    Returns
    -------
    float
        The largest difference from what Keras says, on this process's backend, in Lab units; rounded up.

    Raises
    ------
    IrError
        If OpenVINO cannot express a network, or colours are further apart than `MOST_AB`.
    """
    export_ir({network_file: None} | ({} if backbone_file is None else {backbone_file: spec}))
    backbones = None
    if backbone_file is not None:
        backbones = (
            Backbone.load_as(spec, backbone_file),
            Backbone(None, spec, IrNetwork.load(backbone_file)),
        )
    networks = (_loaded(network_file), IrNetwork.load(network_file))
    difference = scale * largest_difference(networks, backbones, size, spec.input_size)
    if not difference <= MOST_AB:
        raise IrError(
            f"Expected an IR whose colours are at most {MOST_AB:g} Lab units from the Keras network's. Received: "
            f"{difference:g}. Another version of OpenVINO may do better; without the package the bundle is written "
            "without an IR."
        )
    return math.ceil(difference * 10**_DIGITS) / 10**_DIGITS


def _loaded(network_file: Path) -> Any:
    network = load_network(network_file)
    compile_for_inference(network)
    return network
