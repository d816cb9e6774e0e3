"""The backbone, ready to embed. DVC stage `weights`."""

from __future__ import annotations

from pathlib import Path

from tintype.models.keras_backend import own_this_process
from tintype.params import Params
from tintype.stages.entrypoint import log, run_stage


def main(params: Params, backbone: Path) -> None:
    """Make the folder `backbone` as `weights` in params.yaml says."""
    from tintype.models.backbone.weights import add_ir, make_backbone

    make_backbone(params.weights, backbone)
    log(f"weights: {params.weights.backbone}, {add_ir(backbone)}")


if __name__ == "__main__":
    own_this_process()
    run_stage(main)
