"""How often the training photos have each colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tintype.models.bins import ab_bins, nearest_bin
from tintype.training.survey import survey

STRIDE = 4  # every fourth pixel of a row and a column: neighbours say the same


def class_prior(shards: list[Path]) -> NDArray[np.float64]:
    """Share of each bin among the pixels of Lab shards, of some 50,000 rows if there are more.

    Parameters
    ----------
    shards : list of Path
        Lab tensor files, such as a split's `ShardSet.lab`.

    Returns
    -------
    ndarray of shape (Q,), float64
        For the bins of `tintype.models.bins.ab_bins`; sums to 1.
    """
    bins = ab_bins()
    counts = np.zeros(len(bins), np.int64)
    for row in survey(shards):
        ab = row[::STRIDE, ::STRIDE, 1:].astype(np.float32) - 128
        counts += np.bincount(nearest_bin(ab, bins).ravel(), minlength=len(bins))
    return counts / counts.sum()
