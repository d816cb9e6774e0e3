"""The perceptual loss: two colourings are near each other if a pretrained network sees the same in both.

J. Johnson, A. Alahi, L. Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", 2016
(https://arxiv.org/abs/1603.08155), with the feature maps of the project's backbone in place of VGG's.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from tintype.models.bins import ab_bins
from tintype.models.lab_graph import rgb_from_lab
from tintype.models.network import AB_LIMIT
from tintype.training.losses import Distance

MAPS = ("stride_4", "stride_8", "stride_16")


def feature_distance(maps: Any) -> Distance:
    """The distance of two colourings as a backbone sees them.

    Parameters
    ----------
    maps : keras.Model
        From `tintype.models.trunk.feature_maps`.

    Returns
    -------
    Distance
        Mean over `MAPS` of the mean squared difference, each in units of the truth's mean square.
    """
    maps.trainable = False

    def distance(truth: Any, output: Any) -> Any:
        size = truth.shape[1]
        l8, true_ab = truth[..., :1], truth[..., 1:] * AB_LIMIT
        ab = ops.image.resize(expected_ab(output), (size, size), data_format="channels_last")
        ours, theirs = maps(rgb_from_lab(l8, ab)), maps(rgb_from_lab(l8, true_ab))
        return sum(_relative(ours[name], theirs[name]) for name in MAPS) / len(MAPS)

    return distance


def expected_ab(output: Any) -> Any:
    """Ab in Lab units from either head's output; of classes the mean, which gradients can pass."""
    if output.shape[-1] == 2:
        return output * AB_LIMIT
    return ops.matmul(ops.softmax(output, axis=-1), ab_bins())


def _relative(ours: Any, theirs: Any) -> Any:
    ours, theirs = ops.cast(ours, "float32"), ops.cast(theirs, "float32")
    error = ops.mean(ops.square(ours - theirs), axis=(1, 2, 3))
    return error / (ops.mean(ops.square(theirs), axis=(1, 2, 3)) + 1e-6)
