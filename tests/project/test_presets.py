"""conf/ and params.yaml."""

import importlib.util

import pytest

from tintype.params import load_params


@pytest.fixture(scope="module")
def compose(root):
    """The function behind `make params`, which is DVC's own."""
    spec = importlib.util.spec_from_file_location("compose_params", root / ".ci" / "params.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.compose


def test_params_yaml_is_the_sample_preset(compose, root, tmp_path):
    compose(tmp_path / "params.yaml")
    message = "params.yaml and conf/ differ: edit conf/preset/sample.yaml, then run `make params`"
    assert (tmp_path / "params.yaml").read_bytes() == (root / "params.yaml").read_bytes(), message


@pytest.mark.parametrize("preset", ["sample", "imagenet", "paper"])
def test_each_preset_loads_and_takes_overrides(compose, tmp_path, preset):
    compose(tmp_path / "params.yaml", f"preset={preset}", "train.seed=7", "fetch.photos=100")
    params = load_params(tmp_path / "params.yaml")
    assert (params.preset, params.train.seed, params.fetch.photos) == (preset, 7, 100)


def test_the_papers_recipe(compose, tmp_path):
    compose(tmp_path / "params.yaml", "preset=paper")
    params = load_params(tmp_path / "params.yaml")
    assert (params.weights.backbone, params.weights.origin) == ("inception_resnet_v2", "imagenet")
    assert (params.lab.size, params.network.name, params.network.width) == (256, "fusion", 1.0)
    train = params.train
    assert (train.loss, train.optimizer, train.learning_rate, train.epochs) == ("mse", "rmsprop", 0.001, 1)
    assert (train.schedule, train.ema_momentum, train.flip, train.mixed_precision) == (
        "constant",
        0,
        False,
        False,
    )


def test_a_typing_mistake_in_an_override_is_refused(compose, tmp_path):
    with pytest.raises(Exception, match="epoch"):
        compose(tmp_path / "params.yaml", "train.epoch=3")
    with pytest.raises(Exception, match="imagnet"):
        compose(tmp_path / "params.yaml", "preset=imagnet")
