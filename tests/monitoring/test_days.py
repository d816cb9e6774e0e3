"""Lines become Parquet, once, and what is torn is counted."""

from __future__ import annotations

import datetime
import json
import multiprocessing
from datetime import UTC

import numpy as np
import pytest
from pyarrow import parquet

from tintype.measures.records import day_file, day_files, line_of
from tintype.monitoring.days import MonitorError, convert, parquet_of, read_days

DAY = datetime.date(2026, 11, 24)
AFTER = datetime.datetime(2026, 11, 25, 0, 11, tzinfo=UTC)


def written(folder, count, *, day=DAY, writer="0" * 16, rest=b""):
    folder.mkdir(exist_ok=True)
    path = day_file(folder, day, writer)
    records = [
        {"model": "tintype/3", "lightness": number, "bleed_score": float("nan")} for number in range(count)
    ]
    path.write_bytes(b"".join(map(line_of, records)) + rest)
    return path


def test_a_day_that_is_over_becomes_one_file(tmp_path):
    written(tmp_path, 3)
    written(tmp_path, 2, writer="1" * 16)
    today = written(tmp_path, 4, day=DAY + datetime.timedelta(days=1))
    assert convert(tmp_path, AFTER) == [DAY]
    table = parquet.read_table(parquet_of(tmp_path, DAY))
    assert len(table) == 5
    assert table.column("lightness").to_pylist() == [0, 1, 2, 0, 1]
    assert table.column("bleed_score").null_count == 5
    assert [file.path for file in day_files(tmp_path)] == [today]
    assert convert(tmp_path, AFTER) == []


def test_a_day_is_left_alone_until_it_is_over_everywhere(tmp_path):
    """In UTC, whatever the clock on the wall says, and for ten minutes more."""
    written(tmp_path, 1)
    east = datetime.timezone(datetime.timedelta(hours=9))
    assert convert(tmp_path, datetime.datetime(2026, 11, 25, 5, 0, tzinfo=east)) == []
    assert convert(tmp_path, AFTER - datetime.timedelta(minutes=2)) == []
    assert convert(tmp_path, AFTER) == [DAY]


def test_what_comes_late_is_added(tmp_path):
    written(tmp_path, 3)
    convert(tmp_path, AFTER)
    written(tmp_path, 2, writer="1" * 16)
    assert len(read_days(tmp_path, DAY, DAY).photos) == 5
    convert(tmp_path, AFTER)
    assert len(read_days(tmp_path, DAY, DAY).photos) == 5
    assert day_files(tmp_path) == []


def test_a_conversion_that_was_cut_off_counts_nothing_twice(tmp_path):
    path = written(tmp_path, 3)
    lines = path.read_bytes()
    convert(tmp_path, AFTER)
    path.write_bytes(lines)  # as if it had ended before it removed them
    assert len(read_days(tmp_path, DAY, DAY).photos) == 3
    convert(tmp_path, AFTER)
    assert len(read_days(tmp_path, DAY, DAY).photos) == 3
    assert not path.exists()


def test_two_at_once_count_nothing_twice(tmp_path):
    for writer in range(30):
        written(tmp_path, 20, writer=f"{writer:016x}", day=DAY - datetime.timedelta(days=writer % 3))
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=convert, args=(tmp_path, AFTER)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    assert len(read_days(tmp_path, DAY - datetime.timedelta(days=2), DAY).photos) == 600
    assert day_files(tmp_path) == []


@pytest.mark.parametrize(
    "torn",
    [b'{"model": "tintype/3", "light', b"\xff\xfe\x00", b"[1, 2]", b'{"lightness": "bright"}', b"nonsense\n"],
)
def test_a_torn_last_line_is_left_out_and_counted(tmp_path, torn):
    written(tmp_path, 3, rest=torn)
    before = read_days(tmp_path, DAY, DAY)
    convert(tmp_path, AFTER)
    after = read_days(tmp_path, DAY, DAY)
    assert [(len(found.photos), found.torn) for found in (before, after)] == [(3, 1), (3, 1)]


def test_only_the_days_asked_for_are_read(tmp_path):
    for back in range(5):
        written(tmp_path, 2, day=DAY - datetime.timedelta(days=back))
    convert(tmp_path, AFTER)
    found = read_days(tmp_path, DAY - datetime.timedelta(days=2), DAY - datetime.timedelta(days=1)).photos
    assert found.days == [np.datetime64(DAY - datetime.timedelta(days=back)) for back in (2, 1)]
    assert len(found) == 4


def test_fields_of_another_version_do_no_harm(tmp_path):
    line = json.dumps({"model": "tintype/9", "mood": "blue", "lightness": 50}).encode()
    written(tmp_path, 0, rest=line + b"\n")
    convert(tmp_path, AFTER)
    old = parquet.read_table(parquet_of(tmp_path, DAY))
    parquet.write_table(old.drop_columns(["sharpness"]), parquet_of(tmp_path, DAY))
    photos = read_days(tmp_path, DAY, DAY).photos
    assert photos.values("lightness").tolist() == [50]
    assert np.isnan(photos.values("sharpness")).all()


def test_what_is_no_monitors_folder_is_reported(tmp_path):
    with pytest.raises(MonitorError, match="which is no folder"):
        read_days(tmp_path / "none", DAY, DAY)
    with pytest.raises(MonitorError, match=r"Expected a monitor's days in .* TINTYPE_MONITOR_DIR"):
        convert(tmp_path, AFTER)


def test_a_broken_file_is_reported(tmp_path):
    written(tmp_path, 1)
    parquet_of(tmp_path, DAY).write_bytes(b"PAR1 no more")
    with pytest.raises(MonitorError, match="Expected a Parquet file at "):
        read_days(tmp_path, DAY, DAY)
    with pytest.raises(MonitorError, match="Expected a Parquet file at "):
        convert(tmp_path, AFTER)
    assert len(day_files(tmp_path)) == 1
