"""OpenVINO's way to embed: the embeddings that Keras gives, the same bits however photos come, and chosen aloud."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from tintype.models.backbone import BackboneError
from tintype.models.backbone.embedder import load_embedder
from tintype.models.backbone.spec import DESCRIPTION_FILE, IR_FILE, NETWORK_FILE
from tintype.models.backbone.weights import _difference, make_backbone, write_backbone_ir
from tintype.models.openvino import OpenVinoNetwork, core


@pytest.fixture(scope="module")
def folder(backbone_with_ir):
    return backbone_with_ir


@pytest.fixture(autouse=True)
def as_for_people(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND")


@pytest.fixture
def engine(folder):
    return load_embedder(folder, "float32", 8, cores=2)


@pytest.fixture(scope="module")
def photos(gray_photos):
    return np.stack(list(gray_photos.values())[:6])


def test_embeddings_are_those_of_keras(engine, embedded, photos):
    assert engine.sentence == "on OpenVINO in float32"
    ours, theirs = engine.backbone.embed(photos, engine.batch_size), embedded.embed(photos, 8)
    np.testing.assert_allclose(ours, theirs, rtol=2**-9, atol=2**-9)


def test_the_ir_is_near_keras(folder, embedded):
    assert 0 < _difference(embedded, OpenVinoNetwork.load(folder / NETWORK_FILE)) < 1e-4


def test_an_ir_is_the_same_bytes_each_time(weights, tmp_path):
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.DepthwiseConv2D(3)(keras.layers.Conv2D(4, 3, use_bias=False)(inputs))
    x = keras.layers.Add()([x, keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(x))])
    network = keras.Model(inputs, keras.layers.Dense(5)(keras.layers.GlobalAveragePooling2D()(x)))
    network.save(tmp_path / "mine.keras")
    (tmp_path / "mine.json").write_text('{"input_size": 16, "offset": 0.0, "scale": 255.0}')
    make_backbone(weights(backbone=str(tmp_path / "mine.keras"), origin="file"), tmp_path / "first")
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    for name in ("first", "second"):
        assert 0 <= write_backbone_ir(tmp_path / name) < 1e-4
    for name in (DESCRIPTION_FILE, "backbone.xml", "backbone.bin"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_an_embedding_has_the_same_bits_whatever_is_embedded_beside_it(engine, folder, photos):
    alone = load_embedder(folder, "float32", 8, cores=1)
    expected = [alone.backbone.embed(photo[None], 1).tobytes() for photo in photos]
    with ThreadPoolExecutor(engine.at_once) as pool:
        turned = pool.map(lambda photo: engine.backbone.embed(photo[None], 1).tobytes(), [*photos[::-1]] * 2)
    assert list(turned) == expected[::-1] * 2


def test_bfloat16_is_near_or_refused(folder, photos, engine):
    if "BF16" not in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(BackboneError, match=r"Expected a processor that computes in bfloat16"):
            load_embedder(folder, "bfloat16", 8)
        return
    halved = load_embedder(folder, "bfloat16", 8, cores=1)
    assert (halved.precision, halved.sentence) == ("bfloat16", "on OpenVINO in bfloat16")
    ours = halved.backbone.embed(photos, 1).astype(np.float64)
    theirs = engine.backbone.embed(photos, 1).astype(np.float64)
    cosines = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert 0.99 < cosines.min() < 1 - 1e-7


def test_a_fallback_says_so(folder, tmp_path, monkeypatch):
    bare = tmp_path / "bare"
    shutil.copytree(folder, bare, ignore=shutil.ignore_patterns(IR_FILE))
    fallback = load_embedder(bare, "auto", 8)
    assert (fallback.precision, fallback.batch_size, fallback.at_once) == ("float32", 8, 1)
    assert "on Keras with tensorflow in float32, for want of" in fallback.sentence
    assert "dvc repro --force weights" in fallback.sentence
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "tensorflow")
    assert "because KERAS_BACKEND is tensorflow" in load_embedder(folder, "auto", 8).sentence
    with pytest.raises(BackboneError, match=r"embed.precision is bfloat16, but Keras embeds in float32"):
        load_embedder(folder, "bfloat16", 8)


@pytest.mark.parametrize("name", ["backbone.bin", "backbone.keras", "backbone.xml"])
def test_a_damaged_ir_is_refused(folder, tmp_path, name):
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    content = bytearray((damaged / name).read_bytes())
    content[len(content) // 2] ^= 1
    (damaged / name).write_bytes(content)
    with pytest.raises(
        BackboneError, match=rf"Expected .*{name} with the SHA-256 .*dvc repro --force weights"
    ):
        load_embedder(damaged, "auto", 8)


def test_an_ir_of_another_network_is_refused(folder, tmp_path):
    mixed = tmp_path / "mixed"
    shutil.copytree(folder, mixed)
    spec = json.loads((mixed / "backbone.json").read_text())
    (mixed / "backbone.json").write_text(json.dumps(spec | {"sha256": "0" * 64}))
    with pytest.raises(
        BackboneError, match=r"to be made of the network beside it, 000000000000. Received: one of"
    ):
        load_embedder(mixed, "auto", 8)
