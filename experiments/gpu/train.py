"""The training on the GPU machine: all rows in the device's memory, one compiled step, a limit of time."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from experiments.gpu.packed import unpack
from tintype.errors import TintypeError
from tintype.files.atomic import new_file, write_json
from tintype.models.keras_backend import SHARING, make_deterministic, prepare_keras, set_precision
from tintype.models.network import encode_ab
from tintype.training.fit import loss_on, optimizer_of

WEIGHTS, FIGURES = "weights.npz", "training.json"
# Of matrix products in bfloat16, dense, as the makers' data sheets have them; by a part of the device's name.
PEAK_FLOPS = {"H200": 989e12}


def train(
    packed: Path,
    output: Path,
    minutes: float,
    epochs: int | None,
    width: float | None,
    batch_size: int | None,
    learning_rate: float | None,
) -> str:
    """Train, write the best weights and the figures after every epoch, and say how fast it went.

    Raises
    ------
    TintypeError
        If the file cannot be used, or the loss is no longer a number.
    """
    limit = time.monotonic() + 60 * minutes
    prepare_keras(SHARING)
    import jax

    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="tintype-gpu-") as folder:
        data = unpack(packed, Path(folder))
        given = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
        params = type(data.params.train).model_validate(
            data.params.train.model_dump()
            | {name: value for name, value in given.items() if value is not None}
            | {"mixed_precision": True}
        )
        network = type(data.params.network).model_validate(
            data.params.network.model_dump() | ({} if width is None else {"width": width})
        )
        left_out = {
            "train.perceptual": params.perceptual,
            "train.scans": params.scans,
            "adversarial.steps": data.params.adversarial.steps,
        }
        if any(left_out.values()):
            said = ", ".join(f"{name} {value:g}" for name, value in left_out.items() if value)
            sys.stderr.write(f"note: this script trains without what the recipe asks for as {said}.\n")
            params = params.model_copy(update={"perceptual": 0.0, "scans": 0.0})
        make_deterministic(params.seed)
        set_precision(params.mixed_precision)
        batch = min(params.batch_size, data.learn.rows)
        steps = data.learn.rows // batch  # what does not fill a batch is another row in every epoch
        trainer = _Trainer(data.build(network), optimizer_of(params, steps * params.epochs), data, params)
        flop = trainer.compile(batch)
        began, busy, done, best = time.monotonic(), 0.0, 0, math.inf
        history: list[dict[str, float]] = []
        rng = np.random.default_rng(params.seed)
        for epoch in range(1, params.epochs + 1):
            order, losses = rng.permutation(data.learn.rows), []
            epoch_began = time.monotonic()
            for step in range(steps):
                losses.append(trainer.step(order[step * batch : (step + 1) * batch], epoch * steps + step))
                # One step behind, so that the device never waits for this loop.
                jax.block_until_ready(losses[-2:][0])
                if time.monotonic() > limit:
                    break
            loss = float(np.mean([float(loss) for loss in losses]))
            busy += time.monotonic() - epoch_began
            done += len(losses) * batch
            val_loss, weights = trainer.validate(batch)
            if not math.isfinite(loss + val_loss):
                raise TintypeError(
                    f"Training stopped: the loss became {loss}, the validation loss {val_loss} in epoch {epoch}. "
                    "Give a lower --learning-rate."
                )
            history.append({"epoch": epoch, "loss": loss, "val_loss": val_loss})
            if val_loss < best:
                best = val_loss
                with new_file(output / WEIGHTS) as part, part.open("wb") as file:
                    np.savez(file, *weights)
            rate = done / busy
            figures = {
                "network": network.model_dump(mode="json"),
                "train": params.model_dump(mode="json"),
                "history": history,
                "best_epoch": 1 + int(np.argmin([one["val_loss"] for one in history])),
                "seconds": time.monotonic() - began,
                "photos_per_second": rate,
                "flop_per_step": flop,
                "device": jax.devices()[0].device_kind,
                "share_of_peak": _share(jax.devices()[0].device_kind, flop * rate / batch),
            }
            write_json(output / FIGURES, figures)
            print(
                f"epoch {epoch}/{params.epochs}: loss {loss:.4f}, val_loss {val_loss:.4f}, {rate:.1f} photos/s"
            )
            if time.monotonic() > limit:
                break
    share = figures["share_of_peak"]
    return (
        f"{len(history)} of {params.epochs} epochs in {figures['seconds']:.0f} s on {figures['device']}: "
        f"{rate:.1f} photos/s, {flop / 1e9:.1f} GFLOP a step of {batch}, "
        + (f"{share:.1%} of the matrix peak." if share is not None else "no peak known for this device.")
    )


def _share(device: str, flop_per_second: float) -> float | None:
    return next((flop_per_second / peak for name, peak in PEAK_FLOPS.items() if name in device), None)


class _Trainer:
    """Network, optimizer and rows on the device."""

    def __init__(self, network: Any, optimizer: Any, data: Any, params: Any) -> None:
        import jax.numpy as jnp

        self._network, self._optimizer, self._params = network, optimizer, params
        optimizer.build(network.trainable_variables)
        self._loss = loss_on(data.learn, params)
        self._learn, self._check = (jnp.asarray(np.load(rows.lab[0])) for rows in (data.learn, data.check))
        self._state = tuple(
            [variable.value for variable in variables]
            for variables in (
                network.trainable_variables,
                network.non_trainable_variables,
                optimizer.variables,
            )
        )

    def compile(self, batch: int) -> float:
        """Compile the step; its FLOP as XLA counts them."""
        import jax
        import jax.numpy as jnp

        def loss(trainable: Any, others: Any, lab8: Any) -> Any:
            planes = lab8.astype(jnp.float32)
            output, others = self._network.stateless_call(
                trainable, others, {"l": planes[..., :1]}, training=True
            )
            return self._loss(_truth(planes), output), others

        def step(state: Any, rows: Any, places: Any, key: Any) -> Any:
            trainable, others, optimizer = state
            lab8 = rows[places]
            if self._params.flip:
                flipped = jax.random.bernoulli(key, 0.5, (len(places), 1, 1, 1))
                lab8 = jnp.where(flipped, lab8[:, :, ::-1], lab8)
            (value, others), gradients = jax.value_and_grad(loss, has_aux=True)(trainable, others, lab8)
            trainable, optimizer = self._optimizer.stateless_apply(optimizer, gradients, trainable)
            return (trainable, others, optimizer), value

        def validation_loss(trainable: Any, others: Any, lab8: Any) -> Any:
            planes = lab8.astype(jnp.float32)
            output, _ = self._network.stateless_call(
                trainable, others, {"l": planes[..., :1]}, training=False
            )
            return self._loss(_truth(planes), output)

        places = jnp.zeros(batch, jnp.int32)
        lowered = jax.jit(step, donate_argnums=0).lower(self._state, self._learn, places, jax.random.key(0))
        self._step, self._validation_loss = lowered.compile(), jax.jit(validation_loss)
        # Before compiling: a compiled step for a GPU hides its convolutions in calls of cuDNN.
        return float(lowered.cost_analysis()["flops"])

    def step(self, places: Any, number: int) -> Any:
        """One step; the loss, which may still be under way."""
        import jax
        import jax.numpy as jnp

        key = jax.random.fold_in(jax.random.key(self._params.seed), number)
        self._state, loss = self._step(self._state, self._learn, jnp.asarray(places, jnp.int32), key)
        return loss

    def validate(self, batch: int) -> tuple[float, list[Any]]:
        """The validation loss of the weights' moving average, and these weights in the network's order."""
        network, optimizer = self._network, self._optimizer
        groups = network.trainable_variables, network.non_trainable_variables, optimizer.variables
        for variables, values in zip(groups, self._state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        # The training goes on from the state, which stays as it is.
        optimizer.finalize_variable_values(network.trainable_variables)
        averaged = [variable.value for variable in network.trainable_variables]
        total, rows = 0.0, len(self._check)
        for start in range(0, rows, batch):
            lab8 = self._check[start : start + batch]
            total += float(self._validation_loss(averaged, self._state[1], lab8)) * len(lab8)
        return total / rows, network.get_weights()


def _truth(planes: Any) -> Any:
    import jax.numpy as jnp

    return jnp.concatenate([planes[..., :1], encode_ab(planes[..., 1:])], axis=-1)
