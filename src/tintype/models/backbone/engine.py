"""What embeds photos on this machine, and in which precision: the one place where that is chosen.

On a CPU, OpenVINO embeds more photos a second than TensorFlow (docs/performance/features.md has the figures). Whether
bfloat16 makes it faster still depends on the processor, and not on what that says it can: of two with AVX512-BF16,
AMD's was twice as fast as in float32, Intel's slower.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tintype.models.backbone.embedder import Backbone
from tintype.models.backbone.ir import IR_FILE, check_ir, compiled
from tintype.models.backbone.openvino_graph import OpenVinoGraph
from tintype.models.backbone.spec import NETWORK_FILE, BackboneError, read_spec

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Engine:
    """A backbone at work.

    Attributes
    ----------
    backbone : Backbone
    precision : {"float32", "bfloat16"}
        What it computes in. Embeddings of two precisions are never mixed.
    batch_size : int
        Photos in one call of its network.
    at_once : int
        Calls of `backbone.embed`, each from a thread of its own, that keep the machine busy.
    sentence : str
        What was chosen, for people; a fallback is named with its reason.
    """

    backbone: Backbone
    precision: Precision
    batch_size: int
    at_once: int
    sentence: str


def choose_engine(
    folder: Path,
    precision: Literal["auto", "float32", "bfloat16"],
    batch_size: int,
    cores: int | None = None,
) -> Engine:
    """Load a backbone on what embeds fastest here.

    Parameters
    ----------
    folder : Path
        As made by the stage `weights`.
    precision : {"auto", "float32", "bfloat16"}
        `auto`: what was measured to be faster on such a processor.
    batch_size : int
        Photos in one call, where the network is Keras'. OpenVINO takes them one by one.
    cores : int, optional
        How many cores to use; all if not given.

    Returns
    -------
    Engine

    Raises
    ------
    BackboneError
        If the folder holds no whole backbone, or the precision cannot be had.
    """
    reason = _why_keras(folder)
    if reason is not None:
        return _on_keras(folder, precision, batch_size, reason)
    spec = read_spec(folder)
    check_ir(folder, spec)
    chosen: Precision = _faster() if precision == "auto" else precision
    cores = cores or os.cpu_count() or 1
    graph = OpenVinoGraph(compiled(folder / NETWORK_FILE, spec, cores=cores, precision=chosen))
    return Engine(Backbone(None, spec, graph), chosen, 1, cores, f"on OpenVINO in {chosen}")


def choice_for(
    folder: Path, precision: Literal["auto", "float32", "bfloat16"]
) -> tuple[Precision, str | None]:
    """What `choose_engine` would choose here, without loading it: so that many machines choose alike.

    Returns
    -------
    precision : {"float32", "bfloat16"}
    reason : str or None
        Why Keras and not OpenVINO; None if it is OpenVINO.
    """
    reason = _why_keras(folder)
    if precision != "auto":
        return precision, reason
    return ("float32" if reason is not None else _faster()), reason


def _why_keras(folder: Path) -> str | None:
    """Why OpenVINO does not embed; None if it does."""
    wanted = os.environ.get("KERAS_BACKEND", "openvino")
    if wanted != "openvino":
        return f"because KERAS_BACKEND is {wanted}"
    if Path("/dev/nvidia0").exists() and importlib.util.find_spec("tensorflow") is not None:
        return "because there is a GPU"
    if importlib.util.find_spec("openvino") is None:
        return "for want of the package openvino, which is faster on a CPU"
    if not (folder / IR_FILE).is_file():
        return (
            f"for want of {folder / IR_FILE}, which is faster on a CPU: `dvc repro --force weights` makes it"
        )
    return None


def _on_keras(folder: Path, precision: str, batch_size: int, reason: str) -> Engine:
    if precision == "bfloat16":
        raise BackboneError(
            f"embed.precision is bfloat16, but Keras embeds in float32, {reason}. "
            "Set embed.precision to auto or float32."
        )
    backbone = Backbone.load(folder)
    import keras

    sentence = f"on Keras with {keras.backend.backend()} in float32, {reason}"
    return Engine(backbone, "float32", batch_size, 1, sentence)


def _faster() -> Precision:
    """The precision in which OpenVINO embeds faster on this processor."""
    cpuinfo = Path("/proc/cpuinfo")
    words = set(cpuinfo.read_text().split()) if cpuinfo.is_file() else set[str]()
    amd = {"AuthenticAMD", "avx512_bf16"} <= words
    return "bfloat16" if amd or "amx_bf16" in words else "float32"
