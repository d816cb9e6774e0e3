"""A process that trains its share of made-up tensors: `python worker.py FOLDER RANK WORKERS ADDRESS KIND`.

With the address `alone` it computes its pieces of the batches by itself.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main(folder: Path, rank: int, workers: int, address: str, kind: str) -> None:
    from tintype.models.keras_backend import make_deterministic, prepare_keras
    from tintype.training.batches import Worker
    from tintype.training.fit import learn
    from tintype.training.inputs import TrainingInputs
    from tintype.training.parallel.job import train_as_worker

    job = job_in(folder, kind)
    worker = Worker(rank, workers)
    if address != "alone":
        train_as_worker(job, worker, address)
        return
    prepare_keras("jax")
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
        draw=None,
        grids=job.grids,
        worker=worker,
    )


def job_in(folder: Path, kind: str, **train: Any) -> Any:
    """The training of the tensors in a folder; `params.json` there says how, of `kind` which network."""
    from tintype.data.tensors.plan import PhotoRef, ShardPlan
    from tintype.params import TrainParams
    from tintype.params.blocks import FusionParams, PyramidParams
    from tintype.training.inputs import Tensors, checkpoints_of
    from tintype.training.parallel.job import Job

    description = json.loads((folder / "params.json").read_text())
    plans = [
        ShardPlan(
            plan["split"], plan["bucket"], tuple(PhotoRef(*photo) for photo in plan["photos"]), plan["crops"]
        )
        for plan in description["plans"]
    ]
    tensors = Tensors(
        plans, folder / "manifest", folder / "lab", folder / "embeddings", Path(description["backbone"])
    )
    network: FusionParams | PyramidParams
    if kind == "pyramid":
        network, loss = PyramidParams(**description[kind]), {"name": "classes", "rebalance": 0.0}
    else:
        network, loss = FusionParams(**description[kind]), {"name": "huber", "delta": 0.1}
    params = TrainParams(**(description["train"] | {"loss": loss} | train))
    checkpoints = checkpoints_of(folder / "checkpoints", tensors, network, params)
    return Job(tensors, network, params, checkpoints, Notes(folder / "notes.txt"), folder / "grids")


class Notes:
    """Writes down what it is told, and by which process; that one then keeps a checkpoint of every epoch."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def epoch(self, epoch: int, metrics: Any) -> None:
        from tintype.training import callbacks

        callbacks.CHECKPOINT_SECONDS = 0
        self._note("epoch", epoch)

    def picture(self, name: str, epoch: int, path: Path) -> None:
        assert path.is_file()
        self._note("picture", epoch)

    def _note(self, what: str, epoch: int) -> None:
        with self.path.open("a") as file:
            file.write(f"{what} {epoch} {os.getpid()}\n")

    def read(self) -> list[tuple[str, int, int]]:
        """What was told, which epoch, by which process."""
        lines = map(str.split, self.path.read_text().splitlines())
        return [(what, int(epoch), int(pid)) for what, epoch, pid in lines]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5])
