"""Judge the bundle on the test photos through the path that serves. DVC stage `evaluate`."""

from __future__ import annotations

from pathlib import Path

from tintype.models.keras_backend import own_this_process
from tintype.params import Params
from tintype.stages.entrypoint import run_stage


def main(
    params: Params, raw: Path, manifest: Path, backbone: Path, bundle: Path, custom: Path, report: Path
) -> None:
    """Compare the colours with the truth and with the baselines, and colour the custom photos."""
    from tintype.colorize import Colorizer
    from tintype.evaluation.baselines import constant_chroma, methods
    from tintype.evaluation.custom import colour_custom
    from tintype.evaluation.evaluate import evaluate
    from tintype.evaluation.photos import JUDGED, photos_of_split
    from tintype.evaluation.prior import PRIOR_PHOTOS, prior_of_files
    from tintype.models.backbone import Backbone

    colorizer = Colorizer.load(bundle)
    mean_ab = colorizer.info.data.mean_ab
    colour_custom(colorizer.colorize, custom, report)
    evaluate(
        methods(colorizer.colorize, mean_ab),
        photos_of_split(raw, manifest, most=JUDGED, without=params.evaluate.without),
        report,
        network_size=colorizer.info.size,
        grid_photos=params.evaluate.grid_photos,
        side=params.evaluate.side,
        chroma={
            "ours": lambda rgb8: colorizer.chroma_of([rgb8])[0],
            "mean_ab": constant_chroma(*mean_ab),
        },
        confidence=colorizer.chroma_with_confidence,
        prior=prior_of_files(photos_of_split(raw, manifest, "train", PRIOR_PHOTOS).values()),
        backbone=Backbone.load(backbone),
    )


if __name__ == "__main__":
    own_this_process()
    run_stage(main)
