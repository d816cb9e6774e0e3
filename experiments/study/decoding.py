"""A trained bundle whose colours are made another way: nothing is learned anew, so any difference is the decoding's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tintype.colorize import Colorizer
from tintype.evaluation.baselines import ChromaOf, Method
from tintype.imaging.geometry import resize
from tintype.imaging.merge import merge
from tintype.models.bundle import Decoding
from tintype.params import Params
from tintype.training.shard_set import ShardSet


def variant(
    name: str, bundle: Path, params: Params, validation: Callable[[], ShardSet]
) -> tuple[Method, ChromaOf, Decoding]:
    """A method, its chroma before it is merged, and how its colours are decoded.

    `name` is temperature-1, no-smoothing, no-contrast, no-gain or bilinear; any other is the bundle as it is.
    """
    if name in ("temperature-1", "no-smoothing", "no-contrast"):
        colorizer = _fitted_anew(bundle, params, validation())
    elif name == "no-gain":
        colorizer = _as_the_network_says(bundle)
    else:
        colorizer = Colorizer.load(bundle)
    if name == "bilinear":

        def at_full_size(rgb8: NDArray[np.uint8]) -> NDArray[np.float32]:
            # Colours as many as the pixels follow no edges.
            return resize(colorizer.chroma_of([rgb8])[0], *rgb8.shape[:2])

        return lambda rgb8: merge(rgb8, at_full_size(rgb8))[0], at_full_size, colorizer.info.decoding
    return colorizer.colorize, lambda rgb8: colorizer.chroma_of([rgb8])[0], colorizer.info.decoding


def _as_the_network_says(bundle: Path) -> Colorizer:
    colorizer = Colorizer.load(bundle)
    decoding = colorizer.info.decoding.model_copy(update={"gain": 1.0, "contrast": 0.0})
    colorizer.info = colorizer.info.model_copy(update={"decoding": decoding})
    return colorizer


def _fitted_anew(bundle: Path, params: Params, validation: ShardSet) -> Colorizer:
    from tintype.models.bundle import NETWORK_FILE, read_info
    from tintype.models.decoding import decoded, undecoded
    from tintype.models.keras_backend import compile_for_inference
    from tintype.models.keras_file import load_network
    from tintype.training.calibrate import fit_decoding

    network = undecoded(load_network(bundle / NETWORK_FILE))
    compile_for_inference(network)
    decoding = fit_decoding(network, validation, params.decode)
    info = read_info(bundle).model_copy(update={"decoding": decoding})
    network = decoded(network, decoding.temperature)
    compile_for_inference(network)
    return Colorizer(info, network, None)
