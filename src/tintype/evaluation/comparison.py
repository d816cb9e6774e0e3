"""A challenger's bundle against the registry's champion: scores, verdict, and the report that is kept with it.

The registry says what it knows of the champion, and gets a folder and a verdict back; see
`tintype.registry.compare`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tintype.errors import TintypeError
from tintype.evaluation.baselines import Method
from tintype.evaluation.figures import Compared, Figures, figures_of, table
from tintype.evaluation.gate import LIMITS, Verdict, decide
from tintype.evaluation.metric_card import (
    MOST,
    Card,
    card_sha256,
    differences,
    metric_card,
    read_card,
    write_card,
)
from tintype.evaluation.paired_scores import ALL_GRAY, CHAMPION, MEAN_AB, PHOTOS_FILE, score_photos
from tintype.evaluation.scores import DIGITS
from tintype.files.atomic import write_json, write_text
from tintype.imaging.picture import PhotoFile
from tintype.models.bundle import bundle_digest

TABLE_FILE, VERDICT_FILE = "table.md", "verdict.json"
_BESIDE = {ALL_GRAY: "all gray", MEAN_AB: "mean ab"}


@dataclass(frozen=True)
class Champion:
    """What a registry knows of its champion.

    Attributes
    ----------
    version : str
        Its number.
    digest : str
        Of its bundle.
    bundle : Path or None
        Its folder; None if it is not available.
    missing : str
        A sentence that says why not.
    report : Path or None
        A copy of the report of its own comparison, as `Comparison` wrote it; None if it has none.
    """

    version: str
    digest: str
    bundle: Path | None
    missing: str
    report: Path | None

    @property
    def name(self) -> str:
        """Its name in sentences."""
        return f"version {self.version}"


@dataclass(frozen=True)
class ComparisonReport:
    """What a person decides by.

    Attributes
    ----------
    markdown : str
        The table, and on what it was measured.
    """

    verdict: str
    reasons: tuple[str, ...]
    markdown: str


class Comparison:
    """A bundle that is to become champion, and the photos on which it is judged.

    Parameters
    ----------
    photos : mapping of str to PhotoFile
        Name in reports -> file; at least one. The first `tintype.evaluation.metric_card.MOST` are judged: in the order
        of content hashes they are as good as drawn by lot.
    """

    def __init__(self, bundle: Path, photos: Mapping[str, PhotoFile]) -> None:
        self._bundle, self._photos = bundle, dict(islice(photos.items(), MOST))
        self.card: Card = metric_card([photo.sha256 for photo in self._photos.values()])

    @property
    def card_sha256(self) -> str:
        """What names the metric card."""
        return card_sha256(self.card)

    @property
    def limits_sha256(self) -> str:
        """What names the gate's limits."""
        return hashlib.sha256(json.dumps(LIMITS, sort_keys=True).encode()).hexdigest()

    def __call__(self, champion: Champion | None, folder: Path) -> ComparisonReport:
        """Judge the bundle.

        Parameters
        ----------
        champion : Champion or None
            Another bundle; None if there is none.
        folder : Path
            To write the report to: ``table.md``, ``photos.csv``, ``front.csv``, ``picture.jpg``, ``card.json`` and
            ``verdict.json``.

        Raises
        ------
        BundleError, PhotoError
            If the bundle is not whole, or a photo cannot be read.
        """
        from tintype.colorize import Colorizer

        ours = Colorizer.load(self._bundle)
        known, other_card = _comparable_report(champion, self.card)
        theirs, missing = _champion_method(champion)
        scored = score_photos(self._photos, ours.colorize, theirs, ours.info.data.mean_ab, folder, known)
        figures = figures_of(scored, tuple(_BESIDE))
        comparable = champion is not None and CHAMPION in scored.scores.by_method
        verdict = decide(
            scored,
            figures,
            champion.name if champion and comparable else None,
            _why_not(champion, other_card, missing),
        )
        notes = [other_card and f"{other_card} So it was judged anew."] if theirs else [missing]
        return write_report(
            folder,
            self.card,
            figures,
            verdict,
            [note for note in notes if note and comparable],
            {
                "challenger": {"bundle_sha256": bundle_digest(ours.info), "network_size": ours.info.size},
                "champion": {"name": champion.name, "bundle_sha256": champion.digest} if champion else None,
            },
        )


