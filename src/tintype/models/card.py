"""The model cards that bundles carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tintype.models.bundle import BundleInfo

_ELSEWHERE = """How well it colours is in `reports/evaluate/metrics.json` and on the version in the registry, beside the
figures of an all-gray and a mean-colour photo.
"""


@dataclass(frozen=True)
class StarterFacts:
    """What the starter's card says beyond its bundle's description.

    Attributes
    ----------
    data : str
        Where its photos come from, as the end of a sentence, such as "the Kaggle data set ...".
    sources : str
        The same for each source with its tier and licence, as a table in Markdown.
    held_out : int
        Photos that it was judged on.
    table : str
        Its evaluation beside the baselines, in Markdown.
    skin : str
        Its errors inside faces of light and of dark skin, in Markdown.
    operating_point : str
        Why its colours are as strong as they are, in sentences.
    calibration_error : float
        Mean distance of its confidence from the share of colours that were right.
    """

    data: str
    sources: str
    held_out: int
    table: str
    skin: str
    operating_point: str
    calibration_error: float


def model_card(info: BundleInfo) -> str:
    """A bundle's model card, in Markdown."""
    return f"{_description(info)}\n{_ELSEWHERE}{_warning(info)}"


def starter_card(info: BundleInfo, facts: StarterFacts) -> str:
    """The card of the starter, in Markdown: it has no report or registry beside it."""
    trained = info.trained
    return f"""{_description(info)}{_warning(info)}
## Data

{trained.photos} photos to learn from and {facts.held_out} to be judged on: {facts.data}. Photos are dealt out by the
hash of their content, near duplicates together, and crops of one photo never meet in two parts. No photo is part of
this project or of the weights' files. What was learned from, by source:

{facts.sources}

The tier says what we know of a source's terms: `open` ones state a licence that allows any use, `research` ones are for
research, or state none.

## How well it colours

Means over the {facts.held_out} photos held out. A colourfulness ratio of 1 is right, below is too gray. PSNR and SSIM
reward gray, so each figure has to be read beside all gray and one mean colour.

{facts.table}

Inside faces that look to the front, as a detector finds them, with standard errors; how light skin is, is what the
photo shows of it:

{facts.skin}

## Operating point

{facts.operating_point}

## Confidence

`--confidence` and `--abstain` use a table made of validation photos. On the photos held out what it says is off by
{facts.calibration_error:.2f} on average (expected calibration error, 0 is best):

![Confidence against the share of places that came near the true colour](../reliability.png)

## Licence

The weights of the decoder are this project's, under Apache-2.0 as its code. The backbone's weights:
{info.backbone.licence}. The backbone was learned from ImageNet's photos, whose terms
(https://www.image-net.org/download) allow research and education without trade, and so do those of many sources above;
the photos' own rights are with their authors. Whether such terms bind weights is not settled: who uses the starter for
trade should look into it, or train on photos of their own (`fetch.source: directory`, or `tintype adapt`).

## Limits

- Colours are plausible guesses. Do not present them as a record of how something looked; every file that is coloured
  says in its metadata that it was.
- {trained.photos} photos are not many: common things (sky, leaves, fur, wood, skin) get their usual colours, others
  stay pale or take a neighbour's. Blotches happen, on plain walls and backgrounds above all.
- It sees {info.size} x {info.size} pixels: small things have the colour of what is around them.
- Its photos are mostly from the web around 2010. People are in few of them, dress and places of other times in hardly
  any; uniforms, flags, cars and other things of arbitrary colour are guessed by what was common.
- All its photos were colour photos. What makes old ones different (fading, scratches, plates that did not see red) is
  known to it from imitations at best.
"""


def adapted_card(info: BundleInfo, base: str, verdict: str, table: str, counts: tuple[int, int, int]) -> str:
    """The card of a bundle that was fitted further on a person's own photos, in Markdown.

    Parameters
    ----------
    info : BundleInfo
        The new bundle's description.
    base : str
        What it was before, in words.
    verdict : str
        Whether it helped, in sentences.
    table : str
        Both models' figures, in Markdown.
    counts : tuple of three int
        Photos to learn from, to choose by, and held out.
    """
    learned, chosen, held_out = counts
    return f"""{_description(info)}{_warning(info)}
## Adapted

From {base}, with {learned} photos to learn from and {chosen} to choose epoch and decoding by.

## How well it colours

{verdict}

Means over {held_out} photos that neither training nor decoding saw, with 95 % intervals over photos. Before and after
are as colourful as each other on the photos to choose by, so that the difference is one of hue and place. Read each
figure beside all gray: gray is never far wrong. Gray, before, after and truth side by side: `adapted.jpg`.

{table}

If the model before has seen these photos in its training, its figures are too good.
"""


def _description(info: BundleInfo) -> str:
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
{_start(trained.start)}| Training | {trained.epochs} epochs, {trained.loss}, {trained.optimizer}, seed {trained.seed} |
| Weights of | epoch {trained.best_epoch} |
| Loss | {trained.train_loss:.5f} on training photos, {trained.val_loss:.5f} on validation photos |
| Decoding | {_decoding(info)} |
| Data | manifest {info.data.manifest_sha256[:12]}, mean a*, b* {info.data.mean_ab[0]:.1f}, {info.data.mean_ab[1]:.1f} |
{_ir(info)}"""


def _start(digest: str | None) -> str:
    return "" if digest is None else f"| Training began with | the weights of the bundle {digest[:12]} |\n"


def _ir(info: BundleInfo) -> str:
    if info.ir is None:
        return ""
    return (
        f"| IR | of OpenVINO {info.ir.openvino}, float32; at most {info.ir.max_difference:g} Lab units from the Keras "
        "network |\n"
    )


def described_anew(card: str, before: BundleInfo, after: BundleInfo) -> str:
    """A card with the description of `after` in place of that of `before`; all else that it says stays."""
    return card.replace(_description(before), _description(after), 1)


def _decoding(info: BundleInfo) -> str:
    """Temperature, contrast and gain, fitted on validation photos."""
    temperature = info.decoding.temperature
    cooled = "" if temperature is None else f"temperature {temperature:g}, "
    contrast = f"contrast {info.decoding.contrast:g}, " if info.decoding.contrast else ""
    return f"{cooled}{contrast}colours times {info.decoding.gain:g}, fitted on validation photos"


def _origin(info: BundleInfo) -> str:
    return f"{info.backbone.origin} ({info.backbone.origin_detail})"


def _warning(info: BundleInfo) -> str:
    if info.backbone.origin != "random":
        return ""
    return (
        "\n**The backbone's weights are random: it knows nothing of photographs. "
        "For tests of the machinery only.**\n"
    )
