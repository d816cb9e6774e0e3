"""What is normal: the distributions that a service's photos are compared with, in a small JSON file.

Of training photos it says what the network has learnt from; of days of the service itself that a person found good, it
says what is usual there. An archive's scans are no training photos, so the second kind is what keeps alarms quiet
there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from tqdm import tqdm

from tintype.colorize import Colorizer
from tintype.data.validation.manifest import read_manifest
from tintype.errors import TintypeError
from tintype.files.atomic import write_json
from tintype.imaging.merge import merge
from tintype.imaging.picture import PhotoFile
from tintype.measures.photo_statistics import input_statistics, photo_statistics
from tintype.measures.statistics import STATISTICS, Statistic
from tintype.monitoring.days import Photos
from tintype.monitoring.drift import Distribution, Drift, distribution_of, drift_of

FORMAT = 1
GRAY = 2.0  # mean C* of an answer below which people see a gray photo
Values = Mapping[str, float]


class UnusableReferenceError(TintypeError):
    """A reference cannot be read or made."""


class Reference(BaseModel):
    """The content of the file.

    Parameters
    ----------
    source : str
        What it was made from, as a part of a sentence.
    model : str
        Name and version, as tintype/3, whose answers are in it; empty for none or several.
    bundle : str
        The first 12 digits of its digest; empty as above.
    gray : float or None
        Share of answers with a mean C* below `GRAY`; None without answers.
    statistics : dict
        Name -> `Distribution`; those of answers are missing where none were measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    source: str
    model: str = ""
    bundle: str = ""
    gray: float | None = None
    statistics: dict[str, Distribution]


def read_reference(file: Path) -> Reference:
    """Read a reference.

    Raises
    ------
    UnusableReferenceError
        If there is none, or it is none of this version.
    """
    again = "Make it with `tintype monitor reference`."
    try:
        found = Reference.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UnusableReferenceError(
            f"Expected a reference at {file}. Received: {error.strerror}. {again}"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UnusableReferenceError(
            f"Expected a reference in {file}. Received, at {where}: {first['msg']}. {again}"
        ) from None
    if found.format != FORMAT:
        raise UnusableReferenceError(
            f"Expected a reference of format {FORMAT} in {file}. Received: format {found.format}. {again}"
        )
    return found


def write_reference(file: Path, reference: Reference) -> None:
    """Write it; the file appears whole."""
    write_json(file, reference.model_dump())


def of_photos(photos: Photos, source: str) -> Reference:
    """What is normal, by days of the service.

    Parameters
    ----------
    source : str
        As in `Reference`.

    Raises
    ------
    UnusableReferenceError
        If there are none.
    """
    if not len(photos):
        raise UnusableReferenceError(f"Expected photos to make a reference of. Received: none in {source}.")
    answers = photos.as_the_model_gives_them()
    models, bundles = set(answers.values("model")), set(answers.values("bundle"))
    columns = {
        statistic.name: (photos if statistic.measured_on == "input" else answers).values(statistic.name)
        for statistic in STATISTICS
    }
    return Reference(
        source=source,
        model=models.pop() if len(models) == 1 else "",
        bundle=bundles.pop() if len(bundles) == 1 else "",
        gray=gray_share(columns["mean_chroma"]),
        statistics=_distributions(columns),
    )


def of_manifest(
    manifest: Path,
    raw: Path,
    *,
    most: int,
    colorizer: Colorizer | None,
    model: str = "",
    bundle: str = "",
) -> Reference:
    """What is normal, by the photos of a data set.

    Inputs are training photos: what the network has learnt from. Answers are to photos that it has not learnt from.

    Parameters
    ----------
    manifest, raw : Path
        Folders that the stages `validate` and `fetch` wrote.
    most : int
        Photos of each kind, chosen by their hash.
    colorizer : Colorizer or None
        What answers; None leaves answers out.
    model, bundle : str
        As in `Reference`.

    Raises
    ------
    ManifestError, PhotoError
        If the manifest or a photo cannot be read.
    UnusableReferenceError
        If there are no photos for it.
    """
    table = read_manifest(manifest)
    learnt = _files(table[table["split"] == "train"], raw, most)
    unseen = _files(table[table["split"] != "train"], raw, most) if colorizer else []
    if not learnt or (colorizer and not unseen):
        raise UnusableReferenceError(
            f"Expected photos for training and others in {manifest}. Received: {len(learnt)} and {len(unseen)}."
        )
    rows = _measured(learnt, input_statistics, "training photos")
    answers = _measured(unseen, _answering(colorizer), "answers") if colorizer else []
    columns = _columns(rows, "input") | (_columns(answers, "output") if answers else {})
    count = f"{len(learnt):,} training photos"
    return Reference(
        source=f"{count} and {len(answers):,} answers to photos not learnt from" if answers else count,
        model=model,
        bundle=bundle,
        gray=gray_share(columns["mean_chroma"]) if answers else None,
        statistics=_distributions(columns),
    )


def gray_share(mean_chroma: NDArray[np.float64]) -> float | None:
    """Share of answers that people see as gray; None if there is no answer."""
    return float(np.mean(mean_chroma < GRAY)) if len(mean_chroma) else None


def _files(table: Any, raw: Path, most: int) -> list[PhotoFile]:
    """The photos with the first hashes: as good as random, and the same each time."""
    first = table.sort_values("content_hash")[:most]
    return [
        PhotoFile(raw / "photos" / path, content_hash)
        for path, content_hash in zip(first["path"], first["content_hash"], strict=True)
    ]


def _measured(
    files: Sequence[PhotoFile], measure: Callable[[NDArray[Any]], Values], what: str
) -> list[Values]:
    return [measure(file.read().pixels) for file in tqdm(files, desc=what, unit=" photos", disable=None)]


def _answering(colorizer: Colorizer) -> Callable[[NDArray[Any]], Values]:
    """Measure a photo as the service does."""

    def measure(pixels: NDArray[Any]) -> Values:
        ab, confidence = colorizer.chroma_with_confidence(pixels)
        sure = None if confidence is None else float(confidence.mean())
        return photo_statistics(pixels, merge(pixels, ab)[0], ab, sure).values

    return measure


def _columns(rows: Sequence[Values], measured_on: str) -> dict[str, NDArray[np.float64]]:
    names = [statistic.name for statistic in STATISTICS if statistic.measured_on == measured_on]
    return {name: np.array([row[name] for row in rows], np.float64) for name in names}


def _distributions(columns: Mapping[str, NDArray[np.float64]]) -> dict[str, Distribution]:
    return {name: distribution_of(values) for name, values in columns.items() if len(values)}


@dataclass(frozen=True)
class Row:
    """A statistic in the judged days.

    Attributes
    ----------
    middle : float
        Median; NaN if there is none.
    drift : Drift or None
        Against the reference; None without one.
    """

    statistic: Statistic
    middle: float
    drift: Drift | None


def of_side(photos: Photos, statistic: Statistic) -> Photos:
    """The photos for which a statistic means something: a client may have asked for an answer in gray."""
    return photos if statistic.measured_on == "input" else photos.as_the_model_gives_them()


def drift_in(photos: Photos, statistic: Statistic, reference: Reference | None) -> Drift | None:
    """A statistic of some photos against the reference; None where there is none."""
    if reference is None or statistic.name not in reference.statistics:
        return None
    values = of_side(photos, statistic).values(statistic.name)
    return drift_of(values, reference.statistics[statistic.name])


def median(values: NDArray[np.float64]) -> float:
    """The median of the values of shape (n,) that are no NaN; NaN if all are."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")
