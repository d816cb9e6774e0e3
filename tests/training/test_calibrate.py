"""Decoding fitted on made-up outputs whose error is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tintype.data.tensors.plan import PhotoRef, ShardPlan
from tintype.data.tensors.shards import write_shard
from tintype.imaging.confidence import NEAR
from tintype.imaging.contrast import with_contrast
from tintype.imaging.geometry import resize
from tintype.imaging.lab import decode_lab8, encode_lab8, lab_to_rgb
from tintype.imaging.smoothing import smooth_colours
from tintype.measures.colourfulness import colourfulness
from tintype.models.bins import ab_bins
from tintype.models.bundle import Decoding
from tintype.params import DecodeParams
from tintype.training.calibrate import GAINS, TEMPERATURES, as_before, fit_decoding
from tintype.training.shard_set import ShardSet, open_split

SIZE, PHOTOS = 32, 40
BINS = ab_bins()


class Network:
    """Says what it is given, at a quarter of the size; it finds a photo by its lightness."""

    def __init__(self, output: np.ndarray) -> None:
        self._output = output
        self.input = {"l": None}

    def predict_on_batch(self, given: dict[str, np.ndarray]) -> np.ndarray:
        assert set(given) == {"l"}
        assert given["l"].dtype == np.float32
        return self._output[given["l"][:, 0, 0, 0].astype(int)]


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """Validation photos of flat squares of mild colours, (n, SIZE, SIZE, 3) uint8; the first pixel is its number."""
    random = np.random.default_rng(3)
    ab = random.normal(0, 16, (PHOTOS, SIZE // 4, SIZE // 4, 2)).clip(-45, 45)
    lab = np.concatenate([np.full((*ab.shape[:3], 1), 60), ab], axis=-1).repeat(4, 1).repeat(4, 2)
    lab8 = encode_lab8(lab.astype(np.float32))
    lab8[:, 0, 0, 0] = np.arange(PHOTOS)
    return lab8


@pytest.fixture(scope="module")
def validation(truth: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> ShardSet:
    folder: Path = tmp_path_factory.mktemp("validation")
    photos = tuple(PhotoRef(f"{number:064x}", f"{number}.jpg") for number in range(PHOTOS))
    plan = ShardPlan("validation", "0", photos, 1)
    write_shard(
        folder / "lab", plan, {"format": 0}, truth[:, None], row_shape=truth.shape[1:], dtype=np.uint8
    )
    vectors = np.zeros((PHOTOS, 1, 4), np.float16)
    write_shard(folder / "embeddings", plan, {"format": 0}, vectors, row_shape=(4,), dtype=np.float16)
    return open_split([plan], "validation", folder / "lab", folder / "embeddings")


@pytest.fixture(scope="module")
def true_ab(truth: np.ndarray) -> np.ndarray:
    return decode_lab8(truth)[:, ::4, ::4, 1:]


def decode(
    temperature: float | None = None,
    colourfulness: float | None = None,
    smoothing: float = 0.0,
    contrast: float | None = 0.0,
) -> DecodeParams:
    return DecodeParams(
        temperature=temperature, colourfulness=colourfulness, smoothing=smoothing, contrast=contrast
    )


def scores_of(ab: np.ndarray, sigma: Any) -> np.ndarray:
    """Scores of a normal distribution around ab, as broad as `sigma` (Lab units) says for each pixel."""
    squares = np.square(ab[..., np.newaxis, :] - BINS).sum(axis=-1)
    return (-squares / (2 * np.square(sigma)[..., np.newaxis])).astype(np.float32)


def mean_colourfulness(truth: np.ndarray, ab: np.ndarray) -> float:
    lab = np.concatenate([decode_lab8(truth)[:, 1::4, 1::4, :1], ab], axis=-1).astype(np.float32)
    return float(np.mean([colourfulness(lab_to_rgb(photo)) for photo in lab]))


@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.2])
def test_the_gain_brings_dull_colours_to_the_share_that_is_asked_for(
    validation: ShardSet, truth: np.ndarray, true_ab: np.ndarray, ratio: float
) -> None:
    dull = Network(true_ab / 128 / 4)
    decoding = fit_decoding(dull, validation, decode(colourfulness=ratio))
    shown = mean_colourfulness(truth, true_ab / 4 * decoding.gain) / mean_colourfulness(truth, true_ab)
    assert shown == pytest.approx(ratio, rel=0.03)
    assert decoding.gain == pytest.approx(4 * ratio, rel=0.1)
    assert decoding.temperature is None
    assert decoding.confidence is None


def test_the_gain_is_that_of_smoothed_colours(
    validation: ShardSet, truth: np.ndarray, true_ab: np.ndarray
) -> None:
    """Smoothing takes colourfulness away; the gain brings it back."""
    plain, smoothed = (
        fit_decoding(Network(true_ab / 128), validation, decode(None, 0.8, strength))
        for strength in (0.0, 8.0)
    )
    assert (plain.smoothing, smoothed.smoothing) == (0.0, 8.0)
    assert smoothed.gain > 1.05 * plain.gain
    lightness = np.stack([resize(photo, SIZE // 4, SIZE // 4)[..., 0] for photo in decode_lab8(truth)])
    shown = smooth_colours(true_ab, lightness, 8.0) * np.float32(smoothed.gain)
    ratio = mean_colourfulness(truth, shown) / mean_colourfulness(truth, true_ab)
    assert ratio == pytest.approx(0.8, rel=0.03)


def test_nothing_asked_for_the_colours_stay_as_the_network_says(
    validation: ShardSet, true_ab: np.ndarray
) -> None:
    assert fit_decoding(Network(true_ab / 128 / 4), validation, decode()).gain == 1


def test_a_network_that_says_gray_gets_a_gain_with_an_end(validation: ShardSet, true_ab: np.ndarray) -> None:
    gain = fit_decoding(Network(true_ab * 0), validation, decode(colourfulness=0.8)).gain
    assert gain == pytest.approx(GAINS[1], rel=0.01)


def test_the_temperature_is_the_one_that_comes_nearest(validation: ShardSet, true_ab: np.ndarray) -> None:
    """A third of the probability is on the opposite colour: cooled down, the mean forgets it."""
    right, wrong = (
        np.exp(scores_of(true_ab, 6.0 + 0 * true_ab[..., 0])),
        np.exp(scores_of(-true_ab, 6.0 + 0 * true_ab[..., 0])),
    )
    right, wrong = (part / part.sum(axis=-1, keepdims=True) for part in (right, wrong))
    network = Network(np.log(0.67 * right + 0.33 * wrong + 1e-12).astype(np.float32))
    chosen = fit_decoding(network, validation, decode())
    assert chosen.temperature == min(TEMPERATURES)
    # What is given is not chosen.
    assert fit_decoding(network, validation, decode(temperature=0.9)).temperature == 0.9


def test_where_the_mean_is_right_it_is_not_cooled(validation: ShardSet, true_ab: np.ndarray) -> None:
    """Two colours around the truth, the further one less likely: their mean is the truth, the likelier one is not."""
    offset = np.array([20, 0], np.float32)
    near = scores_of(true_ab + offset / 2, 4.0 + 0 * true_ab[..., 0]).astype(np.float64)
    far = scores_of(true_ab - offset, 4.0 + 0 * true_ab[..., 0]).astype(np.float64)
    shares = [np.exp(part) / np.exp(part).sum(axis=-1, keepdims=True) for part in (near, far)]
    network = Network(np.log(shares[0] * 2 / 3 + shares[1] / 3 + 1e-12).astype(np.float32))
    assert fit_decoding(network, validation, decode()).temperature == 1.0


@pytest.mark.parametrize("contrast", [0.0, 0.5, 1.0])
def test_the_contrast_is_the_one_that_comes_nearest(
    validation: ShardSet, true_ab: np.ndarray, contrast: float
) -> None:
    """A network that says strong colours fainter than faint ones, as one that is not sure does."""
    chroma = np.linalg.norm(true_ab, axis=-1, keepdims=True)
    flat = true_ab / np.maximum(chroma, 1e-3) * (chroma / 20) ** (1 / (1 + contrast)) * 20
    network = Network((flat / 128 / 1.5).astype(np.float32))
    chosen = fit_decoding(network, validation, decode(colourfulness=1.0, contrast=None))
    assert chosen.contrast == contrast
    shown = with_contrast(flat.astype(np.float32) / 1.5, contrast) * chosen.gain
    np.testing.assert_allclose(shown, true_ab, atol=1.5)
    # What is given is not chosen, and at no colourfulness in particular there is nothing to choose by.
    assert fit_decoding(network, validation, decode(colourfulness=1.0, contrast=0.3)).contrast == 0.3
    assert fit_decoding(network, validation, decode(contrast=None)).contrast == 0


def test_what_few_photos_cannot_tell_stays_as_it_was(validation: ShardSet, true_ab: np.ndarray) -> None:
    """Trained further without a change, a network is decoded as before, whatever these photos would choose."""
    network = Network(true_ab / 128 / 2)
    before = Decoding(gain=1.7, contrast=0.5)
    few = as_before(decode(colourfulness=0.3, contrast=None), network, before, validation)
    decoding = fit_decoding(network, validation, few)
    assert (decoding.contrast, decoding.temperature) == (0.5, None)
    assert decoding.gain == pytest.approx(before.gain, rel=0.02)
    assert as_before(decode(contrast=1.0), network, before, validation).contrast == 1  # what is given stays


def test_confidence_is_the_share_that_is_right_and_never_rises_with_spread(
    validation: ShardSet, true_ab: np.ndarray
) -> None:
    """Colours that miss as a normal distribution does, whose breadth the network knows."""
    random = np.random.default_rng(5)
    sigma = random.uniform(5, 25, true_ab.shape[:3])
    missed = true_ab + random.normal(0, 1, true_ab.shape) * sigma[..., np.newaxis]
    decoding = fit_decoding(Network(scores_of(missed, sigma)), validation, decode(temperature=1.0))
    assert decoding.confidence is not None
    spread, share = np.array(decoding.confidence).T
    assert len(spread) >= 10
    assert (np.diff(spread) > 0).all()
    assert (np.diff(share) <= 0).all()
    assert 0 <= share.min() < share.max() <= 1
    # Of two dimensions: P(|error| <= r) = 1 - exp(-r^2 / (2 sigma^2)), and the spread is sigma * sqrt(2).
    expected = 1 - np.exp(-(NEAR**2) / np.square(spread))
    inner = (spread > 9) & (spread < 28)  # the gamut cuts broad distributions short
    assert inner.sum() >= 5
    assert np.abs(share - expected)[inner].max() < 0.1


def test_a_network_that_is_always_right_is_believed(validation: ShardSet, true_ab: np.ndarray) -> None:
    sigma = np.random.default_rng(0).uniform(3, 12, true_ab.shape[:3])
    decoding = fit_decoding(Network(scores_of(true_ab, sigma)), validation, decode(temperature=1.0))
    assert decoding.confidence is not None
    assert min(share for _, share in decoding.confidence) > 0.99


def test_a_network_that_is_as_unsure_everywhere_has_a_confidence(
    validation: ShardSet, true_ab: np.ndarray
) -> None:
    """Its spreads differ by less than the digits that a bundle keeps of them."""
    noise = np.random.default_rng(0).normal(0, 1e-4, (*true_ab.shape[:3], len(BINS)))
    scores = (noise + np.linspace(0, 0.1, len(BINS))).astype(np.float32)
    confidence = fit_decoding(Network(scores), validation, decode(temperature=1.0)).confidence
    assert confidence is not None
    assert all(0 <= share <= 1 for _, share in confidence)
