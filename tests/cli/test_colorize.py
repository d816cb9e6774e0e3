"""The command around the colorizer."""

import json
import os
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.cli.collection.results_log import LOG_FILE
from tintype.files.digest import sha256_of
from tintype.formats.layer import read_layer
from tintype.formats.photo import read_photo
from tintype.formats.xmp import ProvenanceError, read_provenance
from tintype.imaging.finding import find_photos
from tintype.imaging.lab import chroma, rgb_to_lab
from tintype.imaging.merge import merge
from tintype.models.starter import starter_bundle

REPLACED = "Had colours of its own, which were replaced."
IN_COLOUR = (
    "in/deep/coffee.jpg",
    "in/lzw.tiff",
    "in/palette.png",
    "in/rotated.jpg",
)  # of the fixture `photos`


def notes_of(result):
    """The notes on stderr, which must have nothing else, by photo."""
    pairs = [line.removeprefix("note: ").split(": ", 1) for line in result.stderr.splitlines()]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def contents(folder):
    """Every file below a folder but the log of results, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.is_file() and path.name != LOG_FILE
    }


def test_photos_get_colour_at_full_size_and_keep_their_lightness(odd_photos, here, tintype):
    Path("in/deep").mkdir(parents=True)
    for name in (
        "in/gray.jpg",
        "in/deep/alpha.png",
        "in/deep/gif.gif",
        "in/rotated.jpg",
        "in/one_pixel_high.png",
    ):
        shutil.copy(odd_photos / Path(name).name, name)
    result = tintype("colorize", "in", "-o", "out")
    assert result.exit_code == 0
    in_colour = ("in/deep/alpha.png", "in/deep/gif.gif", "in/one_pixel_high.png", "in/rotated.jpg")
    assert notes_of(result) == dict.fromkeys(in_colour, REPLACED)
    for photo in find_photos(Path("in")):
        name = photo.relative_to("in")
        coloured = read_photo(Path("out") / (name if photo.suffix != ".gif" else f"{name}.png"))
        before, after = (rgb_to_lab(rgb8) for rgb8 in (read_photo(photo).rgb8, coloured.rgb8))
        assert after.shape == before.shape
        assert np.abs(after - before)[..., 0].mean() < 1
    assert np.array_equal(
        read_photo(Path("out/deep/alpha.png")).alpha, read_photo(Path("in/deep/alpha.png")).alpha
    )


def test_a_collection_is_coloured_recorded_and_summed_up(photos, bundle, tintype, log_lines):
    (photos / "notes.txt").write_text("no photo")
    (photos / ".hidden.jpg").write_text("no photo either")
    result = tintype("colorize", "in", "-o", "out")
    assert result.exit_code == 0
    assert notes_of(result) == dict.fromkeys(IN_COLOUR, REPLACED)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Coloured 6 of 6 photos into out in ")
    assert lines[1].startswith("lightness kept: mean |dL*| 0.")
    assert "; worst: in/" in lines[1]
    assert lines[2:] == [
        "4 photos had colours already: --keep-colour leaves such photos as they are.",
        "1 file is no photos by name.",
        "1 hidden file or folder left out.",
    ]
    done = {line["destination"]: line for line in log_lines() if line["status"] == "done"}
    assert set(done) == {
        "deep/coffee.jpg",
        "deep/gray16.png",
        "gray.jpg",
        "lzw.tiff",
        "palette.png",
        "rotated.jpg",
    }
    coffee = done["deep/coffee.jpg"]
    assert coffee["source"] == str(Path("in/deep/coffee.jpg").absolute())
    assert coffee["sha256"] == sha256_of(Path("in/deep/coffee.jpg"))
    assert coffee["result_sha256"] == sha256_of(Path("out/deep/coffee.jpg"))
    assert coffee["parameters"]["saturation"] == "1"
    assert len(coffee["model"]["bundle_sha256"]) == 64
    assert 0 <= coffee["mean_dl"] <= coffee["max_dl"]


def test_one_photo_says_how_its_lightness_was_kept_and_keeps_no_log(photos, tintype):
    result = tintype("colorize", "in/gray.jpg", "-o", "out")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Coloured 1 of 1 photo into out in ")
    assert lines[1].startswith("lightness kept: mean |dL*| 0.")
    assert ", max " in lines[1]
    assert [path.name for path in Path("out").iterdir()] == ["gray.jpg"]


def test_every_file_says_where_its_colours_come_from(photos, tintype):
    tintype("colorize", "in", "-o", "out", "--saturation", "1.5", "--compare")
    for photo in find_photos(photos):
        name = photo.relative_to(photos)
        for path in (Path("out") / name, Path("out") / name.with_suffix(".compare.jpg")):
            provenance = read_provenance(path)
            assert provenance.input_sha256 == sha256_of(photo)
            assert provenance.lineage.name == "tintype"
            assert len(provenance.lineage.bundle_sha256) == 64
            assert provenance.parameters == {"saturation": "1.5"}


def test_16_bits_stay_16_bits(photos, tintype):
    tintype("colorize", "in/deep/gray16.png", "-o", "out")
    assert read_photo(Path("out/gray16.png")).pixels.dtype == np.uint16


def test_saturation_is_a_factor_on_the_colours(photos, tintype):
    mean = {}
    for saturation in ("0", "0.05", "0.1"):  # an untrained network's colours are far outside of the gamut
        tintype("colorize", "in/palette.png", "-o", f"{saturation}.png", "--saturation", saturation)
        mean[saturation] = chroma(rgb_to_lab(read_photo(Path(f"{saturation}.png")).pixels)).mean()
    assert mean["0"] < 0.1
    assert mean["0.05"] == pytest.approx(mean["0.1"] / 2, rel=0.15)
    assert mean["0.1"] > 2
    assert tintype("colorize", "in/gray.jpg", "-o", "out", "--saturation", "2.5").exit_code == 2


def test_a_format_can_be_chosen(photos, tintype):
    assert tintype("colorize", "in", "-o", "out", "--format", "webp").exit_code == 0
    assert {Image.open(path).format for path in find_photos(Path("out"))} == {"WEBP"}
    assert len(find_photos(Path("out"))) == 6


def test_metadata_goes_along_as_chosen(here, tintype, cat):
    exif = Image.Exif()
    exif[0x010F] = "Kodak"
    exif.get_ifd(0x8825)[1] = "N"
    Image.fromarray(cat).save("boat.jpg", exif=exif)
    for metadata, maker, place in [
        ("keep", "Kodak", True),
        ("no-gps", "Kodak", False),
        ("strip", None, False),
    ]:
        tintype("colorize", "boat.jpg", "-o", f"{metadata}.jpg", "--metadata", metadata)
        found = Image.open(f"{metadata}.jpg").getexif()
        assert found.get(0x010F) == maker
        assert bool(found.get_ifd(0x8825)) == place


def test_a_comparison_shows_before_and_after(photos, tintype):
    tintype("colorize", "in/gray.jpg", "-o", "out", "--compare")
    before, after = read_photo(Path("in/gray.jpg")).pixels, read_photo(Path("out/gray.jpg")).pixels
    picture = read_photo(Path("out/gray.compare.jpg")).pixels
    width = before.shape[1]
    assert picture.shape == (before.shape[0], 2 * width + 12, 3)
    assert np.abs(picture[:, :width].astype(int) - before).mean() < 3
    assert np.abs(picture[:, -width:].astype(int) - after).mean() < 3


def test_a_layer_alone_gives_what_colouring_gives(photos, tintype):
    tintype("colorize", "in", "-o", "layers", "--layer", "--saturation", "0.5")
    tintype("colorize", "in", "-o", "out", "--format", "png", "--saturation", "0.5")
    assert set(contents("layers")) == {
        "deep/coffee.layer.png",
        "deep/gray16.layer.png",
        "gray.layer.png",
        "lzw.layer.png",
        "palette.layer.png",
        "rotated.layer.png",
    }
    layer = read_layer(Path("layers/palette.layer.png"))
    assert layer.provenance.input_sha256 == sha256_of(Path("in/palette.png"))
    joined, _ = merge(read_photo(Path("in/palette.png")).pixels, layer.ab, layer.saturation)
    assert np.array_equal(joined, read_photo(Path("out/palette.png")).pixels)


def test_results_do_not_depend_on_company_or_order(here, sample, tintype):
    names = ["astronaut", "brushes", "coffee", "dahlia", "dogs", "peaks", "temple", "wine", "bridge", "fig"]
    Path("in").mkdir()
    for name in names:
        Image.open(sample / f"{name}.jpg").convert("L").resize((60, 40)).save(f"in/{name}.png")
    tintype("colorize", "in", "-o", "together")
    tintype("colorize", *(f"in/{name}.png" for name in sorted(names, reverse=True)), "-o", "backwards")
    for name in names:
        tintype("colorize", f"in/{name}.png", "-o", "alone")
    colours = {
        folder: {name: read_photo(Path(folder) / f"{name}.png").pixels.astype(int) for name in names}
        for folder in ("together", "backwards", "alone")
    }
    for name in names:
        for folder in ("together", "backwards"):
            # Batches of one and of eight are different sums to the network: last bits may differ.
            assert np.abs(colours[folder][name] - colours["alone"][name]).mean() < 0.5
    exchanged = [
        np.abs(colours["alone"][one] - colours["alone"][other]).mean() for one, other in pairwise(names)
    ]
    assert min(exchanged) > 5


def test_a_photo_that_fails_is_named_and_the_others_go_on(photos, tintype, log_lines):
    Path("in/b.jpg").write_bytes(b"not a photo")
    Path("in/c.jpg").write_bytes(Path("in/gray.jpg").read_bytes()[:3000])
    Path("in/empty.png").touch()
    Path("in/gone.jpg").symlink_to("nowhere.jpg")
    result = tintype("colorize", "in", "-o", "out")
    assert result.exit_code == 1
    failed = sorted(line for line in result.stderr.splitlines() if line.startswith("failed: "))
    assert [line.split(": ")[1] for line in failed] == ["in/b.jpg", "in/c.jpg", "in/empty.png", "in/gone.jpg"]
    assert result.stderr.splitlines()[-1] == "4 failed. Run the same command again to try them again."
    assert result.stdout.startswith("Coloured 6 of 10 photos")
    assert len(find_photos(Path("out"))) == 6
    codes = {line["destination"]: line["code"] for line in log_lines() if line["status"] == "failed"}
    assert codes == {
        "b.jpg": "unknown_format",
        "c.jpg": "broken",
        "empty.png": "empty",
        "gone.jpg": "missing",
    }


def test_limits_are_options(photos, tintype):
    result = tintype("colorize", "in/gray.jpg", "-o", "out", "--max-megapixels", "0.1")
    assert result.exit_code == 1
    assert "megapixels" in result.stderr
    result = tintype("colorize", "in/gray.jpg", "-o", "out", "--max-megabytes", "0.001")
    assert result.exit_code == 1
    assert "MB" in result.stderr


def test_notes_on_what_was_left_behind_are_reported_and_recorded(here, tintype, cat, log_lines):
    Path("in").mkdir()
    pages = [Image.fromarray(cat), Image.fromarray(cat)]
    pages[0].save("in/scan.tif", save_all=True, append_images=pages[1:])
    result = tintype("colorize", "in", "-o", "out")
    assert result.exit_code == 0
    assert result.stderr.startswith("note: in/scan.tif: ")
    assert "2 pages" in result.stderr
    assert "2 pages" in log_lines()[-1]["notes"][0]


def test_a_result_that_cannot_be_written_is_one_failure(photos, tintype):
    Path("out").write_text("in the way")
    result = tintype("colorize", "in/gray.jpg", "-o", "out/boat.png")
    assert result.exit_code == 1
    assert "failed: in/gray.jpg: Expected to write out/boat.png" in result.stderr


def test_an_output_that_cannot_be_written_is_a_sentence(photos, tintype):
    Path("file").write_text("in the way")
    result = tintype("colorize", "in", "-o", "file/out")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: Expected to write to the folder file/out.")


def test_a_full_disk_stops_the_run_with_a_sentence(photos, tintype):
    Path("out").mkdir()
    for name in (
        "gray",
        "rotated",
        "coffee",
    ):  # where the temporary file of each goes: a disk that is always full
        folder = Path("out/deep") if name == "coffee" else Path("out")
        folder.mkdir(exist_ok=True)
        (folder / f".{name}-{os.getpid()}.part.jpg").symlink_to("/dev/full")
    result = tintype("colorize", "in", "-o", "out")
    assert result.exit_code == 1
    assert "The disk is full: No space left on device" in result.stderr
    assert "Stopped: nothing can be written any more." in result.stderr
    assert not Path("out/gray.jpg").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.jpg", "-o", "out"], "error: Expected a photo or a folder of photos at nowhere.jpg"),
        (
            ["boat.jpg", "-o", "out", "--model", "nowhere"],
            "error: Expected a bundle's folder, a models:/ address or starter",
        ),
        (["boat.jpg"], "--output"),
        (["-o", "out"], "PHOTO"),
        (["boat.jpg", "-o", "out", "--colour"], "--colour"),
        (["boat.jpg", "-o", "out", "--quality", "0"], "--quality"),
        (["boat.jpg", "-o", "out", "--abstain", "1.5"], "--abstain"),
        (["boat.jpg", "-o", "out", "--force", "--skip-existing"], "exclude each other"),
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
    result = tintype("colorize", "boat.jpg", "-o", "out", "--skip-existing", "--model", "nowhere")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Nothing to do")


def test_help_and_version(tintype):
    assert "colorize" in tintype("--help").stdout
    assert "Exit code" in tintype("colorize", "--help").stdout
    assert tintype("--version").stdout.startswith("tintype ")


@pytest.fixture
def unsure(here):
    """A bundle that says how sure it is, with a table that spans what it says."""
    folder = Path(shutil.copytree(starter_bundle(), "unsure"))
    info = json.loads((folder / "bundle.json").read_text())
    info["decoding"]["confidence"] = [[20.0, 1.0], [90.0, 0.0]]
    (folder / "bundle.json").write_text(json.dumps(info))
    return folder


def test_confidence_is_a_picture_beside_each_result(photos, unsure, tintype):
    tintype("colorize", "in", "-o", "plain", "--model", unsure)
    result = tintype("colorize", "in", "-o", "out", "--model", unsure, "--confidence")
    assert result.exit_code == 0
    assert notes_of(result) == dict.fromkeys(IN_COLOUR, REPLACED)
    names = {name for name in contents("out") if name.endswith(".confidence.png")}
    assert names == {
        "deep/coffee.confidence.png",
        "deep/gray16.confidence.png",
        "gray.confidence.png",
        "lzw.confidence.png",
        "palette.confidence.png",
        "rotated.confidence.png",
    }
    with Image.open("out/rotated.confidence.png") as picture, Image.open("out/rotated.jpg") as coloured:
        assert (picture.mode, picture.size) == ("L", coloured.size)
        assert np.ptp(np.asarray(picture)) > 0
    colours = {name: content for name, content in contents("out").items() if name not in names}
    assert colours == contents("plain")


def test_abstaining_leaves_colours_out_and_says_so(photos, unsure, tintype, log_lines):
    chroma_of = {}
    for threshold in ("0", "0.5", "1"):
        options = ("--model", unsure, "--abstain", threshold)
        assert tintype("colorize", "in", "-o", threshold, "--format", "png", *options).exit_code == 0
        photo = Path(threshold) / "palette.png"
        chroma_of[threshold] = chroma(rgb_to_lab(read_photo(photo).pixels)).mean()
        asked = {} if threshold == "0" else {"abstain": threshold}
        assert read_provenance(photo).parameters == {"saturation": "1"} | asked
        assert log_lines(threshold)[-1]["parameters"]["abstain"] == threshold
    assert chroma_of["1"] <= chroma_of["0.5"] <= chroma_of["0"]
    assert chroma_of["1"] < chroma_of["0"]


def test_a_layer_holds_what_abstaining_left(photos, unsure, tintype):
    options = ("--model", unsure, "--abstain", "0.5", "--saturation", "0.7")
    tintype("colorize", "in", "-o", "layers", "--layer", "--confidence", *options)
    tintype("colorize", "in", "-o", "out", *options)
    assert Path("layers/gray.confidence.png").exists()
    for name in ("gray.jpg", "palette.png", "deep/gray16.png"):
        layer = (Path("layers") / name).with_suffix(".layer.png")
        result = tintype("apply", Path("in") / name, layer, "-o", Path(name).name)
        assert (result.exit_code, result.stderr) == (0, "")
        assert Path(Path(name).name).read_bytes() == (Path("out") / name).read_bytes()


@pytest.mark.parametrize("option", [("--confidence",), ("--abstain", "0.3")])
def test_a_model_that_does_not_say_how_sure_it_is_is_refused(photos, tintype, option):
    result = tintype("colorize", "in", "-o", "out", *option)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: Expected a model that says how sure it is of its colours.")
    assert "network.head: classes" in result.stderr
    assert not Path("out").exists()


def test_photos_in_colour_are_left_as_they_are_where_that_is_asked_for(photos, tintype, log_lines):
    result = tintype("colorize", "in", "-o", "out", "--keep-colour")
    assert result.exit_code == 0
    assert notes_of(result) == dict.fromkeys(IN_COLOUR, "Has colours of its own, and was left as it is.")
    assert result.stdout.splitlines()[0].startswith("Coloured 2 of 6 photos")
    assert "4 photos left unchanged" in result.stdout
    for name in ("deep/coffee.jpg", "lzw.tiff", "palette.png", "rotated.jpg"):
        assert Path("out", name).read_bytes() == Path("in", name).read_bytes()
    assert read_provenance(Path("out/gray.jpg").read_bytes()).lineage.name
    assert {line["status"] for line in log_lines()[-6:]} <= {"writing", "done"}
    again = tintype("colorize", "in", "-o", "out", "--keep-colour")
    assert "Nothing to do" in again.stdout
    other = tintype("colorize", "in", "-o", "out")
    assert "left: out/gray.jpg was coloured with keep_colour true." in other.stderr


def test_a_photo_in_colour_keeps_its_pixels_in_another_format_and_says_nothing_of_a_model(photos, tintype):
    for options in (("--format", "png"), ("--metadata", "strip")):
        result = tintype("colorize", "in/lzw.tiff", "-o", options[1], "--keep-colour", "--compare", *options)
        assert result.exit_code == 0, result.output
        [kept] = Path(options[1]).glob("lzw.[pt]*")
        np.testing.assert_array_equal(read_photo(kept).pixels, read_photo(Path("in/lzw.tiff")).pixels)
        with pytest.raises(ProvenanceError):
            read_provenance(kept.read_bytes())
    assert tintype("colorize", "in", "-o", "out", "--keep-colour", "--layer").exit_code == 2


def test_a_border_stays_gray_and_is_counted_unless_it_is_to_be_coloured(here, tintype):
    Path("in").mkdir()
    ramp = np.tile(np.linspace(20, 200, 120).astype(np.uint8), (90, 1))
    sheet = np.pad(
        np.repeat(ramp[..., np.newaxis], 3, axis=2), ((15, 15), (15, 15), (0, 0)), constant_values=250
    )
    Image.fromarray(sheet).save("in/mounted.png")
    result = tintype("colorize", "in", "-o", "out")
    assert "1 photo with a border, which stays gray (--no-borders: coloured too)." in result.stdout
    pixels = read_photo(Path("out/mounted.png")).pixels
    assert np.ptp(pixels[:15], axis=2).max() == 0
    assert np.ptp(pixels[15:-15, 15:-15], axis=2).max() > 0
    assert "borders true" in tintype("colorize", "in", "-o", "out", "--no-borders").stderr
    tintype("colorize", "in", "-o", "out", "--no-borders", "--force")
    assert np.ptp(read_photo(Path("out/mounted.png")).pixels[:15], axis=2).max() > 0
    tintype("colorize", "in", "-o", "layers", "--layer")
    joined = tintype("apply", "in/mounted.png", "layers/mounted.layer.png", "-o", "joined.png")
    assert joined.exit_code == 0, joined.output
    np.testing.assert_array_equal(read_photo(Path("joined.png")).pixels, pixels)
