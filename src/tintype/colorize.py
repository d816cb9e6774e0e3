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

from tintype.imaging.inputs import inputs_of
from tintype.imaging.merge import merge
from tintype.models.backbone import Backbone
from tintype.models.bundle import BACKBONE_FILE, NETWORK_FILE, BundleInfo, read_info
from tintype.models.keras_backend import compile_for_inference
from tintype.models.keras_file import load_network
from tintype.models.network import decode_ab

SIZES = (1, 2, 4, 8)  # photos in one call of the network: others are filled up, as each size is compiled anew
BATCH = SIZES[-1]
AB_STEPS = 256  # in a Lab unit


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

    def colorize(self, pixels: NDArray[Any], saturation: float = 1.0) -> NDArray[Any]:
        """Colour one photo.

        Parameters
        ----------
        pixels : ndarray of shape (H, W, 3), uint8 or uint16
            sRGB, upright. Only its lightness is used, so colour it may have does not matter.
        saturation : float
            Factor on the colours, 0 to 2.

        Returns
        -------
        ndarray of the same shape and dtype
            sRGB, with the photo's own lightness as far as the gamut allows.
        """
        return merge(pixels, self.chroma_of([pixels])[0], saturation)[0]

    def colorize_many(self, photos: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Colour several photos of any sizes, the network's work in batches.

        Parameters
        ----------
        photos : sequence of ndarray of shape (H, W, 3), uint8 or uint16

        Returns
        -------
        list of ndarray
            In the order of `photos`.
        """
        coloured: list[NDArray[Any]] = []
        for start in range(0, len(photos), BATCH):
            batch = photos[start : start + BATCH]
            coloured += [merge(photo, ab)[0] for photo, ab in zip(batch, self.chroma_of(batch), strict=True)]
        return coloured

    def chroma_of(self, photos: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """The colours of at most `BATCH` photos, for `tintype.imaging.merge.merge`.

        Parameters
        ----------
        photos : sequence of ndarray of shape (H, W, 3), uint8 or uint16

        Returns
        -------
        ndarray of shape (n, size, size, 2), float32
            a* and b* in Lab units.
        """
        inputs = [self.prepare(photo) for photo in photos]
        return self.predict(np.stack([l8 for l8, _ in inputs]), np.stack([gray8 for _, gray8 in inputs]))

    def prepare(self, pixels: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """What network and backbone see of a photo; needs no network and runs in any thread.

        Parameters
        ----------
        pixels : ndarray of shape (H, W, 3), uint8 or uint16
            sRGB, upright.

        Returns
        -------
        l8 : ndarray of shape (size, size, 1), uint8
            Lightness, 0..255 for L* 0..100.
        gray8 : ndarray of shape (S, S, 1), uint8
            Gray levels at the backbone's size.
        """
        return inputs_of(pixels, self.info.size, self._backbone.spec.input_size)

    def warm_up(self) -> None:
        """Compile the network for every size of batch, which else the first photos would wait for."""
        side, backbone_side = self.info.size, self._backbone.spec.input_size
        for size in SIZES:
            self.predict(
                np.zeros((size, side, side, 1), np.uint8),
                np.zeros((size, backbone_side, backbone_side, 1), np.uint8),
            )

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
            a* and b* in Lab units, whole multiples of 1 / `AB_STEPS`, which a saved colour layer holds exactly.
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
        ab = np.asarray(decode_ab(unit[:count], self.info.ab_limit), np.float32)
        return np.rint(ab * np.float32(AB_STEPS)) / np.float32(AB_STEPS)


def _padded(count: int) -> int:
    return next(size for size in SIZES if size >= count)
