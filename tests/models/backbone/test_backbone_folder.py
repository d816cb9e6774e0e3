"""The backbone's folder: reproducible, whole, and never made of a file that is something else."""

import dataclasses
import json
import shutil

import h5py
import keras
import numpy as np
import pytest

from tintype.errors import TintypeError
from tintype.files.digest import sha256_of
from tintype.models.backbone import Backbone, BackboneError
from tintype.models.backbone.catalogue import CATALOGUE
from tintype.models.backbone.weights import make_backbone, with_embedded


@pytest.fixture(scope="module")
def random_folder(tmp_path_factory, weights):
    folder = tmp_path_factory.mktemp("random") / "backbone"
    make_backbone(weights(origin="random"), folder)
    return folder


@pytest.fixture
def own(tmp_path):
    """A small network of one's own, with its description: 16 px, 5 numbers."""
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3)(inputs)
    outputs = keras.layers.Dense(5)(keras.layers.GlobalAveragePooling2D()(x))
    path = tmp_path / "mine.keras"
    keras.Model(inputs, outputs).save(path)
    path.with_suffix(".json").write_text('{"input_size": 16, "offset": 0.0, "scale": 255.0}')
    return path


def description(folder):
    return json.loads((folder / "backbone.json").read_text())


def test_the_description_says_what_it_is_and_where_it_is_from(backbone_folder):
    spec = description(backbone_folder)
    assert spec.pop("sha256") == sha256_of(backbone_folder / "backbone.keras")
    assert "Apache-2.0" in spec.pop("licence")
    assert spec == {
        "name": "efficientnet_lite0",
        "input_size": 224,
        "offset": 127.0,
        "scale": 128.0,
        "embedding_size": 1000,
        "origin": "embedded",
        "origin_detail": "efficientnet_lite0.npz, part of tintype",
    }


def test_random_weights_are_recorded_with_their_seed_and_tell_photos_apart(random_folder, gray_photos):
    spec = description(random_folder)
    assert (spec["origin"], spec["origin_detail"]) == ("random", "seed 7")
    assert "random" in spec["licence"]
    embeddings = Backbone.load(random_folder).embed(np.stack(list(gray_photos.values())[:8]), 8)
    assert embeddings.astype(np.float32).std(axis=0).mean() > 0.01


def test_one_seed_gives_the_same_bytes_and_another_seed_others(random_folder, weights, tmp_path):
    for seed in (7, 8):
        make_backbone(weights(origin="random", seed=seed), tmp_path / f"{seed}")
    assert description(tmp_path / "7") == description(random_folder)
    assert description(tmp_path / "8")["sha256"] != description(random_folder)["sha256"]


@pytest.fixture(scope="module")
def filled():
    return with_embedded("efficientnet_lite0")


@pytest.fixture
def network(filled, monkeypatch):
    """The backbone with its weights; it is also what a file is read into, which a test would build anew."""
    values = filled.get_weights()
    entry = dataclasses.replace(CATALOGUE["efficientnet_lite0"], build=lambda: filled)
    monkeypatch.setitem(CATALOGUE, "efficientnet_lite0", entry)
    yield filled
    filled.set_weights(values)


@pytest.mark.parametrize("name", ["net.keras", "net.weights.h5", "net_tf_dim_ordering_tf_kernels.h5"])
def test_weights_from_a_file_are_those_of_the_file(network, backbone_folder, weights, tmp_path, name):
    file = tmp_path / name
    if name.endswith("kernels.h5"):
        save_as_keras_publishes(network, file)
    elif name.endswith(".weights.h5"):
        network.save_weights(file)
    else:
        network.save(file)
    make_backbone(weights(origin="file", file=str(file)), tmp_path / "backbone")
    spec = description(tmp_path / "backbone")
    assert (spec["origin"], spec["origin_detail"]) == ("file", name)
    assert spec["sha256"] == description(backbone_folder)["sha256"]  # the same network, to the byte


def save_as_keras_publishes(network, file):
    """The layout of the files of keras.applications: a group for each layer, in the network's order."""
    with h5py.File(file, "w") as h5:
        h5.attrs["layer_names"] = [layer.name.encode() for layer in network.layers]
        for layer in network.layers:
            group = h5.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                group[name] = weight.numpy()


@pytest.mark.parametrize(
    ("damage", "suffix"),
    [
        ("garbage", ".keras"),
        ("garbage", ".h5"),
        ("foreign", ".keras"),
        ("foreign", ".weights.h5"),
        ("foreign", ".h5"),
        ("missing", ".keras"),
    ],
)
@pytest.mark.usefixtures("network")
def test_a_file_without_the_weights_is_named_and_leaves_the_old_folder(
    own, weights, tmp_path, suffix, damage
):
    file = tmp_path / f"weights{suffix}"
    if damage == "garbage":
        file.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 1000)
    elif damage == "foreign":
        foreign = keras.models.load_model(own)
        {".keras": foreign.save, ".weights.h5": foreign.save_weights}.get(
            suffix, lambda path: save_as_keras_publishes(foreign, path)
        )(file)
    old = tmp_path / "backbone"
    old.mkdir()
    (old / "kept").touch()
    with pytest.raises(BackboneError, match=f"weights{suffix}") as caught:
        make_backbone(weights(origin="file", file=str(file)), old)
    assert "efficientnet_lite0" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (old / "kept").exists()


