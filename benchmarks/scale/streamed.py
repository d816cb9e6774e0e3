"""Validate's work on rows in memory that does not grow with them: deal, sort, count, list, a 256th of them at a time.

A manifest is sorted by content hash and a bucket is the beginning of that hash. So rows can be dealt into parts by
their first two digits as they come, each part sorted by itself, and the parts one after the other are the
manifest, with every bucket whole within one of them. Equal files lie side by side in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute

from benchmarks.scale.rows import chunks
from tintype.data.tensors.plan import plan_shards
from tintype.data.validation.buckets import digits_for
from tintype.data.validation.splits import split_intervals, split_of
from tintype.imaging.photo import FORMATS
from tintype.params import Params

MANIFEST = "manifest.parquet"


def deal(rows: int, folder: Path, params: Params) -> dict[str, Any]:
    """Give every row its bucket and split, and put it with those that begin alike."""
    rules = params.validate_
    intervals = split_intervals(rules.validation_share, rules.test_share)
    digits = digits_for(rows)
    writers: dict[str, Any] = {}
    try:
        for chunk in chunks(rows):
            hashes = chunk["content_hash"].to_pylist()
            splits = [split_of(one, intervals, rules.split_seed) for one in hashes]
            chunk = chunk.append_column(
                "bucket", compute.utf8_slice_codeunits(chunk["content_hash"], 0, digits)
            )
            chunk = chunk.append_column("split", pa.array(splits))
            for prefix, part in _parts(chunk):
                if prefix not in writers:
                    writers[prefix] = pa.ipc.new_stream(str(folder / f"{prefix}.arrow"), part.schema)
                writers[prefix].write_table(part)
    finally:
        for writer in writers.values():
            writer.close()
    return {"parts": len(writers)}


def _parts(chunk: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    # Not finer than buckets, so that each of them lies in one part.
    first = compute.utf8_slice_codeunits(chunk["bucket"], 0, 2).to_numpy(zero_copy_only=False)
    order = np.argsort(first, kind="stable")
    names, starts = np.unique(first[order], return_index=True)
    ordered = chunk.take(pa.array(order))
    for name, start, end in zip(names, starts, [*starts[1:], len(chunk)], strict=True):
        yield str(name), ordered.slice(start, end - start).combine_chunks()


def sort(rows: int, folder: Path, params: Params) -> dict[str, Any]:
    """Sort part by part, drop files that are there twice, and write one manifest, a row group a part."""
    writer = None
    written = 0
    for path in sorted(folder.glob("*.arrow")):
        with pa.ipc.open_stream(str(path)) as stream:
            part = stream.read_all().sort_by("content_hash")
        hashes = part["content_hash"].combine_chunks()
        again = compute.equal(hashes[1:], hashes[:-1]).to_numpy(zero_copy_only=False)
        part = part.filter(pa.array(np.concatenate([[True], ~again])))
        writer = writer or pq.ParquetWriter(folder / MANIFEST, part.schema)
        writer.write_table(part, row_group_size=len(part))
        written += len(part)
        path.unlink()
    if writer:
        writer.close()
    return {"rows": written, "manifest_mb": round((folder / MANIFEST).stat().st_size / 1e6, 1)}


def count(rows: int, folder: Path, params: Params) -> dict[str, Any]:
    """How many rows break each rule on rows, and the photos of every class in every split."""
    limits = params.validate_
    broken: Counter[str] = Counter()
    groups: Counter[tuple[str, str]] = Counter()
    for part in _row_groups(folder):
        for name, holds in _rules(part, limits).items():
            broken[name] += len(part) - (compute.sum(compute.fill_null(holds, False)).as_py() or 0)
        counted = part.group_by(["label", "split"]).aggregate([([], "count_all")])
        for row in counted.to_pylist():
            groups[row["label"], row["split"]] += row["count_all"]
    splits: Counter[str] = Counter()
    for (_, split), photos in groups.items():
        splits[split] += photos
    return {"broken": sum(broken.values()), "rules": len(broken), "splits": dict(splits)}


def _rules(part: pa.Table, limits: Any) -> dict[str, Any]:
    """Of rules on single rows, whether each row keeps them; null where it has a gap."""
    digits = len(part["bucket"][0].as_py())
    return {
        "content_hash": compute.match_substring_regex(part["content_hash"], "^[0-9a-f]{64}$"),
        "perceptual_hash": compute.match_substring_regex(part["perceptual_hash"], "^[0-9a-f]{16}$"),
        "width": compute.greater_equal(part["width"], limits.min_side),
        "height": compute.greater_equal(part["height"], limits.min_side),
        "mean_chroma": compute.greater_equal(part["mean_chroma"], limits.min_chroma),
        "mean_l": compute.and_(
            compute.greater_equal(part["mean_l"], 0), compute.less_equal(part["mean_l"], 100)
        ),
        "format": compute.is_in(part["format"], pa.array(list(FORMATS))),
        "split": compute.is_in(part["split"], pa.array(["train", "validation", "test"])),
        "bucket": compute.equal(
            part["bucket"], compute.utf8_slice_codeunits(part["content_hash"], 0, digits)
        ),
        **{name: compute.is_valid(part[name]) for name in ("path", "mode", "bytes", "label")},
    }


def listing(rows: int, folder: Path, params: Params) -> dict[str, Any]:
    """Every shard with its photos, as the stages `lab`, `embed` and `train` plan them."""
    shards, photos, largest = 0, 0, 0
    for part in _row_groups(folder, ["split", "bucket", "content_hash", "path"]):
        for plan in plan_shards(part.to_pandas(), params.crops):
            shards += 1
            photos += len(plan.photos)
            largest = max(largest, len(plan.photos))
    return {"shards": shards, "photos": photos, "largest_shard_photos": largest}


def _row_groups(folder: Path, columns: list[str] | None = None) -> Iterator[pa.Table]:
    # Not memory-mapped: pages of the file that were read would count as this process's.
    with pq.ParquetFile(folder / MANIFEST) as manifest:
        for number in range(manifest.num_row_groups):
            yield manifest.read_row_group(number, columns=columns)
