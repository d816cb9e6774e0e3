from __future__ import annotations

from pathlib import Path

import pytest

from tintype.errors import TintypeError
from tintype.training.checkpoint import Checkpoints, TrainingState


def test_a_training_that_never_began_has_a_fresh_state(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "none").read() == TrainingState()


def test_the_tracked_run_is_known_before_the_first_checkpoint(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.note_run("a run")
    assert checkpoints.read() == TrainingState(run_id="a run")


def test_a_state_that_cannot_be_understood_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"epoch": "many"}')
    with pytest.raises(TintypeError, match=r"Delete .* to train from the beginning"):
        Checkpoints(tmp_path).read()


def test_a_finished_training_leaves_nothing(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c")
    checkpoints.note_run("a run")
    checkpoints.remove()
    assert not (tmp_path / "c").exists()
