"""The same command again: what is done is done, and nothing is overwritten unasked."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.cli.collection.results_log import LOG_FILE
from tintype.files.digest import sha256_of


@pytest.fixture
def done(photo, tintype):
    """Three small photos, coloured."""
    for gray, name in enumerate(("a.png", "b.png", "deep/c.png")):
        photo(f"in/{name}", gray=60 + 40 * gray)
    assert colour(tintype).exit_code == 0
    return Path("out")


def colour(tintype, *options):
    return tintype("colorize", "in", "-o", "out", *options)


def stamps():
    return {path.name: path.stat().st_mtime_ns for path in Path("out").rglob("*.png")}


def test_what_is_done_is_left_out(done, tintype, log_lines):
    before, lines = stamps(), log_lines()
    result = colour(tintype)
    assert result.exit_code == 0
    assert result.stdout.startswith("Nothing to do")
    assert "3 photos were coloured before" in result.stdout
    assert (stamps(), log_lines()) == (before, lines)


def test_even_with_force_so_that_a_forced_run_can_go_on(done, tintype):
    before = stamps()
    assert "3 photos were coloured before" in colour(tintype, "--force").stdout
    assert stamps() == before


def test_what_is_missing_or_new_is_coloured(done, photo, tintype):
    Path("out/b.png").unlink()
    photo("in/d.png")
    before = stamps()
    result = colour(tintype)
    assert "Coloured 2 of 2" in result.stdout
    assert "2 photos were coloured before" in result.stdout
    after = stamps()
    assert set(after) == {"a.png", "b.png", "c.png", "d.png"}
    assert {name: after[name] for name in ("a.png", "c.png")} == {
        name: before[name] for name in ("a.png", "c.png")
    }


def test_what_failed_is_tried_again(done, photo, tintype):
    Path("in/e.png").write_bytes(b"broken")
    assert colour(tintype).exit_code == 1
    assert colour(tintype).exit_code == 1
    photo("in/e.png")
    result = colour(tintype)
    assert result.exit_code == 0
    assert "Coloured 1 of 1" in result.stdout


@pytest.mark.parametrize(
    ("options", "why"),
    [(["--saturation", "0.5"], "with saturation 1."), (["--quality", "80"], "with quality 95.")],
)
def test_other_options_are_named_and_need_force(done, tintype, options, why):
    before = stamps()
    result = colour(tintype, *options)
    assert result.exit_code == 1
    assert f"left: out/a.png was coloured {why}" in result.stderr
    assert "Use --force to colour them anew." in result.stderr
    assert stamps() == before
    assert colour(tintype, *options, "--force").exit_code == 0
    assert all(stamp > before[name] for name, stamp in stamps().items())
    assert colour(tintype, *options).exit_code == 0


def test_what_the_model_is_asked_beside_colours_is_an_option_too(photo, tintype, pyramid_bundle):
    photo("in/a.png")
    own = ("--model", pyramid_bundle)
    assert colour(tintype, *own, "--abstain", "0.2").exit_code == 0
    assert colour(tintype, *own, "--abstain", "0.2").stdout.startswith("Nothing to do")
    assert "left: out/a.png was coloured with abstain 0.2." in colour(tintype, *own).stderr
    other = ("--abstain", "0.2", "--confidence")
    assert "left: out/a.png was coloured with confidence false." in colour(tintype, *own, *other).stderr
    assert not Path("out/a.confidence.png").exists()
    assert colour(tintype, *own, *other, "--force").exit_code == 0
    assert Path("out/a.confidence.png").exists()


def test_a_changed_photo_is_named_and_needs_force(done, photo, tintype):
    photo("in/a.png", gray=200)
    before = stamps()
    result = colour(tintype)
    assert result.exit_code == 1
    assert "left: out/a.png was coloured from a photo that has changed since." in result.stderr
    assert stamps() == before
    assert "Coloured 1 of 1" in colour(tintype, "--force").stdout
    assert np.asarray(Image.open("out/a.png")).mean() > 150


def test_a_photo_that_was_only_copied_or_touched_has_not_changed(done, tintype):
    os.utime("in/a.png", ns=(1, 1))
    Path("in").rename("moved")
    result = tintype("colorize", "moved", "-o", "out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "3 photos were coloured before" in result.stdout


def test_another_model_is_named_and_needs_force(done, tintype, bundle, here):
    shutil.copytree(bundle, "other")
    info = json.loads(Path("other/bundle.json").read_text())
    Path("other/bundle.json").write_text(json.dumps(info | {"preset": "other"}))
    result = colour(tintype, "--model", "other")
    assert result.exit_code == 1
    assert "left: out/a.png was coloured by another model (tintype " in result.stderr
    assert "Coloured 3 of 3" in colour(tintype, "--model", "other", "--force").stdout


def test_a_result_that_was_changed_is_left_alone(done, tintype):
    with Path("out/a.png").open("ab") as file:
        file.write(b"edited")
    result = colour(tintype)
    assert result.exit_code == 1
    assert "left: out/a.png was coloured and changed since." in result.stderr
    assert Path("out/a.png").read_bytes().endswith(b"edited")


def test_files_that_no_run_has_written_are_refused_replaced_or_left_out(done, photo, tintype):
    photo("in/d.png")
    photo("out/d.png", gray=1)
    result = colour(tintype)
    assert result.exit_code == 2
    assert "error: out/d.png already exists." in result.stderr
    assert "1 photo left out" in colour(tintype, "--skip-existing").stdout.replace("4 photos", "1 photo")
    assert np.asarray(Image.open("out/d.png")).max() == 1
    assert "Coloured 1 of 1" in colour(tintype, "--force").stdout
    assert np.asarray(Image.open("out/d.png")).max() > 1


def test_a_comparison_picture_of_another_origin_is_not_overwritten(photo, tintype):
    photo("in/a.png")
    Path("out").mkdir()
    Path("out/a.compare.jpg").write_text("mine")
    result = colour(tintype, "--compare")
    assert result.exit_code == 2
    assert "out/a.compare.jpg already exists" in result.stderr
    assert Path("out/a.compare.jpg").read_text() == "mine"


def test_a_run_killed_between_the_file_and_its_line_is_finished(done, tintype, log_lines):
    """The result is in its place, but no line says so: the line before it knows the bytes."""
    path = Path("out") / LOG_FILE
    lines = path.read_text().splitlines(keepends=True)
    last = json.loads(lines[-1])
    path.write_text("".join(lines[:-1]))
    before = stamps()
    result = colour(tintype)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "3 photos were coloured before" in result.stdout
    assert stamps() == before
    assert log_lines()[-1]["status"] == "done"
    assert log_lines()[-1]["result_sha256"] == last["result_sha256"]


def test_a_run_killed_before_the_file_leaves_its_part_to_be_removed(done, tintype, log_lines):
    path = Path("out") / LOG_FILE
    lines = path.read_text().splitlines(keepends=True)
    killed = Path("out") / json.loads(lines[-1])["destination"]
    path.write_text("".join(lines[:-1]))
    digest = sha256_of(killed)
    part = killed.with_name(f".{killed.stem}-123456.part{killed.suffix}")
    killed.rename(part)
    assert "Coloured 1 of 1" in colour(tintype).stdout
    assert sha256_of(killed) == digest
    assert not part.exists()


def test_a_torn_line_is_reported_and_costs_one_photo_at_most(done, tintype):
    path = Path("out") / LOG_FILE
    os.truncate(path, path.stat().st_size - 10)
    result = colour(tintype)
    assert result.exit_code == 0
    assert result.stderr.startswith(f"note: out/{LOG_FILE}: Its last line was cut off, as by a kill")
    assert "3 photos were coloured before" in result.stdout
    assert colour(tintype).stderr == ""
