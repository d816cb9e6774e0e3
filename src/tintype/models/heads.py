"""Heads: the last layer of a network.

``tanh`` gives one colour for each pixel. ``classes`` gives a probability for each bin of the gamut, which keeps apart
what a mean would blend to brown; `tintype.models.decoding` turns it into a colour and its uncertainty.
"""

from __future__ import annotations

from typing import Any, assert_never

from tintype.models.bins import ab_bins
from tintype.params.blocks import Head


def put_head(features: Any, head: Head) -> Any:
    """A head on a network's last features.

    Parameters
    ----------
    features : tensor of shape (B, h, w, C)

    Returns
    -------
    tensor, float32
        ``tanh``: ab (B, h, w, 2) in [-1, 1]. ``classes``: scores before the softmax, (B, h, w, Q).
    """
    from keras import layers

    match head:
        case "tanh":
            return layers.Conv2D(2, 1, activation="tanh", dtype="float32", name="ab")(features)
        case "classes":
            return layers.Conv2D(len(ab_bins()), 1, dtype="float32", name="classes")(features)
        case _:
            assert_never(head)
