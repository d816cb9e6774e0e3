"""What params.yaml refuses, and how it says so."""

import copy
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tintype.params import ParamsError, load_params
from tintype.stages.entrypoint import run_stage


@pytest.fixture
def content(root):
    return YAML(typ="safe").load((root / "params.yaml").read_text())


@pytest.fixture
def load(tmp_path, content):
    """Load the project's parameters with one thing changed."""

    def changed(key, value):
        new = copy.deepcopy(content)
        *blocks, last = key.split(".") if isinstance(key, str) else [key]
        target = new
        for block in blocks:
            target = target[block]
        if value is REMOVE:
            del target[last]
        else:
            target[last] = value
        YAML(typ="safe").dump(new, tmp_path / "params.yaml")
        return load_params(tmp_path / "params.yaml")

    return changed


REMOVE = object()
HUBER = {"name": "huber", "delta": 0.1}
FUSION = {"name": "fusion", "width": 1.0, "head": "tanh", "skips": False, "half": False}
PYRAMID = {
    "name": "pyramid",
    "width": 1.0,
    "head": "classes",
    "view": 224,
    "skips": True,
    "embedding": False,
    "attention": 0,
    "frozen": True,
    "dropout": 0.3,
    "half": True,
}


def test_the_projects_own_are_fine(load):
    params = load("train.epochs", 3)
    assert params.train.epochs == 3
    assert params.validate_.min_side == 64
    assert params.register_.model_name == "tintype"


def test_blocks_cannot_be_changed(load):
    with pytest.raises(ValueError, match="frozen"):
        load("train.epochs", 3).train.epochs = 4


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        # unknown: with the near match where there is one, else with what is known
        ("train.epoch", 3, ["train.epoch ", "3", "Did you mean 'epochs'?"]),
        ("trian", {}, ["trian", "Did you mean 'train'?"]),
        ("lab.zzz", 1, ["lab.zzz", "Known keys: size, workers"]),
        ("register_", {}, ["register_"]),
        (5, 1, ["there is no parameter 5. Known keys: adversarial, cluster"]),
        (
            "network.5",
            1,
            ["there is no parameter network.5 (value 1). Known keys: attention, dropout, embedding"],
        ),
        # missing
        ("train.epochs", REMOVE, ["train.epochs is missing", "a whole number from 1 to 100000"]),
        ("lab", REMOVE, ["lab is missing", "size, workers"]),
        # wrong type: nothing is converted
        ("train.epochs", "3", ["train.epochs is '3'", "a whole number"]),
        ("train.epochs", 3.0, ["train.epochs is 3.0", "a whole number"]),
        ("train.epochs", True, ["train.epochs is True", "a whole number"]),
        ("train.flip", 1, ["train.flip is 1", "true or false"]),
        ("train.learning_rate", "fast", ["train.learning_rate is 'fast'", "a number above 0 to 1"]),
        ("fetch.photos", "all", ["fetch.photos is 'all'", "null"]),
        ("lab", 128, ["lab is 128", "a block with the keys size, workers"]),
        # out of range
        ("train.epochs", 0, ["train.epochs is 0", "from 1"]),
        ("lab.size", 130, ["lab.size is 130", "multiple of 8"]),
        ("lab.size", 2048, ["lab.size is 2048", "from 32 to 1024"]),
        ("train.learning_rate", 0, ["train.learning_rate is 0", "above 0"]),
        ("validate.validation_share", 0.5, ["validate.validation_share is 0.5", "below 0.5"]),
        ("train.strategy", "many", ["train.strategy is 'many'", "one of single, data_parallel"]),
        ("train.workers", 0, ["train.workers is 0", "from 1"]),
        ("train.patience", 0, ["train.patience is 0", "from 1"]),
        ("network.name", "unet", ["network.name is 'unet'", "one of fusion, pyramid"]),
        ("network.head", "softmax", ["network.head is 'softmax'", "one of tanh, classes"]),
        ("network.view", 100, ["network.view is 100", "from 64 to 2048 and a multiple of 32 or null"]),
        ("network.dropout", 1.0, ["network.dropout is 1.0", "from 0 below 1"]),
        ("network.half", None, ["network.half is None", "true or false"]),
        ("network.name", REMOVE, ["network.name is missing", "one of fusion, pyramid"]),
        ("network.viw", 224, ["network.viw ", "224", "Did you mean 'view'?"]),
        ("network.view", REMOVE, ["network.view is missing", "from 64 to 2048"]),
        ("network", "big", ["network is 'big'", "a block whose key `name` is one of fusion, pyramid"]),
        ("train.loss", "l1", ["train.loss is 'l1'", "one of mse, huber, classes"]),
        ("train.loss.name", "l1", ["train.loss.name is 'l1'", "one of mse, huber, classes"]),
        ("train.loss.rebalance", 1.5, ["train.loss.rebalance is 1.5", "from 0 to 1"]),
        ("train.loss.rebalanced", 1, ["train.loss.rebalanced ", "Did you mean 'rebalance'?"]),
        # a name without the keys that belong to it: how to have them all
        ("train.loss", "mse", ["train.loss is 'mse'", "-S train/loss=mse"]),
        ("train.loss.name", "mse", ["no parameter train.loss.rebalance", "name is mse", "-S train/loss=mse"]),
        ("train.loss.name", "huber", ["train.loss.delta is missing", "above 0 to 1", "-S train/loss=huber"]),
        ("network.name", "fusion", ["no parameter network.view", "name is fusion", "-S network=fusion"]),
        ("train.scans", -0.1, ["train.scans is -0.1", "from 0 to 1"]),
        ("train.perceptual", -1, ["train.perceptual is -1", "from 0 to 100"]),
        ("decode.temperature", 0, ["decode.temperature is 0", "above 0 to 2 or null"]),
        ("decode.smoothing", -1.0, ["decode.smoothing is -1.0", "0 to 100"]),
        ("decode.colourfulness", "much", ["decode.colourfulness is 'much'", "a number above 0 to 2 or null"]),
        ("fetch.kaggle_dataset", "imagenet", ["fetch.kaggle_dataset is 'imagenet'", "form"]),
        ("weights.checksum", "md5:0", ["weights.checksum is 'md5:0'", "sha256"]),
        # not a number at all, yet a float
        ("train.learning_rate", float("nan"), ["train.learning_rate is nan"]),
    ],
)
def test_a_mistake_is_named_with_key_value_and_cure(load, key, value, words):
    with pytest.raises(ParamsError) as caught:
        load(key, value)
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message


