"""The adversarial stage on a small network, and all of a training with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tintype.errors import TintypeError
from tintype.imaging.contrast import with_contrast
from tintype.models.backbone.spec import NETWORK_FILE, SPEC_FILE, BackboneSpec
from tintype.models.bins import ab_bins
from tintype.models.bundle import Decoding, read_info
from tintype.models.decoding import annealed_mean
from tintype.models.heads import put_head
from tintype.models.keras_backend import make_deterministic, prepare_keras
from tintype.models.network import AB_LIMIT
from tintype.params import AdversarialParams, Params, TrainParams
from tintype.params.blocks import ClassesParams, HuberParams
from tintype.training.batches import batches
from tintype.training.inputs import Tensors, checkpoints_of
from tintype.training.train import train_network

prepare_keras()

import keras  # noqa: E402

from tintype.training.fit import loss_on  # noqa: E402
from tintype.training.gan import stage  # noqa: E402
from tintype.training.gan.stage import refine  # noqa: E402
from tintype.training.gan.steps import (  # noqa: E402
    CHROMA,
    GanSteps,
    critic_input,
    shown_ab,
)
from tintype.training.gan.validation_score import Score, ValidationScore  # noqa: E402

SIZE, EMBEDDING = 32, 8
HEADS = {
    "tanh": HuberParams(name="huber", delta=0.1),
    "classes": ClassesParams(name="classes", rebalance=0.0),
}


class Watcher:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, dict[str, float]]] = []

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        self.told.append((epoch, dict(metrics)))

    def picture(self, name: str, epoch: int, path: Path) -> None:
        """No matter."""

    def values(self, name: str) -> list[float]:
        return [metrics[name] for _, metrics in self.told if name in metrics]


@pytest.fixture
def lessons() -> AdversarialParams:
    return AdversarialParams(
        steps=4, critic_steps=2, weight=0.1, learning_rate=1e-3, check_every=2, patience=2
    )


@pytest.fixture
def train_params(params: Params) -> TrainParams:
    changes = {"epochs": 1, "batch_size": 6, "perceptual": 0.0, "scans": 0.0, "mixed_precision": False}
    return params.train.model_copy(update=changes)


def small(head: Any = "tanh") -> Any:
    """A network of a few layers; it has what behaves otherwise in training."""
    l8, vector = keras.Input((SIZE, SIZE, 1), name="l"), keras.Input((EMBEDDING,), name="embedding")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(l8)
    x = keras.layers.Conv2D(8, 4, strides=4)(x)
    x = keras.layers.Add()([x, keras.layers.Reshape((1, 1, 8))(keras.layers.Dense(8)(vector))])
    x = keras.layers.Dropout(0.5)(keras.layers.ReLU()(keras.layers.BatchNormalization()(x)))
    return keras.Model({"l": l8, "embedding": vector}, put_head(x, head))


@pytest.fixture
def go(
    tensors: Any, params: Params, train_params: TrainParams
) -> Callable[..., tuple[int, Any, list[Any], Watcher]]:
    """Let a critic teach an unfitted network: what was kept, the network, its weights before and who watched."""

    def run(lessons: AdversarialParams, head: str = "tanh", **changed: Any) -> Any:
        train = train_params.model_copy(update={"loss": HEADS[head]} | changed)
        make_deterministic(5)
        learn, check, watcher = tensors.split("train"), tensors.split("validation"), Watcher()

        def build() -> Any:
            return small(head)

        network = build()
        before = network.get_weights()
        loss = loss_on(learn, train)
        kept = refine(network, build, lessons, train, params.decode, learn, check, loss, watcher)
        return kept, network, before, watcher

    return run


def same(one: list[Any], two: list[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.fixture
def score(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have the validation photos give these differences, the first one to the network as it was."""

    def plan(*differences: float) -> None:
        rest = iter(differences[1:])

        def fixed(score_of: Any, *_: Any) -> None:
            score_of.before = Score(differences[0], 1.0)

        monkeypatch.setattr(ValidationScore, "__init__", fixed)
        monkeypatch.setattr(ValidationScore, "__call__", lambda *_: Score(next(rest), 1.0))

    return plan


