"""Networks on OpenVINO: an IR is written from a `.keras` file, compared with Keras, and used to colour and embed.

An IR (intermediate representation) is a network's graph as XML with its constants in a `.bin` beside it. OpenVINO alone
computes with it, so a CPU needs neither Keras nor TensorFlow to colour a photo, whose imports take seconds. Keras
writes the network as TensorFlow's SavedModel, and OpenVINO's own converter reads that. The batch dimension stays free.

`python -m tintype.models.openvino FILE SPEC ...` is the process of its own in which `write_ir` converts.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

import tintype
from tintype.errors import TintypeError
from tintype.models.keras_backend import TRAINING, hidden, own_this_process, prepare_keras

if TYPE_CHECKING:
    from tintype.models.backbone import Backbone, BackboneSpec

Precision = Literal["float32", "bfloat16"]

MOST_AB = 0.1  # Lab units between an IR's colours and Keras'; two of Keras' backends are as far apart
_PHOTOS = 4  # made up, on which an IR is compared with Keras
_SMALLEST_HALF = 64  # numbers; a smaller constant is not worth an operation that widens it
# Left alone, OpenVINO computes in bfloat16 where a processor has it. A photo then gets other colours on another
# machine: of the starter's, the mean difference in ab was 0.6 to 1.4 Lab units a photo, the largest 21.
HINTS = {"float32": "f32", "bfloat16": "bf16"}
_PLACE = re.compile(r'offset="(\d+)" size="(\d+)"')  # of a constant in the weights' file


class IrError(TintypeError):
    """An IR cannot be written or used."""


def openvino_is_installed() -> bool:
    """Whether OpenVINO can be imported; it is not imported for that."""
    return importlib.util.find_spec("openvino") is not None


def import_openvino() -> Any:
    """The module `openvino` (0.3 s), without the report of its use that its import would send to its maker.

    The package that sends the report is hidden during the import and only then. OpenVINO's own switch for this is a
    file in the home folder of the person who runs it.

    Raises
    ------
    IrError
        If OpenVINO is not installed.
    """
    try:
        with hidden("openvino_telemetry"):
            import openvino
    except ModuleNotFoundError as error:
        raise IrError(
            "Expected the package openvino, which colours and embeds on a CPU, but it is not installed. Install it, "
            "or set KERAS_BACKEND to tensorflow."
        ) from error
    return openvino


@cache
def core() -> Any:
    """OpenVINO's core, the only one of this process.

    With one for each network, a service that changed its model under load was seen to end with a corrupted heap: as a
    core goes, it clears what the networks of another one compute with (compare ultralytics/ultralytics#25864).

    Raises
    ------
    IrError
        If OpenVINO is not installed.
    """
    return import_openvino().Core()


class OpenVinoNetwork:
    """A compiled IR, with the part of a Keras model's interface that colouring and embedding use.

    Parameters
    ----------
    compiled : openvino.CompiledModel
        Its outputs have names.
    by_thread : bool
        Whether each thread asks through a request of its own, which takes streams; else they wait for each other.

    Attributes
    ----------
    output : dict or openvino.ConstOutput
        Several by name, or the only one.
    precision : str
        What is computed in, in OpenVINO's words: ``"f32"`` or ``"bf16"``.
    """

    def __init__(self, compiled: Any, *, by_thread: bool = False) -> None:
        outputs = {output.get_any_name(): output for output in compiled.outputs}
        self.output = outputs if len(outputs) > 1 else compiled.outputs[0]
        self.precision = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self._compiled = compiled
        # A request serves one thread at a time. A service frees a network while another one answers: its only request
        # goes with it then, and not when some thread ends.
        self._own = threading.local() if by_thread else None
        self._lock = threading.Lock()

    @classmethod
    def load(
        cls, keras_file: Path, *, streams: int | None = None, precision: Precision = "float32"
    ) -> OpenVinoNetwork:
        """Read and compile the IR beside a `.keras` file.

        Parameters
        ----------
        keras_file : Path
            Its IR lies beside it as `.xml` and `.bin`.
        streams : int, optional
            How many threads will ask at a time, for one photo each, which one core computes. No sum is then shared
            between cores or photos. If not given, a call takes any number of photos, and all cores.
        precision : {"float32", "bfloat16"}
            What is to be computed in; a processor that cannot takes float32.

        Raises
        ------
        IrError
            If OpenVINO cannot read or compile the IR, or a constant in it is not finite.
        """
        openvino = import_openvino()
        config: dict[str, Any] = {"INFERENCE_PRECISION_HINT": HINTS[precision]}
        if streams is not None:
            config |= {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": streams}
        try:
            model = _read(keras_file)
            _check_constants(model, keras_file)
            if streams is not None:
                model.reshape([1, *list(model.inputs[0].get_partial_shape())[1:]])
            compiled = core().compile_model(model, "CPU", config)
        except (OSError, RuntimeError) as error:
            raise IrError(
                f"Expected an IR that OpenVINO {openvino.__version__} can compile beside {keras_file}. "
                f"Received: {str(error).strip().splitlines()[-1]} KERAS_BACKEND=tensorflow does without it."
            ) from error
        return cls(compiled, by_thread=streams is not None)

    def predict_on_batch(
        self, given: NDArray[Any] | Mapping[str, NDArray[Any]]
    ) -> dict[str, NDArray[np.float32]] | NDArray[np.float32]:
        """Ask the network; from any thread.

        Parameters
        ----------
        given : ndarray or mapping of str to ndarray
            The input, or the inputs by name, of any number of photos; of one if the IR was loaded for streams.

        Returns
        -------
        dict of str to ndarray, or ndarray
            As `output`.
        """
        inputs = given if isinstance(given, Mapping) else [given]
        if self._own is None:
            with self._lock:
                results = self._compiled(inputs)
        else:
            if not hasattr(self._own, "request"):
                self._own.request = self._compiled.create_infer_request()
            results = self._own.request.infer(inputs)
        if isinstance(self.output, dict):
            return {name: results[output] for name, output in self.output.items()}
        return results[self.output]


def _read(keras_file: Path) -> Any:
    """The IR beside a `.keras` file as an `openvino.Model`, wholly in memory: no file is mapped."""
    openvino = import_openvino()
    graph = keras_file.with_suffix(".xml").read_text(encoding="utf-8")
    weights = np.fromfile(keras_file.with_suffix(".bin"), np.uint8)
    end = max((int(offset) + int(size) for offset, size in _PLACE.findall(graph)), default=0)
    if end > len(weights):  # an older IR: its graph counts on through the .keras file, which has most weights
        weights = np.concatenate([weights, np.fromfile(keras_file, np.uint8)])
    return core().read_model(graph, openvino.Tensor(weights))


def _check_constants(model: Any, keras_file: Path) -> None:
    """Refuse an IR with a weight that is not finite: OpenVINO's ReLU may hide it, and colours be wrong."""
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Constant" or not node.get_element_type().is_real():
            continue
        if not np.isfinite(node.data).all():
            raise IrError(
                f"Expected finite weights in the IR beside {keras_file}. Received: one that is not, in "
                f"{node.get_friendly_name()}, of shape {tuple(node.shape)}. Train the network again."
            )


def write_ir(files: Mapping[Path, BackboneSpec | None], loaded: Mapping[Path, Any] | None = None) -> None:
    """Write IRs, `.xml` and `.bin`, beside `.keras` files.

    Only TensorFlow exports what OpenVINO reads, and Keras has one backend a process: where that is another one, a
    process of its own converts.

    Parameters
    ----------
    files : mapping of Path to BackboneSpec or None
        The `.keras` files. A backbone has its description, and its IR begins with gray bytes, as `Backbone` does; a
        network that colours has None.
    loaded : mapping of Path to keras.Model, optional
        What these files hold, a backbone behind its preprocessing, where it is at hand; it is not loaded again.

    Raises
    ------
    IrError
        If OpenVINO cannot express a network.
    """
    prepare_keras()
    import keras

    try:
        if keras.backend.backend() == TRAINING:
            _convert_all(files, loaded or {})
        else:
            _convert_elsewhere(files)
    except RuntimeError as error:  # how OpenVINO says that it lacks an operation
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise IrError(
            f"Expected to write an IR of OpenVINO beside {' and '.join(map(str, files))}. Received: {reason}"
        ) from error


def _convert_elsewhere(files: Mapping[Path, BackboneSpec | None]) -> None:
    command = [sys.executable, "-m", __spec__.name]
    for file, spec in files.items():
        command += [str(file), "" if spec is None else spec.model_dump_json()]
    package = str(Path(tintype.__file__).parents[1])
    path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"KERAS_BACKEND": TRAINING, "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"exit code {done.returncode}")


def main(*files_and_specs: str) -> None:
    """Write the IRs, in the process that `write_ir` starts."""
    from tintype.models.backbone import BackboneSpec

    own_this_process()
    prepare_keras(TRAINING)
    pairs = zip(files_and_specs[::2], files_and_specs[1::2], strict=True)
    _convert_all(
        {Path(file): BackboneSpec.model_validate_json(spec) if spec else None for file, spec in pairs}, {}
    )


def _convert_all(files: Mapping[Path, BackboneSpec | None], loaded: Mapping[Path, Any]) -> None:
    from tintype.models.backbone.embedder import with_preprocessing
    from tintype.models.keras_file import load_network

    for file, spec in files.items():
        network = loaded.get(file)
        if network is None:
            network = load_network(file)
            network = network if spec is None else with_preprocessing(network, spec)
        _convert(network, "ab" if spec is None else "embedding", file)


def _convert(network: Any, only_output: str, keras_file: Path) -> None:
    """Write the IR of a network; if it has a single output, which has no name, that is called `only_output`."""
    import tensorflow as tf

    openvino = import_openvino()

    @tf.function(autograph=False)
    def serve(**given: Any) -> dict[str, Any]:
        output = network(given if isinstance(network.input, dict) else next(iter(given.values())))
        return output if isinstance(output, dict) else {only_output: output}

    inputs = network.input if isinstance(network.input, dict) else {network.input.name: network.input}
    described = {name: tf.TensorSpec(given.shape, given.dtype, name=name) for name, given in inputs.items()}
    module = tf.Module()
    module.serve, module.weights = serve, [variable.value for variable in network.variables]
    with tempfile.TemporaryDirectory(prefix="tintype-ir-") as folder:
        # Keras' own `export` gives the same graph, and takes twice as long.
        tf.saved_model.save(module, folder, signatures=serve.get_concrete_function(**described))
        model = core().read_model(folder)
        _keep_half(model)
        _name_by_number(model)
        openvino.save_model(model, keras_file.with_suffix(".xml"), compress_to_fp16=False)


def _keep_half(model: Any) -> None:
    """Keep constants in half precision that lose nothing by it, as the weights of a `.keras` file kept so.

    OpenVINO's own compression would round the other constants, too, after folding them into each other: the starter's
    colours would change by up to 0.8 Lab units.
    """
    from openvino import opset13 as operations

    for node in model.get_ordered_ops():
        if node.get_type_name() != "Constant" or node.get_element_type().get_type_name() != "f32":
            continue
        wide = node.data
        with np.errstate(over="ignore"):  # found by the comparison
            half = wide.astype(np.float16)
        if wide.size >= _SMALLEST_HALF and np.array_equal(half.astype(np.float32), wide):
            node.output(0).replace(operations.convert(operations.constant(half), "f32").output(0))


def _name_by_number(model: Any) -> None:
    """Replace names that count what a process has built, so that the same network gives the same file."""
    kept = [(output, output.get_names()) for output in model.outputs]
    for number, node in enumerate(model.get_ordered_ops()):
        if node.get_type_name() != "Parameter":
            node.set_friendly_name(f"{node.get_type_name()}_{number}")
            for output in node.outputs():
                output.get_tensor().set_names(set())
    for output, names in kept:
        output.get_tensor().set_names(names)


def largest_difference(
    networks: tuple[Any, Any], backbones: tuple[Backbone, Backbone] | None, size: int, input_size: int
) -> float:
    """The largest difference between what two networks say of the same made-up photos.

    Parameters
    ----------
    networks : tuple of two
        With `predict_on_batch`.
    backbones : tuple of two Backbone, or None
        For networks that take an embedding.
    size, input_size : int
        Sides in pixels of what network and backbone see.

    Returns
    -------
    float
        Of all outputs, in their unit. Infinity if one is no number where the other is one.
    """
    outputs = []
    for number, network in enumerate(networks):
        given = {"l": made_up_photos(size).astype(np.float32)}
        if backbones is not None:
            embedding = backbones[number].embed(made_up_photos(input_size), _PHOTOS)
            given["embedding"] = embedding.astype(np.float32)
        output = network.predict_on_batch(given)
        named = output if isinstance(output, dict) else {"ab": output}
        outputs.append({name: np.asarray(values, np.float64) for name, values in named.items()})
    first, second = outputs
    return max(_apart(first[name], second[name]) for name in first)


def _apart(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    if first.shape != second.shape or not np.array_equal(np.isfinite(first), np.isfinite(second)):
        return np.inf
    return float(np.abs(first - second)[np.isfinite(first)].max(initial=0.0))


def made_up_photos(side: int) -> NDArray[np.uint8]:
    """Gray pictures of soft blotches in several sizes, the same each time: (n, side, side, 1)."""
    random = np.random.default_rng(20170428)
    photos = np.zeros((_PHOTOS, side, side))
    for cells in (3, 12, 48):
        blotches = random.uniform(-1, 1, (_PHOTOS, cells, cells))
        at = np.linspace(0, cells - 1, side)
        before = np.minimum(at.astype(int), cells - 2)
        after = at - before
        rows = blotches[:, before] * (1 - after)[:, None] + blotches[:, before + 1] * after[:, None]
        photos += rows[:, :, before] * (1 - after) + rows[:, :, before + 1] * after
    return np.clip(127.5 + 80 * photos, 0, 255).astype(np.uint8)[..., np.newaxis]


if __name__ == "__main__":
    main(*sys.argv[1:])