def write_report(
    folder: Path,
    card: Card,
    figures: Figures,
    verdict: Verdict,
    notes: Sequence[str] = (),
    models: Mapping[str, Any] | None = None,
) -> ComparisonReport:
    """Write ``table.md``, ``card.json`` and ``verdict.json``.

    Parameters
    ----------
    notes : sequence of str
        Sentences on how it was compared, below the table.
    models : mapping, optional
        Which ones, for ``verdict.json``.
    """
    paired = any(row.before for row in figures.rows())
    headings = ["champion", "challenger", "difference"] if paired else ["challenger"]
    count = figures.photos
    measured = (
        f"{count} test photo{'s' if count > 1 else ''}, intervals of 95 % over photos, "
        f"metric card {card_sha256(card)[:12]}."
    )
    markdown = "\n\n".join(
        [table(figures.rows(), [*headings, *_BESIDE.values()]), " ".join([measured, *notes])]
    )
    write_text(folder / TABLE_FILE, f"{markdown}\n")
    write_card(folder, card)
    write_json(
        folder / VERDICT_FILE,
        {
            "verdict": verdict.verdict,
            "reasons": list(verdict.reasons),
            **(models or {}),
            "metric_card": card_sha256(card),
            "photos": count,
            "limits": LIMITS,
            "figures": [_described(row) for row in figures.rows()],
        },
    )
    return ComparisonReport(verdict.verdict, verdict.reasons, markdown)


def _comparable_report(champion: Champion | None, card: Card) -> tuple[Path | None, str]:
    """The report from which the champion's scores can be taken, or a sentence that says why not."""
    if champion is None or champion.report is None or not (champion.report / PHOTOS_FILE).is_file():
        return None, ""
    theirs = read_card(champion.report)
    if theirs is None or _digest_in(champion.report) != champion.digest:
        return (
            None,
            f"The scores kept with {champion.name} do not say what they mean, or are another bundle's.",
        )
    if theirs != card:
        return None, (
            f"The scores kept with {champion.name} have another metric card ({differences(theirs, card)}), and figures "
            "of different cards are not compared: they do not measure the same."
        )
    return champion.report, ""


def _digest_in(report: Path) -> str | None:
    """The digest of the bundle that was the challenger in a report."""
    try:
        return str(json.loads((report / VERDICT_FILE).read_bytes())["challenger"]["bundle_sha256"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _champion_method(champion: Champion | None) -> tuple[Method | None, str]:
    """The champion, ready to colour, or a sentence that says why not."""
    from tintype.colorize import Colorizer

    if champion is None:
        return None, ""
    if champion.bundle is None:
        return None, f"The bundle of {champion.name} cannot be had: {champion.missing}"
    try:
        return Colorizer.load(champion.bundle).colorize, ""
    except TintypeError as error:
        return None, f"The bundle of {champion.name} cannot be used: {error}"


def _why_not(champion: Champion | None, other_card: str, missing: str) -> str:
    if champion is None:
        return "There is no champion to compare with."
    return " ".join(filter(None, [other_card or f"No scores are kept with {champion.name}.", missing]))


def _described(row: Compared) -> dict[str, Any]:
    intervals = {"champion": row.before, "challenger": row.after, "difference": row.difference}
    return {
        "figure": row.figure.title,
        **{name: [_json(value) for value in one] if one else None for name, one in intervals.items()},
        **{method: _json(value) for method, value in row.beside.items()},
    }


def _json(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else round(float(value), DIGITS)
