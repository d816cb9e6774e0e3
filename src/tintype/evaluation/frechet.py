"""The Fréchet distance between two sets of vectors, each taken as a Gaussian."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def frechet_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Squared Fréchet distance (2-Wasserstein) of the Gaussians with the vectors' means and covariances.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``: Dowson, Landau 1982, "The Fréchet distance between
    multivariate normal distributions"; on an Inception network's pooled features it is the FID of Heusel et al. 2017,
    on other features it is not, and is to be compared with nothing else. With A and B the centred
    vectors over ``sqrt(n - 1)``, ``C1 = A'A``, ``C2 = B'B``, the trace of the root is the sum of the singular values of
    ``A B'``: exact, and n by n instead of E by E. Of more vectors than they are long, the triangular factors have
    the same singular values.

    The estimate is biased upwards, the more the fewer vectors there are (Chong, Forsyth 2020, "Effectively unbiased
    FID"): below some thousands, compare only figures of the same photos, and by their order.

    Parameters
    ----------
    first : ndarray of shape (n, E), float
    second : ndarray of shape (m, E), float

    Returns
    -------
    float
        0 for equal sets; less is better. NaN where a set has fewer than two vectors.
    """
    if min(len(first), len(second)) < 2:
        return float("nan")
    means = [np.mean(vectors, axis=0, dtype=np.float64) for vectors in (first, second)]
    a, b = (
        (vectors - mean) / np.sqrt(len(vectors) - 1)
        for vectors, mean in zip((first, second), means, strict=True)
    )
    root = np.linalg.svd(_low(a) @ _low(b).T, compute_uv=False).sum()
    distance = np.sum(np.square(means[0] - means[1])) + np.sum(a * a) + np.sum(b * b) - 2 * root
    return max(0.0, float(distance))  # rounding


def _low(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """With R of ``vectors = Q R`` in their place, so that there are no more rows than columns."""
    rows, columns = vectors.shape
    return np.asarray(np.linalg.qr(vectors, mode="r")) if rows > columns else vectors
