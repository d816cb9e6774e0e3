"""What training costs: the step with real data against one batch repeated, number formats, and whole epochs.

Every comparison is paired: its cases run in turn in one process, and ratios are taken within each round.

  input      steps a second through the project's input, against the same with one batch that lies in memory
  precision  float32 against mixed bfloat16 and against XLA, one batch repeated
  epoch      seconds a crop and epoch of the report's network over 20 epochs, features included, against the
             published notebooks' generator, which embeds every batch twice
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.results import command_line, paired, ratio, show, spread, write
from benchmarks.training.workshop import ROOT, Workshop

EPOCHS = 20
BACKBONE = {"backbone": "inception_resnet_v2", "origin": "random"}
# The sample preset as it is, with crops enough for an epoch of some length.
PYRAMID: dict[str, dict[str, Any]] = {"crops": {"per_photo": 30}}
# The report's network at its own size and batch.
FUSION: dict[str, dict[str, Any]] = {
    "weights": BACKBONE,
    "crops": {"per_photo": 4},
    "lab": {"size": 256},
    "network": {"name": "fusion", "width": 1.0, "head": "tanh", "skips": False, "half": True},
    "train": {
        "batch_size": 10,
        "loss": {"name": "mse"},
        "optimizer": "rmsprop",
        "ema_momentum": 0.0,
        "schedule": "constant",
    },
}

# The network of the preset `imagenet`, with a batch for two cores.
IMAGENET: dict[str, dict[str, Any]] = {
    "weights": BACKBONE,
    "crops": {"per_photo": 4},
    "lab": {"size": 256},
    "network": {"width": 1.0, "view": None, "dropout": 0.1},
    "train": {"batch_size": 16, "scans": 0.3},
}
# With steps of `fit` in a turn.
NETWORKS = {"pyramid": (PYRAMID, 24), "fusion": (FUSION, 4), "imagenet": (IMAGENET, 2)}


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", help="of input, precision and epoch; all of them if none is given"
    )
    parser.add_argument("--photos", type=Path, default=ROOT / "data/sample", help="folder of photos")
    parser.add_argument("--network", choices=list(NETWORKS), default="pyramid", help="of input and precision")
    parser.add_argument("--rounds", type=int, default=6, help="of each comparison")
    parser.add_argument(
        "--steps",
        type=int,
        help="in each turn; by default 24 of the default network, 4 of the report's, 2 of imagenet's",
    )
    parser.add_argument(
        "--quick", action="store_true", help="small networks, one round: whether it runs at all"
    )
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.steps = 1, 1
    parts: dict[str, Callable[..., dict[str, Any]]] = {
        "input": _input,
        "precision": _precision,
        "epoch": _epoch,
    }
    if unknown := set(arguments.parts) - set(parts):
        parser.error(f"expected of {', '.join(parts)}. Received: {', '.join(sorted(unknown))}.")
    for name in arguments.parts or parts:
        with tempfile.TemporaryDirectory() as folder:
            table = parts[name](Path(folder), arguments)
        print(show(table))
        if not arguments.quick:
            of = "" if name == "epoch" else f"-{arguments.network}"
            write(f"training-{name}{of}", table, command_line("benchmarks.training"))


def _input(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    changes, steps = NETWORKS[arguments.network]
    shop = _shop(folder / "shop", arguments, changes)
    network, steps = _network(shop), arguments.steps or steps
    stream = _stream(shop, network).repeat()
    one = _repeated(stream)
    _rate(network, one, 2)  # builds the step
    processor: dict[str, list[float]] = {"real": [], "repeated": []}

    def rate(case: str, source: Any) -> float:
        before = time.process_time()
        found = _rate(network, source, steps)
        processor[case].append((time.process_time() - before) / steps)
        return found

    figures = paired(
        {"real": partial(rate, "real", stream), "repeated": partial(rate, "repeated", one)}, arguments.rounds
    )
    return {
        "steps in a turn": steps,
        "crops in a step": shop.params.train.batch_size,
        "steps/s, real data": spread(figures["real"]),
        "steps/s, one batch repeated": spread(figures["repeated"]),
        "real / repeated": ratio(figures["real"], figures["repeated"]),
        "processor seconds a step": {case: spread(seconds) for case, seconds in processor.items()},
        "real / repeated by processor": ratio(processor["repeated"], processor["real"]),
        "batches/s of the input alone": spread([_pull(stream, 200) for _ in range(3)]),
    }


def _precision(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    from tensorflow.python.framework.config import disable_op_determinism

    from tintype.models.keras_backend import set_precision

    changes, _ = NETWORKS[arguments.network]
    shop = _shop(folder / "shop", arguments, changes)
    steps = arguments.steps or 2
    cases: dict[str, Callable[[], float]] = {}
    first: dict[str, float] = {}
    for case, mixed, xla in (
        ("float32", False, False),
        ("bfloat16", True, False),
        ("float32 with XLA", False, True),
    ):
        set_precision(mixed)
        network = _network(shop)
        disable_op_determinism()  # with it, Keras does without XLA
        network.jit_compile = xla
        if network.jit_compile != xla:  # Keras only warns, and would be compared with itself
            raise RuntimeError(f"Expected a network that Keras compiles with XLA. Received: {network.name}.")
        set_precision(False)
        one = _repeated(_stream(shop, network))
        first[case] = 1 / _rate(network, one, 1)
        cases[case] = partial(_rate, network, one, steps)
    figures = paired(cases, max(1, arguments.rounds // 2))
    others = [case for case in cases if case != "float32"]
    return {
        "seconds until the first step": first,
        "steps/s": {case: spread(rates) for case, rates in figures.items()},
        "times float32": {case: ratio(figures[case], figures["float32"]) for case in others},
    }


def _epoch(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.training.recipe import read_photos, recipe_batches
    from tintype.models.keras_file import load_network

    shop = _shop(folder / "fusion", arguments, FUSION)
    network, batch = _network(shop), shop.params.train.batch_size
    backbone = load_network(shop.folder / "models/backbone/backbone.keras")
    generator = recipe_batches(read_photos(arguments.photos, shop.train.size), backbone, batch)
    stream = iter(_stream(shop, network).repeat())
    _steps(network, stream, 1)
    _steps(network, generator, 1)
    seconds = paired(
        {
            "recipe": lambda: _steps(network, generator, 2) / 2 / batch,
            "ours": lambda: _steps(network, stream, 2) / 2 / batch,
        },
        arguments.rounds,
    )
    features = shop.features_seconds / shop.crops
    default = _shop(folder / "pyramid", arguments, PYRAMID)
    pyramid = _network(default)
    rows = iter(_stream(default, pyramid).repeat())
    _steps(pyramid, rows, 2)
    crop = [_steps(pyramid, rows, 8) / 8 / default.params.train.batch_size for _ in range(arguments.rounds)]
    default_features = default.features_seconds / default.crops
    whole = [second + features / EPOCHS for second in seconds["ours"]]
    default_whole = [second + default_features / EPOCHS for second in crop]
    return {
        "seconds a crop and epoch": {
            "recipe": spread(seconds["recipe"]),
            "the report's network here, step": spread(seconds["ours"]),
            "features, once": features,
            f"the report's network here, features over {EPOCHS} epochs": spread(whole),
            f"the default network here, features over {EPOCHS} epochs": spread(default_whole),
        },
        "recipe / the report's network here": ratio(seconds["recipe"], whole),
        "recipe / the default network here": ratio(seconds["recipe"], default_whole),
    }


def _shop(folder: Path, arguments: argparse.Namespace, changes: dict[str, dict[str, Any]]) -> Workshop:
    folder.mkdir()
    if arguments.quick:
        small: dict[str, Any] = {"lab": {"size": 32}, "crops": {"per_photo": 2}, "weights": {}}
        changes = {**changes, **small, "network": {**changes.get("network", {}), "width": 0.05}}
    return Workshop(folder, arguments.photos, changes)


def _network(shop: Workshop) -> Any:
    """The preset's network, compiled as the stage `train` does."""
    from tintype.models.backbone.spec import read_spec
    from tintype.models.keras_backend import jit_choice, make_deterministic
    from tintype.models.keras_file import load_network
    from tintype.models.network import build_network
    from tintype.training.fit import loss_on, optimizer_of

    make_deterministic(shop.params.train.seed)
    folder = shop.folder / "models/backbone"
    network = build_network(
        shop.params.network,
        shop.train.size,
        shop.train.embedding_size,
        lambda: (load_network(folder / "backbone.keras"), read_spec(folder)),
    )
    network.compile(
        optimizer=optimizer_of(shop.params.train, 1000),
        loss=loss_on(shop.train, shop.params.train),
        jit_compile=jit_choice(),
    )
    return network


