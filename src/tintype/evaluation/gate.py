"""The gate: whether a challenger may take the champion's place.

No error decides alone: every one of them rewards gray. So there are two questions.

1. *By itself, is it a colorizer at all?* It has colour, not too much of it, and not in patches. Three limits, held
   against the means over the photos, however few there are. They lie far outside of what trained networks do
   (colourfulness 0.5 to 1, patches for the colour there is 0.8 to 1.1), so that chance does not reach them.
2. *Is it worse than the champion?* At the same colourfulness, farther from the truth; or farther from the truth's
   colourfulness; or with more patches, or more bleeding. Only a difference that photos drawn anew do not undo
   counts, and only one that a person could see.

PSNR and the plain CIEDE2000 stand in the table and decide nothing. Nor does latency: what a second is worth depends on
where it is served. The reasons mention a challenger that is much slower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from tintype.evaluation.figures import EQUAL, FLOOR, Compared, Figures, compared
from tintype.evaluation.paired_scores import CHALLENGER, MEAN_AB, PairedScores

Kind = Literal["pass", "fail", "not compared"]
PASS: Final = "pass"
FAIL: Final = "fail"
NOT_COMPARED: Final = "not compared"

TOO_PALE = 1 / 3
"""Colourfulness ratio. True photos have about 40 to 50, averagely to quite colourful to the people that Hasler and
Suesstrunk asked; a third of it is about their 15, "slightly". All-gray has 0, mean-ab about 0.2."""

TOO_COLOURFUL = 1.35
"""Colourfulness ratio. A word of Hasler and Suesstrunk's scale is a factor of 1.3 to 1.4 above the one before. Much
more is not possible: the sample photos at twice their chroma have 1.65, vivid ones less, because the gamut ends.
"""

PATCHY = 1.4
"""Patches for the colour there is, the truth's being 1. Sample photos made paler or stronger have 0.9 to 1.05, with
blotches planted 1.4 to 1.8, blotches alone 1.9 to 2.2; the starter has 1.0 on its test photos."""

PALE_ENOUGH = 2 / 3
"""Colourfulness ratio from which on a challenger may be paler than the champion: training sets paleness by a factor on
the chroma, and so can a person who looks at the photo.
"""

FEWEST = 6
"""Photos. With five, even if all of them spoke for the same model, equal ones would do so once in 16 times."""

MERIT_MARGIN = 0.25  # CIEDE2000; a quarter of a difference that is just noticeable side by side
COLOURFUL_MARGIN = math.log(1.1)  # a tenth more or less saturation is not noticed without the other beside it
PATCH_MARGIN = 0.1  # of the truth's
BLEED_MARGIN = 0.1  # percent of the diagonal: about a pixel at 1024
SLOWER = 1.5  # times the champion's seconds a photo: worth mentioning
LIMITS = {
    "too_pale": round(TOO_PALE, 4),
    "too_colourful": TOO_COLOURFUL,
    "patchy": PATCHY,
    "pale_enough": round(PALE_ENOUGH, 4),
    "fewest_photos": FEWEST,
    "equal_colourfulness": list(EQUAL),
    "merit_margin": MERIT_MARGIN,
    "colourful_margin": round(COLOURFUL_MARGIN, 4),
    "patch_margin": PATCH_MARGIN,
    "bleed_margin": BLEED_MARGIN,
}
"""What is written beside a verdict: a verdict of other limits is another verdict."""


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes
    ----------
    verdict : str
        ``pass``, ``fail`` or ``not compared``.
    reasons : tuple of str
        Sentences, at least one.
    """

    verdict: Kind
    reasons: tuple[str, ...]


def decide(scored: PairedScores, figures: Figures, rival: str | None, why_not: str = "") -> Verdict:
    """The verdict.

    Parameters
    ----------
    rival : str or None
        What sentences call the champion, such as "version 1"; None if there is nothing to compare with.
    why_not : str
        A sentence that says why there is nothing.
    """
    by_itself = _by_itself(figures)
    if by_itself:
        return Verdict(FAIL, (*by_itself, *([why_not] if rival is None else [])))
    if rival is None:
        return Verdict(NOT_COMPARED, (why_not, "By itself it has colour, not too much, and no patches."))
    worse, reasons = _against(scored, figures, rival)
    if figures.photos < FEWEST:
        few = (
            f"Too few photos to tell: {figures.photos} test photo{'s' if figures.photos > 1 else ''}, and with "
            f"fewer than {FEWEST} chance alone may have all of them speak for the same model."
        )
        hint = (
            f"These would speak against it: {' '.join(worse)}"
            if worse
            else f"These do not speak against it: {' '.join(reasons)}"
        )
        return Verdict(
            NOT_COMPARED,
            (few, hint, "By itself it has colour, not too much, and no patches.", *_slower(figures)),
        )
    if worse:
        return Verdict(FAIL, (*worse, *_slower(figures)))
    return Verdict(PASS, (*reasons, *_slower(figures)))


