"""A worker's part of a training, and how its progress is shown where the training was started.

Every worker has the whole network and computes the gradient on its piece of every batch; before the weights change,
gradients are averaged over all of them. Keras' own `fit` does that on the JAX backend (`keras.distribution`): batch
statistics, dropout, metrics and the moving average are those of one process with the whole batch. On TensorFlow
`fit` does not, and a loop of its own would be a second training beside the first.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tintype.models.keras_backend import joined_processes, make_deterministic
from tintype.params import NetworkParams, TrainParams
from tintype.training.batches import Worker
from tintype.training.checkpoint import Checkpoints
from tintype.training.fit import learn
from tintype.training.inputs import Tensors, TrainingInputs
from tintype.training.observer import Bar, Observer

_LOOK_SECONDS = 0.3  # between two looks at what the first worker has written


@dataclass(frozen=True)
class Job:
    """A training, as it is described to all its workers. Its paths mean the same on all machines.

    Attributes
    ----------
    tensors, network, train
        As `tintype.training.train.train_network` takes them.
    checkpoints : Checkpoints
        Where they continue from, where the first worker writes its state, and where the result is.
    observer : Observer
        Told of every epoch by the first worker.
    grids : Path
        Folder for pictures of progress.
    """

    tensors: Tensors
    network: NetworkParams
    train: TrainParams
    checkpoints: Checkpoints
    observer: Observer
    grids: Path


def train_as_worker(job: Job, worker: Worker, coordinator: str, progress: Progress | None = None) -> None:
    """Train until the last epoch is in the checkpoint. All workers have to call this, each in its own process.

    Parameters
    ----------
    worker : Worker
        Which worker this is.
    coordinator : str
        Address at which the first worker listens for the others: host:port.
    progress : Progress, optional
        Where the first worker shows it; on its own standard error if not given.

    Raises
    ------
    TintypeError
        If a shard is damaged or the loss is no longer a number.
    """
    with joined_processes(worker.rank, worker.workers, coordinator) as alone, _bar(worker, progress) as bar:
        worker = replace(worker, bar=bar, alone=alone)
        make_deterministic(job.train.seed)
        inputs = TrainingInputs(job.tensors, job.network)
        learn(
            inputs.build,
            job.train,
            inputs.learn,
            inputs.check,
            perceptual=None,
            state=job.checkpoints.read(),
            checkpoints=job.checkpoints,
            observer=job.observer,
            draw=_drawer(inputs),
            grids=job.grids,
            worker=worker,
        )


@contextmanager
def _bar(worker: Worker, progress: Progress | None) -> Iterator[Bar]:
    if worker.rank or progress is None:
        yield Bar(shown=worker.rank == 0)
        return
    with progress.path.open("a", buffering=1, encoding="utf-8") as file:
        yield Bar(file=file, live=progress.live)


def _drawer(inputs: TrainingInputs) -> Callable[[Any, Path], Path]:
    """Draws with a copy of the network: one worker alone cannot compute with variables that all of them share."""

    def draw(network: Any, destination: Path) -> Path:
        own = inputs.build()
        own.set_weights(network.get_weights())
        return inputs.draw(own, destination)

    return draw


@dataclass(frozen=True)
class Progress:
    """Where a worker writes its progress.

    Attributes
    ----------
    path : Path
        A file to append to.
    live : bool
        Whether it is a terminal: then a bar is shown, else a line for each epoch.
    """

    path: Path
    live: bool


@contextmanager
def relayed(path: Path) -> Iterator[Progress]:
    """Show on the standard error what is written to a file, while the block runs.

    Parameters
    ----------
    path : Path
        Emptied first.

    Yields
    ------
    Progress
        To be handed to the worker that writes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    over = threading.Event()
    watcher = threading.Thread(target=_show, args=(path, over), daemon=True)
    watcher.start()
    try:
        yield Progress(path, sys.stderr.isatty())
    finally:
        over.set()
        watcher.join()


def _show(path: Path, over: threading.Event) -> None:
    with path.open("rb") as file:
        last = False
        while not last:
            last = over.wait(_LOOK_SECONDS)  # once more when it is over
            if written := file.read():
                sys.stderr.write(written.decode(errors="replace"))
                sys.stderr.flush()
