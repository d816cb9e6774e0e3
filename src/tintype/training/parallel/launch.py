"""Workers on a Ray cluster: started, watched, and started again when one of them dies.

Ray Train's `JaxTrainer` places the processes and notices when one is gone. It leaves processes on CPUs to find each
other by themselves: the first one's address reaches the others through Ray, the rest is JAX's own.
"""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import Any

from tintype.cluster.connect import connected
from tintype.errors import TintypeError
from tintype.training.batches import Worker
from tintype.training.parallel.job import Job, relayed, train_as_worker

RESTARTS = 5  # of all workers, from the last checkpoint, each time that one has died


class WorkersError(TintypeError):
    """The workers did not finish their training."""


def fit_on_workers(job: Job, address: str | None = None) -> None:
    """Have a training done by several processes; its result is its checkpoint.

    Parameters
    ----------
    job : Job
        The training, of `job.train.workers` processes.
    address : str, optional
        Of the Ray cluster; see `tintype.cluster.connect.connected`.

    Raises
    ------
    TintypeError
        If the training is of a kind that workers cannot share, there is no cluster or it is too small, a worker refuses
        the job, or workers keep dying.
    """
    _refuse(job)
    workers = job.train.workers
    notes = job.checkpoints.folder.with_suffix(".ray").absolute()
    with connected(address) as ray, relayed(notes / "progress.txt") as progress:
        from ray.train.v2.api.exceptions import TrainingFailedError

        resources = ray.cluster_resources()
        cores = resources.get("CPU", 0)
        if cores < workers:
            raise WorkersError(
                f"train.workers is {workers}, but the Ray cluster has {cores:g} cores. "
                "Lower train.workers, or add machines."
            )
        config = {"job": job, "progress": progress, "root": Path.cwd()}
        trainer = _trainer(config, workers, notes, use_gpu=resources.get("GPU", 0) >= workers)
        try:
            refused = trainer.fit().return_value
        except TrainingFailedError as failed:
            raise WorkersError(
                f"Workers of the training died {RESTARTS + 1} times. What the last of them said: {_last_line(failed)} "
                "The checkpoint is kept, and `dvc repro` goes on from it."
            ) from None
    shutil.rmtree(notes, ignore_errors=True)
    if refused:
        raise TintypeError(refused)


def _refuse(job: Job) -> None:
    if job.train.perceptual:
        raise WorkersError(
            f"train.perceptual is {job.train.perceptual:g} and train.strategy is data_parallel, whose workers have no "
            "second network to compare with. Expected 0, or the strategy single."
        )


def _trainer(config: dict[str, Any], workers: int, notes: Path, *, use_gpu: bool) -> Any:
    from ray.train.v2.api.config import FailureConfig, LoggingConfig, RunConfig, ScalingConfig
    from ray.train.v2.jax import JaxConfig, JaxTrainer

    return JaxTrainer(
        _work,
        train_loop_config=config,
        jax_config=JaxConfig(),  # processes find each other as they do on CPUs: each has one device
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=use_gpu),
        run_config=RunConfig(
            name="train",
            storage_path=str(notes),
            failure_config=FailureConfig(max_failures=RESTARTS),
            logging_config=LoggingConfig(log_level="ERROR"),
        ),
    )


def _work(config: dict[str, Any]) -> str | None:
    """Do a worker's part; an expected error is returned as its sentence."""
    import ray.train
    from ray.train.collective import broadcast_from_rank_zero

    os.chdir(config["root"])
    context = ray.train.get_context()
    worker = Worker(context.get_world_rank(), context.get_world_size())
    coordinator = broadcast_from_rank_zero(_free_address() if worker.rank == 0 else None)
    try:
        train_as_worker(config["job"], worker, coordinator, config["progress"])
    except TintypeError as error:  # a restart would end in the same error
        return str(error)
    return None


def _free_address() -> str:
    import ray.util

    with socket.socket() as listener:
        listener.bind(("", 0))
        return f"{ray.util.get_node_ip_address()}:{listener.getsockname()[1]}"


def _last_line(failed: Exception) -> str:
    return str(failed).strip().splitlines()[-1].strip()
