"""What a bundle says of its training."""

from __future__ import annotations

from collections.abc import Sequence

from tintype.data.tensors.plan import TRAIN, ShardPlan
from tintype.models.bundle import TrainedInfo
from tintype.params import TrainParams
from tintype.training.batches import ShardSet
from tintype.training.fit import Fitted


def trained_info(
    fitted: Fitted, plans: Sequence[ShardPlan], learn: ShardSet, params: TrainParams
) -> TrainedInfo:
    """The facts of a training that has ended.

    Parameters
    ----------
    fitted : Fitted
    plans : sequence of ShardPlan
        Of all splits.
    learn : ShardSet
        What was learned from.
    params : TrainParams

    Returns
    -------
    TrainedInfo
    """
    best = fitted.history[fitted.best_epoch - 1]
    return TrainedInfo(
        photos=sum(len(plan.photos) for plan in plans if plan.split == TRAIN),
        crops=learn.rows,
        epochs=len(fitted.history),
        best_epoch=fitted.best_epoch,
        loss=params.loss.name,
        train_loss=best["loss"],
        val_loss=best["val_loss"],
        optimizer=params.optimizer,
        seed=params.seed,
    )
