"""The log of a collection."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tintype.cli.collection.results_log import LOG_FILE, LogError, Record, ResultsLog, read_log

BOAT = Record(
    status="done",
    source="/photos/Böt.jpg",
    destination="a/Böt.jpg",
    bytes=10,
    mtime_ns=1_700_000_000_123_456_789,
    sha256="1" * 64,
    result_bytes=20,
    result_sha256="2" * 64,
    model={"name": "tintype", "version": "3", "bundle_sha256": "3" * 64},
    parameters={"saturation": "1"},
    mean_dl=0.0,
    max_dl=0.5,
    notes=["Has 3 pages; the first was taken."],
    at="2026-11-23T12:00:00+00:00",
)


def test_a_line_comes_back_as_it_was_written_and_the_last_one_holds(here):
    with ResultsLog(Path("out")) as log:
        log.append(replace(BOAT, status="writing"))
        log.append(BOAT)
        log.append(Record("failed", "/photos/b.jpg", "b.jpg", reason="Is empty.", code="empty"))
    assert read_log(Path("out") / LOG_FILE).records == {
        "a/Böt.jpg": BOAT,
        "b.jpg": Record("failed", "/photos/b.jpg", "b.jpg", reason="Is empty.", code="empty"),
    }
    assert "Böt" in (Path("out") / LOG_FILE).read_text(encoding="utf-8")  # for people too


def test_a_name_that_is_no_text_is_kept(here):
    name = os.fsdecode(b"old-\xff.jpg")
    with ResultsLog(Path("out")) as log:
        log.append(replace(BOAT, destination=name))
        log.append(BOAT)
    assert set(read_log(Path("out") / LOG_FILE).records) == {name, "a/Böt.jpg"}


@pytest.mark.parametrize("cut", [1, 2, 30])
def test_a_torn_last_line_is_cut_off_and_reported(here, cut):
    with ResultsLog(Path("out")) as log:
        log.append(BOAT)
        log.append(replace(BOAT, destination="b.jpg"))
    path = Path("out") / LOG_FILE
    os.truncate(path, path.stat().st_size - cut)
    assert read_log(path).torn
    with ResultsLog(Path("out")) as log:
        assert log.content.torn
        assert set(log.content.records) == {"a/Böt.jpg"}
        log.append(replace(BOAT, destination="c.jpg"))
    assert [json.loads(line)["destination"] for line in path.read_text().splitlines()] == [
        "a/Böt.jpg",
        "c.jpg",
    ]
    assert not read_log(path).torn


@pytest.mark.parametrize(
    "line",
    ["not json", "[]", "7", '{"status": "done"}', '{"status": "new", "source": "", "destination": ""}'],
)
def test_a_damaged_line_in_the_middle_is_named(here, line):
    path = here / LOG_FILE
    with ResultsLog(here) as log:
        log.append(BOAT)
    path.write_text(f"{path.read_text()}{line}\n{path.read_text()}")
    with pytest.raises(LogError, match="in line 2 of"):
        read_log(path)


def test_what_a_later_version_adds_is_no_damage(here):
    Path(LOG_FILE).write_text(
        '{"status": "done", "source": "/a.jpg", "destination": "a.jpg", "mood": "fine"}\n'
    )
    assert read_log(Path(LOG_FILE)).records == {"a.jpg": Record("done", "/a.jpg", "a.jpg")}


def test_a_call_that_begins_nothing_leaves_nothing(here):
    with ResultsLog(Path("a/b")):
        pass
    assert not Path("a/b").exists()
    Path("there").mkdir()
    with ResultsLog(Path("there")):
        pass
    assert list(Path("there").iterdir()) == []


def test_without_a_folder_nothing_is_kept(here):
    with ResultsLog(None) as log:
        log.append(BOAT)
        assert log.name_of(Path("out/a.jpg")) == "out/a.jpg"
    assert list(here.iterdir()) == []


def test_a_second_run_does_not_write_to_the_same_folder(here):
    other = (
        "from pathlib import Path; from tintype.cli.collection.results_log import ResultsLog;"
        "ResultsLog(Path('out')).__enter__()"
    )
    with ResultsLog(Path("out")) as log:
        log.append(BOAT)
        refused = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=False)
    assert "LogError: Another run is writing to out right now." in refused.stderr
    assert subprocess.run([sys.executable, "-c", other], check=False).returncode == 0


def test_looking_into_a_manifest_changes_nothing(here):
    with ResultsLog(Path("out")) as log:
        log.append(BOAT)
    path = Path("out") / LOG_FILE
    os.truncate(path, path.stat().st_size - 1)
    before = path.read_bytes()
    assert ResultsLog.as_read(Path("out")).content.torn
    assert path.read_bytes() == before
    assert ResultsLog.as_read(Path("nowhere")).content.records == {}
    assert not Path("nowhere").exists()


FILL = """
import resource, signal
from pathlib import Path
from tintype.cli.collection.results_log import ResultsLog, Record
from tintype.files.disk import DiskError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with ResultsLog(Path("out")) as log:
    for number in range(100):
        try:
            log.append(Record("done", "/a.jpg", f"{number}.jpg"))
        except DiskError as error:
            print(number, error)
            break
"""


def test_a_full_disk_is_a_sentence_and_leaves_whole_lines(here):
    output = subprocess.run([sys.executable, "-c", FILL], check=True, capture_output=True, text=True).stdout
    number, sentence = output.split(" ", 1)
    assert sentence.startswith("The disk is full: ")
    content = read_log(Path("out") / LOG_FILE)
    assert (len(content.records), content.torn) == (int(number), False)


def test_what_is_no_file_is_no_manifest(here):
    Path(LOG_FILE).symlink_to("/dev/zero")
    with pytest.raises(LogError, match="that is no file"):
        read_log(Path(LOG_FILE))


def test_a_folder_that_cannot_be_made_is_a_sentence(here):
    Path("out").write_text("in the way")
    with (
        pytest.raises(LogError, match="Expected to write to the folder out/deep"),
        ResultsLog(Path("out/deep")),
    ):
        pass
