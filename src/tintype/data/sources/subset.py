"""A part of a source that is always the same part."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath


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
