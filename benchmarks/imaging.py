"""What colouring a photo costs around the network: time of one core by step, and the memory of the whole.

Run it with `make bench`. Each photo is made in a process of its own, so that its peak of memory is its own.
The colours are drawn by lot: the network's part costs the same for every photo and is measured by `benchmarks/load.py`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

ROUNDS = 5


def main() -> None:
    """Measure photos of several sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=int, nargs="+", default=[12, 50, 100])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--depth", type=int, default=8, choices=[8, 16])
    arguments = parser.parse_args()
    if arguments.one:
        _measure(arguments.one, arguments.depth)
        return
    for megapixels in arguments.megapixels:
        own = [
            sys.executable,
            "-m",
            "benchmarks.imaging",
            "--one",
            str(megapixels),
            "--depth",
            str(arguments.depth),
        ]
        done = subprocess.run(own, check=True, capture_output=True, text=True)
        print(_row(json.loads(done.stdout)))


def _row(figures: dict[str, Any]) -> str:
    steps = ", ".join(f"{name} {seconds:.2f}" for name, seconds in figures["seconds"].items())
    whole, peak = sum(figures["seconds"].values()), figures["peak_mb"]
    return (
        f"{figures['megapixels']} megapixels, {figures['input_mb']:.1f} MB file: {whole:.2f} s of one core ({steps}); "
        f"peak {peak:.0f} MB, {peak - figures['start_mb']:.0f} MB of it for the photo"
    )


def _measure(megapixels: int, depth: int) -> None:
    import cv2
    import numpy as np

    from tintype.formats.photo import encode_photo, read_photo
    from tintype.imaging.inputs import network_inputs
    from tintype.imaging.limits import Limits
    from tintype.imaging.merge import merge

    cv2.setNumThreads(1)
    content = subprocess.run(
        [sys.executable, "-c", _MAKE, str(megapixels), str(depth)], check=True, capture_output=True
    ).stdout
    limits = Limits(bytes=2 * 10**9, pixels=400_000_000, seconds=300)
    patches = cv2.resize(np.random.default_rng(1).normal(0, 12, (8, 8, 2)).astype(np.float32), (128, 128))
    start = _peak_mb()
    seconds: dict[str, float] = {}

    def best(name: str, step: Callable[[], Any]) -> Any:
        rounds = ROUNDS if megapixels <= 20 else 1
        for _ in range(rounds):
            begun = time.process_time()
            result = step()
            seconds[name] = min(seconds.get(name, 1e9), time.process_time() - begun)
        return result

    photo = best("decode", lambda: read_photo(content, limits))
    best("inputs", lambda: network_inputs(photo.pixels, 128, 224))
    coloured, _ = best("merge", lambda: merge(photo.pixels, patches))
    best("encode", lambda: encode_photo(coloured, "JPEG" if depth == 8 else "TIFF", like=photo))
    figures = {
        "megapixels": megapixels,
        "input_mb": len(content) / 1e6,
        "seconds": seconds,
        "start_mb": start,
        "peak_mb": _peak_mb(),
    }
    json.dump(figures, sys.stdout)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


_MAKE = """
import io, sys
from pathlib import Path
import cv2, numpy as np
from PIL import Image
megapixels, depth = int(sys.argv[1]), int(sys.argv[2])
height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
source = cv2.cvtColor(cv2.imread("data/legacy/black-canyon.jpg"), cv2.COLOR_BGR2GRAY)
gray = cv2.resize(source, (height * 4 // 3, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
gray += np.random.default_rng(0).normal(0, 5, (height, 1)).astype(np.float32)
gray += np.random.default_rng(1).normal(0, 4, gray.shape).astype(np.float32)  # grain, as a scan has
if depth == 8:
    out = io.BytesIO()
    Image.fromarray(np.clip(gray, 0, 255).astype(np.uint8)).convert("RGB").save(out, "JPEG", quality=92)
    sys.stdout.buffer.write(out.getvalue())
else:
    sys.stdout.buffer.write(cv2.imencode(".tif", np.clip(gray * 257, 0, 65535).astype(np.uint16))[1].tobytes())
"""


if __name__ == "__main__":
    main()
