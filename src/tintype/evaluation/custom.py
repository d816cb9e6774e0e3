"""Photos of one's own, without a truth to compare with: coloured for people to look at."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tintype.evaluation.baselines import Method
from tintype.evaluation.evaluate import GRID_QUALITY, GRID_SIDE
from tintype.evaluation.judging import reduced
from tintype.evaluation.photos import EvaluationError
from tintype.files.atomic import new_folder
from tintype.imaging.finding import WRITABLE, find_photos
from tintype.imaging.grid import draw_grid, write_picture
from tintype.imaging.limits import PhotoError
from tintype.imaging.picture import read_picture

GRID_PHOTOS = 24  # the grid stays readable; all photos are coloured


def colour_custom(ours: Method, folder: Path, report: Path) -> None:
    """Colour every photo in a folder.

    Parameters
    ----------
    ours : Method
        Such as a `Colorizer`'s ``colorize``.
    folder : Path
        Searched with its subfolders. A photo that cannot be read is named on standard error and left out.
    report : Path
        Folder to write to: ``custom``, the photos at full size under their own names (with ``.png`` added where
        a format is only read), and ``custom.jpg``, the first `GRID_PHOTOS` of them as original and ours.

    Raises
    ------
    EvaluationError
        If there is no readable photo in the folder.
    """
    rows: list[list[NDArray[np.uint8]]] = []
    captions: list[str] = []
    with new_folder(report / "custom") as part:
        for path in tqdm(photos_in(folder), desc="custom photos", unit="photo", disable=None):
            try:
                row = _colour(ours, path, part / path.relative_to(folder))
            except PhotoError as error:
                tqdm.write(f"left out: {error}", file=sys.stderr)
                continue
            captions.append(path.stem)
            if len(rows) < GRID_PHOTOS:
                rows.append(row)
        if not rows:
            raise EvaluationError(f"Expected photos that can be read in {folder}. Received: none that can.")
        grid = draw_grid(rows, headings=["original", "ours"], captions=captions[: len(rows)])
        write_picture(report / "custom.jpg", grid, quality=GRID_QUALITY)


def photos_in(folder: Path) -> list[Path]:
    """The custom photos.

    Raises
    ------
    EvaluationError
        If the folder is missing or without photos.
    """
    photos = find_photos(folder) if folder.is_dir() else []
    if not photos:
        raise EvaluationError(
            f"Expected photos in {folder}. Received: {'none' if folder.is_dir() else 'no such folder'}. "
            "Name a folder of your own photos as evaluate.custom_photos."
        )
    return photos


def _colour(ours: Method, path: Path, destination: Path) -> list[NDArray[np.uint8]]:
    photo = read_picture(path)
    coloured = ours(photo.rgb8)
    if destination.suffix.lower() not in WRITABLE:
        destination = destination.with_name(f"{destination.name}.png")
    write_picture(destination, coloured, alpha=photo.alpha8)
    return [reduced(photo.rgb8, GRID_SIDE), reduced(coloured, GRID_SIDE)]
