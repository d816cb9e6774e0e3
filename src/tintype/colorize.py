"""From a gray photo to a coloured one.

Evaluation, command line, service and registry all colour through `Colorizer`. It puts parts together: inputs are made
by `tintype.imaging.inputs`, colours are converted by `tintype.imaging.lab`, and constants come from the bundle. Only
chroma is taken from the network; lightness stays the photo's own, at its own size.

`Colours` is the one place that treats what the network says, in this order: contrast (`tintype.imaging.contrast`) and
gain, then fading of what it is not sure of (`tintype.imaging.confidence`), then rounding to the steps of a colour layer
(`tintype.formats.layer`), then saturation.
The engine (`tintype.engine`) adds files, batches and threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.errors import TintypeError
from tintype.imaging.confidence import faded
from tintype.imaging.contrast import with_contrast
from tintype.imaging.geometry import Crop
from tintype.imaging.inputs import BATCH, SIZES, lightness_at, network_inputs
from tintype.imaging.lab import round_ab
from tintype.imaging.merge import Receipt, merge
from tintype.imaging.provenance import Lineage
from tintype.imaging.smoothing import smooth_colours
from tintype.models.backbone import Backbone
from tintype.models.bundle import BACKBONE_FILE, INFO_FILE, NETWORK_FILE, BundleError, BundleInfo, read_info
from tintype.models.keras_backend import INFERENCE, colours_on, compile_for_inference, prepare_keras
from tintype.models.keras_file import first_sentence, load_network
from tintype.models.lineage import unregistered_lineage
from tintype.models.network import decode_ab, needs_embedding
from tintype.models.openvino import OpenVinoNetwork

_TRIED = 2  # pictures when a bundle is loaded: a network that takes one at a time alone would fail later
_ANOTHER = "It is another network than the bundle describes: train or copy the bundle again."


class ConfidenceError(TintypeError):
    """A model does not say how sure it is of its colours."""


@dataclass(frozen=True)
class JoinedPhoto:
    """A photo joined with its colours.

    Attributes
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        In colour.
    ab : ndarray of shape (h, w, 2), float32
        The colours that were joined, as a colour layer keeps them: before saturation.
    receipt : Receipt
        How well the lightness was kept.
    """

    pixels: NDArray[Any]
    ab: NDArray[np.float32]
    receipt: Receipt


@dataclass(frozen=True)
class Colours:
    """What a model says of one photo, and the order in which it becomes what is shown.

    Attributes
    ----------
    ab : ndarray of shape (h, w, 2), float32
        a* and b* in Lab units, after gain and on the steps of a colour layer.
    confidence : ndarray of shape (h, w), float32, or None
        Probability in [0, 1] that the true colour is near. None if the model does not say.
    """

    ab: NDArray[np.float32]
    confidence: NDArray[np.float32] | None = None

    @staticmethod
    def with_gain(ab: NDArray[np.float32], gain: float, contrast: float = 0.0) -> NDArray[np.float32]:
        """First: contrast and gain that were fitted on the model's validation photos, for any shape (..., 2)."""
        return round_ab(with_contrast(ab, contrast) * np.float32(gain))

    def faded(self, abstain: float) -> NDArray[np.float32]:
        """Second and third: colours of less confidence than `abstain` fade, and what is left is rounded to steps."""
        if abstain <= 0 or self.confidence is None:
            return self.ab
        return round_ab(faded(self.ab, self.confidence, abstain))

    def join(
        self,
        pixels: NDArray[Any],
        saturation: float = 1.0,
        abstain: float = 0.0,
        inside: Crop | None = None,
    ) -> JoinedPhoto:
        """Last: the photo in these colours, times saturation.

        Parameters
        ----------
        pixels : ndarray of shape (H, W, 3), uint8 or uint16
            The photo that the colours were made for.
        saturation : float
            Factor on the colours, 0 to 2.
        abstain : float
            Colours of less confidence than this fade to gray, 0 to 1; 0 keeps all.
        inside : Crop, optional
            The part of the photo that the colours were made for; around it the photo becomes gray.
        """
        ab = self.faded(abstain)
        coloured, receipt = merge(pixels, ab, saturation, inside=inside)
        return JoinedPhoto(coloured, ab, receipt)