@pytest.mark.parametrize(("head", "mixed"), [("tanh", False), ("classes", True)])
def test_teaches_either_head_in_either_precision(
    go: Any, lessons: AdversarialParams, score: Any, head: str, mixed: bool
) -> None:
    score(3.0, 2.0, 1.0)
    kept, network, before, watcher = go(lessons, head, mixed_precision=mixed)
    assert kept == 4
    assert not same(before, network.get_weights())
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    assert [step for step, _ in watcher.told] == [0, 2, 4, 4]
    assert np.isfinite(watcher.values("adv_loss") + watcher.values("adv_critic_loss")).all()
    assert watcher.values("adv_kept_step") == [4]


@pytest.mark.slow
def test_two_runs_with_one_seed_are_the_same_run(go: Any, lessons: AdversarialParams) -> None:
    first, second = go(lessons), go(lessons)
    assert first[3].told == second[3].told
    assert same(first[1].get_weights(), second[1].get_weights())


def test_a_network_that_got_no_better_stays_as_it_was(
    go: Any, lessons: AdversarialParams, score: Any
) -> None:
    score(1.0, 1.0, 1.1)
    kept, network, before, watcher = go(lessons)
    assert kept == 0
    assert watcher.values("adv_kept_step") == [0]
    assert same(before, network.get_weights())


@pytest.mark.slow
def test_stops_when_patience_is_over_and_keeps_the_best(
    go: Any, lessons: AdversarialParams, score: Any
) -> None:
    score(3.0, 2.0, 2.5, 2.5, 1.0)
    kept, network, _, watcher = go(lessons.model_copy(update={"steps": 20}))
    assert kept == 2
    assert [step for step, _ in watcher.told] == [0, 2, 4, 6, 6]
    score(3.0, 2.0)
    _, shorter, _, _ = go(lessons.model_copy(update={"steps": 2}))
    assert same(network.get_weights(), shorter.get_weights())


