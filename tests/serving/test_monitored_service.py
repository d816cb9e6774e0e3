"""A running service with the monitor on, and what it leaves on disk."""

from __future__ import annotations

import os
import signal
import time

import httpx
import pytest
from typer.testing import CliRunner

from tintype.cli import app
from tintype.measures.records import FIELDS, PICTURES, day_files, record_of
from tintype.measures.statistics import STATISTICS


def post(server, content, **params):
    return httpx.post(server.url + "/colorize", content=content, params=params, timeout=60, trust_env=False)


def lines(folder):
    return [line for file in day_files(folder) for line in file.path.read_bytes().splitlines()]


def wait_for(server, counts):
    """Until the monitor has dealt with so many photos."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        text = httpx.get(server.url + "/metrics", trust_env=False, timeout=10).text
        done = [float(line.rpartition(" ")[2]) for line in text.splitlines() if counted(line)]
        if sum(done) >= counts:
            return text
        time.sleep(0.1)
    raise AssertionError(text)


def counted(line):
    return line.startswith("tintype_monitored_total") and ("measured" in line or "skipped" in line)


def test_twenty_photos_leave_twenty_lines_and_nothing_of_the_photos(start_server, tmp_path, sample):
    folder = tmp_path / "monitor"
    server = start_server(TINTYPE_MONITOR_DIR=str(folder))
    server.wait_until("/readyz", 200)
    photos = sorted(sample.glob("*.jpg"))
    assert len(photos) == 20
    for photo in photos:
        form = {"photo": (f"secret {photo.name}", photo.read_bytes())}
        answer = httpx.post(server.url + "/colorize", files=form, timeout=60, trust_env=False)
        assert answer.status_code == 200
    assert post(server, photos[0].read_bytes(), saturation=0).status_code == 200
    assert post(server, b"no photo").status_code == 415
    text = wait_for(server, 21)
    assert server.stop() == 0
    found = lines(folder)
    assert len(found) == 21
    records = [record_of(line) for line in found]
    assert all(record is not None and record.keys() == FIELDS.keys() for record in records)
    assert [record["saturation"] for record in records] == [1.0] * 20 + [0.0]
    assert records[-1]["colourfulness"] < 1 < records[0]["colourfulness"]
    assert {record["kind"] for record in records} <= {"colour", "gray", "toned"}
    for statistic in STATISTICS:
        if statistic.name != "confidence":  # this network does not say
            assert any(record[statistic.name] is not None for record in records), statistic.name
    assert [file.suffix for file in folder.rglob("*") if file.is_file()] == [".jsonl"]
    everything = b"\n".join(found)
    for word in (b"secret", b".jpg", b"127.0.0.1", *(photo.stem.encode() for photo in photos)):
        assert word not in everything
    assert 'tintype_monitored_total{outcome="measured"} 21.0' in text
    assert "tintype_answer_patch_gradient_count 21.0" in text
    # A network that has learnt nothing is garish, and the report says so; unless these very days are the reference.
    page, usual = tmp_path / "report.html", tmp_path / "reference.json"
    done = monitor(str(folder), "-o", str(page), "--check")
    assert done.exit_code == 3, done.stdout + done.stderr
    assert "ALARM  Answers are garish." in done.stdout
    assert "21 photos from " in done.stdout
    assert "<svg" in page.read_text()
    done = monitor("reference", "--days-of", str(folder), "-o", str(usual))
    assert done.exit_code == 0, done.stderr
    assert "too few photos" in done.stderr
    done = monitor(str(folder), "-r", str(usual), "-o", str(page), "--check")
    assert done.exit_code == 0, done.stdout + done.stderr


def monitor(*arguments):
    """`tintype monitor`, in this process."""
    return CliRunner().invoke(app, ["monitor", *arguments])


def test_off_unless_set(server, client, cat_file):
    assert post(server, cat_file).status_code == 200
    text = client.get("/metrics").text
    assert "tintype_chroma" in text
    assert "tintype_monitored" not in text
    assert "tintype_answer_" not in text


def test_a_model_that_says_how_sure_it_is_has_it_recorded(start_server, tmp_path, pyramid_bundle, cat_file):
    folder = tmp_path / "monitor"
    server = start_server(
        TINTYPE_BUNDLE=str(pyramid_bundle), TINTYPE_MONITOR_DIR=str(folder), TINTYPE_MONITOR_PHOTOS="1"
    )
    server.wait_until("/readyz", 200)
    assert post(server, cat_file).status_code == 200
    wait_for(server, 1)
    [record] = map(record_of, lines(folder))
    assert 0 < record["confidence"] < 1
    names = {file.name for file in (folder / PICTURES).rglob("*.jpg")}
    assert names == {f"{record['picture']}-{key}.jpg" for key in ("gray", "colour")}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_workers_and_one_that_is_killed(start_server, tmp_path, cat_file):
    folder = tmp_path / "monitor"
    server = start_server(TINTYPE_MONITOR_DIR=str(folder), TINTYPE_WORKERS="2")
    server.wait_until("/readyz", 200)
    answered, end = 0, time.monotonic() + 120
    while len(day_files(folder) if folder.exists() else []) < 2:  # until both have answered
        answered += post(server, cat_file).status_code == 200
        assert time.monotonic() < end
    wait_for(server, answered)
    assert len(lines(folder)) == answered
    first, _ = server.workers()
    os.kill(first, signal.SIGKILL)
    while len(server.workers()) < 2 or first in server.workers():
        assert time.monotonic() < end
        time.sleep(0.2)
    again = 0
    while len(day_files(folder)) < 3:  # the new worker has a file of its own
        again += post(server, cat_file).status_code == 200
        assert time.monotonic() < end
    assert server.stop() == 0
    found = lines(folder)
    assert len(found) == answered + again
    assert all(record_of(line) is not None for line in found)
