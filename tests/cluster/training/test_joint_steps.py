"""Several processes that train together, each started by hand."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tintype.training.batches import batches
from tintype.training.fit import fit, loss_on
from tintype.training.inputs import TrainingInputs

pytestmark = pytest.mark.timeout(3600)


def train(folder: Path, kind: str, shares: list[tuple[int, int]], address: str) -> None:
    """Run worker.py for each of the shares at once."""
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    command = [sys.executable, str(Path(__file__).parent / "worker.py"), str(folder)]
    processes = [
        subprocess.Popen([*command, str(rank), str(workers), address, kind], env=environment)
        for rank, workers in shares
    ]
    assert [process.wait() for process in processes] == [0] * len(shares)


def free_address() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


def outcome(worker: Any, folder: Path, kind: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """Loss and validation loss of all epochs, and the best weights."""
    checkpoints = worker.job_in(folder, kind).checkpoints
    state = checkpoints.read()
    return np.array([[epoch["loss"], epoch["val_loss"]] for epoch in state.history]), checkpoints.load_best(
        state
    )


@pytest.mark.parametrize("kind", ["fusion", "pyramid"])
def test_two_processes_match_one_with_the_same_batches_and_half_the_data_does_not(
    kind: str, make_training: Any, worker: Any
) -> None:
    together, one, half = (make_training(name, kind) for name in ("together", "one", "half"))
    train(together, kind, [(0, 2), (1, 2)], free_address())
    train(one, kind, [(0, 1)], free_address())
    train(half, kind, [(0, 2)], "alone")
    losses, weights = outcome(worker, together, kind)
    losses_of_one, weights_of_one = outcome(worker, one, kind)
    losses_of_half, weights_of_half = outcome(worker, half, kind)
    assert losses.shape == (2, 2)
    np.testing.assert_allclose(losses, losses_of_one, rtol=1e-5)
    assert np.abs(losses_of_half / losses_of_one - 1).max() > 0.01
    differences = [
        max(np.abs(ours - theirs).max() for ours, theirs in zip(weights_of_one, other, strict=True))
        for other in (weights, weights_of_half)
    ]
    assert differences[0] < 2e-4  # rounding, which Adam enlarges where gradients are small
    assert differences[1] > 50 * differences[0]
    # Only the first process left traces.
    notes = worker.job_in(together, kind).observer.read()
    assert [note[:2] for note in notes] == [("epoch", 1), ("epoch", 2), ("picture", 2)]
    assert len({pid for _, _, pid in notes}) == 1
    # What they leave is taken up on TensorFlow, where the stage goes on.
    job = worker.job_in(together, kind)
    inputs = TrainingInputs(job.tensors, job.network)
    outputs = {"checkpoints": job.checkpoints, "observer": job.observer, "grids": job.grids}
    fitted = fit(inputs.build, job.train, inputs.learn, inputs.check, **outputs)
    for ours, theirs in zip(fitted.network.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    fitted.network.compile(loss=loss_on(inputs.learn, job.train))
    stream = batches(inputs.check, 6, inputs=tuple(fitted.network.input))
    assert fitted.network.evaluate(stream, verbose=0) == pytest.approx(
        losses[fitted.best_epoch - 1, 1], rel=1e-4
    )
    assert job.observer.read() == notes  # nothing was left to do
