"""The bundle and the one path that colours."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tintype.colorize import Colorizer, ConfidenceError
from tintype.files.atomic import write_json
from tintype.files.digest import sha256_of
from tintype.formats.photo import read_photo
from tintype.imaging.confidence import faded
from tintype.imaging.contrast import with_contrast
from tintype.imaging.finding import find_photos
from tintype.imaging.inputs import BATCH, lightness_at
from tintype.imaging.lab import AB16_STEP, gray_to_rgb, rgb_to_lab, round_ab
from tintype.imaging.smoothing import smooth_colours
from tintype.models.bundle import INFO_FILE, BundleError, BundleInfo, bundle_digest, read_info
from tintype.models.keras_file import NetworkFileError, load_network, save_network
from tintype.models.openvino import IrError
from tintype.models.starter import starter_bundle


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


def test_a_fresh_process_colours_alike(bundle: Path, cat: np.ndarray, tmp_path: Path) -> None:
    """On OpenVINO, as for people; tests/models/test_keras_backend.py has TensorFlow."""
    np.save(tmp_path / "cat.npy", cat)
    code = (
        "import sys, numpy as np; from pathlib import Path; from tintype.colorize import Colorizer;"
        "np.save(sys.argv[3], Colorizer.load(Path(sys.argv[1]), 'openvino').colorize(np.load(sys.argv[2])))"
    )
    arguments = [str(bundle), str(tmp_path / "cat.npy"), str(tmp_path / "out.npy")]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, cwd=tmp_path)
    here = Colorizer.load(bundle, "openvino")
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), here.colorize(cat))


def test_a_bundle_says_where_it_came_from(report_bundle: Path) -> None:
    info = read_info(report_bundle)
    assert info.backbone.origin == "embedded"
    card = (report_bundle / "README.md").read_text()
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


def _sealed(folder: Path, **changed: object) -> Path:
    """A bundle whose description names its files as they are now, as whoever exchanges a file on purpose would do."""
    info = BundleInfo.model_validate_json((folder / INFO_FILE).read_bytes()).model_copy(update=changed)
    files = {name: sha256_of(folder / name) for name in info.files if (folder / name).is_file()}
    write_json(folder / INFO_FILE, info.model_copy(update={"files": files}).description())
    return folder


def test_a_bundle_with_another_network_inside_is_refused(broken: Path, pyramid_bundle: Path) -> None:
    for name in ("network.keras", "network.xml", "network.bin"):
        shutil.copyfile(pyramid_bundle / name, broken / name)
    _sealed(broken)
    for backend in ("openvino", "tensorflow"):
        with pytest.raises(BundleError, match=r"It is another network than the bundle describes"):
            Colorizer.load(broken, backend)


def test_a_network_that_sees_another_size_is_refused(pyramid_bundle: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(pyramid_bundle, tmp_path / "broken"))
    with pytest.raises(BundleError, match=r"to colour a batch of pictures of 56 pixels"):
        Colorizer.load(_sealed(folder, size=56), "openvino")


def test_a_weight_that_is_no_number_is_refused_even_where_the_colours_do_not_show_it(
    pyramid_bundle: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(pyramid_bundle, tmp_path / "broken"))
    weights = folder / "network.bin"
    graph = weights.with_suffix(".xml").read_text()
    # The first kernel: a ReLU follows, of which OpenVINO makes zeros.
    offset = int(re.search(r'element_type="f16"[^>]* offset="(\d+)"', graph)[1])
    content = bytearray(weights.read_bytes())
    content[offset : offset + 2] = np.float16(np.nan).tobytes()
    weights.write_bytes(content)
    network = load_network(folder / "network.keras")
    kernel = next(variable for variable in network.weights if variable.name == "kernel")
    kernel.assign(np.full(kernel.shape, np.nan))
    save_network(network, folder / "network.keras")
    _sealed(folder)
    with pytest.raises(
        IrError, match=r"Expected finite weights in the IR .* Received: one that is not, in Constant_"
    ):
        Colorizer.load(folder, "openvino")
    with pytest.raises(NetworkFileError, match=rf"Received: one that is not, in {kernel.path}\."):
        Colorizer.load(folder, "tensorflow")


@pytest.fixture(scope="module")
def unsure() -> Colorizer:
    """A bundle that says how sure it is, with a table that spans what it says."""
    table = ((0.0, 0.0), (128.0, 1.0))
    return _with_decoding(Colorizer.load(starter_bundle()), confidence=table, contrast=0.0)


def _with_decoding(colorizer: Colorizer, **changed: object) -> Colorizer:
    """The same networks, read otherwise."""
    decoding = colorizer.info.decoding.model_copy(update=changed)
    info = colorizer.info.model_copy(update={"decoding": decoding})
    return Colorizer(info, colorizer._network, colorizer._backbone)


@pytest.fixture
def inputs(unsure: Colorizer, cat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of three photos."""
    prepared = [unsure.prepare(np.roll(cat, 40 * shift, axis=1)) for shift in range(3)]
    l8, gray8 = (np.stack(arrays) for arrays in zip(*prepared, strict=True))
    return l8, gray8


