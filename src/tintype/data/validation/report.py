"""The page of a check for people: what was expected and why, what came, how the data lie, and what was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tintype.data.validation.rules import Finding
from tintype.files.atomic import new_folder, write_text
from tintype.pages.render import render


@dataclass(frozen=True)
class Chart:
    """A chart (`tintype.pages.charts`) with its title and what it says."""

    title: str
    meaning: str
    svg: str


@dataclass(frozen=True)
class Refused:
    """A quarantined photo; `thumbnail` is a JPEG in base64, None if it cannot be read."""

    path: str
    reason: str
    detail: str
    thumbnail: str | None


def write_report(
    folder: Path,
    title: str,
    introduction: str,
    facts: Mapping[str, str],
    findings: Sequence[Finding],
    charts: Sequence[Chart],
    refused: Sequence[Refused] | None = None,
    quarantined: int = 0,
) -> None:
    """Write index.html, which loads nothing from elsewhere; the folder is replaced as a whole.

    Parameters
    ----------
    folder : Path
        Where to.
    title, introduction : str
        What was checked.
    facts : mapping of str to str
        Name -> the few numbers that come first.
    findings : sequence of Finding
        Those of a table one after the other.
    charts : sequence of Chart
        Of how the data lie.
    refused : sequence of Refused, optional
        Photos to show of those in quarantine; without it there is no such section.
    quarantined : int
        How many are there.
    """
    page = render(
        Path(__file__).with_name("report.html.j2"),
        title=title,
        introduction=introduction,
        facts=facts,
        findings=findings,
        tables={name: list(rows) for name, rows in groupby(findings, key=lambda finding: finding.table)},
        charts=charts,
        refused=refused,
        quarantined=quarantined,
    )
    with new_folder(folder) as part:
        write_text(part / "index.html", page)
