"""The bundle and the one path that colours."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tintype.colorize import BATCH, Colorizer
from tintype.imaging.lab import gray_to_rgb, rgb_to_lab
from tintype.imaging.photo import find_photos, read_photo
from tintype.models.bundle import BundleError, bundle_digest, read_info


@pytest.fixture(scope="module")
def colorizer(bundle: Path) -> Colorizer:
    return Colorizer.load(bundle)


def test_every_odd_photo_keeps_its_size_and_lightness(colorizer: Colorizer, odd_photos: Path) -> None:
    for path in find_photos(odd_photos):
        photo = read_photo(path).rgb8
        coloured = colorizer.colorize(photo)
        assert coloured.shape == photo.shape, path.name
        assert coloured.dtype == np.uint8, path.name
        difference = np.abs(rgb_to_lab(coloured)[..., 0] - rgb_to_lab(photo)[..., 0])
        assert difference.mean() < 1, path.name


def test_colours_something(colorizer: Colorizer, cat: np.ndarray) -> None:
    gray = gray_to_rgb(rgb_to_lab(cat)[..., 0])
    assert np.abs(colorizer.colorize(gray).astype(int) - gray).max() > 0


def test_sees_lightness_only(colorizer: Colorizer, cat: np.ndarray) -> None:
    gray = gray_to_rgb(rgb_to_lab(cat)[..., 0])
    colour, same = colorizer.colorize(cat), colorizer.colorize(gray)
    # The gray copy's lightness is rounded to 256 levels, and that is all the difference there is.
    assert np.abs(colour.astype(int) - same).mean() < 1


def test_the_same_photo_gives_the_same_colours(colorizer: Colorizer, cat: np.ndarray) -> None:
    np.testing.assert_array_equal(colorizer.colorize(cat), colorizer.colorize(cat))


def test_the_photo_that_comes_in_is_left_as_it_was(colorizer: Colorizer, cat: np.ndarray) -> None:
    before = cat.copy()
    colorizer.colorize(cat)
    np.testing.assert_array_equal(cat, before)


def test_many_photos_at_once_are_coloured_as_one_by_one(colorizer: Colorizer, cat: np.ndarray) -> None:
    photos = [np.roll(cat, shift, axis=1)[: 200 + shift] for shift in range(BATCH + 2)]
    for one, photo in zip(colorizer.colorize_many(photos), photos, strict=True):
        assert np.abs(one.astype(int) - colorizer.colorize(photo)).mean() < 0.1


def test_a_fresh_process_colours_alike(
    bundle: Path, colorizer: Colorizer, cat: np.ndarray, tmp_path: Path
) -> None:
    np.save(tmp_path / "cat.npy", cat)
    code = (
        "import sys, numpy as np; from pathlib import Path; from tintype.colorize import Colorizer;"
        "np.save(sys.argv[3], Colorizer.load(Path(sys.argv[1])).colorize(np.load(sys.argv[2])))"
    )
    arguments = [str(bundle), str(tmp_path / "cat.npy"), str(tmp_path / "out.npy")]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, cwd=tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), colorizer.colorize(cat))


def test_a_bundle_says_where_it_came_from(bundle: Path) -> None:
    info = read_info(bundle)
    assert info.backbone.origin == "embedded"
    card = (bundle / "README.md").read_text()
    assert "efficientnet_lite0" in card
    assert "random" not in card


def test_a_bundles_digest_names_its_content(bundle: Path) -> None:
    info = read_info(bundle)
    other = info.model_copy(update={"files": info.files | {"network.keras": "1" * 64}})
    assert bundle_digest(info) == bundle_digest(read_info(bundle))
    assert bundle_digest(info) != bundle_digest(other)


@pytest.fixture
def broken(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "broken"))


def test_a_damaged_file_is_refused(broken: Path) -> None:
    content = bytearray((broken / "network.keras").read_bytes())
    content[len(content) // 2] ^= 1
    (broken / "network.keras").write_bytes(content)
    with pytest.raises(BundleError, match=r"Expected .*network.keras with SHA-256 .* Received"):
        Colorizer.load(broken)


def test_a_missing_file_is_refused(broken: Path) -> None:
    (broken / "backbone.keras").unlink()
    with pytest.raises(BundleError, match=r"Expected .*backbone.keras in the bundle, but it is missing"):
        Colorizer.load(broken)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="Expected a bundle in"):
        Colorizer.load(tmp_path)


def test_a_bundle_of_another_format_is_refused(broken: Path) -> None:
    info = json.loads((broken / "bundle.json").read_text())
    (broken / "bundle.json").write_text(json.dumps(info | {"format": 99}))
    with pytest.raises(BundleError, match="Received: format 99"):
        Colorizer.load(broken)
