"""conf/ and params.yaml."""

import importlib.util
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tintype.params import Params, TrainParams, load_params
from tintype.params.blocks import MseParams, PyramidParams

PRESETS = sorted(path.stem for path in (Path(__file__).parents[2] / "conf/preset").glob("*.yaml"))


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


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_loads_and_takes_overrides(compose, tmp_path, preset):
    compose(tmp_path / "params.yaml", f"preset={preset}", "train.seed=7", "fetch.photos=100")
    params = load_params(tmp_path / "params.yaml")
    assert (params.preset, params.train.seed, params.fetch.photos) == (preset, 7, 100)


@pytest.mark.parametrize("preset", ["sample", "imagenet"])
def test_a_pyramid_of_classes_is_what_presets_train(compose, tmp_path, preset):
    compose(tmp_path / "params.yaml", f"preset={preset}")
    params = load_params(tmp_path / "params.yaml")
    network = params.network
    assert isinstance(network, PyramidParams)
    assert (network.head, network.skips, network.embedding) == ("classes", True, False)
    assert (params.train.loss.name, params.decode.temperature) == ("classes", None)


def test_the_papers_recipe(compose, tmp_path):
    """The report's network, loss and optimizer, and nothing that came later."""
    compose(tmp_path / "params.yaml", "preset=paper")
    params = load_params(tmp_path / "params.yaml")
    assert (params.weights.backbone, params.weights.origin) == ("inception_resnet_v2", "imagenet")
    assert (params.crops.per_photo, params.lab.size) == (1, 256)
    network, train = params.network, params.train
    assert (network.name, network.width, network.head) == ("fusion", 1.0, "tanh")
    assert (network.skips, network.half, network.needs) == (False, False, "embedding")
    assert (train.loss, train.optimizer, train.learning_rate) == (MseParams(name="mse"), "rmsprop", 0.001)
    assert (train.epochs, train.batch_size) == (1, 10)
    assert (train.schedule, train.warmup_share, train.weight_decay) == ("constant", 0, 0)
    assert (train.perceptual, train.scans) == (0, 0)
    assert params.adversarial.steps == 0
    assert (train.flip, train.mixed_precision, train.ema_momentum, train.patience) == (False, False, 0, None)
    assert list(params.decode.model_dump().values()) == [None, None, 0.0, 0.0]


def test_imagenet_scales_the_recipe_of_the_starter(compose, tmp_path):
    chosen, smoothed = {}, {}
    for preset in ("starter", "imagenet"):
        compose(tmp_path / "params.yaml", f"preset={preset}")
        params = load_params(tmp_path / "params.yaml")
        chosen[preset] = (
            params.network.model_copy(update={"view": None, "dropout": 0}),
            params.train.loss,
            params.train.scans,
            params.decode.model_copy(update={"smoothing": 0}),
        )
        smoothed[preset] = params.decode.smoothing / params.lab.size**2
    assert smoothed["imagenet"] == pytest.approx(smoothed["starter"], rel=0.05)  # the same share of a photo
    assert chosen["imagenet"] == chosen["starter"]


@pytest.mark.parametrize(
    ("preset", "network", "loss"),
    [
        ("study", "fusion", "huber"),
        ("imagenet", "fusion", "classes"),
        ("paper", "pyramid", "classes"),
        ("paper", "pyramid", "huber"),
    ],
)
def test_a_network_and_a_loss_come_with_all_their_keys(compose, tmp_path, preset, network, loss):
    head = "classes" if loss == "classes" else "tanh"
    overrides = [f"network={network}", f"network.head={head}", f"train/loss={loss}", "train.scans=0"]
    compose(tmp_path / "params.yaml", f"preset={preset}", *overrides)
    params = load_params(tmp_path / "params.yaml")
    assert (params.network.name, params.network.head, params.train.loss.name) == (network, head, loss)


def test_every_network_and_every_loss_is_in_a_file(root):
    """What `-S network=...` and `-S train/loss=...` can choose, and what the code knows."""
    for group, field in (
        ("network", Params.model_fields["network"]),
        ("train/loss", TrainParams.model_fields["loss"]),
    ):
        names = {block.model_fields["name"].annotation.__args__[0] for block in field.annotation.__args__}
        files = [YAML(typ="safe").load(path) for path in (root / "conf" / group).glob("*.yaml")]
        assert {file["name"] for file in files if "name" in file} == names


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("train.epoch=3", r"there is no parameter train\.epoch \(value 3\)\. Did you mean 'epochs'\?"),
        ("train.epochs=ten", r"train\.epochs is 'ten'\. Expected a whole number from 1 to 100000\."),
        ("trian.epochs=3", r"there is no parameter trian \(value \{'epochs': 3\}\)\. Did you mean 'train'\?"),
        ("netwrk=fusion", r"there is no parameter netwrk \(value 'fusion'\)\. Did you mean 'network'\?"),
        ("train/los=mse", r"there is no parameter train\.los \(value 'mse'\)\. Did you mean 'loss'\?"),
        ("network.head=tanh", r"train\.loss is classes and network\.head is tanh\."),
    ],
)
def test_a_mistake_in_an_override_is_refused_in_our_words_before_anything_is_written(
    compose, tmp_path, override, sentence
):
    with pytest.raises(SystemExit, match=rf"error: params\.yaml: {sentence}"):
        compose(tmp_path / "params.yaml", override)
    assert not (tmp_path / "params.yaml").exists()


def test_a_preset_that_is_not_there_is_refused_by_name(compose, tmp_path):
    with pytest.raises(Exception, match="imagnet"):
        compose(tmp_path / "params.yaml", "preset=imagnet")
