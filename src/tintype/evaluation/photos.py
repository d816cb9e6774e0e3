"""Which photos are judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tintype.errors import TintypeError
from tintype.imaging.picture import PhotoFile

JUDGED = 2000  # test photos, at most: the standard error of CIEDE2000 is below 0.1 then, and memory bounded


class EvaluationError(TintypeError):
    """There is nothing to judge."""


def photos_of_split(
    raw: Path, manifest: Path, split: str = "test", most: int | None = None, without: Sequence[str] = ()
) -> dict[str, PhotoFile]:
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
        At most so many, of the first ones; the manifest is not read further.
    without : sequence of str
        Names of folders: what lies in them, at any depth, is left out.

    Returns
    -------
    dict
        The photo's path in the manifest -> its file, in the order of content hashes: as good as shuffled, and
        always the same. Reading a file that is not the manifest's is an error.

    Raises
    ------
    EvaluationError
        If none are left.
    """
    from pyarrow import compute, dataset

    table = dataset.dataset(manifest / "manifest.parquet", format="parquet")
    scanner = table.scanner(columns=["path", "content_hash"], filter=compute.field("split") == split)
    # The manifest is sorted by content hash.
    rows = scanner.to_table() if most is None else scanner.head(most)
    left_out = frozenset(without)
    files = {
        path: PhotoFile(raw / "photos" / path, content_hash)
        for path, content_hash in zip(rows["path"].to_pylist(), rows["content_hash"].to_pylist(), strict=True)
        if left_out.isdisjoint(path.split("/")[:-1])
    }
    if not files:
        outside = f" outside of {', '.join(without)}" if without else ""
        raise EvaluationError(
            f"Expected photos of the {split} split in {manifest}{outside}. Received: none of {table.count_rows()}. "
            "Raise its share in params.yaml, add photos, or leave fewer out (evaluate.without)."
        )
    return files
