from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
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


class Net:
    """What a checkpoint asks of a network."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def save(self, path: Path) -> None:
        path.write_bytes(self.content)


@pytest.fixture
def two(tmp_path: Path) -> Checkpoints:
    """Checkpoints after epochs 1, 2 and 3, the best of which is 2."""
    checkpoints, state = Checkpoints(tmp_path / "c"), TrainingState(run_id="a run")
    checkpoints.note_run("a run")
    for epoch, best in ((1, 1), (2, 2), (3, 2)):
        state.epoch, state.best_epoch = epoch, best
        checkpoints.write(state, Net(b"%d" % epoch), [np.full(3, best)])
    return checkpoints


def test_the_last_two_checkpoints_are_kept(two: Checkpoints) -> None:
    state = two.read()
    assert (state.epoch, state.network_file, state.run_id) == (3, "epoch-00003.keras", "a run")
    assert {path.name for path in two.folder.iterdir()} == {
        *("state.json", "before.json", "best-00002.npz", "epoch-00002.keras", "epoch-00003.keras"),
    }


@pytest.mark.parametrize("name", ["epoch-00003.keras", "state.json"])
@pytest.mark.parametrize("damage", [b"", b"4", b"something else"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_taken(
    name: str, damage: bytes, two: Checkpoints, capsys: pytest.CaptureFixture[str]
) -> None:
    (two.folder / name).write_bytes(damage)
    state = two.read()
    said = capsys.readouterr().err
    assert f"{two.folder / name}" in said
    assert "The training goes on from the checkpoint before, after epoch 2." in said
    assert (state.epoch, state.network_file, state.run_id) == (2, "epoch-00002.keras", "a run")
    np.testing.assert_array_equal(two.load_best(state)[0], np.full(3, 2))
    assert two.read() == state
    assert capsys.readouterr().err == "", "said once"
    state.epoch = 3
    two.write(state, Net(b"3"), [np.full(3, 2)])
    assert two.read().epoch == 3


def test_where_no_checkpoint_is_whole_all_damages_are_named(two: Checkpoints) -> None:
    for name in ("epoch-00003.keras", "epoch-00002.keras"):
        (two.folder / name).write_bytes(b"")
    with pytest.raises(
        TintypeError, match=r"00003\.keras.*00002\.keras.*Delete .* to train from the beginning"
    ):
        two.read()


def test_a_kill_at_any_moment_of_writing_leaves_a_checkpoint(
    two: Checkpoints, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tintype.training import checkpoint

    names = ("new_file", "write_text")
    originals = {name: getattr(checkpoint, name) for name in names}
    for deaths in range(10):
        steps = iter(range(10))

        def dies(name: str, *arguments: Any, left: int = deaths, steps: Any = steps, **named: Any) -> Any:
            if next(steps) == left:
                raise KeyboardInterrupt
            return originals[name](*arguments, **named)

        for name in names:
            monkeypatch.setattr(checkpoint, name, partial(dies, name))
        state = two.read()
        begun = state.epoch
        state.epoch, state.best_epoch = begun + 1, begun + 1
        try:
            two.write(state, Net(b"x%d" % begun), [np.zeros(2)])
        except KeyboardInterrupt:
            monkeypatch.undo()
            assert two.read().epoch == begun
        else:
            break
    assert deaths == 4
    monkeypatch.undo()
    assert two.read().epoch == begun + 1
    assert capsys.readouterr().err == ""


def test_how_a_bundle_keeps_weights_is_no_part_of_a_trainings_name(
    tensors: Any, network_params: Any, params: Any, tmp_path: Path
) -> None:
    from tintype.training.inputs import Tensors, checkpoints_of

    own = Tensors(tensors.plans, tmp_path / "manifest", tensors.lab, tensors.embeddings, tmp_path)
    folders = {
        checkpoints_of(tmp_path, own, network_params(**changed), params.train).folder
        for changed in ({"half": True}, {"half": False}, {"width": 0.5})
    }
    assert len(folders) == 2
