"""Workers on a Ray cluster of this machine's own, started as the stage `train` starts them."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import psutil
import pytest

from tintype.errors import TintypeError
from tintype.training.parallel.launch import WorkersError, fit_on_workers

pytestmark = pytest.mark.timeout(3600)

EPOCHS = 40


@pytest.fixture(autouse=True)
def room_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ray cluster with cores for two workers, however few there are."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "jax")


def workers_of_mine() -> list[psutil.Process]:
    """The processes in which Ray trains for this one; those that wait for work are called otherwise."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE
        and "RayTrainWorker" in process.name() + "".join(process.cmdline())
    ]


class Killer(threading.Thread):
    """Kills a worker once a checkpoint of the second epoch is there."""

    def __init__(self, job: Any) -> None:
        super().__init__(daemon=True)
        self._checkpoints = job.checkpoints
        self.killed: list[int] = []
        self.left_off = 0

    def run(self) -> None:
        while self._checkpoints.read().epoch < 2:
            time.sleep(0.2)
        victim = workers_of_mine()[-1]
        os.kill(victim.pid, signal.SIGKILL)
        self.killed.append(victim.pid)
        self.left_off = self._checkpoints.read().epoch


def test_a_killed_worker_costs_what_came_after_the_last_checkpoint(make_training: Any, worker: Any) -> None:
    job = worker.job_in(make_training("killed", epochs=EPOCHS, grid_every=EPOCHS), "fusion")
    killer = Killer(job)
    killer.start()
    fit_on_workers(job)
    killer.join(1)
    assert len(killer.killed) == 1
    assert [epoch["epoch"] for epoch in job.checkpoints.read().history] == list(range(1, EPOCHS + 1))
    epochs = [(epoch, pid) for what, epoch, pid in job.observer.read() if what == "epoch"]
    # The first worker, and the one that took its place.
    first, second = list(dict.fromkeys(pid for _, pid in epochs))
    before = [epoch for epoch, pid in epochs if pid == first]
    after = [epoch for epoch, pid in epochs if pid == second]
    assert before == list(range(1, len(before) + 1))
    assert killer.left_off >= 2
    assert len(before) < EPOCHS  # killed before it was done
    assert after == list(range(after[0], EPOCHS + 1))
    assert after[0] - 1 in (killer.left_off, killer.left_off + 1)  # the last checkpoint, no earlier one
    assert workers_of_mine() == []


def test_what_a_worker_refuses_is_reported_at_once(make_training: Any, worker: Any) -> None:
    job = worker.job_in(make_training("damaged"), "fusion")
    shard = next((job.tensors.lab / "train").glob("*.npy"))
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    with pytest.raises(TintypeError, match="its bytes have changed"):
        fit_on_workers(job)


def test_more_workers_than_cores_are_refused(make_training: Any, worker: Any) -> None:
    job = worker.job_in(make_training("many"), "fusion", workers=512, batch_size=512)
    with pytest.raises(WorkersError, match=r"train\.workers is 512, but the Ray cluster has"):
        fit_on_workers(job)


def test_a_second_network_in_the_loss_is_refused(make_training: Any, worker: Any) -> None:
    job = worker.job_in(make_training("perceptual"), "fusion", perceptual=1.0)
    with pytest.raises(WorkersError, match=r"train\.perceptual is 1 .* Expected 0, or the strategy single"):
        fit_on_workers(job)