def test_shares_that_leave_nothing_to_train_on(load, tmp_path, content):
    content["validate"] |= {"validation_share": 0.45, "test_share": 0.45}
    YAML(typ="safe").dump(content, tmp_path / "params.yaml")
    with pytest.raises(ParamsError, match="leave 10% of the photos to train on"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("network", "train", "sentence"),
    [
        (
            PYRAMID | {"head": "tanh"},
            {},
            "train.loss is classes and network.head is tanh. Expected the head classes for this loss, or another loss.",
        ),
        (
            PYRAMID,
            {"loss": HUBER},
            "train.loss is huber and network.head is classes. Expected the head tanh for this loss, or another loss.",
        ),
        (
            PYRAMID | {"embedding": True},
            {"scans": 0.5},
            "train.scans is 0.5, but the network pyramid takes the backbone's embedding, and embeddings are made of "
            "clean photos. Expected 0, or the network pyramid with embedding false.",
        ),
        (
            FUSION | {"head": "classes"},
            {"scans": 0.5},
            "train.scans is 0.5, but the network fusion takes the backbone's embedding",
        ),
        (
            PYRAMID,
            {"strategy": "data_parallel", "workers": 3},
            "train.batch_size is 16 and train.workers is 3. Expected a batch that can be cut into as many equal "
            "pieces.",
        ),
    ],
)
def test_parameters_that_contradict_each_other_are_refused_in_a_sentence(
    tmp_path, content, network, train, sentence
):
    content["network"] = network
    content["train"] |= train
    YAML(typ="safe").dump(content, tmp_path / "params.yaml")
    with pytest.raises(ParamsError) as caught:
        load_params(tmp_path / "params.yaml")
    assert sentence in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("network", "train"),
    [
        (PYRAMID | {"head": "tanh"}, {"loss": HUBER}),
        (PYRAMID | {"head": "tanh"}, {"loss": {"name": "mse"}}),
        (FUSION, {"loss": {"name": "mse"}}),
        (FUSION | {"head": "classes"}, {}),
        (PYRAMID | {"embedding": False}, {"scans": 0.5}),
        (PYRAMID | {"embedding": True}, {"scans": 0.0}),
    ],
)
def test_combinations_with_a_meaning_pass(tmp_path, content, network, train):
    content["network"] = network
    content["train"] |= train
    YAML(typ="safe").dump(content, tmp_path / "params.yaml")
    params = load_params(tmp_path / "params.yaml")
    assert params.network.model_dump().items() >= network.items()
    assert params.train.model_dump().items() >= train.items()