def test_a_network_with_the_backbone_inside_needs_none_beside_it(unsure: Colorizer, cat: np.ndarray) -> None:
    assert not (starter_bundle() / "backbone.keras").exists()
    coloured = unsure.colorize(cat)
    assert coloured.shape == cat.shape
    assert np.abs(rgb_to_lab(coloured)[..., 0] - rgb_to_lab(cat)[..., 0]).mean() < 1
    assert unsure.chroma_of([cat]).shape[1] < unsure.info.size
    with pytest.raises(ValueError, match="Expected a network that takes an embedding"):
        unsure.embed(np.zeros((1, 8, 8, 1), np.uint8))


def test_colours_are_smoothed_by_the_lightness_that_the_network_sees(
    unsure: Colorizer, inputs: tuple[np.ndarray, np.ndarray]
) -> None:
    plain, smoothed = (
        _with_decoding(unsure, gain=1.0, smoothing=strength).predict(*inputs) for strength in (0.0, 8.0)
    )
    lightness = lightness_at(inputs[0], *plain.shape[1:3])
    np.testing.assert_allclose(smoothed, smooth_colours(plain, lightness, 8.0), atol=2 * AB16_STEP)
    assert np.abs(smoothed - plain).max() > 10 * AB16_STEP


def test_contrast_comes_after_smoothing_and_before_the_gain(
    unsure: Colorizer, inputs: tuple[np.ndarray, np.ndarray]
) -> None:
    smoothed = _with_decoding(unsure, gain=1.0, smoothing=8.0).predict(*inputs)
    shown = _with_decoding(unsure, gain=2.0, smoothing=8.0, contrast=0.5).predict(*inputs)
    np.testing.assert_allclose(shown, 2 * with_contrast(smoothed, 0.5), atol=6 * AB16_STEP)
    assert np.abs(shown - 2 * smoothed).max() > 100 * AB16_STEP


def test_the_gain_is_a_factor_before_rounding(
    unsure: Colorizer, inputs: tuple[np.ndarray, np.ndarray]
) -> None:
    once, often = (_with_decoding(unsure, gain=gain).predict(*inputs) for gain in (0.1, 0.37))
    np.testing.assert_allclose(often, 3.7 * once, atol=3.7 * AB16_STEP)
    assert not np.array_equal(often, round_ab(np.float32(3.7) * once))  # that were rounded twice
    for ab in (once, often):
        np.testing.assert_array_equal(ab, round_ab(ab))


def test_colours_stay_within_what_a_layer_holds(
    unsure: Colorizer, inputs: tuple[np.ndarray, np.ndarray]
) -> None:
    wild = _with_decoding(unsure, gain=1e4).predict(*inputs)
    assert wild.min() >= -128
    assert wild.max() <= 128 - AB16_STEP


