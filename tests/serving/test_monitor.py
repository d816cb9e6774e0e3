"""What the service takes down of its photos, in memory and on disk, without a server around it."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import threading
import time
from datetime import UTC

import numpy as np
import pytest

from tintype.imaging.provenance import Lineage
from tintype.measures.records import PICTURES, day_file, day_files, record_of
from tintype.serving.metrics import Metrics
from tintype.serving.monitor.day_writer import DayLimitReached, DayWriter, FolderError, check_folder
from tintype.serving.monitor.monitor import AnsweredPhoto, Monitor

DAY = datetime.date(2026, 11, 25)
LINEAGE = Lineage("tintype", "7", "ab" * 32)


@pytest.fixture
def metrics():
    return Metrics()


def answered(pixels, **changed):
    ab = np.full((16, 16, 2), 10, np.float32)
    given = {
        "pixels": pixels,
        "coloured": pixels,
        "ab": ab,
        "confidence": None,
        "saturation": 1.0,
        "format": "TIFF",
        "size": 1234,
        "lineage": LINEAGE,
    }
    return AnsweredPhoto(**{**given, **changed})


def series(metrics):
    lines = metrics.exposition()[0].decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
    }


def records(folder):
    return [
        record for file in day_files(folder) for record in map(record_of, file.path.read_bytes().splitlines())
    ]


def test_a_photo_becomes_a_line_and_series(tmp_path, metrics, cat):
    monitor = Monitor(DayWriter(tmp_path, 10_000, 10), metrics.monitor(), 10**6)
    monitor.take(answered(cat, confidence=0.25))
    monitor.close()
    [record] = records(tmp_path)
    assert record["model"] == "tintype/7"
    assert record["bundle"] == "ab" * 6
    assert (record["format"], record["bits"], record["kind"], record["bytes"]) == ("TIFF", 8, "colour", 1234)
    assert record["confidence"] == 0.25
    assert record["picture"] is None
    assert record["time"].endswith("Z")
    found = series(metrics)
    assert found['tintype_monitored_total{outcome="measured"}'] == 1
    assert found['tintype_inputs_total{format="TIFF",kind="colour"}'] == 1
    assert found["tintype_answer_colourfulness_sum"] == pytest.approx(record["colourfulness"], abs=1e-3)
    assert found["tintype_answer_confidence_count"] == 1
    assert found["tintype_input_lightness_sum"] == pytest.approx(record["lightness"], abs=1e-3)
    assert found["tintype_monitor_seconds_count"] == 1
    assert not (tmp_path / PICTURES).exists()


def test_what_is_not_defined_is_left_out(tmp_path, metrics, cat):
    gray = cat.mean(axis=2, keepdims=True).astype(np.uint8).repeat(3, axis=2)
    monitor = Monitor(DayWriter(tmp_path, 10_000, 10), metrics.monitor(), 10**6)
    monitor.take(answered(gray, ab=np.zeros((4, 4, 2), np.float32)))
    monitor.close()
    [record] = records(tmp_path)
    assert record["bleed_score"] is None
    assert record["confidence"] is None
    assert record["kind"] == "gray"
    assert series(metrics)["tintype_answer_bleed_score_count"] == 0
    [line] = day_files(tmp_path)[0].path.read_text().splitlines()
    assert "NaN" not in line


def test_taking_returns_at_once_and_what_is_behind_is_skipped(tmp_path, metrics, cat):
    gate, busy = threading.Event(), threading.Event()

    class Slow(DayWriter):
        def write(self, line, day):
            busy.set()
            assert gate.wait(30)
            super().write(line, day)

    pixels = cat.shape[0] * cat.shape[1]
    monitor = Monitor(Slow(tmp_path, 10_000, 10), metrics.monitor(), 3 * pixels)
    monitor.take(answered(cat))
    assert busy.wait(30)
    start = time.perf_counter()
    for _ in range(9):
        monitor.take(answered(cat))
    assert time.perf_counter() - start < 0.05
    gate.set()
    monitor.close()
    assert len(records(tmp_path)) == 3
    assert series(metrics)['tintype_monitored_total{outcome="skipped"}'] == 7


def test_a_photo_larger_than_all_that_may_wait_is_measured_if_it_is_alone(tmp_path, metrics, cat):
    monitor = Monitor(DayWriter(tmp_path, 10_000, 10), metrics.monitor(), 10)
    monitor.take(answered(cat))
    monitor.close()
    assert len(records(tmp_path)) == 1


def test_a_photo_that_cannot_be_measured_is_counted_and_logged_and_ends_nothing(
    tmp_path, metrics, cat, caplog
):
    monitor = Monitor(DayWriter(tmp_path, 10_000, 10), metrics.monitor(), 10**6)
    for _ in range(3):
        monitor.take(answered(cat, coloured=cat.astype(np.complex64)))
    monitor.take(answered(cat))
    monitor.close()
    assert len(records(tmp_path)) == 1
    found = series(metrics)
    assert found['tintype_monitored_total{outcome="error"}'] == 3
    assert found['tintype_monitored_total{outcome="measured"}'] == 1
    [entry] = [entry for entry in caplog.records if "could not be measured" in entry.message]  # once a minute
    assert entry.exc_info is not None


def test_a_folder_that_is_gone_is_made_again_and_one_that_cannot_be_is_counted(tmp_path, metrics, cat):
    folder = tmp_path / "monitor"
    writer = DayWriter(folder, 10_000, 10)
    writer.write(b"1\n", DAY)
    day_files(folder)[0].path.unlink()
    writer.write(b"2\n", DAY)
    assert day_files(folder)[0].path.read_bytes() == b"2\n"
    writer.close()
    blocked = tmp_path / "file"
    blocked.touch()
    monitor = Monitor(DayWriter(blocked, 10_000, 10), metrics.monitor(), 10**6)
    monitor.take(answered(cat))
    monitor.close()
    found = series(metrics)
    assert found['tintype_monitored_total{outcome="unwritten"}'] == 1
    assert found['tintype_monitored_total{outcome="measured"}'] == 1


def test_pictures_are_kept_only_if_asked_for_and_small_and_bare(tmp_path, metrics, coffee):
    monitor = Monitor(DayWriter(tmp_path, 10**6, 10), metrics.monitor(), 10**6, pictures=1.0)
    monitor.take(answered(coffee))
    monitor.close()
    [record] = records(tmp_path)
    day = datetime.datetime.now(UTC).date()
    files = sorted((tmp_path / PICTURES / str(day)).iterdir())
    assert [file.name for file in files] == [f"{record['picture']}-{key}.jpg" for key in ("colour", "gray")]
    for file in files:
        content = file.read_bytes()
        assert len(content) < 50_000
        assert b"Exif" not in content
        assert b"http" not in content
    assert record["picture"] not in json.dumps(
        {key: value for key, value in record.items() if key != "picture"}
    )


def test_pictures_that_find_no_room_cost_no_line(tmp_path, metrics, coffee):
    monitor = Monitor(DayWriter(tmp_path, 3_000, 10), metrics.monitor(), 10**6, pictures=1.0)
    monitor.take(answered(coffee))
    monitor.close()
    [record] = records(tmp_path)
    assert record["picture"] is None
    assert series(metrics)['tintype_monitored_total{outcome="full"}'] == 1


def test_a_day_has_so_many_bytes_and_the_next_one_again(tmp_path):
    writer = DayWriter(tmp_path, 10, 10)
    writer.write(b"12345678\n", DAY)
    with pytest.raises(DayLimitReached):
        writer.write(b"12\n", DAY)
    writer.write(b"12\n", DAY + datetime.timedelta(days=1))
    writer.close()
    assert [file.path.read_bytes() for file in day_files(tmp_path)] == [b"12345678\n", b"12\n"]


def test_two_processes_have_a_file_each(tmp_path):
    one, other = DayWriter(tmp_path, 100, 10), DayWriter(tmp_path, 100, 10)
    one.write(b"1\n", DAY)
    other.write(b"2\n", DAY)
    one.write(b"3\n", DAY)
    assert {file.path.read_bytes() for file in day_files(tmp_path)} == {b"1\n3\n", b"2\n"}


def test_old_days_are_removed_and_nothing_else(tmp_path):
    kept = [
        day_file(tmp_path, DAY - datetime.timedelta(days=5), "0" * 16),
        tmp_path / "2020-01-01.parquet",
        tmp_path / "notes.txt",
        tmp_path / PICTURES / str(DAY - datetime.timedelta(days=5)) / "a-gray.jpg",
    ]
    gone = [
        day_file(tmp_path, DAY - datetime.timedelta(days=6), "0" * 16),
        tmp_path / PICTURES / str(DAY - datetime.timedelta(days=6)) / "a-gray.jpg",
    ]
    for file in kept + gone:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    DayWriter(tmp_path, 100, 5).write(b"1\n", DAY)
    assert all(file.exists() for file in kept)
    assert not any(file.exists() for file in gone)


TEARING = """
import datetime, resource, sys
from pathlib import Path
from tintype.serving.monitor.day_writer import DayWriter
writer = DayWriter(Path(sys.argv[1]), 10_000, 10)
day = datetime.date(2026, 11, 25)
writer.write(b'{"bits": 8}\\n', day)
resource.setrlimit(resource.RLIMIT_FSIZE, (20, resource.RLIM_INFINITY))
try:
    writer.write(b'{"bits": 16}\\n', day)
except OSError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
writer.write(b'{"bits": 16}\\n', day)
"""


def test_a_full_disk_tears_one_line_and_not_the_next(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", TEARING, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "Only 8 of 13 bytes were written" in done.stdout
    found = records(tmp_path)
    assert [record and record["bits"] for record in found] == [8, None, 16]


def test_a_folder_that_cannot_be_used_is_reported(tmp_path):
    check_folder(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(
        FolderError, match="TINTYPE_MONITOR_DIR: Expected a folder that the service may write to"
    ):
        check_folder(file)
