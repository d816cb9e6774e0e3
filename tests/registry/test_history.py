"""Who was champion when, whoever moved the alias."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tintype.registry.history import ROLLBACK, Change, notice, read, record, way_back
from tintype.registry.store import RegistryError, connect, find_store


@pytest.fixture
def client(project: Path, tmp_path: Path) -> Any:
    """A registry with three versions, made by hand, and no champion."""
    client = connect(find_store())
    client.create_registered_model("tintype")
    for _ in range(3):
        client.create_model_version("tintype", f"file://{tmp_path}/none")
    return client


def _move(client: Any, version: str) -> None:
    """As a person does in MLflow's pages."""
    client.set_registered_model_alias("tintype", "champion", version)


def _said(client: Any) -> list[tuple[str, str, str]]:
    return [(change.version, change.previous, change.by) for change in read(client, "tintype")]


def test_a_change_is_read_as_it_was_written(client: Any) -> None:
    _move(client, "1")
    written = record(client, "tintype", "1", "", "tintype promote", 'it\'s "näher"', forced=True)
    assert read(client, "tintype") == [written]
    assert abs(written.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert written.user
    assert written.describe()["at"].endswith("Z")
    assert written.describe()["reason"] == 'it\'s "näher"'


def test_a_change_made_in_mlflow_is_noticed_once(client: Any) -> None:
    assert notice(client, "tintype") is None, "no champion, and none before"
    _move(client, "1")
    seen = notice(client, "tintype", "tintype watch")
    assert seen is not None
    assert (seen.version, seen.previous, seen.by) == ("1", "", "MLflow, seen by tintype watch")
    assert seen.user == "", "it is not known who moved it"
    assert notice(client, "tintype") is None
    _move(client, "3")
    client.delete_registered_model_alias("tintype", "champion")
    gone = notice(client, "tintype")
    assert gone is not None
    assert (gone.version, gone.previous) == ("", "1"), "what came and went between two looks is not known"
    assert len(read(client, "tintype")) == 2


def test_what_is_noticed_before_it_is_written_down_is_one_change(client: Any) -> None:
    _move(client, "1")
    record(client, "tintype", "1", "", "tintype register")
    _move(client, "2")
    notice(client, "tintype", "tintype watch")  # between the two steps of a promotion
    record(client, "tintype", "2", "1", "tintype promote", "better skies")
    assert _said(client) == [("1", "", "tintype register"), ("2", "1", "tintype promote")]
    notice(client, "tintype")
    assert read(client, "tintype")[-1].reason == "better skies"


def test_a_clock_that_was_ahead_does_not_turn_the_order_around(client: Any) -> None:
    ahead = datetime.now(UTC) + timedelta(days=1)
    key = f"champion_at.{ahead:%Y%m%dT%H%M%S.%fZ}"
    client.set_registered_model_tag("tintype", key, '{"version": "1", "previous": "", "by": "elsewhere"}')
    later = record(client, "tintype", "2", "1", "tintype promote")
    assert ahead < later.at <= ahead + timedelta(seconds=1)
    assert _said(client) == [("1", "", "elsewhere"), ("2", "1", "tintype promote")]


def test_writers_at_once_lose_nothing(client: Any) -> None:
    numbers = [str(number) for number in range(12)]
    writers = [
        threading.Thread(target=record, args=(client, "tintype", number, "", "a writer"))
        for number in numbers
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(change.version for change in read(client, "tintype")) == sorted(numbers)


@pytest.mark.parametrize("value", ["torn {", "[]", '{"version": "1"}', "1"])
def test_an_altered_history_is_reported(client: Any, value: str) -> None:
    client.set_registered_model_tag("tintype", "champion_at.20261125T153000.123456Z", value)
    with pytest.raises(RegistryError, match=r"champion_at\.20261125T153000\.123456Z of the model tintype"):
        read(client, "tintype")


def test_a_key_that_is_no_time_is_reported(client: Any) -> None:
    value = '{"version": "1", "previous": "", "by": "x"}'
    client.set_registered_model_tag("tintype", "champion_at.yesterday", value)
    with pytest.raises(RegistryError, match="yesterday"):
        notice(client, "tintype")


def _changes(*steps: tuple[str, str]) -> list[Change]:
    return [Change(datetime.now(UTC), version, "", by) for version, by in steps]


PROMOTE = "tintype promote"
SEEN = "MLflow, seen by tintype"


@pytest.mark.parametrize(
    ("steps", "pile"),
    [
        ([], []),
        ([("1", PROMOTE)], ["1"]),
        ([("1", PROMOTE), ("2", SEEN)], ["1", "2"]),
        ([("1", PROMOTE), ("2", PROMOTE), ("3", PROMOTE), ("2", ROLLBACK)], ["1", "2"]),
        ([("1", PROMOTE), ("2", PROMOTE), ("3", PROMOTE), ("2", ROLLBACK), ("1", ROLLBACK)], ["1"]),
        ([("1", PROMOTE), ("2", PROMOTE), ("1", ROLLBACK), ("3", PROMOTE)], ["1", "3"]),
        ([("1", PROMOTE), ("2", PROMOTE), ("", SEEN)], ["1", "2", ""]),
        ([("1", PROMOTE), ("2", PROMOTE), ("", SEEN), ("2", ROLLBACK)], ["1", "2"]),
        ([("1", PROMOTE), ("2", PROMOTE), ("1", SEEN)], ["1", "2", "1"]),  # by hand: a promotion like any
        ([("2", ROLLBACK)], ["2"]),  # the tags before it were removed
    ],
)
def test_the_way_back(steps: list[tuple[str, str]], pile: list[str]) -> None:
    assert way_back(_changes(*steps)) == pile