def test_says_what_to_change_when_a_loss_is_no_number(
    go: Any, lessons: AdversarialParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_endless", lambda *_: _poisoned())
    with pytest.raises(TintypeError, match=r"critic's loss became nan. Lower adversarial.learning_rate"):
        go(lessons)


def _poisoned() -> Any:
    given = {"l": np.zeros((2, SIZE, SIZE, 1), np.float32), "embedding": np.zeros((2, EMBEDDING), np.float32)}
    while True:
        yield given, np.full((2, SIZE, SIZE, 3), np.nan, np.float32)


def test_the_critic_learns_and_the_network_follows_it(tensors: Any) -> None:
    make_deterministic(5)
    network = small()
    network.set_weights([0.1 * weight for weight in network.get_weights()])  # nearly gray
    lessons = AdversarialParams(
        steps=1, critic_steps=0, weight=1.0, learning_rate=3e-3, check_every=1, patience=1
    )
    steps = GanSteps(network, Decoding(), _no_loss(), lessons)

    given, truth = next(iter(batches(tensors.split("train"), 18).as_numpy_iterator()))
    losses = [steps.teach_critic(given, truth) for _ in range(60)]
    assert losses[-1] < 0.7 * losses[0]
    chroma = [float(np.abs(np.asarray(network(given))).mean())]
    for _ in range(20):
        steps.teach_network(given, truth)
    chroma.append(float(np.abs(np.asarray(network(given))).mean()))
    # The critic knows that photos have more colour than an unfitted network's; its word alone brings some.
    assert chroma[1] > 1.5 * chroma[0]


def _no_loss() -> Any:
    class Nothing(keras.losses.Loss):
        def call(self, truth: Any, output: Any) -> Any:
            return 0.0 * keras.ops.mean(output, axis=(1, 2, 3))

    return Nothing()


def test_the_critic_sees_lightness_and_shown_colours_at_the_outputs_size() -> None:
    truth = np.zeros((1, 8, 8, 3), np.float32)
    truth[:, :, :4, 0] = 255
    scores = np.random.default_rng(0).normal(size=(1, 2, 2, len(ab_bins()))).astype(np.float32)
    decoding = Decoding(gain=2.0, temperature=0.4)

    ab = np.asarray(shown_ab(scores, decoding))
    np.testing.assert_allclose(ab, 2 * annealed_mean(scores, 0.4), rtol=1e-4, atol=1e-4)
    more = np.asarray(shown_ab(scores, decoding.model_copy(update={"contrast": 0.5})))
    np.testing.assert_allclose(more, 2 * with_contrast(annealed_mean(scores, 0.4), 0.5), rtol=1e-2, atol=1e-2)
    assert np.abs(more - ab).max() > 0.5
    lab = np.asarray(critic_input(truth, ab))
    np.testing.assert_allclose(lab[0, :, :, 0], [[1, -1], [1, -1]])
    np.testing.assert_allclose(lab[..., 1:] * CHROMA, ab, rtol=1e-6)
    unit = np.full((1, 2, 2, 2), 0.1, np.float32)
    np.testing.assert_allclose(np.asarray(shown_ab(unit, Decoding(gain=1.5))), 0.15 * AB_LIMIT, rtol=1e-6)


def test_in_the_exam_neither_paleness_nor_gaudiness_counts(tensors: Any) -> None:
    lab8 = np.load(tensors.split("validation").lab[0])
    ab = (lab8[..., 1:].astype(np.float32) - 128) / AB_LIMIT

    def colours(planes: Any) -> Any:
        class Fixed:
            input = ("l",)

            def predict_on_batch(self, given: Any) -> Any:
                return planes

        return Fixed()

    score_of = ValidationScore(colours(ab), tensors.split("validation"), Decoding(), 1.0)
    assert score_of.before.difference < 0.1
    dull, turned = score_of(colours(0.3 * ab)), score_of(colours(ab[..., ::-1]))
    assert dull.difference < 0.1
    assert dull.colourfulness == pytest.approx(0.3, abs=0.1)
    assert turned.difference > 5


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    """A backbone of a few convolutions, down to a stride of 32."""
    make_deterministic(3)
    rgb = x = keras.Input((2 * SIZE, 2 * SIZE, 3))
    for number in range(5):
        x = keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name=f"half_{number}")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    folder = tmp_path / "backbone"
    folder.mkdir()
    keras.Model(rgb, x).save(folder / NETWORK_FILE)
    spec = BackboneSpec(
        name="tiny",
        input_size=2 * SIZE,
        offset=127.5,
        scale=127.5,
        embedding_size=EMBEDDING,
        origin="random",
        origin_detail="3",
        sha256="0" * 64,
        licence="none",
    )
    (folder / SPEC_FILE).write_text(spec.model_dump_json())
    return folder


@pytest.mark.slow
def test_a_whole_training_with_a_critic(
    tensors: Any,
    backbone: Path,
    params: Params,
    train_params: TrainParams,
    lessons: AdversarialParams,
    network_params: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = network_params(name="pyramid", view=64, width=0.1)
    train = train_params.model_copy(update={"epochs": 2, "loss": HEADS["classes"], "perceptual": 0.5})
    (tmp_path / "manifest").write_bytes(b"a manifest")
    inputs = Tensors(tensors.plans, tmp_path / "manifest", tensors.lab, tensors.embeddings, backbone)
    checkpoints = checkpoints_of(tmp_path / "checkpoints", inputs, network, train)

    def train_it(watcher: Watcher, name: str) -> Any:
        return train_network(
            inputs,
            network,
            train,
            params.decode,
            adversarial=lessons,
            preset="test",
            checkpoints=checkpoints,
            observer=watcher,
            bundle=tmp_path / name,
            report=tmp_path / "report",
        )

    def killed(*_: Any) -> float:
        raise KeyboardInterrupt

    cut, again = Watcher(), Watcher()
    with monkeypatch.context() as patched:
        patched.setattr(GanSteps, "teach_network", killed)
        with pytest.raises(KeyboardInterrupt):
            train_it(cut, "cut")
    assert len(cut.values("val_loss")) == 2
    info = train_it(again, "whole")
    # A kill in this stage costs this stage: the network is fitted already.
    assert again.values("val_loss") == []
    assert cut.values("adv_difference") == again.values("adv_difference")[:1]
    assert len(again.values("adv_loss")) == 2
    assert info.trained.epochs == 2
    assert read_info(tmp_path / "whole") == info
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"grids", "history.csv"}
