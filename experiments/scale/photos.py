"""What a photo costs one core in each stage, the networks apart."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from tintype.data.tensors.crops import lab_crops
from tintype.data.tensors.plan import PhotoRef
from tintype.data.validation.inspection import Facts, inspect_photo
from tintype.data.validation.perceptual_hash import BAND_BITS, BANDS, hashes_as_numbers
from tintype.files.digest import sha256_of
from tintype.formats.photo import read_photo
from tintype.imaging.finding import find_photos
from tintype.imaging.inputs import backbone_gray8, network_lab8
from tintype.training.shard_set import ShardSet, class_prior, mean_ab

SIDE = 256  # of a row of tensors
VIEW = 299  # of a backbone


def costs(folder: Path, count: int) -> dict[str, Any]:
    """Milliseconds of one core for each photo, by stage: the first `count` photos of a folder."""
    cv2.setNumThreads(1)
    photos = [path.relative_to(folder).as_posix() for path in find_photos(folder)[:count]]
    refs = [PhotoRef(name, name) for name in photos]
    with TemporaryDirectory() as copies:

        def fetch(name: str) -> None:
            shutil.copyfile(folder / name, Path(copies) / "copy")
            sha256_of(folder / name)

        return {
            "photos": len(photos),
            "mean_kb": round(sum((folder / name).stat().st_size for name in photos) / len(photos) / 1e3, 1),
            "fetch_ms": _each(fetch, photos),
            "decode_ms": _each(lambda name: read_photo(folder / name), photos),
            "validate_ms": _each(lambda name: inspect_photo(folder, name), photos),
            "lab_ms": _each(
                lambda ref: [network_lab8(lab, SIDE) for lab in lab_crops(folder, ref, 1, 1.0)], refs
            ),
            "crowding": _crowding(folder, photos),
            **_passes(folder, refs, Path(copies)),
            "embed_input_ms": _each(
                lambda ref: [backbone_gray8(lab, VIEW) for lab in lab_crops(folder, ref, 1, 1.0)], refs
            ),
        }


def _crowding(folder: Path, photos: list[str]) -> float:
    """How many times as often as random ones the photos' hashes share a band but for a bit."""
    facts = [one for one in (inspect_photo(folder, name) for name in photos) if isinstance(one, Facts)]
    hashes = hashes_as_numbers([one.perceptual_hash for one in facts])
    shared = 0
    for band in range(BANDS):
        keys = (hashes >> np.uint64(BAND_BITS * band)) & np.uint64(2**BAND_BITS - 1)
        shared += int((np.bitwise_count(keys[:, np.newaxis] ^ keys) <= 1).sum()) - len(keys)
    by_chance = BANDS * (BAND_BITS + 1) / 2**BAND_BITS * len(hashes) * (len(hashes) - 1)
    return round(shared / by_chance, 2)


def _passes(folder: Path, refs: list[PhotoRef], copies: Path) -> dict[str, float]:
    """What is read of every row before a training: its checksum, its mean colour and its classes of colour."""
    shard = copies / "shard.npy"
    np.save(shard, np.stack([network_lab8(next(lab_crops(folder, ref, 1, 1.0)), SIDE) for ref in refs]))
    rows = ShardSet([shard], [], len(refs), SIDE, 0)
    return {
        "checksum_ms": _each(sha256_of, [shard], len(refs)),
        "mean_ab_ms": _each(mean_ab, [rows], len(refs)),
        "class_prior_ms": _each(class_prior, [[shard]], len(refs)),
    }


def _each(work: Callable[[Any], Any], items: list[Any], count: int | None = None) -> float:
    begun = time.process_time()
    for item in items:
        work(item)
    return round((time.process_time() - begun) / (count or len(items)) * 1e3, 3)
