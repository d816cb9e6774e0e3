"""Crops become scans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tintype.imaging.lab import decode_l8, decode_lab8, encode_l8
from tintype.training.scans.emulsion import BLUE_SENSITIVE, ORTHOCHROMATIC, emulsion
from tintype.training.scans.fade import fade
from tintype.training.scans.grain import grain
from tintype.training.scans.jpeg import jpeg
from tintype.training.scans.lens import blur, vignette
from tintype.training.scans.recipe import ScanParams
from tintype.training.scans.wear import dust, scratches


def as_scans(
    lab8: NDArray[np.uint8],
    params: ScanParams,
    *,
    seed: int,
    epoch: int = 0,
    rows: Sequence[int] | NDArray[np.integer] | None = None,
) -> NDArray[np.uint8]:
    """Lightness of crops, some of them as scans of old photos; their colours are left to the caller as they are.

    Parameters
    ----------
    lab8 : ndarray of shape (n, S, S, 3), uint8
        Encoded as by `tintype.imaging.lab.encode_lab8`. The colours are read, since a plate saw them; nothing is
        written.
    params : ScanParams
    seed, epoch : int
        At least 0. A crop's fate follows from these two and its row, whatever else is in the batch.
    rows : sequence of int, optional
        Which crops these are; by default 0 to n - 1.

    Returns
    -------
    ndarray of shape (n, S, S, 1), uint8
        0..255 for L* 0..100. A crop that stays clean keeps every bit.

    Raises
    ------
    ValueError
        If the crops are not 8-bit Lab, or if there is not one row for each.
    """
    if lab8.dtype != np.uint8 or lab8.ndim != 4 or lab8.shape[3] != 3:
        raise ValueError(f"Expected uint8 Lab of shape (n, S, S, 3). Received: {lab8.dtype} {lab8.shape}.")
    numbers = range(len(lab8)) if rows is None else rows
    if len(numbers) != len(lab8):
        raise ValueError(f"Expected a row number for each of {len(lab8)} crops. Received: {len(numbers)}.")
    l8 = lab8[..., :1].copy()
    for crop, planes, row in zip(lab8, l8, numbers, strict=True):
        random = np.random.default_rng((seed, epoch, int(row)))
        if random.random() < params.scanned * params.strength:
            planes[..., 0] = as_scan(crop, params, random)
    return l8


def as_scan(lab8: NDArray[np.uint8], params: ScanParams, random: Generator) -> NDArray[np.uint8]:
    """Lightness of one crop of shape (S, S, 3), uint8, as a scan, of shape (S, S), uint8."""
    strength = params.strength
    plane = _exposed(lab8, params, random)
    if sigma := params.blur.draw(random, strength):
        plane = blur(plane, sigma)
    if loss := params.vignette.draw(random, strength):
        plane = vignette(plane, random, loss)
    if sigma := params.grain.draw(random, strength):
        plane = grain(plane, random, sigma, params.grain_size.draw(random, strength))
    black, white = params.black.draw(random, strength), params.white.draw(random, strength)
    stops = params.gamma.draw(random, strength) * random.choice((-1, 1))
    plane = fade(plane, black, white, float(2**stops))
    if length := params.scratches.draw(random, strength):
        plane = scratches(plane, random, length)
    if specks := params.dust.draw(random, strength):
        plane = dust(plane, random, specks)
    l8 = encode_l8(plane)
    if loss := params.jpeg.draw(random, strength):
        l8 = jpeg(l8, random, 100 - round(loss))
    return l8


def _exposed(lab8: NDArray[np.uint8], params: ScanParams, random: Generator) -> NDArray[np.float32]:
    """L* of shape (S, S), float32, in [0, 100]: as the plate saw the crop, or as the eye does."""
    if amount := params.emulsion.draw(random, params.strength):
        weights = BLUE_SENSITIVE if random.random() < params.blue_only else ORTHOCHROMATIC
        return emulsion(decode_lab8(lab8), weights, amount, random.random())
    return decode_l8(lab8[..., 0])
