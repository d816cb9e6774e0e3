"""Which photos are judged."""

from __future__ import annotations

from pathlib import Path

from tintype.errors import TintypeError


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
    import pandas as pd

    table = pd.read_parquet(manifest / "manifest.parquet", columns=["path", "content_hash", "split"])
    chosen = table[table["split"] == split].sort_values("content_hash")
    if chosen.empty:
        raise EvaluationError(
            f"Expected photos of the {split} split in {manifest}. Received: none of {len(table)}. "
            "Raise its share in params.yaml or add photos."
        )
    return {path: raw / "photos" / path for path in chosen["path"]}
