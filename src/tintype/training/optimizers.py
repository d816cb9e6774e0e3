"""Optimizer and schedule from parameters."""

from __future__ import annotations

from typing import Any, assert_never

from tintype.params import TrainParams


def optimizer_of(params: TrainParams, steps: int) -> Any:
    """The optimizer, with its learning rate's schedule over `steps` steps and the weights' moving average.

    Parameters
    ----------
    params : TrainParams
        The stage's parameters.
    steps : int
        In the whole training.

    Returns
    -------
    keras.optimizers.Optimizer
    """
    import keras

    options: dict[str, Any] = {"learning_rate": _learning_rate(params, steps)}
    if params.ema_momentum > 0:
        options |= {"use_ema": True, "ema_momentum": params.ema_momentum}
    match params.optimizer:
        case "rmsprop":
            return keras.optimizers.RMSprop(**options)
        case "adam":
            return keras.optimizers.Adam(**options)
        case "adamw":
            return keras.optimizers.AdamW(**options, weight_decay=params.weight_decay)
        case _:
            assert_never(params.optimizer)


def _learning_rate(params: TrainParams, steps: int) -> Any:
    import keras

    match params.schedule:
        case "constant":
            return params.learning_rate
        case "cosine":
            warmup = round(params.warmup_share * steps)
            return keras.optimizers.schedules.CosineDecay(
                initial_learning_rate=0.0 if warmup else params.learning_rate,
                decay_steps=max(1, steps - warmup),
                warmup_target=params.learning_rate if warmup else None,
                warmup_steps=warmup,
            )
        case _:
            assert_never(params.schedule)
