"""A training that begins with a bundle's weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tintype.errors import TintypeError
from tintype.models.backbone.spec import NETWORK_FILE as BACKBONE
from tintype.models.backbone.spec import read_spec
from tintype.models.bundle import NETWORK_FILE
from tintype.models.decoding import undecoded
from tintype.models.keras_file import load_network
from tintype.models.network import build_network
from tintype.models.starter import starter_bundle
from tintype.params import NetworkParams
from tintype.training.inputs import take_weights
from tintype.training.start import refuse_another_network, start_bundle


def fresh(params: NetworkParams, backbone: Path, size: int) -> Any:
    """A network as the stage builds it."""
    given = load_network(backbone / BACKBONE), read_spec(backbone)
    return build_network(params, size, given[1].embedding_size, lambda: given)


def test_nothing_and_the_starter_need_no_entry_in_dvc_yaml() -> None:
    assert start_bundle(None, []) is None
    assert start_bundle("starter", []) == starter_bundle()


def test_a_folder_has_to_be_watched_by_dvc() -> None:
    assert start_bundle("models/old", ["data/lab", "models/old/"]) == Path("models/old")
    with pytest.raises(TintypeError, match="Add the line `- models/old` there"):
        start_bundle("models/old", ["data/lab"])


def test_another_network_is_refused_before_anything_is_computed(
    network_params: Callable[..., NetworkParams],
) -> None:
    with pytest.raises(
        TintypeError, match=r"fusion instead of pyramid, width 0\.1 instead of 1\.0, needs embedding"
    ):
        refuse_another_network(network_params(), starter_bundle())
    with pytest.raises(
        TintypeError, match=r"Received: width 0\.1 instead of 1\.0, head tanh instead of classes\. Set"
    ):
        refuse_another_network(network_params(name="pyramid", head="tanh"), starter_bundle())


def test_a_network_begins_where_the_bundle_ended(
    pyramid_bundle: Path, tiny_backbone: Path, network_params: Callable[..., NetworkParams]
) -> None:
    network = fresh(network_params(name="pyramid"), tiny_backbone, 48)
    lightness = {"l": np.random.default_rng(0).uniform(0, 255, (1, 48, 48, 1)).astype(np.float32)}
    before = np.asarray(network(lightness))
    take_weights(network, pyramid_bundle)
    theirs = np.asarray(undecoded(load_network(pyramid_bundle / NETWORK_FILE))(lightness))
    np.testing.assert_array_equal(np.asarray(network(lightness)), theirs)
    assert np.abs(before - theirs).max() > 1e-3
    larger = take_weights(fresh(network_params(name="pyramid"), tiny_backbone, 64), pyramid_bundle)
    assert larger.output.shape[1] == 16


def test_what_is_no_bundle_is_refused(tmp_path: Path, network_params: Callable[..., NetworkParams]) -> None:
    with pytest.raises(
        TintypeError, match=r"Expected a bundle in .*bundle\.json cannot be read \(FileNotFoundError\)"
    ):
        refuse_another_network(network_params(), tmp_path)


def test_other_layers_are_named(
    pyramid_bundle: Path, tiny_backbone: Path, network_params: Callable[..., NetworkParams]
) -> None:
    network = fresh(network_params(name="pyramid", attention=1), tiny_backbone, 48)
    with pytest.raises(
        TintypeError,
        match=r"differs in \d+ of \d+ arrays, such as \S*attention_1\S*\. Set train.start to null",
    ):
        take_weights(network, pyramid_bundle)
