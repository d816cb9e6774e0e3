"""One photo through DDColor-T at its default size, for comparison: `python benchmarks/ddcolor.py --help`.

DDColor: X. Kang and others, 2022 (https://arxiv.org/abs/2212.11613). Its network is PyTorch, and no part of this
project. It runs in an environment of its own, with the source that the package modelscope publishes (Apache-2.0):

    python -m venv ../ddcolor
    ../ddcolor/bin/pip install torch numpy opencv-python-headless     # a CPU's wheel of torch is smallest
    ../ddcolor/bin/pip download --no-deps --dest ../ddcolor modelscope
    python -m zipfile -e ../ddcolor/modelscope-*.whl ../ddcolor/source
    ../ddcolor/bin/python benchmarks/ddcolor.py PHOTO --source ../ddcolor/source

Weights are drawn by lot: what a photo costs does not depend on them. Around the network everything is done as in
modelscope's pipeline for DDColor, with OpenCV's own JPEG codec at both ends.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
import types
from pathlib import Path
from typing import Any

SIZE = 512  # pixels; its default
NETWORK = "modelscope/models/cv/image_colorization"


def main() -> None:
    """Load the network, then colour the photo once for each line of the standard input."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("--source", type=Path, required=True, help="the folder with the unpacked package")
    parser.add_argument("--rounds", type=int, default=3, help="photos to colour, if not told by lines")
    parser.add_argument("--lines", action="store_true", help="colour one photo for each line that comes")
    given = parser.parse_args()
    import torch

    network = ddcolor_tiny(given.source)
    content = given.photo.read_bytes()
    with torch.inference_mode():
        colour(network, content)  # the first is slower
        for _ in sys.stdin if given.lines else range(given.rounds):
            begun, processor = time.perf_counter(), time.process_time()
            _, seconds = colour(network, content)
            figures = {
                "whole": time.perf_counter() - begun,
                "network": seconds,
                "processor": time.process_time() - processor,
            }
            print(json.dumps(figures), flush=True)


def ddcolor_tiny(source: Path) -> Any:
    """The network with random weights, in evaluation."""
    import torch

    # Packages by name without their own __init__, which would ask for all of modelscope.
    for name in ("ddcolor", "ddcolor.utils"):
        package = types.ModuleType(name)
        package.__path__ = [str(source / NETWORK / name.replace(".", "/"))]
        sys.modules[name] = package
    # Two things of timm: one that does nothing outside of training, and one that draws weights.
    layers = types.ModuleType("timm.models.layers")
    layers.DropPath = torch.nn.Identity  # type: ignore[attr-defined]
    layers.trunc_normal_ = torch.nn.init.trunc_normal_  # type: ignore[attr-defined]
    sys.modules["timm.models.layers"] = layers
    network = importlib.import_module("ddcolor.ddcolor").DDColor("convnext-t", (SIZE, SIZE))
    return network.eval()


def colour(network: Any, content: bytes) -> tuple[bytes, float]:
    """A coloured JPEG of a JPEG, and the seconds that the network took."""
    import cv2
    import numpy as np
    import torch

    photo = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    photo = (photo / 255.0).astype(np.float32)
    lightness = cv2.cvtColor(photo, cv2.COLOR_BGR2Lab)[:, :, :1]
    small = cv2.cvtColor(cv2.resize(photo, (SIZE, SIZE)), cv2.COLOR_BGR2Lab)[:, :, :1]
    gray = cv2.cvtColor(
        np.concatenate((small, np.zeros_like(small), np.zeros_like(small)), axis=-1), cv2.COLOR_LAB2RGB
    )
    begun = time.perf_counter()
    ab = network(torch.from_numpy(gray.transpose(2, 0, 1))[None])
    seconds = time.perf_counter() - begun
    wide = torch.nn.functional.interpolate(ab, size=photo.shape[:2])[0].numpy().transpose(1, 2, 0)
    coloured = cv2.cvtColor(np.concatenate((lightness, wide), axis=-1), cv2.COLOR_LAB2BGR)
    _, file = cv2.imencode(".jpg", (coloured * 255.0).round().astype(np.uint8))
    return file.tobytes(), seconds


if __name__ == "__main__":
    main()
