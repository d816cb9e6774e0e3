"""The steps of one photo."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tintype.colorize import Colours
from tintype.engine.photo_job import PhotoOptions, colour_photo, encode_coloured, open_photo
from tintype.formats.layer import read_layer
from tintype.formats.photo import read_photo
from tintype.imaging.geometry import Crop
from tintype.imaging.lab import chroma, rgb_to_lab
from tintype.imaging.limits import COLLECTION
from tintype.imaging.merge import merge
from tintype.imaging.provenance import Lineage

LINEAGE = Lineage("tintype", "3")


class Preparing:
    """Sees nothing but how large a photo is."""

    def prepare(self, pixels):
        return np.full((2, 2, 1), pixels.shape[0] % 256, np.uint8), np.zeros((3, 3, 1), np.uint8)


@pytest.fixture
def opened(odd_photos):
    return open_photo(odd_photos / "gray16.png", COLLECTION, Preparing())


@pytest.fixture
def colours():
    """Red on the left, of which the model is nearly half sure, and on the right, of which it is not."""
    ab = Colours.with_gain(np.tile(np.float32([20.05, 10]), (8, 8, 1)), 2.0)
    return Colours(ab, np.repeat(np.float32([[0.52, 0.1]]), 8, axis=0).repeat(4, axis=1))


def test_fading_comes_before_rounding_and_saturation_last(opened, colours):
    options = PhotoOptions(saturation=0.5, abstain=0.5)
    coloured = colour_photo(opened, colours, options, LINEAGE)
    width = coloured.ab.shape[1] // 2
    assert not coloured.ab[:, width:].any()
    steps = coloured.ab[:, :width] * 256
    np.testing.assert_array_equal(steps, np.rint(steps))  # rounded, and without saturation
    assert 20.05 < coloured.ab[0, 0, 0] < 40.1
    assert dict(coloured.provenance.parameters) == {"saturation": "0.5", "abstain": "0.5"}
    vivid = colour_photo(opened, colours, PhotoOptions(abstain=0.5), LINEAGE)
    np.testing.assert_array_equal(vivid.ab, coloured.ab)
    mean = [float(chroma(rgb_to_lab(one.pixels)).mean()) for one in (coloured, vivid)]
    assert mean[0] < 0.7 * mean[1]


def test_a_result_keeps_size_and_depth_and_says_where_its_colours_come_from(opened, colours):
    coloured = colour_photo(opened, colours, PhotoOptions(), LINEAGE)
    again = read_photo(encode_coloured(coloured, "PNG", PhotoOptions()))
    np.testing.assert_array_equal(again.pixels, coloured.pixels)
    assert again.pixels.dtype == opened.photo.pixels.dtype == np.uint16
    assert opened.photo.sha256.encode() in again.xmp


def test_a_layer_holds_the_colours_alone(opened, colours, tmp_path):
    options = PhotoOptions(saturation=0.5, layer=True)
    coloured = colour_photo(opened, colours, options, LINEAGE)
    (tmp_path / "a.layer.png").write_bytes(encode_coloured(coloured, "JPEG", options))
    layer = read_layer(tmp_path / "a.layer.png")
    np.testing.assert_array_equal(layer.ab, coloured.ab)
    assert layer.saturation == 0.5


@pytest.mark.parametrize(("keep", "became"), [(False, "replaced"), (True, "kept")])
def test_a_photo_with_colours_of_its_own_is_told_of_and_may_be_left_as_it_is(colours, sample, keep, became):
    content, options = (sample / "coffee.jpg").read_bytes(), PhotoOptions(keep_colour=keep)
    opened = open_photo(content, COLLECTION, Preparing(), options)
    assert (opened.own_colours, opened.kept) == (True, content if keep else None)
    assert became in opened.photo.notes[-1] or "left as it is" in opened.photo.notes[-1]
    coloured = colour_photo(opened, None if keep else colours, options, LINEAGE)
    assert coloured.receipt.own_colours == became
    assert (encode_coloured(coloured, "JPEG", options) == content) is keep
    assert (coloured.provenance is None) is keep


def test_a_gray_photo_has_none(opened):
    assert (opened.own_colours, opened.photo.notes) == (False, ())


class Looking(Preparing):
    """Remembers what it saw."""

    def prepare(self, pixels):
        self.seen = pixels
        return super().prepare(pixels)


@pytest.fixture
def framed(cat, tmp_path):
    """A photo in a white border: the file, and what is inside."""
    inside = Crop(30, 40, *cat.shape[:2])
    sheet = np.full((cat.shape[0] + 70, cat.shape[1] + 80, 3), 245, np.uint8)
    inside.cut(sheet)[...] = cat[..., 1:2]
    Image.fromarray(sheet).save(tmp_path / "framed.png")
    return tmp_path / "framed.png", inside


def test_the_network_sees_what_is_inside_of_a_border_which_stays_gray(framed, colours):
    path, inside = framed
    sees = Looking()
    opened = open_photo(path, COLLECTION, sees)
    assert opened.inside == inside
    np.testing.assert_array_equal(sees.seen, inside.cut(opened.photo.pixels))
    coloured = colour_photo(opened, colours, PhotoOptions(), LINEAGE)
    assert coloured.receipt.inside == inside
    assert coloured.provenance.parameters["inside"] == "451x300+40+30"
    assert np.ptp(coloured.pixels[:30], axis=2).max() == 0
    assert chroma(rgb_to_lab(inside.cut(coloured.pixels))).mean() > 5


def test_borders_are_not_looked_for_where_that_is_not_wanted(framed):
    sees = Looking()
    opened = open_photo(framed[0], COLLECTION, sees, PhotoOptions(borders=False))
    assert opened.inside is None
    assert sees.seen.shape == opened.photo.pixels.shape


def test_a_layer_of_a_photo_with_a_border_gives_the_same_photo(framed, colours, tmp_path):
    options = PhotoOptions(layer=True)
    coloured = colour_photo(open_photo(framed[0], COLLECTION, Preparing()), colours, options, LINEAGE)
    layer = read_layer(encode_coloured(coloured, "PNG", options))
    assert layer.inside == framed[1]
    joined, _ = merge(coloured.photo.pixels, layer.ab, layer.saturation, inside=layer.inside)
    np.testing.assert_array_equal(joined, coloured.pixels)


def test_importing_the_engine_loads_no_framework():
    code = (
        "import sys, tintype.engine.batcher, tintype.engine.memory_budget, tintype.engine.photo_job;"
        "print({'bentoml', 'keras', 'openvino', 'tensorflow', 'mlflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
