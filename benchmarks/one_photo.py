"""One photo, JPEG to JPEG, by us and by others, in processes that are warm."""

from __future__ import annotations

import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]


def photo_of(source: Path, megapixels: float, destination: Path) -> Path:
    """A JPEG of a size, 4 to 3, made of a photo that is smaller; with grain, as what is enlarged has none."""
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    with Image.open(source) as picture:
        large = np.asarray(
            picture.convert("RGB").resize((width, round(width * 3 / 4)), Image.Resampling.LANCZOS)
        )
    grain = np.random.default_rng(20170428).normal(0, 4, (*large.shape[:2], 1))
    Image.fromarray((large + grain).clip(0, 255).astype(np.uint8)).save(destination, quality=92)
    return destination


class Ours:
    """A bundle that colours a photo as command and service do.

    Attributes
    ----------
    steps : dict
        Seconds of each step, by its name.
    processor : list of float
        Seconds of processors, all added up.
    """

    def __init__(self, bundle: Path, photo: Path) -> None:
        from tintype.colorize import Colorizer

        self.steps: dict[str, list[float]] = defaultdict(list)
        self.processor: list[float] = []
        self._content = photo.read_bytes()
        self._colorizer = Colorizer.load(bundle, "openvino")
        self.colour()  # the first is slower
        self.steps.clear()
        self.processor.clear()

    def colour(self) -> float:
        """Seconds from a file's bytes to a file's bytes."""
        from tintype.formats.photo import encode_photo, read_photo
        from tintype.imaging.merge import merge

        begun, processor = time.perf_counter(), time.process_time()
        photo = self._timed("decode", lambda: read_photo(self._content))
        l8, gray8 = self._timed("prepare", lambda: self._colorizer.prepare(photo.pixels))
        ab, _ = self._timed(
            "network", lambda: self._colorizer.predict_with_confidence(l8[np.newaxis], gray8[np.newaxis])
        )
        coloured, _ = self._timed("merge", lambda: merge(photo.pixels, ab[0]))
        self._timed("encode", lambda: encode_photo(coloured, "JPEG", like=photo))
        self.processor.append(time.process_time() - processor)
        return time.perf_counter() - begun

    def _timed(self, step: str, work: Callable[[], Any]) -> Any:
        begun = time.perf_counter()
        result = work()
        self.steps[step].append(time.perf_counter() - begun)
        return result


class Theirs:
    """DDColor in a process and an environment of its own; see benchmarks/ddcolor.py.

    Parameters
    ----------
    environment : Path
        With `bin/python`, and modelscope's source in `source`.

    Attributes
    ----------
    network, processor : list of float
        Seconds of the network alone, and of processors, all added up.
    """

    def __init__(self, environment: Path, photo: Path) -> None:
        self.network: list[float] = []
        self.processor: list[float] = []
        script = ROOT / "benchmarks/ddcolor.py"
        command = [environment / "bin/python", script, photo, "--source", environment / "source", "--lines"]
        self._process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.colour()
        self.network.clear()
        self.processor.clear()

    def __enter__(self) -> Theirs:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def colour(self) -> float:
        """Seconds from a file's bytes to a file's bytes."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("Expected a process with pipes.")
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("Expected DDColor to colour a photo. Its process ended, and says why above.")
        figures = json.loads(answer)
        self.network.append(figures["network"])
        self.processor.append(figures["processor"])
        return float(figures["whole"])
