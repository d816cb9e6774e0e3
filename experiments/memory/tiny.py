"""A backbone that costs next to nothing, made by a process of its own: `python -m experiments.memory.tiny FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

INPUT = 64  # pixels: at its largest stride, 32, a map has more than one
EMBEDDING = 64


def main(destination: Path) -> None:
    """Write a Keras network with random weights, and beside it how its input is made."""
    from tintype.files.atomic import write_json
    from tintype.models.keras_backend import make_deterministic, prepare_keras

    prepare_keras()
    make_deterministic(0)
    import keras
    from keras import layers

    picture = keras.Input((INPUT, INPUT, 3))
    maps = picture
    # Large, so that photos are told apart as a trained backbone does; strides up to 32, for `pyramid`.
    weights = keras.initializers.VarianceScaling(8.0, seed=0)
    for channels in (8, 16, 32, 32, 32):
        layer = layers.Conv2D(
            channels, 3, strides=2, padding="same", activation="relu", kernel_initializer=weights
        )
        maps = layer(maps)
    vector = layers.Dense(EMBEDDING)(layers.Flatten()(maps))
    keras.Model(picture, vector).save(destination)
    preprocessing = {"input_size": INPUT, "offset": 127.0, "scale": 128.0, "origin": "random"}
    write_json(destination.with_suffix(".json"), preprocessing)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
