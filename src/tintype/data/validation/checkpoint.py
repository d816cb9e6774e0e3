"""Asking Great Expectations: the only importer of it.

The context is ephemeral and analytics are off, so nothing is left behind but the data docs. The import takes ten
seconds, hence inside functions.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tintype.data.validation.expectations import Rule, Table
from tintype.files.atomic import new_folder

EXAMPLES = 5  # rows that a failure names
# A fixed time keeps paths and pages of the data docs the same from run to run.
RUN_NAME, RUN_TIME = "validate", datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Verdict:
    """How many expectations there were, and those that failed, in words."""

    expectations: int
    failures: list[str]


def check(tables: Sequence[Table], docs: Path | None = None) -> Verdict:
    """Hold tables against their rules.

    Parameters
    ----------
    tables : sequence of Table
        With distinct names.
    docs : Path, optional
        Folder for the data docs (HTML), replaced as a whole; its entry is index.html.

    Returns
    -------
    Verdict
        Failures in the order of the tables and their rules.
    """
    gx = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    if docs is None:
        return _run(gx, context, tables, [])
    with new_folder(docs) as part:
        return _run(gx, context, tables, [_docs_action(gx, context, part)])


def _great_expectations() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import great_expectations.expectations  # its classes are looked up by name

    for name in ("great_expectations", "great_expectations.checkpoint"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return gx


def _definition(gx: Any, context: Any, table: Table) -> Any:
    """The table as a batch of its own, with its suite."""
    asset = context.data_sources.add_pandas(table.name).add_dataframe_asset(table.name)
    batch = asset.add_batch_definition_whole_dataframe(table.name)
    suite = context.suites.add(gx.ExpectationSuite(name=table.name))
    for rule in table.rules:
        suite.add_expectation(_expectation(gx, rule))
    return context.validation_definitions.add(
        gx.ValidationDefinition(name=table.name, data=batch, suite=suite)
    )


def _expectation(gx: Any, rule: Rule) -> Any:
    notes = {"format": "markdown", "content": [rule.reason]}
    return getattr(gx.expectations, rule.kind)(
        **rule.arguments,
        description=f"Expected {rule.expected}",
        meta={"notes": notes, "expected": rule.expected},
    )


def _docs_action(gx: Any, context: Any, folder: Path) -> Any:
    context.add_data_docs_site(
        "docs",
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(folder.absolute()),
            },
        },
    )
    return gx.checkpoint.UpdateDataDocsAction(name="docs", site_names=["docs"])


def _run(gx: Any, context: Any, tables: Sequence[Table], actions: list[Any]) -> Verdict:
    """Run each table's suite, one after the other: a checkpoint takes one table a run."""
    failures = []
    for table in tables:
        checkpoint = gx.Checkpoint(
            name=table.name,
            validation_definitions=[_definition(gx, context, table)],
            actions=actions,
            result_format={"result_format": "SUMMARY", "unexpected_index_column_names": [table.row_name]},
        )
        run_id = gx.core.run_identifier.RunIdentifier(run_name=RUN_NAME, run_time=RUN_TIME)
        outcome = context.checkpoints.add(checkpoint).run(
            batch_parameters={"dataframe": table.rows}, run_id=run_id
        )
        (validation,) = outcome.run_results.values()
        failed = {
            result.expectation_config.meta["expected"]: result.to_json_dict()
            for result in validation.results
            if not result.success
        }
        # Great Expectations gives results in an order of its own.
        failures += [
            _sentence(table, rule, failed[rule.expected]) for rule in table.rules if rule.expected in failed
        ]
    return Verdict(sum(len(table.rules) for table in tables), failures)


def _sentence(table: Table, rule: Rule, outcome: dict[str, Any]) -> str:
    return f"{table.name}: expected {rule.expected}; {_received(table, outcome)}."


def _received(table: Table, outcome: dict[str, Any]) -> str:
    """What was found instead, from the parts of a result that its kind of expectation fills."""
    result = outcome["result"]
    if "unexpected_count" in result:
        rows = result["partial_unexpected_index_list"]
        examples = [_row_in_words(row, table.row_name) for row in rows[:EXAMPLES]]
        more = ["..."] if result["unexpected_count"] > len(examples) else []
        count = f"{result['unexpected_count']} of {result['element_count']}"
        return f"{count} are otherwise: {', '.join(examples + more)}"
    if "details" in result:
        return f"missing: {', '.join(result['details']['mismatched'].get('missing', []))}"
    if "observed_value" in result:
        return f"received: {result['observed_value']}"
    return f"it could not be checked: {_exception(outcome['exception_info'])}"


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
