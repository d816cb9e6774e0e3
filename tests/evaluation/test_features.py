from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tintype.evaluation.features import FeatureComparison, feature_distance, frechet_distance, taps_of
from tintype.models.backbone import Backbone, BackboneSpec
from tintype.models.keras_backend import prepare_keras

Defects = Callable[[np.ndarray], dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def backbone(embedded_backbone: Backbone) -> Backbone:
    return embedded_backbone


@pytest.fixture(scope="module")
def plain() -> Backbone:
    """Four features, R, G, B and nothing, at 4 and at 2 pixels."""
    prepare_keras()
    import keras
    from keras import layers

    inputs = keras.Input((4, 4, 3))
    maps = layers.Conv2D(4, 1, name="mix")(inputs)
    outputs = layers.GlobalAveragePooling2D()(layers.AveragePooling2D(2)(maps))
    network = keras.Model(inputs, outputs)
    network.get_layer("mix").set_weights([np.eye(3, 4)[None, None], np.zeros(4)])
    spec = BackboneSpec(
        name="plain",
        input_size=4,
        offset=10.0,
        scale=2.0,
        embedding_size=4,
        origin="random",
        origin_detail="",
        sha256="0" * 64,
        licence="none",
    )
    return Backbone(network, spec)


def test_features_are_taken_at_the_end_of_each_resolution(backbone: Backbone) -> None:
    taps = taps_of(backbone.network)
    assert [maps.shape[1] for maps in taps] == [112, 56, 28, 14, 7]
    assert taps[-1].shape[-1] == 1280


def test_the_distance_is_the_formula_by_hand(plain: Backbone) -> None:
    """Halves of one colour each, so both resolutions say the same: unit vectors differ on one half of places."""
    truth, other = np.full((4, 4, 3), (40, 10, 10), np.uint8), np.full((4, 4, 3), (40, 10, 10), np.uint8)
    other[:, 2:] = (10, 40, 10)  # preprocessed (0, 15, 0) against (15, 0, 0): 90 degrees, distance 2
    assert feature_distance(plain, other, truth) == pytest.approx(0.5 * 2)
    other[:, 2:] = (40, 40, 10)  # 45 degrees
    assert feature_distance(plain, other, truth) == pytest.approx(0.5 * (2 - np.sqrt(2)))


def test_the_frechet_distance_is_that_of_the_pooled_last_features(plain: Backbone) -> None:
    truths = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
    coloured = truths[:, :, :, ::-1]
    viewer = FeatureComparison(plain, ("ours",))
    for truth, rgb8 in zip(truths, coloured, strict=True):
        viewer.add(truth, {"ours": rgb8})
    vectors = [(photos.mean(axis=(1, 2)) - 10) / 2 for photos in (coloured, truths)]
    assert viewer.finish().frechet["ours"] == pytest.approx(frechet_distance(*vectors), rel=1e-4)


def test_batches_do_not_change_a_distance(backbone: Backbone, defects: Defects, cat: np.ndarray) -> None:
    versions = defects(cat)
    viewer = FeatureComparison(backbone, ("pale", "gray"))
    for truth in (cat, cat[:100], cat[:, ::-1]):
        viewer.add(truth, {"pale": versions["pale"][: len(truth)], "gray": versions["gray"][: len(truth)]})
    looks = viewer.finish()
    assert len(looks.distances) == 3
    assert set(looks.frechet) == {"pale", "gray"}
    assert looks.distances[0]["gray"] == pytest.approx(
        feature_distance(backbone, versions["gray"], cat), rel=1e-3
    )


@pytest.mark.parametrize("known", ["scene", "dahlia", "bridge"], indirect=True)
def test_planted_defects_are_ranked(backbone: Backbone, known: np.ndarray, defects: Defects) -> None:
    versions = defects(known)
    viewer = FeatureComparison(backbone, tuple(versions))
    viewer.add(known, versions)
    found = viewer.finish().distances[0]
    assert found["truth"] == pytest.approx(0, abs=1e-6)
    assert found["truth"] < found["pale"] < found["paler"] < found["gray"]
    for name in ("garish", "patches", "blurred", "shifted"):
        assert found[name] > 0.003
    assert found["patches"] > found["pale"]


def test_methods_are_ranked_by_the_frechet_distance(
    backbone: Backbone, sample: Path, defects: Defects
) -> None:
    from tintype.formats.photo import read_photo
    from tintype.measures.metrics import reduced

    viewer = FeatureComparison(backbone, ("pale", "paler", "patches"))
    for path in sorted(sample.glob("*.jpg"))[:8]:
        truth = reduced(read_photo(path).rgb8, 256)
        versions = defects(truth)
        viewer.add(truth, {name: versions[name] for name in ("pale", "paler", "patches")})
    found = viewer.finish().frechet
    assert 0 < found["pale"] < found["paler"]
    assert found["pale"] < found["patches"]
