"""Asking Great Expectations whether tables are as expected: the only importer of it.

The context is ephemeral and analytics are off, so nothing is left behind. The import takes ten seconds, hence inside
a function. The page for people is our own (`report`): Great Expectations' pages take styles and scripts from the web.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

from tintype.data.validation.rules import Finding, Rule, Table

EXAMPLES = 5  # rows that a failure names


def check(tables: Sequence[Table]) -> list[Finding]:
    """Check tables against their rules.

    Parameters
    ----------
    tables : sequence of Table
        With distinct names.

    Returns
    -------
    list of Finding
        One for each rule, in the order of the tables and their rules.
    """
    gx = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return [finding for table in tables for finding in _run(gx, context, table)]


def _great_expectations() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import great_expectations.expectations  # its classes are looked up by name

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return gx


def _run(gx: Any, context: Any, table: Table) -> list[Finding]:
    """Run one table's suite: a checkpoint takes one table a run."""
    checkpoint = gx.Checkpoint(
        name=table.name,
        validation_definitions=[_definition(gx, context, table)],
        result_format={"result_format": "SUMMARY", "unexpected_index_column_names": [table.row_name]},
    )
    ran = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": table.rows})
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
    found = result.to_json_dict()
    received = None if result.success else _received(table, found)
    return Finding(table.name, rule, received, _seen(found["result"]))


def _seen(result: dict[str, Any]) -> str:
    """How many rows are as expected, or the one value that was measured."""
    if "unexpected_count" in result:
        right = result["element_count"] - result["unexpected_count"]
        return f"{right:,} of {result['element_count']:,}"
    observed = result.get("observed_value", "")
    return f"{len(observed)} columns" if isinstance(observed, list) else _value(observed)


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
