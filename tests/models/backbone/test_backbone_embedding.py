"""Embeddings tell photos apart, and depend on nothing but the photo."""

import numpy as np
import pytest

from tintype.models.backbone import Backbone

BATCH = 8
# ImageNet's class numbers
CATS = range(281, 286)
CLOCKS = [409, 892]
SUSPENSION_BRIDGE = [839]
ESPRESSO_OR_MUG = [504, 967]


def mean_cosine(embeddings: np.ndarray) -> float:
    """Mean cosine of all pairs of different rows."""
    rows = embeddings.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = rows @ rows.T
    return cosines[~np.eye(len(rows), dtype=bool)].mean()


@pytest.fixture(scope="module")
def some(gray_photos):
    return np.stack(list(gray_photos.values())[: BATCH + 3])


@pytest.fixture(scope="module")
def embeddings(embedded, some):
    return embedded.embed(some, BATCH)


def test_one_float16_vector_a_photo(embedded, embeddings, some):
    assert embeddings.shape == (len(some), embedded.spec.embedding_size) == (len(some), 1000)
    assert embeddings.dtype == np.float16


def test_no_photos_give_no_embeddings(embedded, some):
    assert embedded.embed(some[:0], BATCH).shape == (0, 1000)


def test_different_photos_get_clearly_different_embeddings(embeddings):
    assert mean_cosine(embeddings) < 0.5


def test_that_comparison_notices_photos_scaled_to_0_1_before_preprocessing(embedded, some):
    # The published mistake: preprocessing wants 0..255 and gets 0..1, so every photo is the same near-black.
    spec = embedded.spec
    trapped = spec.model_copy(update={"offset": spec.offset * 255, "scale": spec.scale * 255})
    assert mean_cosine(Backbone(embedded.network, trapped).embed(some, BATCH)) > 0.9


def test_preprocessing_in_the_graph_is_what_the_description_says(embedded, some, embeddings):
    rgb = np.repeat((some[:2].astype(np.float32) - 127) / 128, 3, axis=-1)
    expected = embedded.network(rgb).numpy()
    np.testing.assert_allclose(embeddings[:2].astype(np.float32), expected, atol=0.02)


@pytest.mark.parametrize("position", [0, BATCH - 1, BATCH + 2])
def test_an_embedding_does_not_depend_on_the_other_photos(embedded, some, embeddings, position):
    place = position % BATCH
    others = np.zeros_like(some[:BATCH])
    others[place] = some[position]
    assert embedded.embed(others, BATCH)[place].tobytes() == embeddings[position].tobytes()


def test_the_place_in_the_batch_moves_no_more_than_last_places(embedded, some, embeddings):
    # Some processors' matrix kernels sum the rows at a tile's edge in another order.
    turned = embedded.embed(some[::-1], BATCH)[::-1]
    np.testing.assert_allclose(turned, embeddings, rtol=2**-9, atol=2**-7)


@pytest.mark.parametrize(
    ("name", "classes"),
    [("cat", CATS), ("clock", CLOCKS), ("bridge", SUSPENSION_BRIDGE), ("coffee", ESPRESSO_OR_MUG)],
)
def test_the_weights_know_what_a_gray_photo_shows(embedded, gray_photos, name, classes):
    scores = embedded.embed(gray_photos[name][None], BATCH)[0]
    assert scores.argmax() in classes


@pytest.mark.parametrize("wrong", [np.zeros((1, 224, 224, 1)), np.zeros((1, 96, 96, 1), np.uint8)])
def test_other_pictures_are_refused(embedded, wrong):
    with pytest.raises(ValueError, match=r"Expected uint8 gray photos of shape \(n, 224, 224, 1\). Received"):
        embedded.embed(wrong, BATCH)