class Colorizer:
    """A loaded bundle.

    Parameters
    ----------
    info : BundleInfo
        What the bundle says of itself.
    network : keras.Model or OpenVinoNetwork
        Of the bundle.
    backbone : Backbone or None
        Of the bundle; None if the network has what it needs of it inside.
    lineage : Lineage, optional
        Where the model comes from; what the bundle says of itself if not given.
    lacks_ir : bool
        Whether Keras colours only because the bundle has no IR.
    """

    def __init__(
        self,
        info: BundleInfo,
        network: Any,
        backbone: Backbone | None,
        *,
        lineage: Lineage | None = None,
        lacks_ir: bool = False,
    ) -> None:
        self.info = info
        self.lineage = lineage or unregistered_lineage(info)
        self.lacks_ir = lacks_ir
        self._network = network
        self._backbone = backbone

    @classmethod
    def load(cls, bundle: Path, backend: str | None = None, lineage: Lineage | None = None) -> Colorizer:
        """Load a bundle.

        On OpenVINO its IR is used, and Keras is not imported. A bundle without an IR is loaded by Keras on TensorFlow,
        which takes seconds more, and so is every bundle if that backend is asked for. One forward pass tells whether
        the network gives what it should, and is finite.

        Parameters
        ----------
        bundle : Path
            The folder.
        backend : str, optional
            ``"openvino"``, or one of Keras' such as ``"tensorflow"``. If not given, as
            `tintype.models.keras_backend.colours_on` says.
        lineage : Lineage, optional
            Where the model comes from; what the bundle says of itself if not given.

        Returns
        -------
        Colorizer

        Raises
        ------
        BundleError, BackboneError, NetworkFileError, IrError
            If the folder is not a whole and undamaged bundle, or its network gives no finite colours.
        BackendError
            If Keras or its backend is needed and not installed, or another one has been imported already.
        """
        info = read_info(bundle)
        beside = needs_embedding(info.network.needs)
        backend = backend or colours_on()
        if backend == INFERENCE and info.ir is not None:
            graph = OpenVinoNetwork.load(bundle / BACKBONE_FILE) if beside else None
            backbone = Backbone(None, info.backbone, graph) if beside else None
            colorizer = cls(info, OpenVinoNetwork.load(bundle / NETWORK_FILE), backbone, lineage=lineage)
        else:
            prepare_keras(None if backend == INFERENCE else backend)
            network = load_network(bundle / NETWORK_FILE)
            compile_for_inference(network)
            backbone = Backbone.load_as(info.backbone, bundle / BACKBONE_FILE) if beside else None
            colorizer = cls(info, network, backbone, lineage=lineage, lacks_ir=backend == INFERENCE)
        colorizer._check_output(bundle)
        return colorizer

    @property
    def uses_ir(self) -> bool:
        """Whether the bundle's IR colours, without Keras."""
        return isinstance(self._network, OpenVinoNetwork)

    @property
    def backend(self) -> str:
        """What colours: ``"openvino"``, or the backend of Keras."""
        return INFERENCE if self.uses_ir else colours_on()

    def colorize(self, pixels: NDArray[Any], saturation: float = 1.0, abstain: float = 0.0) -> NDArray[Any]:
        """Colour one photo.

        Parameters
        ----------
        pixels : ndarray of shape (H, W, 3) or (H, W), uint8 or uint16
            sRGB or gray levels of it, upright. Only its lightness is used, so colour it may have does not matter.
        saturation : float
            Factor on the colours, 0 to 2.
        abstain : float
            Colours of less confidence than this fade to gray, 0 to 1; 0 keeps all.

        Returns
        -------
        ndarray of shape (H, W, 3), of the same dtype
            sRGB, with the photo's own lightness as far as the gamut allows.

        Raises
        ------
        ValueError
            If the array has another shape or dtype.
        ConfidenceError
            If `abstain` is more than 0 and the model does not say how sure it is.
        """
        pixels = _as_rgb(pixels)
        return self._colours_of([pixels], abstain)[0].join(pixels, saturation, abstain).pixels

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
            colours = self._colours_of(batch)
            coloured += [one.join(photo).pixels for photo, one in zip(batch, colours, strict=True)]
        return coloured

    def chroma_of(self, photos: Sequence[NDArray[Any]], abstain: float = 0.0) -> NDArray[np.float32]:
        """The colours of at most `BATCH` photos, ready for `tintype.imaging.merge.merge`.

        Parameters
        ----------
        photos : sequence of ndarray of shape (H, W, 3), uint8 or uint16
        abstain : float
            As in `colorize`.

        Returns
        -------
        ndarray of shape (n, h, w, 2), float32
            a* and b* in Lab units.

        Raises
        ------
        ConfidenceError
            As in `colorize`.
        """
        if abstain <= 0:
            return self.predict(*self._inputs(photos))
        return np.stack([colours.faded(abstain) for colours in self._colours_of(photos, abstain)])

    def _colours_of(self, photos: Sequence[NDArray[Any]], abstain: float = 0.0) -> list[Colours]:
        if abstain > 0:
            self.check_confidence()
        return self.colours(*self._inputs(photos))

    def _inputs(self, photos: Sequence[NDArray[Any]]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        l8, gray8 = zip(*map(self.prepare, photos), strict=True)
        return np.stack(l8), np.stack(gray8)

    def chroma_with_confidence(
        self, pixels: NDArray[Any]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """The colours of one photo and how sure the model is of them.

        Parameters
        ----------
        pixels : ndarray of shape (H, W, 3), uint8 or uint16

        Returns
        -------
        ab : ndarray of shape (h, w, 2), float32
        confidence : ndarray of shape (h, w), float32, or None
            As `predict_with_confidence` gives them.
        """
        colours = self._colours_of([pixels])[0]
        return colours.ab, colours.confidence

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
        return network_inputs(pixels, self.info.size, self.info.backbone.input_size)

    def warm_up(self) -> None:
        """Have the network compiled, or the first photos would wait for it.

        Keras compiles for every size of batch anew; an IR is compiled when it is first asked, for any number of photos.
        """
        side, backbone_side = self.info.size, self.info.backbone.input_size
        for size in SIZES[:1] if self.uses_ir else SIZES:
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

        Raises
        ------
        ValueError
            If the network takes no embedding, so that the bundle has no backbone for it.
        """
        if self._backbone is None:
            raise ValueError(f"Expected a network that takes an embedding. Received: {self.info.network}.")
        return self._backbone.embed(gray8, _padded(len(gray8)))

    def predict(self, l8: NDArray[np.uint8], gray8: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Chroma at the size that the network gives it.

        Parameters
        ----------
        l8 : ndarray of shape (n, size, size, 1), uint8; n at most `BATCH`
        gray8 : ndarray of shape (n, S, S, 1), uint8

        Returns
        -------
        ndarray of shape (n, h, w, 2), float32
            a* and b* in Lab units, in steps that a saved colour layer holds exactly.
        """
        return self.predict_with_confidence(l8, gray8)[0]

    def colours(self, l8: NDArray[np.uint8], gray8: NDArray[np.uint8]) -> list[Colours]:
        """What the model says of each photo of a batch.

        Parameters
        ----------
        l8, gray8 : ndarray
            As in `predict`.

        Returns
        -------
        list of Colours
            In the order of the batch.
        """
        ab, confidence = self.predict_with_confidence(l8, gray8)
        sure = [None] * len(ab) if confidence is None else confidence
        return [Colours(*pair) for pair in zip(ab, sure, strict=True)]

    def predict_with_confidence(
        self, l8: NDArray[np.uint8], gray8: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Chroma as `predict` gives it, and how sure the model is of it.

        Parameters
        ----------
        l8, gray8 : ndarray
            As in `predict`.

        Returns
        -------
        ab : ndarray of shape (n, h, w, 2), float32
        confidence : ndarray of shape (n, h, w), float32, or None
            Probability in [0, 1], by the bundle's table, that the true colour is near. None if the model does not say.
        """
        output = self._output(l8, gray8)
        ab = decode_ab(output["ab"], self.info.ab_limit)
        ab = smooth_colours(ab, lightness_at(l8, *ab.shape[1:3]), self.info.decoding.smoothing)
        ab = Colours.with_gain(ab, self.info.decoding.gain, self.info.decoding.contrast)
        table = self.info.decoding.confidence
        if table is None or "spread" not in output:
            return ab, None
        spread = decode_ab(output["spread"][..., 0], self.info.ab_limit)
        spreads, shares = np.asarray(table, np.float64).T
        return ab, np.interp(spread, spreads, shares).astype(np.float32)

    def check_confidence(self) -> None:
        """Raise a `ConfidenceError` if the model does not say how sure it is of its colours."""
        # A network of one output is a tensor to Keras, one of several a dict here.
        says = isinstance(self._network.output, dict) and "spread" in self._network.output
        if self.info.decoding.confidence is None or not says:
            raise ConfidenceError(
                "Expected a model that says how sure it is of its colours. "
                f"Received: {self.info.name}, whose network {self.info.network.name} gives colours alone. Take a model "
                "trained with `network.head: classes`, or leave out --confidence and --abstain."
            )

    def _check_output(self, bundle: Path) -> None:
        """Have the network colour made-up pictures: outputs must be finite and of the right shape."""
        inputs = [
            np.linspace(0, 255, _TRIED * side**2).astype(np.uint8).reshape(_TRIED, side, side, 1)
            for side in (self.info.size, self.info.backbone.input_size)
        ]
        try:
            output = self._output(*inputs)
        except TintypeError:
            raise
        except Exception as error:  # a network that takes other inputs makes its library raise anything
            raise BundleError(
                f"Expected the network in {bundle} to colour a batch of pictures of {self.info.size} pixels, as its "
                f"{INFO_FILE} says. Received: {first_sentence(error)} {_ANOTHER}"
            ) from error
        for name, channels in {"ab": 2, "spread": 1}.items():
            received = output.get(name)
            if received is None and name == "spread":
                continue
            if (
                received is None
                or received.ndim != 4
                or (len(received), received.shape[-1]) != (_TRIED, channels)
            ):
                what = f"the outputs {sorted(output)}" if received is None else f"shape {received.shape}"
                raise BundleError(
                    f"Expected the network in {bundle} to give {name} of shape ({_TRIED}, height, width, {channels}). "
                    f"Received: {what}. {_ANOTHER}"
                )
            if not np.isfinite(received).all():
                raise BundleError(
                    f"Expected the network in {bundle} to give finite numbers as {name}. Received: "
                    f"{1 - np.isfinite(received).mean():.0%} that are not. Train it again."
                )

    def _output(self, l8: NDArray[np.uint8], gray8: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """What the network says, by name, of shape (n, h, w, C)."""
        count = len(l8)
        missing = (0, _padded(count) - count)
        given = {"l": np.pad(l8, [missing, (0, 0), (0, 0), (0, 0)]).astype(np.float32)}
        if self._backbone is not None:
            given["embedding"] = np.pad(self.embed(gray8).astype(np.float32), [missing, (0, 0)])
        output = self._network.predict_on_batch(given)
        named = output if isinstance(output, dict) else {"ab": output}
        return {name: np.asarray(value, np.float32)[:count] for name, value in named.items()}


def _padded(count: int) -> int:
    return next(size for size in SIZES if size >= count)


def _as_rgb(pixels: NDArray[Any]) -> NDArray[Any]:
    """A photo with three channels, whether it came with them or as gray levels."""
    rgb = np.stack([pixels] * 3, axis=-1) if pixels.ndim == 2 else pixels
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            "Expected an array of shape (H, W, 3) or (H, W), uint8 or uint16. "
            f"Received: {pixels.shape}, {pixels.dtype}."
        )
    return rgb
