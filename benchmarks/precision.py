"""What bfloat16 does to embeddings, and to the colours made of them: `python -m benchmarks.precision`.

Photos are embedded in both precisions. A small fusion network is fitted to the embeddings of one precision and asked
with those of the other, as a service in float32 would ask a network that was trained on features in bfloat16.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import results
from benchmarks.features import SAMPLE, in_process, make_backbone_folder
from tintype.formats.photo import read_photo
from tintype.imaging.finding import find_photos
from tintype.imaging.geometry import photo_crops
from tintype.imaging.inputs import backbone_gray8, network_lab8
from tintype.imaging.lab import rgb_to_lab
from tintype.models.backbone.embedder import load_embedder
from tintype.params.blocks import FusionParams

SIZE = 64  # pixels
HELD_BACK = 0.2  # of the photos
PRECISIONS = ("float32", "bfloat16")


def main() -> None:
    """Measure, and write benchmarks/results/precision.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=SAMPLE, help="of photos; the sample's by default")
    parser.add_argument("--photos", type=int, default=200, help="at most so many, by name")
    parser.add_argument("--crops", type=int, default=4, help="of each photo, the whole of it first")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--results", type=Path, default=results.RESULTS, help="folder of the result")
    arguments = parser.parse_args()
    lab8, gray8 = _rows(find_photos(arguments.folder)[: arguments.photos], arguments.crops)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "backbone"
        in_process(make_backbone_folder, "efficientnet_lite0", folder)
        engines = {precision: load_embedder(folder, precision, 1) for precision in PRECISIONS}  # type: ignore[arg-type]
        seen = {name: engine.backbone.embed(gray8, 1) for name, engine in engines.items()}
    cosines = _cosine(seen["float32"], seen["bfloat16"])
    table: dict[str, Any] = {
        "rows": len(lab8),
        "cosine_mean": float(f"{cosines.mean():.5g}"),
        "cosine_least": float(f"{cosines.min():.5g}"),
    }
    for precision in PRECISIONS:
        table[f"trained_in_{precision}"] = fitted(lab8, seen, precision, arguments.epochs)
    print(results.show(table))
    print(results.write("precision", table, results.command_line("benchmarks.precision"), arguments.results))


def fitted(
    lab8: NDArray[np.uint8], seen: dict[str, NDArray[np.float16]], precision: str, epochs: int
) -> dict[str, float]:
    """Colours of a network that was fitted to embeddings of one precision, asked with both, in Lab units.

    Over photos held back: the mean error with embeddings of either precision; how far the colours of the two are apart
    in the mean, and at most in the mean of a photo.
    """
    from tintype.models.keras_backend import make_deterministic, prepare_keras
    from tintype.models.network import build_network, decode_ab, encode_ab

    prepare_keras("tensorflow")
    make_deterministic(1)
    params = FusionParams(name="fusion", width=0.25, head="tanh", skips=False, half=False)
    network = build_network(params, SIZE, seen[precision].shape[1])
    network.compile("adam", "mse")
    lightness = lab8[..., :1].astype(np.float32)
    target = encode_ab(lab8[..., 1:].astype(np.float32))
    teach = slice(0, round(len(lab8) * (1 - HELD_BACK)))
    network.fit(
        {"l": lightness[teach], "embedding": seen[precision][teach].astype(np.float32)},
        target[teach],
        batch_size=16,
        epochs=epochs,
        verbose=0,
    )
    rest = slice(teach.stop, None)
    ab = {
        name: decode_ab(
            network.predict({"l": lightness[rest], "embedding": vectors[rest].astype(np.float32)}, verbose=0)
        )
        for name, vectors in seen.items()
    }
    truth = decode_ab(target[rest])
    apart = np.linalg.norm(ab["float32"] - ab["bfloat16"], axis=-1)
    found: dict[str, Any] = {
        f"ab_error_with_{name}": np.linalg.norm(colours - truth, axis=-1).mean()
        for name, colours in ab.items()
    }
    found |= {"ab_apart_mean": apart.mean(), "ab_apart_of_the_worst_photo": apart.mean((1, 2)).max()}
    found["ab_of_the_network"] = np.linalg.norm(ab[precision], axis=-1).mean()
    return {name: float(f"{value:.4g}") for name, value in found.items()}


def _rows(photos: list[Path], crops: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Lab for the network and gray for the backbone, all crops of a photo in a row."""
    lab8, gray8 = [], []
    for path in photos:
        lab = rgb_to_lab(read_photo(path).pixels)
        for crop in photo_crops(*lab.shape[:2], crops, 0.5, path.name):
            lab8.append(network_lab8(crop.cut(lab), SIZE))
            gray8.append(backbone_gray8(crop.cut(lab)[..., 0], 224))
    return np.stack(lab8), np.stack(gray8)


def _cosine(one: NDArray[np.float16], other: NDArray[np.float16]) -> NDArray[np.float64]:
    a, b = one.astype(np.float64), other.astype(np.float64)
    return np.asarray((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1))


if __name__ == "__main__":
    main()
