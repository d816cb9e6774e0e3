"""A worker's share of a training.

Every worker has the whole network and computes the gradient on its piece of every batch; before the weights change,
gradients are averaged over all of them. Keras' own `fit` does that on the JAX backend (`keras.distribution`): batch
statistics, dropout, metrics and the moving average are those of one process with the whole batch. On TensorFlow
`fit` does not, and a loop of its own would be a second training beside the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tintype.models.keras_backend import make_deterministic, many_as_one
from tintype.params import NetworkParams, TrainParams
from tintype.training.checkpoint import Checkpoints
from tintype.training.fit import learn
from tintype.training.material import Material, Tensors
from tintype.training.observer import Bar, Observer
from tintype.training.parallel.relay import Progress
from tintype.training.share import Share


@dataclass(frozen=True)
class Job:
    """A training, as all its workers are told of it. Its paths mean the same on all machines.

    Attributes
    ----------
    tensors, network, train
        As `tintype.training.train.train_network` takes them.
    checkpoints : Checkpoints
        Where they left off, where the first of them leaves its state, and where the result is found.
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


def do_share(job: Job, share: Share, coordinator: str, progress: Progress | None = None) -> None:
    """Train until the last epoch is in the checkpoint. All workers have to call this, each in its own process.

    Parameters
    ----------
    job : Job
    share : Share
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
    with many_as_one(share.rank, share.workers, coordinator) as alone, _bar(share, progress) as bar:
        share = replace(share, bar=bar, alone=alone)
        make_deterministic(job.train.seed)
        material = Material(job.tensors, job.network)
        learn(
            material.build,
            job.train,
            material.learn,
            material.check,
            perceptual=None,
            state=job.checkpoints.read(),
            checkpoints=job.checkpoints,
            observer=job.observer,
            draw=_drawer(material),
            grids=job.grids,
            share=share,
        )


@contextmanager
def _bar(share: Share, progress: Progress | None) -> Iterator[Bar]:
    if share.rank or progress is None:
        yield Bar(shown=share.rank == 0)
        return
    with progress.path.open("a", buffering=1, encoding="utf-8") as file:
        yield Bar(file=file, live=progress.live)


def _drawer(material: Material) -> Callable[[Any, Path], Path]:
    """Draws with a copy of the network: what belongs to all workers, one of them cannot compute with."""

    def draw(network: Any, destination: Path) -> Path:
        own = material.build()
        own.set_weights(network.get_weights())
        return material.draw(own, destination)

    return draw
