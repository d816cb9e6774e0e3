"""Facts to tables: the rows of the manifest and of the quarantine."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tintype.data.validation.inspection import Facts, Rejection
from tintype.data.validation.manifest import COLUMNS, REJECTED_COLUMNS
from tintype.data.validation.splits import assign_splits
from tintype.params import ValidateParams


def make_manifest(photos: Sequence[Facts], params: ValidateParams) -> pd.DataFrame:
    """The table of accepted photos, with bucket and split.

    Parameters
    ----------
    photos : sequence of Facts
        Distinct photos, in any order.
    params : ValidateParams
        Digits of a bucket, and how photos are dealt out.

    Returns
    -------
    DataFrame
        With `COLUMNS`, sorted by content hash.
    """
    ranked = sorted(photos, key=lambda facts: facts.content_hash)
    hashes = [facts.content_hash for facts in ranked]
    splits = assign_splits(hashes, params.validation_share, params.test_share, params.split_seed)
    derived = {
        "bucket": [content_hash[: params.bucket_digits] for content_hash in hashes],
        "split": [splits[content_hash] for content_hash in hashes],
    }
    # Column by column: a dict for each row would take four times the memory of the facts.
    facts_of = {name: [getattr(facts, name) for facts in ranked] for name in COLUMNS if name not in derived}
    return pd.DataFrame(facts_of | derived, columns=list(COLUMNS)).astype(COLUMNS)


def make_rejected(rejections: Sequence[Rejection]) -> pd.DataFrame:
    """The table of quarantined photos: path, reason, detail, sorted by path."""
    rows = sorted((rejection.path, str(rejection.reason), rejection.detail) for rejection in rejections)
    return pd.DataFrame(rows, columns=REJECTED_COLUMNS, dtype="str")