def test_all_mistakes_are_named_at_once(tmp_path, content):
    content["train"]["epochs"] = 0
    content["lab"]["size"] = "big"
    YAML(typ="safe").dump(content, tmp_path / "params.yaml")
    with pytest.raises(ParamsError) as caught:
        load_params(tmp_path / "params.yaml")
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("train: [1,", "not valid YAML"), ("just words", "Expected blocks"), ("", "Expected blocks")],
)
def test_what_is_not_parameters(tmp_path, text, sentence):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ParamsError, match=sentence):
        load_params(tmp_path / "params.yaml")


def test_a_missing_file(tmp_path):
    with pytest.raises(ParamsError, match="no such file"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("stage", ["fetch", "train"])
def test_a_stage_refuses_in_two_seconds_and_before_any_work(tmp_path, content, stage):
    content["train"]["lerning_rate"] = content["train"].pop("learning_rate")
    YAML(typ="safe").dump(content, tmp_path / "params.yaml")
    before = sum(os.times()[2:4])  # of the processor: a busy machine is no fault of the stage's
    done = subprocess.run(
        [sys.executable, "-m", f"tintype.stages.{stage}", "a", "b"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    seconds = sum(os.times()[2:4]) - before
    assert done.returncode == 1
    assert "Did you mean 'learning_rate'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]
    assert seconds < 2


@pytest.mark.parametrize("stage", ["lab", "evaluate"])
def test_a_stage_refuses_an_address_where_it_needs_a_folder(stage, root, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", [stage, "s3://bucket/raw", *"bcdef"])
    with pytest.raises(SystemExit, match=r"Expected a folder on a disk here\. Received: s3://bucket/raw"):
        run_stage(import_module(f"tintype.stages.{stage}").main)


@pytest.mark.parametrize(
    ("edit", "refusal"),
    [
        (
            ("per_photo: 12", "per_photo: 8"),
            r"params\.yaml changed while lab ran: crops\.per_photo was 12, is 8\. Run `dvc",
        ),
        (("  size: 128", "  side: 128"), r"lab\.size was 128, is None; lab\.side was None, is 128\."),
        (("preset: sample", "preset: [sample"), r"params\.yaml is not valid YAML"),
        (("epochs: 4", "epochs: 3"), None),  # dvc.yaml names no parameter of `train` for the stage `lab`
    ],
)
def test_a_stage_fails_if_its_parameters_change_while_it_runs(root, tmp_path, monkeypatch, edit, refusal):
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(root / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["src/tintype/stages/lab.py"])
    seen = []

    def main(params):
        seen.append(params.crops.per_photo)
        before = Path("params.yaml").read_text()
        assert edit[0] in before
        Path("params.yaml").write_text(before.replace(*edit))
        return lambda: seen.append("tidied up")

    with pytest.raises(SystemExit, match=refusal) if refusal else nullcontext():
        run_stage(main)
    assert seen == ([12] if refusal else [12, "tidied up"])