def test_a_network_of_ones_own_embeds(own, weights, tmp_path):
    make_backbone(weights(backbone=str(own), origin="file"), tmp_path / "backbone")
    spec = description(tmp_path / "backbone")
    assert (spec["name"], spec["origin"], spec["origin_detail"]) == ("mine", "file", "mine.keras")
    gray8 = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 1), np.uint8)
    received = Backbone.load(tmp_path / "backbone").embed(gray8, 2)
    expected = keras.models.load_model(own)(np.repeat(gray8 / np.float32(255), 3, axis=-1)).numpy()
    np.testing.assert_allclose(received.astype(np.float32), expected, atol=2e-3)


def test_a_folder_made_before_is_a_backbone_and_random_stays_random(own, weights, tmp_path):
    own.with_suffix(".json").write_text(
        '{"input_size": 16, "offset": 0.0, "scale": 1.0, "origin": "random", "origin_detail": "seed 7"}'
    )
    make_backbone(weights(backbone=str(own), origin="file"), tmp_path / "first")
    make_backbone(weights(backbone=str(tmp_path / "first"), origin="file"), tmp_path / "second")
    spec = description(tmp_path / "second")
    assert (spec["name"], spec["origin"], spec["origin_detail"]) == ("first", "random", "seed 7")
    assert spec["sha256"] == description(tmp_path / "first")["sha256"]


def test_an_embedding_too_large_for_half_precision_is_an_error(own, weights, tmp_path):
    own.with_suffix(".json").write_text('{"input_size": 16, "offset": 0.0, "scale": 1e-9}')
    make_backbone(weights(backbone=str(own), origin="file"), tmp_path / "backbone")
    with pytest.raises(BackboneError, match="not finite numbers"):
        Backbone.load(tmp_path / "backbone").embed(np.full((1, 16, 16, 1), 255, np.uint8), 1)


def test_weights_with_a_hole_are_refused(network, weights, tmp_path):
    holey = network.get_weights()
    holey[3][0] = np.nan
    network.set_weights(holey)
    network.save(tmp_path / "holey.keras")
    with pytest.raises(BackboneError, match="1 of its 247 arrays"):
        make_backbone(weights(origin="file", file=str(tmp_path / "holey.keras")), tmp_path / "backbone")


@pytest.mark.parametrize(
    ("sidecar", "words"),
    [
        (None, "Write it, for instance"),
        ("{}", "input_size"),
        ('{"input_size": 16, "offset": 0.0, "scale": 0.0}', "scale"),
        (
            '{"input_size": 32, "offset": 0.0, "scale": 1.0}',
            r"32 x 32 RGB pictures.*Received: \(None, 16, 16, 3\)",
        ),
    ],
)
def test_preprocessing_must_be_said_and_fit_the_network(own, weights, tmp_path, sidecar, words):
    own.with_suffix(".json").unlink()
    if sidecar is not None:
        own.with_suffix(".json").write_text(sidecar)
    with pytest.raises(BackboneError, match=words) as caught:
        make_backbone(weights(backbone=str(own), origin="file"), tmp_path / "backbone")
    assert "mine.json" in str(caught.value)


def test_a_network_of_feature_maps_is_refused_with_the_cure(own, weights, tmp_path):
    inputs = keras.Input((16, 16, 3))
    keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs)).save(own)
    with pytest.raises(BackboneError, match="GlobalAveragePooling2D"):
        make_backbone(weights(backbone=str(own), origin="file"), tmp_path / "backbone")


def test_a_network_that_brings_code_is_refused(own, weights, tmp_path):
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Lambda(lambda pictures: pictures * 2)(inputs)
    keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x)).save(own)
    with pytest.raises(TintypeError, match="safe mode"):
        make_backbone(weights(backbone=str(own), origin="file"), tmp_path / "backbone")


@pytest.mark.parametrize("damage", ["exchanged", "no network", "no description", "half a description"])
def test_a_damaged_folder_is_refused(backbone_folder, tmp_path, damage):
    folder = tmp_path / "backbone"
    shutil.copytree(backbone_folder, folder)
    if damage == "exchanged":
        with (folder / "backbone.keras").open("ab") as file:
            file.write(b"\0")
    elif damage == "no network":
        (folder / "backbone.keras").unlink()
    elif damage == "no description":
        (folder / "backbone.json").unlink()
    else:
        (folder / "backbone.json").write_text('{"name": "efficientnet_lite0"')
    with pytest.raises(TintypeError, match=str(folder)):
        Backbone.load(folder)
