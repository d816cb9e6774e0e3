"""Any source into data/raw: photos/ with the photos, source.json with what they are."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, assert_never

from tqdm import tqdm

from tintype.data.sources.folder import folder_source
from tintype.data.sources.kaggle import kaggle_source, resolve
from tintype.data.sources.source import LEFT_OUT_FILE, Source, SourceError, write_left_out
from tintype.files.atomic import new_folder, write_json
from tintype.files.digest import sha256_of
from tintype.files.disk import disk_errors
from tintype.params import FetchParams

SAMPLE = Path("data/sample")


def fetch(params: FetchParams, directory: Path, raw: Path, *, pause: float = 1.0) -> None:
    """Put the photos that the parameters ask for into `raw`, as a whole or not at all.

    Parameters
    ----------
    params : FetchParams
        The source and the subset.
    directory : Path
        The folder of the sources `sample` and `directory`.
    raw : Path
        The folder to make: `photos/`, `source.json`, `left_out.csv` if the source has other files than photos, and
        `ATTRIBUTION.csv` if the source has it. What a killed call left beside it is removed.
        What is there is replaced when the new content is complete; if it is the same, it is left alone.
        Downloads collect in `.download` beside it.
    pause : float
        Seconds before a failed request is tried again; doubled before each further try.

    Raises
    ------
    SourceError
        If the source has no photos or they cannot be had.
    DownloadError, ArchiveError, DiskError
        If something fails on the way.
    """
    # Of a call that was killed: only one runs at a time.
    for abandoned in raw.parent.glob(f".{raw.name}-*.part"):
        shutil.rmtree(abandoned)
    match params.source:
        case "kaggle":
            dataset = resolve(params.kaggle_dataset, params.kaggle_version, pause=pause)
            if _has(raw, _request(params, dataset.name, dataset.version)):
                return
            with kaggle_source(dataset, raw.parent / ".download", pause=pause) as source:
                _put(source, params, raw)
        case "sample" | "directory":
            _check_directory(params, directory, raw)
            _put(folder_source(directory), params, raw)
        case _:
            assert_never(params.source)


def choose(paths: Iterable[str], per_class: int | None, total: int | None) -> list[str]:
    """A subset that depends on nothing but the paths.

    Photos are dealt like cards: each class (the name of the parent folder) is shuffled by the hash of
    its paths, then every class gives its first photo, then its second ... So a larger `total` or
    `per_class` keeps the photos of a smaller one, and a small `total` still covers many classes.

    Parameters
    ----------
    paths : iterable of str
        Relative POSIX paths.
    per_class : int or None
        Most photos of one class. None: all.
    total : int or None
        Most photos altogether. None: all.

    Returns
    -------
    list of str
        The chosen paths, sorted.
    """
    if per_class is None and total is None:
        return sorted(paths)
    classes: dict[str, list[tuple[bytes, str]]] = defaultdict(list)
    for path in paths:
        rank = hashlib.sha256(path.encode()).digest()
        classes[PurePosixPath(path).parent.name].append((rank, path))
    dealt = [
        (turn, rank, path)
        for members in classes.values()
        for turn, (rank, path) in enumerate(sorted(members)[:per_class])
    ]
    return sorted(path for _, _, path in sorted(dealt)[:total])


def _check_directory(params: FetchParams, directory: Path, raw: Path) -> None:
    if params.source == "sample" and directory != SAMPLE:
        raise SourceError(
            f"fetch.source is sample, whose photos are in {SAMPLE}, but fetch.directory is {directory}. "
            "Set fetch.source to directory to use a folder of your own."
        )
    here, there = raw.resolve(), directory.resolve()
    if here.is_relative_to(there) or there.is_relative_to(here):
        raise SourceError(f"Expected a folder apart from {raw} in fetch.directory. Received {directory}.")


def _request(params: FetchParams, name: str, version: int | None) -> dict[str, Any]:
    """The part of source.json that is known before the photos are."""
    subset = {"photos_per_class": params.photos_per_class, "photos": params.photos}
    return {"source": params.source, "name": name, "version": version, "subset": subset}


def _put(source: Source, params: FetchParams, raw: Path) -> None:
    chosen = choose(source.paths, params.photos_per_class, params.photos)
    with disk_errors(raw.parent), suppress(_Unchanged), new_folder(raw) as part:
        photos = part / "photos"
        put = tqdm(source.put(chosen, photos), total=len(chosen), desc="photos", unit="photo", disable=None)
        digest = digest_of_photos(photos, put)
        for name, extra in source.extras.items():
            (part / name).write_bytes(extra.read_bytes())
        write_left_out(part, source.left_out)
        record = {
            **_request(params, source.name, source.version),
            "photos": len(chosen),
            "bytes": sum((photos / path).stat().st_size for path in chosen),
            "digest": digest,
        }
        write_json(part / "source.json", record)
        beside = [*source.extras, LEFT_OUT_FILE]
        if _has(raw, record) and all(_same(part / name, raw / name) for name in beside):
            raise _Unchanged


class _Unchanged(Exception):  # noqa: N818 - not an error: leaves the block that would replace the folder
    """The folder already holds exactly this content."""


def digest_of_photos(photos: Path, paths: Iterable[str]) -> str:
    """One digest for a folder of photos, the same as that of `sha256sum`'s output in the order of the paths.

    Parameters
    ----------
    photos : Path
        The folder.
    paths : iterable of str
        Relative POSIX paths, sorted. A photo need not be there before its path is.

    Returns
    -------
    str
        64 hex digits.
    """
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{sha256_of(photos / path)}  {path}\n".encode())
    return digest.hexdigest()


def _has(raw: Path, expected: dict[str, Any]) -> bool:
    """Whether source.json in `raw` says what is expected, and the photos are those it speaks of."""
    try:
        record = json.loads((raw / "source.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(record, dict) or record | expected != record:
        return False
    photos = raw / "photos"
    found = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*") if path.is_file())
    return digest_of_photos(photos, found) == record.get("digest")


def _same(new: Path, old: Path) -> bool:
    if not (new.exists() and old.exists()):
        return new.exists() == old.exists()
    return new.read_bytes() == old.read_bytes()
