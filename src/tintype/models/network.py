"""Networks by name, what each needs of the backbone, and the units they speak.

A network takes L as the shards keep it (a byte, 0..255) and gives ab in units of `AB_LIMIT`. What it
needs of the backbone it declares: `embedding`, the vector that the stage `embed` precomputes. Training, bundle
and Colorizer read the declaration and bring what is asked for.
"""

from __future__ import annotations

from typing import Any, Literal

from tintype.params import NetworkParams

AB_LIMIT = 128.0  # Lab units; the tanh's 1

Needs = Literal["embedding"]
NEEDS: dict[str, Needs] = {"fusion": "embedding"}


def build_network(params: NetworkParams, size: int, embedding_size: int) -> Any:
    """A fresh network.

    Parameters
    ----------
    params : NetworkParams
        Name and width.
    size : int
        Side of its square input in pixels, a multiple of 8.
    embedding_size : int
        Length of the backbone's vector.

    Returns
    -------
    keras.Model
        Inputs by name, ``l`` of shape (B, size, size, 1) in 0..255 and what `NEEDS` says; output ``ab`` of shape
        (B, size, size, 2) in [-1, 1].
    """
    from tintype.models.fusion import build_fusion

    builders = {"fusion": build_fusion}
    return builders[params.name](size, embedding_size, params.width)


def encode_ab(ab8: Any) -> Any:
    """Target of the network from the shards' planes 1 and 2 as floats (0..255): [-1, 1)."""
    return (ab8 - 128.0) / AB_LIMIT


def decode_ab(unit: Any, limit: float = AB_LIMIT) -> Any:
    """Lab units from the network's output."""
    return unit * limit
