"""Draws every effect on photos, beside real scans: `python -m tintype.training.scans PHOTOS SCANS OUT.jpg`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tintype.imaging.finding import find_photos
from tintype.imaging.grid import draw_grid, write_picture
from tintype.imaging.inputs import network_lab8
from tintype.imaging.lab import decode_l8, decode_lab8, encode_l8, gray_to_rgb, lab_to_rgb, rgb_to_lab
from tintype.imaging.picture import read_picture
from tintype.training.scans.effects import (
    BLUE_SENSITIVE,
    ORTHOCHROMATIC,
    blur,
    dust,
    emulsion,
    fade,
    grain,
    jpeg,
    scratches,
    vignette,
)
from tintype.training.scans.recipe import ScanParams, as_scan

SIDE = 128  # pixels: what a network of the sample preset sees
CELL = SIDE  # so that a pixel is a pixel
SEED = 1
_Gray = NDArray[np.float32]

# Each strong, but within the range of `ScanParams`.
_ALONE: dict[str, Callable[[NDArray[np.float32], Generator], _Gray]] = {
    "gray": lambda lab, _: lab[..., 0],
    "orthochromatic": lambda lab, _: emulsion(lab, ORTHOCHROMATIC, metering=0.5),
    "blue-sensitive": lambda lab, _: emulsion(lab, BLUE_SENSITIVE, metering=1.0),
    "blur": lambda lab, _: blur(lab[..., 0], 1.0),
    "vignette": lambda lab, random: vignette(lab[..., 0], random, 0.25),
    "grain": lambda lab, random: grain(lab[..., 0], random, 1.5, 0.6),
    "fade": lambda lab, _: fade(lab[..., 0], 25, 20, 1.2),
    "wear": lambda lab, random: dust(scratches(lab[..., 0], random, 0.8), random, 10),
    "JPEG": lambda lab, random: decode_l8(jpeg(encode_l8(lab[..., 0]), random, 45)),
}
_DRAWN = ("drawn 1", "drawn 2")  # as training sees them


def draw(photos: Path, scans: Path, destination: Path) -> None:
    """Draw a grid: a row a photo, a column an effect, then two scans drawn as in training, and last a real one.

    Parameters
    ----------
    photos : Path
        Folder of colour photos.
    scans : Path
        Folder of scans of old photos; as many rows as it holds are drawn, of photos from all over theirs.
    destination : Path
        JPEG to write.
    """
    colour, old = find_photos(photos), find_photos(scans)
    step = max(1, len(colour) // max(1, len(old)))
    pairs = list(zip(colour[::step], old, strict=False))
    cells = [_row(photo, scan, number) for number, (photo, scan) in enumerate(pairs)]
    grid = draw_grid(
        cells,
        headings=["photo", *_ALONE, *_DRAWN, "a real scan"],
        captions=[f"{photo.stem}; {scan.stem}" for photo, scan in pairs],
        cell=CELL,
    )
    write_picture(destination, grid, quality=80)


def _row(photo: Path, scan: Path, number: int) -> list[NDArray[np.uint8]]:
    lab8 = _square(photo)
    lab = decode_lab8(lab8)
    random = np.random.default_rng((SEED, number))
    alone = [gray_to_rgb(effect(lab, random)) for effect in _ALONE.values()]
    drawn = [gray_to_rgb(decode_l8(as_scan(lab8, ScanParams(), random))) for _ in _DRAWN]
    return [lab_to_rgb(lab), *alone, *drawn, gray_to_rgb(decode_l8(_square(scan)[..., 0]))]


def _square(path: Path) -> NDArray[np.uint8]:
    """The middle of a photo at the network's size."""
    rgb8 = read_picture(path).rgb8
    height, width = rgb8.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return network_lab8(rgb_to_lab(rgb8[top : top + side, left : left + side]), SIDE)


if __name__ == "__main__":
    draw(*map(Path, sys.argv[1:]))
