"""As many photos as are asked for, made of crops of the sample's.

Four crops of four photos side by side: so their number is nearly endless, and no two look alike to a perceptual hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:  # the process that measures others stays small
    import numpy as np
    from numpy.typing import NDArray

SIDE = 160  # pixels
CLASSES = 20  # folders
_SHORT = 400  # pixels
_QUALITY = 85


def make_photos(sample: Sequence[Path], folder: Path, count: int, seed: int = 0) -> None:
    """Write `count` JPEG files, the same ones at every call, a smaller number among a larger one's."""
    import numpy as np

    from tintype.formats.photo import read_photo

    originals = [_smaller(read_photo(path).rgb8) for path in sample]
    for number in tqdm(range(count), desc="making photos", unit=" photos", disable=None):
        random = np.random.default_rng([seed, number])
        path = folder / f"{number % CLASSES:02d}" / f"{number:07d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, _mosaic(originals, random))


def _smaller(rgb8: NDArray[np.uint8]) -> Any:
    """With a short side of at most `_SHORT`: crops are shrunk further, and that of a large photo takes its time."""
    import cv2

    scale = min(1.0, _SHORT / min(rgb8.shape[:2]))
    return cv2.resize(rgb8, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _mosaic(originals: list[NDArray[np.uint8]], random: np.random.Generator) -> NDArray[np.uint8]:
    import numpy as np

    cells = [_crop(originals[random.integers(len(originals))], random) for _ in range(4)]
    return np.vstack([np.hstack(cells[:2]), np.hstack(cells[2:])])


def _crop(rgb8: NDArray[np.uint8], random: np.random.Generator) -> Any:
    import cv2

    side = int(random.integers(SIDE // 2, min(rgb8.shape[:2]) + 1))
    top, left = (int(random.integers(length - side + 1)) for length in rgb8.shape[:2])
    crop = rgb8[top : top + side, left : left + side]
    if random.random() < 0.5:
        crop = crop[:, ::-1]
    return cv2.resize(crop, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)


def _write(path: Path, rgb8: NDArray[np.uint8]) -> None:
    import cv2

    bgr = cv2.cvtColor(rgb8, cv2.COLOR_RGB2BGR)
    path.write_bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes())