def test_confidence_follows_from_spread_by_the_bundles_table(
    unsure: Colorizer, inputs: tuple[np.ndarray, np.ndarray]
) -> None:
    ab, spread_share = unsure.predict_with_confidence(*inputs)
    assert spread_share is not None
    assert spread_share.dtype == np.float32
    assert spread_share.shape == ab.shape[:-1]
    np.testing.assert_array_equal(ab, unsure.predict(*inputs))
    spread = 128 * spread_share  # Lab units
    middle = float(np.median(spread))
    assert 5 < middle < 100
    table = ((middle - 1, 0.9), (middle + 1, 0.1))
    confidence = _with_decoding(unsure, confidence=table, gain=9.0).predict_with_confidence(*inputs)[1]
    expected = np.clip(0.5 - 0.4 * (spread - middle), 0.1, 0.9)  # held at the table's ends, whatever the gain
    np.testing.assert_allclose(confidence, expected, atol=1e-3)


def test_confidence_does_not_depend_on_company(
    unsure: Colorizer, inputs: tuple[np.ndarray, np.ndarray]
) -> None:
    together = unsure.predict_with_confidence(*inputs)[1]
    alone = unsure.predict_with_confidence(inputs[0][:1], inputs[1][:1])[1]
    assert together is not None
    assert alone is not None
    np.testing.assert_allclose(together[:1], alone, atol=1e-4)


def test_abstaining_leaves_gray_what_is_uncertain(unsure: Colorizer, cat: np.ndarray) -> None:
    ab, sure = (
        row[0] for row in unsure.predict_with_confidence(*(x[np.newaxis] for x in unsure.prepare(cat)))
    )
    assert sure is not None
    threshold = float(np.median(sure))
    table = ((128 * threshold - 2, 1.0), (128 * threshold + 2, 0.0))
    half = _with_decoding(unsure, confidence=table)
    confidence = half.predict_with_confidence(*(x[np.newaxis] for x in half.prepare(cat)))[1]
    assert confidence is not None
    chroma = half.chroma_of([cat], abstain=0.5)[0]
    np.testing.assert_array_equal(chroma, round_ab(faded(ab, confidence[0], 0.5)))
    certain, uncertain = confidence[0] > 0.56, confidence[0] < 0.44
    assert certain.any()
    assert uncertain.any()
    np.testing.assert_array_equal(chroma[certain], ab[certain])
    assert not chroma[uncertain].any()
    coloured, all_of_it = half.colorize(cat, abstain=0.5), half.colorize(cat)
    assert 0 < np.ptp(coloured.astype(int), axis=-1).mean() < np.ptp(all_of_it.astype(int), axis=-1).mean()


def test_asking_a_model_that_does_not_say_is_reported_in_a_sentence(
    colorizer: Colorizer, unsure: Colorizer, cat: np.ndarray
) -> None:
    without_table = _with_decoding(unsure, confidence=None)
    without_spread = _with_decoding(colorizer, confidence=((5.0, 0.9), (30.0, 0.2)))
    for silent in (colorizer, without_table, without_spread):
        prepared = (x[np.newaxis] for x in silent.prepare(cat))
        assert silent.predict_with_confidence(*prepared)[1] is None
        for ask in (silent.check_confidence, lambda silent=silent: silent.colorize(cat, abstain=0.5)):
            with pytest.raises(ConfidenceError, match=r"how sure it is .* `network.head: classes`"):
                ask()
    unsure.check_confidence()


def test_a_bundle_from_before_decoding_is_read_as_it_was_meant(broken: Path, cat: np.ndarray) -> None:
    info = json.loads((broken / "bundle.json").read_text())
    del info["decoding"]
    (broken / "bundle.json").write_text(json.dumps(info))
    old = Colorizer.load(broken)
    assert old.info.decoding.gain == 1
    with pytest.raises(ConfidenceError):
        old.check_confidence()
