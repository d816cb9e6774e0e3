"""Data docs that can be read without a network, and are equal for equal data.

Great Expectations' pages take their styles, scripts and logo from the web; without it they have no layout and their
index is empty. Here the pages lose all that is remote, times and random ids, and get one style sheet and an
index of our own: every expectation with its reason and what came.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from html import escape
from itertools import count, groupby
from pathlib import Path

from tintype.data.validation.expectations import Outcome
from tintype.files.atomic import write_text

_REMOVED = [
    re.compile(r"<script\b.*?</script>", re.DOTALL),
    re.compile(r"<link\b[^>]*>"),
    re.compile(r"<img\b[^>]*\bsrc=\"https?:[^>]*>", re.DOTALL),
    re.compile(r"background[^;{}]*url\([^)]*https?:[^)]*\)[^;{}]*;"),
    re.compile(r"<footer\b.*?</footer>", re.DOTALL),
    re.compile(r"\b20\d{6}T\d{6}\.\d{6}Z(?![/\w])"),  # when the table was loaded
    re.compile(r"(?: / )?2000-01-01T00:00:00Z"),  # the fixed time of the run, which says nothing
]
_RANDOM_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_STYLE = """\
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left; vertical-align: top; }
td:first-child { white-space: nowrap; }
.reason { opacity: .7; }
.failed, .text-danger { color: #c33; }
.passed, .text-success { color: #2a2; }
.fa-check-circle::before { content: "\\2713"; }
.fa-times::before { content: "\\2717"; }
.fa-exclamation-triangle::before { content: "!"; }
.ge-section { margin-bottom: 2rem; }
.modal, #ge-cta-footer, .btn-group, .cooltip .top { display: none; }
td td:first-child { white-space: normal; }
"""


def polish(folder: Path, outcomes: Sequence[Outcome], pages: Mapping[str, str]) -> None:
    """Make the data docs in `folder` self-contained.

    Parameters
    ----------
    folder : Path
        As written by Great Expectations; changed in place.
    outcomes : sequence of Outcome
        For the index.
    pages : mapping of str to str
        For each table, the path in `folder` of the page with its results.
    """
    shutil.rmtree(folder / "static", ignore_errors=True)
    write_text(folder / "style.css", _STYLE)
    for page in sorted(folder.rglob("*.html")):
        way_up = "../" * (len(page.relative_to(folder).parts) - 1)
        write_text(page, _self_contained(page.read_text(encoding="utf-8"), way_up + "style.css"))
    write_text(folder / "index.html", _index(outcomes, pages))


def _self_contained(html: str, style: str) -> str:
    for pattern in _REMOVED:
        html = pattern.sub("", html)
    numbers = count(1)
    names: dict[str, str] = {}
    html = _RANDOM_ID.sub(lambda match: names.setdefault(match[0], f"id-{next(numbers)}"), html)
    return html.replace("</head>", f'<link rel="stylesheet" href="{style}"></head>')


def _index(outcomes: Sequence[Outcome], pages: Mapping[str, str]) -> str:
    failed = sum(outcome.received is not None for outcome in outcomes)
    verdict = (
        f"{failed} of {len(outcomes)} expectations failed"
        if failed
        else f"All {len(outcomes)} expectations hold"
    )
    sections = [
        f'<h2>{escape(table)}</h2>\n<p><a href="{pages[table]}">Details by Great Expectations</a></p>\n'
        f"<table>\n{''.join(_row(outcome) for outcome in rows)}</table>\n"
        for table, rows in groupby(outcomes, key=lambda outcome: outcome.table)
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Data docs</title>'
        '<link rel="stylesheet" href="style.css"></head>\n<body>\n'
        f'<h1 class="{"failed" if failed else "passed"}">{verdict}</h1>\n{"".join(sections)}</body></html>\n'
    )


def _row(outcome: Outcome) -> str:
    mark, kind = ("&#10003;", "passed") if outcome.received is None else ("&#10007;", "failed")
    received = "" if outcome.received is None else f'<br><b class="failed">{escape(outcome.received)}</b>'
    return (
        f'<tr><td class="{kind}">{mark}</td><td>Expected {escape(outcome.rule.expected)}.{received}'
        f'<br><span class="reason">{escape(outcome.rule.reason)}</span></td></tr>\n'
    )
