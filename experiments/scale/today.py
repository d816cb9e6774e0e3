"""The same work as the stages do it: all rows in memory at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from experiments.scale.rows import chunks
from tintype.data.validation import perceptual_hash
from tintype.params import Params


def manifest(rows: int, folder: Path, params: Params) -> dict[str, Any]:
    """From facts of photos to a manifest on disk, with the near duplicates taken out."""
    from tintype.data.validation.duplicates import drop_duplicates, group_near_duplicates
    from tintype.data.validation.inspection import Facts
    from tintype.data.validation.manifest import write_manifest
    from tintype.data.validation.validate import make_manifest, make_rejected

    facts = [
        Facts(
            **row,
            pixel_hash=row["content_hash"][::-1],
            frequency_signs=bytes.fromhex(2 * row["content_hash"]),
        )
        for chunk in chunks(rows)
        for row in chunk.to_pylist()
    ]
    kept, rejected = drop_duplicates(facts, params.validate_.min_hash_distance)
    near = group_near_duplicates(kept)
    write_manifest(folder, make_manifest(kept, near, params.validate_), make_rejected(rejected))
    return {"kept": len(kept)}


def expectations(rows: int, folder: Path, params: Params) -> dict[str, Any]:
    """Great Expectations on the manifest that `manifest` made."""
    from tintype.data.validation.checkpoint import check
    from tintype.data.validation.expectations import manifest_tables
    from tintype.data.validation.manifest import read_manifest

    outcomes = check(manifest_tables(read_manifest(folder), params.validate_), docs=folder / "docs")
    return {"expectations": len(outcomes)}


def plans(rows: int, folder: Path, params: Params) -> dict[str, Any]:
    """All shards with all their photos."""
    from tintype.data.tensors.plan import PLANNED_BY, plan_shards
    from tintype.data.validation.manifest import read_manifest

    return {"shards": len(plan_shards(read_manifest(folder, PLANNED_BY), params.crops))}


def near(rows: int, folder: Path, params: Params) -> dict[str, Any]:
    """Near duplicates among hashes alone."""
    return _near(rows, params, few=perceptual_hash.FEW)


def each(rows: int, folder: Path, params: Params) -> dict[str, Any]:
    """The same by comparing each with each, as `near` does it with few."""
    return _near(rows, params, few=rows)


def _near(rows: int, params: Params, few: int) -> dict[str, Any]:
    perceptual_hash.FEW = few
    hashes = np.random.default_rng(0).integers(2**64, size=rows, dtype=np.uint64)
    pairs = perceptual_hash.near_pairs(hashes, params.validate_.min_hash_distance)
    return {"pairs": sum(len(later) for later, _ in pairs)}
