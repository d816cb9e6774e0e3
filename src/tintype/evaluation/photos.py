"""Which photos are judged."""

from __future__ import annotations

from pathlib import Path

from tintype.errors import TintypeError

JUDGED = 2000  # test photos, at most: the standard error of CIEDE2000 is below 0.1 then, and memory bounded


class EvaluationError(TintypeError):
    """There is nothing to judge."""


def photos_of_split(
    raw: Path, manifest: Path, split: str = "test", most: int | None = None
) -> dict[str, Path]:
    """The photos of a split.

    Parameters
    ----------
    raw : Path
        Folder with ``photos``.
    manifest : Path
        Folder with ``manifest.parquet``.
    split : str
        ``train``, ``validation`` or ``test``.
    most : int, optional
        At most so many, the first ones; the manifest is not read further.

    Returns
    -------
    dict
        The photo's path in the manifest -> its file, in the order of content hashes: as good as shuffled, and
        always the same.

    Raises
    ------
    EvaluationError
        If the split is empty.
    """
    return {path: raw / "photos" / path for path in _rows(manifest, split, "path", most)}


def content_hashes_of_split(manifest: Path, split: str = "test", most: int | None = None) -> list[str]:
    """SHA-256 of the files of `photos_of_split`, in the same order, as the manifest has them."""
    return _rows(manifest, split, "content_hash", most)


def _rows(manifest: Path, split: str, column: str, most: int | None) -> list[str]:
    """One column of a split's rows; the manifest is sorted by content hash."""
    from pyarrow import compute, dataset

    table = dataset.dataset(manifest / "manifest.parquet", format="parquet")
    scanner = table.scanner(columns=[column], filter=compute.field("split") == split)
    values = (scanner.to_table() if most is None else scanner.head(most))[column].to_pylist()
    if not values:
        raise EvaluationError(
            f"Expected photos of the {split} split in {manifest}. Received: none of {table.count_rows()}. "
            "Raise its share in params.yaml or add photos."
        )
    return values
