"""The manifest on disk: a row for each photo that may teach, and a list of those that may not.

Later stages read it, so it depends on none of the modules that make it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tintype.errors import TintypeError
from tintype.files.atomic import new_folder

if TYPE_CHECKING:
    import pandas as pd

MANIFEST_FILE = "manifest.parquet"
REJECTED_FILE = "rejected.csv"
COLUMNS = {
    "path": "str",
    "content_hash": "str",
    "perceptual_hash": "str",
    "format": "str",
    "mode": "str",
    "width": "int64",
    "height": "int64",
    "bytes": "int64",
    "mean_l": "float64",
    "mean_chroma": "float64",
    "label": "str",
    "bucket": "str",
    "split": "str",
}
REJECTED_COLUMNS = ["path", "reason", "detail"]
NEAR_DUPLICATES_FILE = "near_duplicates.csv"
TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")  # what the column `split` says


class ManifestError(TintypeError):
    """The manifest cannot be read."""


def write_manifest(
    folder: Path, manifest: pd.DataFrame, rejected: pd.DataFrame, near_duplicates: pd.DataFrame | None = None
) -> None:
    """Write the tables; the folder is replaced as a whole."""
    with new_folder(folder, durable=True) as part:
        manifest.to_parquet(part / MANIFEST_FILE, index=False)
        rejected.to_csv(part / REJECTED_FILE, index=False, lineterminator="\n")
        if near_duplicates is not None:
            near_duplicates.to_csv(part / NEAR_DUPLICATES_FILE, index=False, lineterminator="\n")


def read_manifest(folder: Path, columns: Sequence[str] = tuple(COLUMNS)) -> pd.DataFrame:
    """Read the accepted photos.

    Parameters
    ----------
    folder : Path
        What the stage `validate` wrote.
    columns : sequence of str
        Those of `COLUMNS` that are wanted; the others take no memory.

    Returns
    -------
    DataFrame
        With `columns`, sorted by content hash.

    Raises
    ------
    ManifestError
        If there is no manifest, it is no Parquet file, or its columns are not `COLUMNS`.
    """
    import pandas as pd
    import pyarrow
    import pyarrow.parquet as pq

    path = folder / MANIFEST_FILE
    expected = {name: dtype for name, dtype in COLUMNS.items() if name in columns}
    try:
        # Unknown columns are read as well, so that the comparison below finds them.
        there = [name for name in pq.read_schema(path).names if name in expected or name not in COLUMNS]
        manifest = pd.read_parquet(path, columns=there)
    except FileNotFoundError:
        raise ManifestError(f"Expected a manifest at {path}. Run `dvc repro validate` to make it.") from None
    except (OSError, pyarrow.ArrowException) as error:
        raise ManifestError(
            f"{path} is not a Parquet file ({error}). Run `dvc repro validate` to make it anew."
        ) from None
    found = {str(name): str(dtype) for name, dtype in manifest.dtypes.items()}
    if found != expected:
        raise ManifestError(
            f"Expected the columns {expected} in {path}. Received: {found}. Run `dvc repro validate` to make it anew."
        )
    return manifest
