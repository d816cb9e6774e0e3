"""The model card that a bundle carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tintype.models.bundle import BundleInfo


def model_card(info: BundleInfo) -> str:
    """A bundle's model card.

    Parameters
    ----------
    info : BundleInfo
        The bundle's description.

    Returns
    -------
    str
        Markdown.
    """
    trained, backbone = info.trained, info.backbone
    return f"""# Model card: {info.name}

Colours black-and-white photographs. The colours are a network's guess from the photo's lightness: plausible at best,
never evidence of what was there.

| | |
|---|---|
| Network | `{info.network.name}`, width {info.network.width:g}, {info.size} x {info.size} pixels |
| Backbone | `{backbone.name}`, weights: {_origin(info)} |
| Backbone's licence | {backbone.licence} |
| Preset | `{info.preset}` |
| Trained on | {trained.photos} photos, {trained.crops} crops |
| Training | {trained.epochs} epochs, {trained.loss}, {trained.optimizer}, seed {trained.seed} |
| Weights of | epoch {trained.best_epoch} |
| Loss | {trained.train_loss:.5f} on training photos, {trained.val_loss:.5f} on validation photos |
| Data | manifest {info.data.manifest_sha256[:12]}, mean a*, b* {info.data.mean_ab[0]:.1f}, {info.data.mean_ab[1]:.1f} |

How well it colours is in `reports/evaluate/metrics.json` and on the version in the registry, beside the
figures of an all-gray and a mean-colour photo.
{_warning(info)}"""


def _origin(info: BundleInfo) -> str:
    return f"{info.backbone.origin} ({info.backbone.origin_detail})"


def _warning(info: BundleInfo) -> str:
    if info.backbone.origin != "random":
        return ""
    return (
        "\n**The backbone's weights are random: it knows nothing of photographs. "
        "For tests of the machinery only.**\n"
    )
