"""Which photos are judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tintype.errors import TintypeError

if TYPE_CHECKING:
    import pandas as pd


class EvaluationError(TintypeError):
    """There is nothing to judge."""


def photos_of_split(raw: Path, manifest: Path, split: str = "test") -> dict[str, Path]:
    """The photos of a split.

    Parameters
    ----------
    raw : Path
        Folder with ``photos``.
    manifest : Path
        Folder with ``manifest.parquet``.
    split : str
        ``train``, ``validation`` or ``test``.

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
    return {path: raw / "photos" / path for path in _rows(manifest, split)["path"]}


def content_hashes_of_split(manifest: Path, split: str = "test") -> list[str]:
    """SHA-256 of the files of `photos_of_split`, in the same order, as the manifest has them."""
    return [str(digest) for digest in _rows(manifest, split)["content_hash"]]


def _rows(manifest: Path, split: str) -> pd.DataFrame:
    import pandas as pd

    table = pd.read_parquet(manifest / "manifest.parquet", columns=["path", "content_hash", "split"])
    chosen = table[table["split"] == split].sort_values("content_hash")
    if chosen.empty:
        raise EvaluationError(
            f"Expected photos of the {split} split in {manifest}. Received: none of {len(table)}. "
            "Raise its share in params.yaml or add photos."
        )
    return chosen
