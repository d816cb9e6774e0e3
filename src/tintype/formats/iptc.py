"""Provenance as IPTC-IIM 4.2, the older form of a photo's metadata, for software that knows no XMP.

A record is a row of datasets; JPEG keeps it in an image resource of Photoshop's (segment APP13), TIFF in a tag of its
own. It says in one sentence that the colours are AI-made; what is exact is in the XMP.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from tintype.imaging.provenance import Provenance

TIFF_TAG = 33723
PREFIX = b"Photoshop 3.0\0"  # with which APP13 begins
RESOURCE = 0x0404  # Photoshop's number for an IPTC-IIM record
_TAG_MARKER = 0x1C
_LONGEST = 0x7FFF  # beyond it a dataset has an extended length, which no text needs

CHARACTER_SET, RECORD_VERSION = (1, 90), (2, 0)
INSTRUCTIONS, PROGRAM, PROGRAM_VERSION = (2, 40), (2, 65), (2, 70)
_MOST_BYTES = {INSTRUCTIONS: 256, PROGRAM: 32, PROGRAM_VERSION: 10}
_CLAIM = "The colours are AI-made, only the lightness is the photo's."
_UTF8 = b"\x1b%G"


class Dataset(NamedTuple):
    """One fact of a record: its number, such as ``(2, 40)``, and its bytes."""

    number: tuple[int, int]
    data: bytes


def iptc_record(provenance: Provenance) -> bytes:
    """An IIM record that says that a file's colours are AI-made, by which model, and from which file.

    Parameters
    ----------
    provenance : Provenance
        What to say.

    Returns
    -------
    bytes
        Datasets in UTF-8, sorted by number: the value of TIFF's tag `TIFF_TAG`, and for JPEG of `photoshop_block`.
    """
    texts = {INSTRUCTIONS: sentence(provenance), PROGRAM: "Tintype", PROGRAM_VERSION: _program_version()}
    datasets = [Dataset(CHARACTER_SET, _UTF8), Dataset(RECORD_VERSION, struct.pack(">H", 4))]
    datasets += [
        Dataset(number, _fitted(text, _MOST_BYTES[number])) for number, text in texts.items() if text
    ]
    return _record(datasets)


def merge_records(existing: bytes | None, ours: bytes) -> bytes:
    """A photo's captions, in UTF-8, and what is ours in the place of the same datasets."""
    if not existing:
        return ours
    theirs, new = read_record(existing), read_record(ours)
    replaced = {dataset.number for dataset in new}
    unicode = any(dataset.number == CHARACTER_SET and dataset.data == _UTF8 for dataset in theirs)
    kept = [
        Dataset(number, data if unicode or number[0] == 1 else data.decode("latin-1").encode())
        for number, data in theirs
        if number not in replaced
    ]
    return _record(sorted([*kept, *new], key=lambda dataset: dataset.number))


def without_provenance(record: bytes) -> bytes:
    """A record that no longer speaks of AI-made colours; all else stays, and it is empty if there is nothing else.

    What `iptc_record` wrote over, such as instructions of the owner's, does not come back.
    """
    datasets = read_record(record)
    if not any(
        dataset.number == INSTRUCTIONS and dataset.data.startswith(_CLAIM.encode()) for dataset in datasets
    ):
        return record
    kept = [dataset for dataset in datasets if dataset.number not in (INSTRUCTIONS, PROGRAM, PROGRAM_VERSION)]
    has_facts = any(dataset.number not in (CHARACTER_SET, RECORD_VERSION) for dataset in kept)
    return _record(kept) if has_facts else b""


def sentence(provenance: Provenance) -> str:
    """Where the colours come from, in words; at most 256 bytes with names of usual length."""
    lineage = provenance.lineage
    model = f"{lineage.name}/{lineage.version}" if lineage.version else lineage.name
    return (
        f"{_CLAIM} Original: SHA-256 {provenance.input_sha256}. "
        f"Model: {model}, bundle {lineage.bundle_sha256[:12] or 'unknown'}."
    )


def photoshop_block(record: bytes) -> bytes:
    """The content of a JPEG's segment APP13 that carries an IIM record."""
    # A resource has a number, a name (here none) and data, both padded to even lengths.
    header = b"8BIM" + struct.pack(">HHI", RESOURCE, 0, len(record))
    return PREFIX + header + record + b"\0" * (len(record) % 2)


def read_record(record: bytes) -> list[Dataset]:
    """The datasets of a record, as far as it is whole."""
    return list(_datasets(record))


def _datasets(record: bytes) -> Iterator[Dataset]:
    at = 0
    while at + 5 <= len(record) and record[at] == _TAG_MARKER:
        group, number, length = struct.unpack_from(">BBH", record, at + 1)
        at += 5
        if length > _LONGEST or at + length > len(record):
            return
        yield Dataset((group, number), record[at : at + length])
        at += length


def _record(datasets: Iterable[Dataset]) -> bytes:
    headers = (struct.pack(">BBBH", _TAG_MARKER, *number, len(data)) + data for number, data in datasets)
    return b"".join(headers)


def _fitted(text: str, most: int) -> bytes:
    """UTF-8 cut to a length between two letters."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore").encode()


def _program_version() -> str:
    """Tintype's version; empty where it runs from a folder without being installed."""
    try:
        return version("tintype")
    except PackageNotFoundError:
        return ""
