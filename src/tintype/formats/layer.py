"""The colour layer: AI-made colours in a file of their own, beside a master that stays untouched.

A layer is a PNG of 16 bits a channel at the network's size. Red is 32768 everywhere; green holds a*, blue holds b*, as
round(256 * value) + 32768. So a step is 1/256 Lab unit, gray is the middle, the range is -128 to just under 128, and
any viewer shows where the colours go. Its XMP says which master it belongs to, by SHA-256 and size in pixels, and with
which parameters it is to be applied. `Colorizer` rounds to the same steps: master and layer give, to the last bit, what
colouring the master gave.

The format says how the colours are enlarged: ab16/2 along the photo's edges (`tintype.imaging.guided`); ab16/1, of
earlier versions, interpolated over them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.errors import TintypeError
from tintype.formats.encode import insert_chunks, xmp_chunk
from tintype.formats.xmp import COLOURS_ALONE, ProvenanceError, provenance_xmp, read_provenance
from tintype.imaging.geometry import Crop
from tintype.imaging.lab import AB16_GRAY, decode_ab16, encode_ab16
from tintype.imaging.provenance import Provenance
from tintype.imaging.reading.png import SIGNATURE, ChunkError, read_chunks

FORMAT = "ab16/2"
MAX_SIDE = 4096  # pixels; networks see far less
MAX_BYTES = 128_000_000

_EDGES = {"ab16/1": False, FORMAT: True}
_MARK, _SIZE = "layer", "master_size"
INSIDE = "inside"  # the parameter that says which part of a photo with a border was coloured
# Signature, then IHDR: length, name, width, height, depth, colour type, ...
_HEADER = struct.Struct(">8sI4sIIBBBBB")
_END_OF_HEADER = 8 + 25
_RGB = 2


class LayerError(TintypeError):
    """A file is no colour layer, or a damaged one."""


@dataclass(frozen=True)
class Layer:
    """Colours and the master they belong to.

    Attributes
    ----------
    ab : ndarray of shape (h, w, 2), float32
        a* and b* in Lab units, in steps of `tintype.imaging.lab.AB16_STEP`, before saturation.
    provenance : Provenance
        Of a file that this layer colours; `input_sha256` is the master's.
    master_size : tuple of int
        Width and height of the master in pixels, upright.
    saturation : float
        Factor on a* and b*.
    edges : bool
        Whether they are enlarged along the photo's edges.
    inside : Crop or None
        The part of the master that they are of, where a border is around it.
    """

    ab: NDArray[np.float32]
    provenance: Provenance
    master_size: tuple[int, int]
    saturation: float
    edges: bool = True
    inside: Crop | None = None


def encode_layer(ab: NDArray[np.float32], provenance: Provenance, master_size: tuple[int, int]) -> bytes:
    """A layer as a file's content.

    Parameters
    ----------
    ab : ndarray of shape (h, w, 2), float32
        a* and b* in Lab units in [-128, 128), as the network gave them: saturation is not yet in them.
    provenance : Provenance
        As in the coloured file: `input_sha256` is the master's, the parameter ``saturation`` is applied by `apply`.
    master_size : tuple of int
        Width and height of the master in pixels, upright.

    Returns
    -------
    bytes
        PNG; equal inputs give equal files.
    """
    codes = encode_ab16(ab)
    blue_green_red = np.dstack([codes[..., 1], codes[..., 0], np.full_like(codes[..., 0], AB16_GRAY)])
    _, png = cv2.imencode(".png", blue_green_red)
    extra = {_MARK: FORMAT, _SIZE: f"{master_size[0]}x{master_size[1]}"}
    marked = replace(provenance, parameters={**provenance.parameters, **extra})
    packet = provenance_xmp(marked, source_type=COLOURS_ALONE)
    return insert_chunks(memoryview(png.tobytes()), [xmp_chunk(packet)])


def read_layer(source: Path | bytes) -> Layer:
    """A layer from a file.

    Parameters
    ----------
    source : Path or bytes
        A file written from `encode_layer`, or its content.

    Raises
    ------
    LayerError
        If the file cannot be read, is no layer, or a damaged one.
    """
    name = str(source) if isinstance(source, Path) else "the file"
    try:
        content = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise LayerError(f"Expected a colour layer at {name}. Received: {error.strerror}.") from None
    _check_header(content, name)
    try:
        provenance = read_provenance(content)
    except ProvenanceError:
        raise _no_layer(name) from None
    parameters = dict(provenance.parameters)
    edges = _EDGES.get(parameters.pop(_MARK, ""))
    if edges is None:
        raise _no_layer(name)
    try:
        width, height = map(int, parameters.pop(_SIZE, "").split("x"))
        saturation = float(parameters.get("saturation", "1"))
        inside = Crop.parse(parameters[INSIDE]) if INSIDE in parameters else None
        if inside is not None and not inside.fits(height, width):
            raise ValueError
    except ValueError:
        raise LayerError(
            f"Expected {name} to say its master's size, which part of it was coloured and a saturation in numbers. "
            "It does not: make the layer anew."
        ) from None
    if not 0 <= saturation <= 2:
        raise LayerError(f"Expected a saturation of 0 to 2 in {name}. Received: {saturation:g}.")
    provenance = replace(provenance, parameters=parameters)
    return Layer(_colours(content, name), provenance, (width, height), saturation, edges, inside)


def is_layer(provenance: Provenance) -> bool:
    """Whether provenance is that of a colour layer, not of a coloured photo."""
    return _MARK in provenance.parameters


def _check_header(content: bytes, name: str) -> None:
    """Refuse what is no PNG of a layer's kind before anything is decoded."""
    if len(content) < _END_OF_HEADER or not content.startswith(SIGNATURE):
        raise _no_layer(name)
    _, _, chunk, width, height, depth, colour, *_ = _HEADER.unpack_from(content)
    if chunk != b"IHDR" or (depth, colour) != (16, _RGB):
        raise _no_layer(name)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and len(content) <= MAX_BYTES):
        raise LayerError(
            f"Expected a colour layer of at most {MAX_SIDE} x {MAX_SIDE} pixels in {name}. "
            f"Received: {width} x {height}."
        )


def _colours(content: bytes, name: str) -> NDArray[np.float32]:
    complete = _has_all_chunks(content)
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if complete else None
    if decoded is None or decoded.dtype != np.uint16 or decoded.ndim != 3:
        raise LayerError(
            f"Expected a whole colour layer in {name}, but it is damaged. Make it anew from the master."
        )
    return decode_ab16(decoded[..., 1::-1])  # green and blue


def _has_all_chunks(content: bytes) -> bool:
    """Whether every chunk is there and has its checksum: the decoder would fill what is missing with zeros."""
    try:
        for _ in read_chunks(content, lambda: None):
            pass
    except ChunkError:
        return False
    return True


def _no_layer(name: str) -> LayerError:
    return LayerError(
        f"Expected a colour layer as `tintype colorize --layer` writes it in {name}, but it is something else."
    )
