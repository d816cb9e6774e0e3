"""The one path from a gray photo to a coloured one.

Evaluation, command line, registry and service all colour through `Colorizer`. It owns nothing of the parts: inputs
are made by `tintype.imaging.inputs`, colours converted by `tintype.imaging.lab`, and the
constants come from the bundle. Only chroma is taken from the network; lightness stays the photo's own, at its own size.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize
from tintype.imaging.inputs import gray8_of, lab8_of
from tintype.imaging.lab import lab_to_rgb8, rgb8_to_lab
from tintype.models.backbone import Backbone
from tintype.models.bundle import BACKBONE_FILE, NETWORK_FILE, BundleInfo, read_info
from tintype.models.keras_backend import compile_for_inference
from tintype.models.keras_file import load_network
from tintype.models.network import decode_ab

BATCH = 8  # photos in one call of the network; every other number would be traced anew


class Colorizer:
    """A loaded bundle.

    Parameters
    ----------
    info : BundleInfo
        What the bundle says of itself.
    network : keras.Model
        Of the bundle.
    backbone : Backbone
        Of the bundle.
    """

    def __init__(self, info: BundleInfo, network: Any, backbone: Backbone) -> None:
        self.info = info
        self._network = network
        self._backbone = backbone

    @classmethod
    def load(cls, bundle: Path) -> Colorizer:
        """Load a bundle.

        Parameters
        ----------
        bundle : Path
            The folder.

        Returns
        -------
        Colorizer

        Raises
        ------
        BundleError, BackboneError, NetworkFileError
            If the folder is not a whole and undamaged bundle.
        """
        info = read_info(bundle)
        network = load_network(bundle / NETWORK_FILE)
        compile_for_inference(network)
        return cls(info, network, Backbone.load_as(info.backbone, bundle / BACKBONE_FILE))

    def colorize(self, rgb8: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Colour one photo.

        Parameters
        ----------
        rgb8 : ndarray of shape (H, W, 3), uint8
            sRGB, upright. Only its lightness is used, so colour it may have does not matter.

        Returns
        -------
        ndarray of shape (H, W, 3), uint8
            sRGB, with the photo's own lightness as far as the gamut allows.
        """
        return self.colorize_many([rgb8])[0]

    def colorize_many(self, photos: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        """Colour several photos of any sizes, the network's work in batches.

        Parameters
        ----------
        photos : sequence of ndarray of shape (H, W, 3), uint8

        Returns
        -------
        list of ndarray of shape (H, W, 3), uint8
            In the order of `photos`.
        """
        coloured: list[NDArray[np.uint8]] = []
        for start in range(0, len(photos), BATCH):
            labs = [rgb8_to_lab(photo) for photo in photos[start : start + BATCH]]
            inputs = [self.inputs(lab) for lab in labs]
            predicted = self.predict(
                np.stack([l8 for l8, _ in inputs]), np.stack([gray8 for _, gray8 in inputs])
            )
            coloured += [_with_chroma(lab, ab) for lab, ab in zip(labs, predicted, strict=True)]
        return coloured

    def inputs(self, lab: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """What network and backbone see of a photo.

        Parameters
        ----------
        lab : ndarray of shape (H, W, 3), float32

        Returns
        -------
        l8 : ndarray of shape (size, size, 1), uint8
            Lightness, 0..255 for L* 0..100.
        gray8 : ndarray of shape (S, S, 1), uint8
            Gray levels at the backbone's size.
        """
        return lab8_of(lab, self.info.size)[..., :1], gray8_of(lab, self._backbone.spec.input_size)

    def embed(self, gray8: NDArray[np.uint8]) -> NDArray[np.float16]:
        """The backbone's view.

        Parameters
        ----------
        gray8 : ndarray of shape (n, S, S, 1), uint8; n at most `BATCH`

        Returns
        -------
        ndarray of shape (n, E), float16
            In half precision, because so the shards kept what the network was trained on.
        """
        return self._backbone.embed(gray8, _padded(len(gray8)))

    def predict(self, l8: NDArray[np.uint8], gray8: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Chroma at the network's size.

        Parameters
        ----------
        l8 : ndarray of shape (n, size, size, 1), uint8; n at most `BATCH`
        gray8 : ndarray of shape (n, S, S, 1), uint8

        Returns
        -------
        ndarray of shape (n, size, size, 2), float32
            a* and b* in Lab units.
        """
        count = len(l8)
        embedding = self.embed(gray8).astype(np.float32)
        missing = (0, _padded(count) - count)
        unit = self._network.predict_on_batch(
            {
                "l": np.pad(l8, [missing, (0, 0), (0, 0), (0, 0)]).astype(np.float32),
                "embedding": np.pad(embedding, [missing, (0, 0)]),
            }
        )
        return np.asarray(decode_ab(unit[:count], self.info.ab_limit), np.float32)


def _padded(count: int) -> int:
    return 1 if count == 1 else BATCH


def _with_chroma(lab: NDArray[np.float32], ab: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The photo with its own lightness and new chroma; `lab` is overwritten, full-size planes are large."""
    lab[..., 1:] = resize(ab, *lab.shape[:2])
    return lab_to_rgb8(lab)
