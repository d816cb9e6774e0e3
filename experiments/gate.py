"""The gate on challengers that are bad, each in its own way, and on better ones: `python -m experiments.gate`.

Nothing is trained: a challenger is a function that makes its photo out of the true one. The champion is the truth at
60 % of its chroma with each photo's hues turned by an angle of its own, 25 degrees or so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.evaluation.baselines import all_gray
from tintype.evaluation.figures import figures_of
from tintype.evaluation.gate import Verdict, decide
from tintype.evaluation.paired_scores import score_photos
from tintype.files.digest import sha256_of
from tintype.formats.photo import read_photo, write_photo
from tintype.imaging.finding import find_photos
from tintype.imaging.lab import lab_to_rgb, rgb_to_lab
from tintype.imaging.picture import PhotoFile
from tintype.measures.metrics import reduced

Rgb8 = NDArray[np.uint8]
SAMPLE = Path(__file__).parents[1] / "data" / "sample"
SIDE = 256  # pixels; what the gate looks at is coarse
MEAN_AB = (3.0, 9.0)  # of the sample photos, about


def coloured(chroma: float, hue: float = 0.0, blotches: float = 0.0) -> Callable[[Rgb8], Rgb8]:
    """A method that knows the truth: its chroma times a factor, and what is wrong with it.

    `hue` is the standard deviation over photos of the degrees by which a photo's hues are turned; `blotches`, in Lab
    units, that of random colour on a grid of 6 by 8, interpolated, which is added.
    """

    def colorize(rgb8: Rgb8) -> Rgb8:
        # The same photo has the same luck with every method.
        random = np.random.default_rng(int(rgb8.sum()))
        lab = rgb_to_lab(rgb8)
        turn = chroma * np.exp(1j * np.deg2rad(random.normal() * hue))
        ab = (lab[..., 1] + 1j * lab[..., 2]) * turn
        noise = (random.normal(size=(6, 8, 2)) * blotches).astype(np.float32)
        spread = cv2.resize(noise, lab.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        lab[..., 1:] = np.stack([ab.real, ab.imag], axis=-1) + spread
        return lab_to_rgb(lab)

    return colorize


CHAMPION = coloured(0.6, hue=25)
CHALLENGERS = {
    "all gray": all_gray,
    "over-saturated": coloured(2.2, hue=25),
    "random chromatic patches": coloured(0.6, hue=25, blotches=20),
    "the same, paler": coloured(0.36, hue=25),
    "as colourful, hues farther off": coloured(0.6, hue=70),
    "the same again": CHAMPION,
    "better hues and more colour": coloured(0.8, hue=10),
}


def small_copies(folder: Path, photos: int | None = None, side: int = SIDE) -> dict[str, PhotoFile]:
    """The sample photos, or the first few of them, at a long side of `side` pixels."""
    copies = {}
    for path in find_photos(SAMPLE)[:photos]:
        copy = folder / f"{path.stem}.png"
        write_photo(copy, reduced(read_photo(path).rgb8, side))
        copies[path.stem] = PhotoFile(copy, sha256_of(copy))
    return copies


def judge_champion(photos: dict[str, PhotoFile], folder: Path) -> None:
    """Write the champion's own report, from which the contests take its scores."""
    score_photos(photos, CHAMPION, None, MEAN_AB, folder)


def verdict_on(challenger: Callable[[Rgb8], Rgb8], photos: dict[str, PhotoFile], known: Path) -> Verdict:
    """What the gate says of a challenger; `known` is the folder of the champion's report."""
    with tempfile.TemporaryDirectory() as folder:
        scored = score_photos(photos, challenger, CHAMPION, MEAN_AB, Path(folder), known)
    return decide(scored, figures_of(scored, ("all_gray",)), "the champion")


def main() -> None:
    """Print the table of verdicts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, help="only so many of the sample photos")
    arguments = parser.parse_args()
    lines = ["| challenger | verdict | because |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as scratch:
        photos = small_copies(Path(scratch), arguments.photos)
        known = Path(scratch) / "champion"
        judge_champion(photos, known)
        for name, challenger in CHALLENGERS.items():
            verdict = verdict_on(challenger, photos, known)
            lines.append(f"| {name} | {verdict.verdict} | {' '.join(verdict.reasons)} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
