"""Asking Great Expectations whether tables are as expected: the only importer of it.

The context is ephemeral and analytics are off, so nothing is left behind but the data docs. The import takes ten
seconds, hence inside a function.

Great Expectations' pages take their styles, scripts and logo from the web; without it they have no layout and their
index is empty. Here the pages lose all that is remote, and times and random ids, so that they can be read without a
network and are equal for equal data. They get one style sheet, and an index of our own: every expectation with its
reason and what came.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import count, groupby
from pathlib import Path
from typing import Any

from tintype.data.validation.rules import Finding, Rule, Table
from tintype.files.atomic import new_folder, write_text

EXAMPLES = 5  # rows that a failure names
# A fixed name and time keep the data docs' paths the same from run to run.
RUN_NAME, RUN_TIME = "validate", datetime(2000, 1, 1, tzinfo=UTC)

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


def check(tables: Sequence[Table], docs: Path | None = None) -> list[Finding]:
    """Check tables against their rules.

    Parameters
    ----------
    tables : sequence of Table
        With distinct names.
    docs : Path, optional
        Folder for the data docs (HTML), replaced as a whole; its entry is index.html.

    Returns
    -------
    list of Finding
        One for each rule, in the order of the tables and their rules.
    """
    gx = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    findings = [finding for table in tables for finding in _run(gx, context, table)]
    if docs is not None:
        with new_folder(docs) as part:
            _write_docs(context, part)
            _polish(part, findings, {table.name: _page(table) for table in tables})
    return findings


def _great_expectations() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import great_expectations.expectations  # its classes are looked up by name

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return gx


def _write_docs(context: Any, folder: Path) -> None:
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.absolute())}
    index = {"class_name": "DefaultSiteIndexBuilder"}
    site = {"class_name": "SiteBuilder", "site_index_builder": index, "store_backend": store}
    context.add_data_docs_site("docs", site)
    context.build_data_docs(site_names=["docs"])


def _page(table: Table) -> str:
    """Where Great Expectations puts a table's page in its data docs."""
    return f"validations/{table.name}/{RUN_NAME}/{RUN_TIME:%Y%m%dT%H%M%S.%fZ}/{table.name}-{table.name}.html"


def _run(gx: Any, context: Any, table: Table) -> list[Finding]:
    """Run one table's suite: a checkpoint takes one table a run."""
    checkpoint = gx.Checkpoint(
        name=table.name,
        validation_definitions=[_definition(gx, context, table)],
        result_format={"result_format": "SUMMARY", "unexpected_index_column_names": [table.row_name]},
    )
    run_id = gx.core.run_identifier.RunIdentifier(run_name=RUN_NAME, run_time=RUN_TIME)
    ran = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": table.rows}, run_id=run_id)
    (validation,) = ran.run_results.values()
    # Great Expectations gives results in an order of its own.
    results = {result.expectation_config.description: result for result in validation.results}
    return [_finding(table, rule, results[_description(rule)]) for rule in table.rules]


def _definition(gx: Any, context: Any, table: Table) -> Any:
    """The table as a batch of its own, with its suite."""
    asset = context.data_sources.add_pandas(table.name).add_dataframe_asset(table.name)
    batch = asset.add_batch_definition_whole_dataframe(table.name)
    expectations = [_expectation(gx, rule) for rule in table.rules]
    suite = context.suites.add(gx.ExpectationSuite(name=table.name, expectations=expectations))
    return context.validation_definitions.add(
        gx.ValidationDefinition(name=table.name, data=batch, suite=suite)
    )


def _expectation(gx: Any, rule: Rule) -> Any:
    notes = {"format": "markdown", "content": [rule.reason]}
    kind = getattr(gx.expectations, rule.kind)
    return kind(**rule.arguments, description=_description(rule), meta={"notes": notes})


def _description(rule: Rule) -> str:
    return f"Expected {rule.expected}."


def _finding(table: Table, rule: Rule, result: Any) -> Finding:
    received = None if result.success else _received(table, result.to_json_dict())
    return Finding(table.name, rule, received)


def _received(table: Table, found: dict[str, Any]) -> str:
    """What was found instead, from the parts of a result that its kind of expectation fills."""
    result = found["result"]
    if "unexpected_count" in result:
        rows = result["partial_unexpected_index_list"]
        examples = [_row_in_words(row, table.row_name) for row in rows[:EXAMPLES]]
        others = result["unexpected_count"] - len(examples)
        more = [f"and {others} more"] if others > 0 else []
        count = f"{result['unexpected_count']} of {result['element_count']}"
        return f"{count} are otherwise: {', '.join(examples + more)}"
    if "details" in result:
        return f"missing: {', '.join(result['details']['mismatched'].get('missing', []))}"
    if "observed_value" in result:
        return f"received: {result['observed_value']}"
    return f"it could not be checked: {_exception(found['exception_info'])}"


def _row_in_words(row: dict[str, Any], name: str) -> str:
    values = ", ".join(f"{column} {_value(value)}" for column, value in row.items() if column != name)
    return f"{row[name]} ({values})" if values else str(row[name])


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "missing" if value is None else str(value)


def _exception(information: dict[str, Any]) -> str:
    """The message in Great Expectations' record of an exception, which has one more level for metrics."""
    if "exception_message" in information:
        return str(information["exception_message"])
    return "; ".join(sorted({str(one["exception_message"]) for one in information.values()}))


def _polish(folder: Path, findings: Sequence[Finding], pages: Mapping[str, str]) -> None:
    """Make the data docs in `folder` self-contained; `pages` says for each table which page has its results."""
    shutil.rmtree(folder / "static", ignore_errors=True)
    write_text(folder / "style.css", _STYLE)
    for page in sorted(folder.rglob("*.html")):
        way_up = "../" * (len(page.relative_to(folder).parts) - 1)
        write_text(page, _self_contained(page.read_text(encoding="utf-8"), way_up + "style.css"))
    write_text(folder / "index.html", _index(findings, pages))


def _self_contained(html: str, style: str) -> str:
    for pattern in _REMOVED:
        html = pattern.sub("", html)
    numbers = count(1)
    names: dict[str, str] = {}
    html = _RANDOM_ID.sub(lambda match: names.setdefault(match[0], f"id-{next(numbers)}"), html)
    return html.replace("</head>", f'<link rel="stylesheet" href="{style}"></head>')


def _index(findings: Sequence[Finding], pages: Mapping[str, str]) -> str:
    failed = sum(finding.received is not None for finding in findings)
    verdict = (
        f"{failed} of {len(findings)} expectations failed"
        if failed
        else f"All {len(findings)} expectations hold"
    )
    sections = [
        f'<h2>{escape(table)}</h2>\n<p><a href="{pages[table]}">Details by Great Expectations</a></p>\n'
        f"<table>\n{''.join(_row(finding) for finding in rows)}</table>\n"
        for table, rows in groupby(findings, key=lambda finding: finding.table)
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Data docs</title>'
        '<link rel="stylesheet" href="style.css"></head>\n<body>\n'
        f'<h1 class="{"failed" if failed else "passed"}">{verdict}</h1>\n{"".join(sections)}</body></html>\n'
    )


def _row(finding: Finding) -> str:
    mark, kind = ("&#10003;", "passed") if finding.received is None else ("&#10007;", "failed")
    received = "" if finding.received is None else f'<br><b class="failed">{escape(finding.received)}</b>'
    return (
        f'<tr><td class="{kind}">{mark}</td><td>Expected {escape(finding.rule.expected)}.{received}'
        f'<br><span class="reason">{escape(finding.rule.reason)}</span></td></tr>\n'
    )