def _by_itself(figures: Figures) -> list[str]:
    ratio, patches = figures.colourful.after.estimate, figures.per_colour.after.estimate
    found = []
    if ratio < TOO_PALE:
        found.append(
            f"Too pale: {_amount(ratio)}, where a third at least is expected; it would pass for black and white."
        )
    if ratio > TOO_COLOURFUL:
        found.append(
            f"Too colourful: it has {ratio:.2f} times the true photos' colourfulness, where {TOO_COLOURFUL:g} "
            "at most is expected."
        )
    if patches > PATCHY:
        found.append(
            f"Patches: colour changes where lightness gives no reason, {patches:.2f} times as much as in true photos "
            f"of the same colourfulness, where {PATCHY:g} at most is expected."
        )
    return found


def _amount(ratio: float) -> str:
    return "it has no colour" if ratio < FLOOR else f"it has {ratio:.2f} of the true photos' colourfulness"


def _against(scored: PairedScores, figures: Figures, rival: str) -> tuple[list[str], list[str]]:
    """The reasons against the challenger, and the others."""
    worse, reasons = _merit(scored, figures, rival)
    ratio, off = figures.colourful, figures.off_colourful
    if _is_less(off, COLOURFUL_MARGIN):
        reasons.append(
            f"Its colourfulness is nearer to the true photos': {ratio.after.estimate:.2f} of it, "
            f"where {rival} has {_estimate(ratio):.2f}."
        )
    if ratio.after.estimate < PALE_ENOUGH and _is_more(off, COLOURFUL_MARGIN):
        worse.append(
            f"Paler than {rival}: {ratio.after.estimate:.2f} of the true photos' colourfulness, "
            f"where {rival} has {_estimate(ratio):.2f}."
        )
    if _is_more(figures.per_colour, PATCH_MARGIN):
        worse.append(
            f"More patches than {rival}: {figures.per_colour.after.estimate:.2f} times true photos' for the colour "
            f"there is, where {rival} has {_estimate(figures.per_colour):.2f}."
        )
    if _is_more(figures.bleeding, BLEED_MARGIN):
        worse.append(
            f"Colours run over edges more than {rival}'s: by {figures.bleeding.after.estimate:.2f} % of the diagonal, "
            f"where {rival} has {_estimate(figures.bleeding):.2f} %."
        )
    return worse, reasons


def _merit(scored: PairedScores, figures: Figures, rival: str) -> tuple[list[str], list[str]]:
    row, name, where = figures.merit, rival, f"at {figures.equal_at:.2f} of the truth's colourfulness"
    if row.difference is None or math.isnan(row.difference.low):
        # It has too little colour to be brought there. Then it must at least beat the baseline that knows nothing.
        row, name = compared(row.figure, figures.photos, MEAN_AB, CHALLENGER), "one mean colour all over"
    if row.difference is None or math.isnan(row.difference.low):
        return [], [
            f"Whether it is nearer to the truth cannot be told {where}: one of them does not reach it."
        ]
    estimate, low, high = row.difference
    measured = (
        f"by {abs(estimate):.2f} CIEDE2000 {where} "
        f"(difference {estimate:+.2f}, 95 % interval {low:+.2f} to {high:+.2f}, {figures.photos} photos)"
    )
    if low > 0 and estimate >= MERIT_MARGIN:
        return [f"Farther from the truth than {name} {measured}."], []
    if high < 0:
        return [], [f"Nearer to the truth than {name} {measured}."]
    return [], [
        f"As near to the truth as {name}, as far as {figures.photos} photos show, {where}: "
        f"{estimate:+.2f} CIEDE2000, 95 % interval {low:+.2f} to {high:+.2f}."
    ]


def _is_more(row: Compared, margin: float) -> bool:
    return row.difference is not None and row.difference.low > 0 and row.difference.estimate >= margin


def _is_less(row: Compared, margin: float) -> bool:
    return row.difference is not None and row.difference.high < 0 and row.difference.estimate <= -margin


def _estimate(row: Compared) -> float:
    return row.before.estimate if row.before else math.nan


def _slower(figures: Figures) -> list[str]:
    row = figures.seconds
    if row is None or row.before is None or row.difference is None or row.difference.low <= 0:
        return []
    times = row.after.estimate / row.before.estimate
    return [f"It takes {times:.1f} times as long a photo."] if times >= SLOWER else []
