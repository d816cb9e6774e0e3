"""Keras and the backend under it: the one module that names a backend.

Model code says `keras.ops` and `keras.layers` and runs on any backend. What differs between them (which
one is the default, how to quieten it, how to make it deterministic, how to compile) is decided here.
Every module of ours calls `prepare_keras()` right before its first `import keras`.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from tintype.errors import TintypeError, install_command

SHARING = "jax"  # the one on which Keras' `fit` is one computation over several processes
# The second is no backend of Keras here: it computes with a bundle's IR by itself, faster on a CPU, and starts sooner.
TRAINING, INFERENCE = "tensorflow", "openvino"
# What TensorFlow's C++ code writes on every start, at any TF_CPP_MIN_LOG_LEVEL: notes, warnings, and 303, which is its
# way of saying that there is no CUDA driver here.
_CHATTER = ("WARNING: All log messages before absl::InitializeLog()", "I0000 ", "W0000 ")
_NO_DRIVER = "failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (303)"

# What Keras imports, if it is there, for wrappers and pictures that no program of ours uses: a quarter of its import.
_UNUSED = ("matplotlib", "sklearn")


class BackendError(TintypeError):
    """A backend is missing, or another one has been imported."""


_own_process = False


def own_this_process() -> None:
    """Say that this process is a program of ours: a host that imports us keeps its Keras whole and its standard error.

    TensorFlow's C++ code writes lines on every start that no setting of its own suppresses. A program does not show
    them, holding its standard error back for a moment. And it does without what Keras has for other packages.
    """
    global _own_process
    _own_process = True


def prepare_keras(backend: str | None = None) -> None:
    """Choose the backend, quieten it and import it (3 to 15 s); goes before the first `import keras`.

    A second call changes nothing. The environment is afterwards what it was.

    Parameters
    ----------
    backend : str, optional
        Such as ``"tensorflow"``. If not given: what `KERAS_BACKEND` says, unless that is OpenVINO, which does without
        Keras; else TensorFlow, which can do all there is to do.

    Raises
    ------
    BackendError
        If Keras or the backend is not installed, or another one has been imported already.
    """
    if "keras" in sys.modules:
        _refuse_another(backend)
        return
    wanted = os.environ.get("KERAS_BACKEND")
    backend = backend or (wanted if wanted and wanted != INFERENCE else TRAINING)
    if backend == INFERENCE:
        raise BackendError(
            f"Expected a backend on which Keras trains, such as {TRAINING}. Received: {INFERENCE}, which computes with "
            "the IR of a bundle, without Keras."
        )
    if importlib.util.find_spec("keras") is None:
        raise BackendError(
            "Expected the package keras, which trains, and colours with a bundle from before bundles had an IR, but it "
            f"is not installed. Run `{install_command('pipeline')}`; with it, `python -m tintype.models.bundle FOLDER` "
            "gives a bundle its IR."
        )
    if importlib.util.find_spec(backend) is None:
        raise BackendError(
            f"Expected the package {backend} as Keras' backend, but it is not installed. "
            f"Run `{install_command('cluster' if backend == SHARING else 'pipeline')}`, or choose another backend with "
            "KERAS_BACKEND."
        )
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # Device chatter would bury the progress bar, some of which looks like errors; real errors are Python exceptions.
    quiet = {"TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3")}
    with (
        _environment({"KERAS_BACKEND": backend} | quiet),
        _without_chatter() if _own_process else nullcontext(),
        hidden(*_UNUSED) if _own_process else nullcontext(),
    ):
        import keras

        if keras.backend.backend() == TRAINING:
            import tensorflow as tf

            tf.config.list_physical_devices()  # looks for a CUDA driver now, and says now if there is none


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def hidden(*names: str) -> Iterator[None]:
    """Packages as if they were not installed, but for what is imported already."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def inference_backend() -> str:
    """What colours on a CPU unless `KERAS_BACKEND` says otherwise: OpenVINO, else what is installed."""
    return os.environ.get("KERAS_BACKEND") or _installed(INFERENCE, TRAINING)


def colours_on() -> str:
    """What colours with a bundle that has an IR.

    The backend that this process has imported Keras on, else what `KERAS_BACKEND` says, else OpenVINO, else what is
    installed.
    """
    if "keras" in sys.modules:
        import keras

        return str(keras.backend.backend())
    return inference_backend()


def _installed(*backends: str) -> str:
    """The first of them that is installed; the first of all if none is."""
    return next((name for name in backends if importlib.util.find_spec(name) is not None), backends[0])


def _refuse_another(backend: str | None) -> None:
    import keras

    if backend is not None and keras.backend.backend() != backend:
        raise BackendError(
            f"Expected Keras on {backend}, but this process has imported it on {keras.backend.backend()}. "
            f"Start anew with KERAS_BACKEND={backend}."
        )


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
    network.compile(jit_compile=jit_choice())


def jit_choice() -> bool | str:
    """What `compile` gets as `jit_compile`.

    Returns
    -------
    False or "auto"
        TensorFlow: a graph without XLA, whose compilation costs minutes for a deep network on a CPU.
    """
    import keras

    return False if keras.backend.backend() == "tensorflow" else "auto"


@contextmanager
def joined_processes(rank: int, workers: int, coordinator: str) -> Iterator[Callable[[], Any]]:
    """Make several processes compute as one: networks built inside are the same in all, batches are shared.

    All of them must run the same steps in the same order, since they compute each step together.

    Parameters
    ----------
    rank : int
        Which process this is, from 0.
    workers : int
        How many there are.
    coordinator : str
        Address at which the first one listens for the others: host:port.

    Yields
    ------
    callable
        Gives a context in which this process computes by itself, on networks that are built there.

    Raises
    ------
    BackendError
        If this process has imported Keras on another backend than JAX.
    """
    prepare_keras(SHARING)
    import jax
    import keras

    jax.distributed.initialize(coordinator, workers, rank)
    # Batches arrive in pieces already.
    together = keras.distribution.DataParallel(auto_shard_dataset=False)

    @contextmanager
    def alone() -> Iterator[None]:
        keras.distribution.set_distribution(None)
        try:
            yield
        finally:
            keras.distribution.set_distribution(together)

    with together.scope():
        yield alone
    jax.distributed.shutdown()


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Hold back what is written to the standard error's file descriptor; at the end pass on what is new."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            for line in held.read().decode(errors="replace").splitlines(keepends=True):
                if not line.startswith(_CHATTER) and _NO_DRIVER not in line:
                    sys.stderr.write(line)
