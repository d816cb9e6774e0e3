"""The page and the command that makes it."""

from __future__ import annotations

import base64
import datetime
import re
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

from tintype.cli import app
from tintype.cli.monitor import ALARMED, write_report
from tintype.measures.records import PICTURES
from tintype.measures.statistics import STATISTICS
from tintype.monitoring.reference import write_reference

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Checks that tags are closed in order, and gathers addresses and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.text, self.alarms = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.addresses += [given[name] for name in ("src", "href") if name in given]
        if "data-alarm" in given:
            self.alarms.append(given["data-alarm"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in VOID or "svg" in self.open

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def report(tmp_path, reference, today):
    """Run the command on a folder; gives its exit code and the page."""
    write_reference(tmp_path / "reference.json", reference)
    now = datetime.datetime.combine(today, datetime.time(18), datetime.UTC)

    def run(folder, *, check=True, read_only=False, with_reference=True, days=28):
        file = tmp_path / "reference.json" if with_reference else None
        page = tmp_path / "monitor.html"
        alarms = write_report(folder, file, page, days, read_only=read_only, now=now)
        return ALARMED if check and alarms else 0, Page(page.read_text(encoding="utf-8"))

    return run


@pytest.fixture
def without_charts(monkeypatch):
    """Where charts do not matter, their labels stand for them: to draw a page's takes seconds."""
    monkeypatch.setattr("tintype.monitoring.report.chart", lambda draw, label, **_: label)


def test_good_days_pass_and_are_made_into_parquet(report, traffic, today, capsys):
    folder = traffic("normal", days=5, photos=120)
    code, page = report(folder)
    assert code == 0
    assert page.alarms == []
    assert "No alarm" in page.text
    assert {statistic.title for statistic in STATISTICS} <= set(map(str.strip, page.text))
    assert len(list(folder.glob("*.parquet"))) == 4
    assert [file.name[:10] for file in folder.glob("*.jsonl")] == [str(today)]
    out = capsys.readouterr().out
    assert "4 days made into Parquet" in out
    assert "600 photos from 2026-10-29 to 2026-11-25, 0 alarms" in out
    again = report(folder)[1]
    assert again.text == page.text


@pytest.mark.usefixtures("without_charts")
def test_bad_days_are_reported_on_the_page_and_by_the_exit_code(report, traffic, capsys):
    traffic("normal", days=5, until=1, photos=120)
    folder = traffic("gray", days=1, photos=150)
    code, page = report(folder)
    assert code == 3
    assert page.alarms == ["gray", "pale"]
    assert "ALARM  Many answers have no colour. It has been so since 2026-11-25." in capsys.readouterr().out
    assert report(folder, check=False)[0] == 0


def test_the_page_loads_nothing_from_elsewhere(report, traffic):
    _, page = report(traffic("garish", days=2, photos=120))
    assert all(address.startswith("data:") for address in page.addresses)
    style = "".join(page.text)
    assert "@import" not in style
    assert not re.search(r"url\((?!#)", style)
    assert "prefers-color-scheme: dark" in style


@pytest.mark.usefixtures("without_charts")
def test_read_only_leaves_the_folder_as_it_is(report, traffic):
    folder = traffic("normal", days=3)
    before = sorted((file.name, file.read_bytes()) for file in folder.iterdir())
    _, page = report(folder, read_only=True)
    assert sorted((file.name, file.read_bytes()) for file in folder.iterdir()) == before
    assert "180" in page.text


def test_without_a_reference_there_is_a_page_too(report, traffic):
    code, page = report(traffic("normal", days=2), with_reference=False)
    assert (code, page.alarms) == (0, [])
    assert any("There is no reference" in text for text in page.text)


def test_silence_is_an_alarm(report, traffic):
    folder = traffic("normal", days=3, until=10)
    for days in (28, 1):  # whether they are among the days shown or not
        code, page = report(folder, days=days)
        assert (code, page.alarms) == (3, ["silent"])


@pytest.mark.usefixtures("without_charts")
def test_torn_lines_are_reported(report, traffic):
    folder = traffic("normal", days=1)
    [file] = folder.glob("*.jsonl")
    file.write_bytes(file.read_bytes() + b'{"time": "2026-')
    _, page = report(folder)
    assert any(text.startswith("1 line could not be read and is left out") for text in page.text)


@pytest.mark.usefixtures("without_charts")
def test_kept_pictures_are_shown_in_the_page(report, traffic, today):
    folder = traffic("normal", days=1, photos=3, picture="00ff")
    (folder / PICTURES / str(today)).mkdir(parents=True)
    for key in ("gray", "colour"):
        (folder / PICTURES / str(today) / f"00ff-{key}.jpg").write_bytes(key.encode())
    _, page = report(folder)
    assert base64.b64decode(page.addresses[0].partition(",")[2]) == b"gray"
    assert base64.b64decode(page.addresses[1].partition(",")[2]) == b"colour"


@pytest.mark.usefixtures("without_charts")
def test_names_cannot_break_the_page(report, traffic):
    folder = traffic("normal", days=1, model="<script>alert(1)</script>", format="<b>")
    _, page = report(folder)
    assert "<script>alert(1)</script>" in page.text


def test_the_command_needs_no_name_of_its_own(traffic, tmp_path, without_charts, monkeypatch):
    folder = traffic("normal", days=2)
    page = tmp_path / "page.html"
    for arguments in ([str(folder)], ["report", str(folder)], ["--days", "3650", str(folder)]):
        if "--days" in arguments:
            monkeypatch.undo()  # ten years are drawn
        done = CliRunner().invoke(app, ["monitor", *arguments, "--read-only", "-o", str(page)])
        assert done.exit_code == 0, done.output
    assert re.search("<title>Tintype monitor", page.read_text())
    assert CliRunner().invoke(app, ["monitor", "--help"]).exit_code == 0
    assert "reference" in CliRunner().invoke(app, ["monitor", "--help"]).output


def test_trouble_is_reported_in_a_sentence(tmp_path, traffic):
    folder = traffic("normal", days=1)
    (tmp_path / "file").touch()
    for arguments in (
        [tmp_path / "none", "--output", tmp_path / "x.html"],
        [folder, "--reference", tmp_path / "none", "--output", tmp_path / "x.html"],
        [folder, "--output", tmp_path / "file" / "page.html"],
    ):
        result = CliRunner().invoke(app, ["monitor", *map(str, arguments), "--days", "1", "--check"])
        assert result.exit_code == 1
        assert result.stderr.startswith("error: Expected ")
        assert "Traceback" not in result.output
