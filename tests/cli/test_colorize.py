"""The command around the colorizer."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tintype.cli import app
from tintype.cli.colorize import CHAMPION, colour_all, find_bundle
from tintype.cli.jobs import UsageError, plan
from tintype.errors import TintypeError
from tintype.imaging.lab import rgb8_to_lab
from tintype.imaging.photo import find_photos, read_photo


class Reddener:
    """Colours as fast as a test wants, and has no memory for large photos."""

    def colorize(self, rgb8):
        if rgb8.shape[1] > 20:
            raise MemoryError
        return np.minimum(rgb8 + np.array([60, 0, 0], np.uint8), 255)


@pytest.fixture
def tintype():
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def colour(inputs, output):
    return colour_all(Reddener(), plan([Path(name) for name in inputs], Path(output)), Path(output))


def test_photos_get_colour_at_full_size_and_keep_their_lightness(bundle, odd_photos, here, tintype):
    Path("in/deep").mkdir(parents=True)
    for name in (
        "in/gray.jpg",
        "in/deep/alpha.png",
        "in/deep/gif.gif",
        "in/rotated.jpg",
        "in/one_pixel_high.png",
    ):
        shutil.copy(odd_photos / Path(name).name, name)
    result = tintype("colorize", "in", "-o", "out", "--model", bundle)
    assert (result.exit_code, result.stderr) == (0, "")
    for photo in find_photos(Path("in")):
        name = photo.relative_to("in")
        coloured = read_photo(Path("out") / (name if photo.suffix != ".gif" else f"{name}.png"))
        before, after = (rgb8_to_lab(rgb8) for rgb8 in (read_photo(photo).rgb8, coloured.rgb8))
        assert after.shape == before.shape
        assert np.abs(after - before)[..., 0].mean() < 1
    assert np.array_equal(
        read_photo(Path("out/deep/alpha.png")).alpha, read_photo(Path("in/deep/alpha.png")).alpha
    )


def test_all_went_well(photo, capsys):
    photo("in/a/boat.png")
    photo("in/house.png")
    assert colour(["in"], "out") == 0
    assert np.asarray(Image.open("out/a/boat.png"))[0, 0].tolist() == [150, 90, 90]
    captured = capsys.readouterr()
    assert captured.out.startswith("Coloured 2 of 2 photos into out in ")
    assert captured.err == ""


def test_a_photo_that_fails_is_named_and_the_others_go_on(photo, capsys):
    photo("in/a.png")
    Path("in/b.jpg").write_bytes(b"not a photo")
    Image.new("L", (30, 30)).save("in/c.png")
    photo("in/d.png")
    assert colour(["in"], "out") == 1
    captured = capsys.readouterr()
    assert [line.split(":")[:2] for line in captured.err.splitlines()] == [
        ["failed", " in/b.jpg"],
        ["failed", " in/c.png"],
    ]
    assert "memory" in captured.err
    assert captured.out.startswith("Coloured 2 of 4 photos")
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.png", "d.png"]


def test_a_result_that_cannot_be_written_is_one_failure(photo, capsys):
    photo("boat.png")
    Path("out").write_text("in the way")
    assert colour(["boat.png"], "out/boat.png") == 1
    assert "failed: boat.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.jpg", "-o", "out"], "error: Expected a photo or a folder of photos at nowhere.jpg"),
        (
            ["boat.jpg", "-o", "out", "--model", "nowhere"],
            "error: Expected a bundle's folder or a models:/ address",
        ),
        (["boat.jpg"], "--output"),
        (["-o", "out"], "PHOTO"),
        (["boat.jpg", "-o", "out", "--colour"], "--colour"),
    ],
)
def test_a_command_that_makes_no_sense_exits_with_2(photo, tintype, arguments, sentence):
    photo("boat.jpg")
    result = tintype("colorize", *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not Path("out").exists()


def test_nothing_is_loaded_when_every_result_is_there(photo, tintype):
    photo("boat.jpg")
    photo("out/boat.jpg")
    result = tintype("colorize", "boat.jpg", "-o", "out", "--skip-existing")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Nothing to do")


def test_the_pipelines_bundle_comes_before_the_champion(here):
    Path("models/tintype").mkdir(parents=True)
    assert find_bundle(None) == Path("models/tintype")
    with pytest.raises(UsageError, match="nowhere"):
        find_bundle("nowhere")


def test_without_a_bundle_the_champion_is_asked_for(here, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{here}/empty.db")
    with pytest.raises(TintypeError, match="champion"):
        find_bundle(None)
    assert CHAMPION == "models:/tintype@champion"


def test_help_and_version(tintype):
    assert "colorize" in tintype("--help").stdout
    assert "Exit code" in tintype("colorize", "--help").stdout
    assert tintype("--version").stdout.startswith("tintype ")
