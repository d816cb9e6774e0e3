"""`weights.origin: imagenet` at full size: a file under Keras' own name, over HTTP, into the network."""

import dataclasses
import functools
import hashlib
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import h5py
import numpy as np
import pytest

from tintype.models.backbone import BackboneError
from tintype.models.backbone.catalogue import CATALOGUE
from tintype.models.backbone.weights import make_backbone, network_of

NAME = "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels.h5"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def network():
    """Built once, as the catalogue says."""
    return CATALOGUE["inception_resnet_v2"].build()


@pytest.fixture(scope="module")
def served(tmp_path_factory, network):
    """The URL and checksum of a stand-in for Keras' file: its layout and shapes; array n is full of n / 1000."""
    folder = tmp_path_factory.mktemp("served")
    write_stand_in(network.layers, folder / NAME)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with (folder / NAME).open("rb") as file:
        checksum = "md5:" + hashlib.file_digest(file, "md5").hexdigest()
    yield f"http://127.0.0.1:{server.server_port}/{NAME}", checksum
    server.shutdown()
    server.server_close()


def write_stand_in(layers, file):
    """Under other names, as Keras numbers layers anew in each process: arrays are found by their order."""
    number = 0
    with h5py.File(file, "w") as h5:
        h5.attrs["layer_names"] = [f"their_{layer.name}".encode() for layer in layers]
        for layer in layers:
            group = h5.create_group(f"their_{layer.name}")
            names = [f"their_{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                group[name] = np.full(weight.shape, number / 1000, np.float32)
                number += 1


def test_every_array_of_the_file_lands_in_its_place(network, served, weights, tmp_path, monkeypatch):
    url, checksum = served
    entry = dataclasses.replace(CATALOGUE["inception_resnet_v2"], build=lambda: network)
    monkeypatch.setitem(CATALOGUE, "inception_resnet_v2", entry)
    params = weights(backbone="inception_resnet_v2", origin="imagenet", url=url, checksum=checksum)
    filled, detail = network_of(params, tmp_path)

    assert detail == url
    assert filled is network  # of which no array is a number before the file is read
    assert network.input_shape == (None, 299, 299, 3)
    assert network.output_shape == (None, 1000)
    arrays = [weight.numpy() for layer in network.layers for weight in layer.weights]
    assert len(arrays) == 898
    received = [(array.min(), array.max()) for array in arrays]
    np.testing.assert_allclose(received, np.arange(898)[:, None].repeat(2, axis=1) / 1000, rtol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]  # kept for the next time


def test_without_the_file_the_error_says_how_to_do_without(served, weights, tmp_path):
    params = weights(
        backbone="inception_resnet_v2", origin="imagenet", url=served[0].replace(NAME, "gone.h5")
    )
    with pytest.raises(
        BackboneError, match=r"could not be fetched.*weights\.origin to file and weights\.file"
    ):
        make_backbone(params, tmp_path / "backbone")
    assert not (tmp_path / "backbone").exists()


def test_an_address_that_is_no_weights_file_is_refused(weights, tmp_path):
    params = weights(backbone="inception_resnet_v2", origin="imagenet", url="https://example.org/weights")
    with pytest.raises(BackboneError, match=r"weights\.url is https://example\.org/weights\. Expected"):
        make_backbone(params, tmp_path / "backbone")