def _stream(shop: Workshop, network: Any) -> Any:
    from tintype.training.batches import batches

    train = shop.params.train
    return batches(
        shop.train,
        train.batch_size,
        inputs=tuple(network.input),
        shuffle_seed=train.seed,
        flip=train.flip,
        scans=train.scans,
    )


def _repeated(stream: Any) -> Any:
    """The first batch of a stream, over and over, from memory."""
    import tensorflow as tf

    return tf.data.Dataset.from_tensors(next(iter(stream))).repeat()


def _rate(network: Any, stream: Any, steps: int) -> float:
    """Steps a second of an epoch of `fit`, the start of its input included."""
    import keras

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.begun = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds = time.perf_counter() - self.begun

    clock = Clock()
    network.fit(
        stream.take(steps), epochs=1, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[clock]
    )
    return steps / clock.seconds


def _pull(stream: Any, count: int) -> float:
    """Batches a second of an input, without computing with them."""
    begun = time.perf_counter()
    for _ in stream.take(count):
        pass
    return count / (time.perf_counter() - begun)


def _steps(network: Any, stream: Iterator[Any], steps: int) -> float:
    """Seconds that so many batches and steps take."""
    begun = time.perf_counter()
    for given, truth in islice(stream, steps):
        network.train_on_batch(given, truth)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
