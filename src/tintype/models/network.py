"""Networks by name, what each needs of the backbone, and the units of their inputs and outputs.

A network takes L as the shards store it (a byte, 0..255) and gives colours in units of `AB_LIMIT`. It declares what it
needs of the backbone: ``embedding``, the vector that the stage `embed` precomputes, or ``maps``, which it computes
itself with the backbone's layers inside it. Training, bundle and Colorizer read the declaration and provide what it
asks for.

To add a network: its class in `tintype.params.blocks`, its builder in a file of its own, a case in `build_network`, and
a file in conf/network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, assert_never

if TYPE_CHECKING:
    from tintype.models.backbone.spec import BackboneSpec
    from tintype.params import NetworkParams  # whose schemas take a tenth of a second

AB_LIMIT = 128.0  # Lab units; the tanh's 1

Needs = Literal["embedding", "maps", "embedding and maps"]


def needs_embedding(needs: Needs) -> bool:
    """Whether the backbone has to be run beside the network."""
    return needs != "maps"


def build_network(
    params: NetworkParams,
    size: int,
    embedding_size: int,
    backbone: Callable[[], tuple[Any, BackboneSpec]] | None = None,
) -> Any:
    """A fresh network.

    Parameters
    ----------
    params : NetworkParams
        Which one.
    size : int
        Side of its square input in pixels, a multiple of 8.
    embedding_size : int
        Length of the backbone's vector.
    backbone : callable, optional
        Loads the backbone and its description; called by networks that need its maps.

    Returns
    -------
    keras.Model
        Inputs by name, ``l`` of shape (B, size, size, 1) in 0..255 and ``embedding`` if it needs one; output as
        `tintype.models.heads.put_head` says, at the size or a fraction of it.
    """
    from tintype.params.blocks import FusionParams, PyramidParams

    match params:
        case FusionParams():
            from tintype.models.fusion import build_fusion

            return build_fusion(params, size, embedding_size)
        case PyramidParams():
            from tintype.models.pyramid import build_pyramid
            from tintype.models.trunk import build_trunk

            if backbone is None:
                raise ValueError(f"Expected a backbone for the network {params.name}. Received: None.")
            trunk = build_trunk(*backbone(), params.view or size, frozen=params.frozen)
            return build_pyramid(params, size, trunk, embedding_size)
        case _:
            assert_never(params)


def encode_ab(ab8: Any) -> Any:
    """Target of the network from the shards' planes 1 and 2 as floats (0..255): [-1, 1)."""
    return (ab8 - 128.0) / AB_LIMIT


def decode_ab(unit: Any, limit: float = AB_LIMIT) -> Any:
    """Lab units from the network's output."""
    return unit * limit
