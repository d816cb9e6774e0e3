"""Keras and the backend under it: the one module that names a backend.

Model code says `keras.ops` and `keras.layers` and runs on any backend. What differs between them (which
one is the default, how to quieten it, how to make it deterministic, how to compile) is decided here.
Every module of ours calls `prepare_keras()` right before its first `import keras`.
"""

from __future__ import annotations

import logging
import os
from typing import Any

DEFAULT_BACKEND = "tensorflow"


def prepare_keras() -> None:
    """Choose the backend and quieten it; must run before the first `import keras`.

    `KERAS_BACKEND` wins if it is set. A second call changes nothing.
    """
    os.environ.setdefault("KERAS_BACKEND", DEFAULT_BACKEND)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # device chatter would bury the progress bar
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def make_deterministic(seed: int) -> None:
    """Seed every source of randomness and ask the backend for operations that give the same bits each time.

    Parameters
    ----------
    seed : int
        At least 0. Seeds Python's, NumPy's and Keras' generators.
    """
    prepare_keras()
    import keras

    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def set_precision(mixed: bool) -> None:
    """Choose the number format of networks built from now on.

    Parameters
    ----------
    mixed : bool
        True: compute in bfloat16, keep weights in float32. False: float32 throughout.
    """
    prepare_keras()
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else "float32")


def compile_for_inference(network: Any) -> None:
    """Compile a network for prediction only.

    Parameters
    ----------
    network : keras.Model
        Changed in place.
    """
    import keras

    # TensorFlow: a graph without XLA, whose compilation costs minutes for a deep network on a CPU.
    jit = False if keras.backend.backend() == "tensorflow" else "auto"
    network.compile(jit_compile=jit)
