"""From `.keras` files to IRs beside them: `python -m tintype.models.ir.export (FILE SPEC)...`.

A process of its own, because Keras has one backend a process: trainings run on TensorFlow, and Keras' own graph for
OpenVINO, with the weights as the file has them, is to be had on OpenVINO alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tintype
from tintype.models.backbone.spec import BackboneSpec
from tintype.models.ir.layout import sink_layout_changes
from tintype.models.ir.runtime import IrError, import_openvino
from tintype.models.ir.weights import in_half, share_weights
from tintype.models.keras_backend import INFERENCE, prepare_keras


def export_ir(files: Mapping[Path, BackboneSpec | None]) -> None:
    """Write the IRs of networks, `.xml` and `.bin`, beside their `.keras` files.

    Parameters
    ----------
    files : mapping of Path to BackboneSpec or None
        The `.keras` files. A backbone has its description, and its IR begins with gray bytes, as `Backbone` does; a
        network that colours has None.

    Raises
    ------
    IrError
        If OpenVINO cannot express a network.
    """
    command = [sys.executable, "-m", __spec__.name]
    for file, spec in files.items():
        command += [str(file), "" if spec is None else spec.model_dump_json()]
    environment = os.environ | {"KERAS_BACKEND": INFERENCE, "PYTHONPATH": _python_path()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise IrError(
            f"Expected to write an IR of OpenVINO beside {' and '.join(map(str, files))}. Received: {lines[-1]}"
        )


def _python_path() -> str:
    """Where this package is found, first."""
    own = str(Path(tintype.__file__).parents[1])
    return os.pathsep.join([own, *filter(None, [os.environ.get("PYTHONPATH")])])


def main(*files_and_specs: str) -> None:
    """Write the IRs, in the process that `export_ir` starts."""
    from tintype.models.backbone.embedder import with_preprocessing
    from tintype.models.keras_file import load_network

    prepare_keras(INFERENCE)
    for file, spec in zip(files_and_specs[::2], files_and_specs[1::2], strict=True):
        network = load_network(Path(file))
        if spec:
            on_gray = with_preprocessing(network, BackboneSpec.model_validate_json(spec))
            _write(on_gray, ["embedding"], Path(file))
        else:
            outputs = sorted(network.output) if isinstance(network.output, dict) else ["ab"]
            _write(network, outputs, Path(file))


def _write(network: Any, outputs: list[str], keras_file: Path) -> None:
    openvino = import_openvino()
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.xml"
        network.export(str(raw), format="openvino", verbose=False)
        model = openvino.Core().read_model(raw)
        _free_batch(model)
        sink_layout_changes(model)
        _name(model, outputs)
        _keep_in_half(model, in_half(keras_file))
        openvino.serialize(model, keras_file.with_suffix(".xml"))
    share_weights(keras_file.with_suffix(".xml"), keras_file)


def _free_batch(model: Any) -> None:
    """Let every reshaping take any number of photos: Keras writes down the one photo that it exports with."""
    from openvino import opset13 as operations

    for node in model.get_ordered_ops():
        if node.get_type_name() == "Reshape" and node.input_value(1).get_node().get_type_name() == "Constant":
            pattern = node.input_value(1).get_node().data.copy()
            if pattern.size and pattern[0] == 1 and (pattern > 0).all():
                pattern[0] = -1  # what is left over: 1 where it was not the number of photos
                node.input(1).replace_source_output(operations.constant(pattern).output(0))


def _name(model: Any, outputs: list[str]) -> None:
    """Give outputs their names, and all else numbers of its own instead of counts of the process."""
    for number, node in enumerate(model.get_ordered_ops()):
        if node.get_type_name() != "Parameter":
            node.set_friendly_name(f"{node.get_type_name()}_{number}")
    for output, name in zip(model.outputs, outputs, strict=True):
        output.get_tensor().set_names({name})


def _keep_in_half(model: Any, halves: dict[bytes, Any]) -> None:
    """Constants that the `.keras` file keeps in half precision, so here too, and widened where they are used."""
    from openvino import opset13 as operations

    for node in model.get_ordered_ops():
        if node.get_type_name() != "Constant":
            continue
        half = halves.get(node.data.tobytes())
        if half is not None and half.size > 1:
            constant = operations.constant(half.reshape(node.data.shape))
            constant.set_friendly_name(f"{node.get_friendly_name()}_half")
            wide = operations.convert(constant, "f32")
            wide.set_friendly_name(f"{node.get_friendly_name()}_wide")
            node.output(0).replace(wide.output(0))


if __name__ == "__main__":
    main(*sys.argv[1:])
