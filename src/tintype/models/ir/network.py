"""An IR at work: read, compiled, asked."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.models.ir.runtime import IrError, import_openvino
from tintype.models.keras_backend import FLOAT32


class IrNetwork:
    """A compiled network, with that part of a Keras model's interface that colouring uses.

    Parameters
    ----------
    compiled : openvino.CompiledModel
        Its outputs have names.

    Attributes
    ----------
    output : dict or openvino.ConstOutput
        Several by name, or the only one.
    """

    def __init__(self, compiled: Any) -> None:
        outputs = {output.get_any_name(): output for output in compiled.outputs}
        self.output = outputs if len(outputs) > 1 else compiled.outputs[0]
        self._compiled = compiled
        self._lock = threading.Lock()  # a compiled model has one request, and the network all processors

    @classmethod
    def load(cls, keras_file: Path) -> IrNetwork:
        """Read and compile the IR beside a `.keras` file.

        Parameters
        ----------
        keras_file : Path
            Holds the weights; graph and other constants are in `.xml` and `.bin` beside it.

        Returns
        -------
        IrNetwork

        Raises
        ------
        IrError
            If OpenVINO cannot read or compile it.
        """
        openvino = import_openvino()
        try:
            return cls(openvino.Core().compile_model(read_ir(keras_file), "CPU", FLOAT32))
        except (OSError, RuntimeError) as error:
            raise IrError(
                f"Expected an IR that OpenVINO {openvino.__version__} can compile beside {keras_file}. "
                f"Received: {str(error).strip().splitlines()[-1]} KERAS_BACKEND=tensorflow colours without it."
            ) from error

    def predict_on_batch(
        self, given: NDArray[Any] | Mapping[str, NDArray[Any]]
    ) -> dict[str, NDArray[np.float32]] | NDArray[np.float32]:
        """Ask the network; from any thread, one after the other.

        Parameters
        ----------
        given : ndarray or mapping of str to ndarray
            The input, or the inputs by name, of any number of photos.

        Returns
        -------
        dict of str to ndarray, or ndarray
            As `output`.
        """
        with self._lock:
            results = self._compiled(given if isinstance(given, Mapping) else [given])
        if isinstance(self.output, dict):
            return {name: results[output] for name, output in self.output.items()}
        return results[self.output]


def read_ir(keras_file: Path) -> Any:
    """The IR beside a `.keras` file, as an `openvino.Model`.

    Parameters
    ----------
    keras_file : Path
        Holds the weights; graph and other constants are in `.xml` and `.bin` beside it.

    Raises
    ------
    OSError
        If a file cannot be read.
    RuntimeError
        If OpenVINO does not take it for an IR.
    """
    openvino = import_openvino()
    graph = keras_file.with_suffix(".xml").read_text(encoding="utf-8")
    # The order that the graph's offsets count in; see `tintype.models.ir.weights`.
    parts = [np.fromfile(path, np.uint8) for path in (keras_file.with_suffix(".bin"), keras_file)]
    return openvino.Core().read_model(graph, openvino.Tensor(np.concatenate(parts)))
