"""What a case is, and how the modules of the corpus declare theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType


@dataclass(frozen=True)
class Outcome:
    """What may come of a file: a coloured photo of this size, or one of these errors; one of the two may be missing."""

    size: tuple[int, int] | None = None
    codes: frozenset[str] = frozenset()


def good(width: int = 64, height: int = 48) -> Outcome:
    """The photo must be coloured, and have this size."""
    return Outcome((width, height))


def refused(*codes: str) -> Outcome:
    """The photo must be refused, with one of these codes of `PhotoError`."""
    return Outcome(None, frozenset(codes))


def either(outcome: Outcome, *codes: str) -> Outcome:
    """Readers may differ: the photo, whole, or a refusal."""
    return Outcome(outcome.size, frozenset(codes))


@dataclass(frozen=True)
class FileCase:
    """A file, the type it is sent under, and what must come of it."""

    name: str
    content_type: str
    outcome: Outcome
    make: Callable[[], bytes] = field(compare=False)

    @cached_property
    def content(self) -> bytes:
        return self.make()

    @property
    def suffix(self) -> str:
        """Of the name, in small letters."""
        return self.name.rpartition(".")[2].lower()

    def __str__(self) -> str:
        return self.name


TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "tif": "image/tiff",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "avif": "image/avif",
    "heic": "image/heic",
}


class Cases:
    """The cases of one module.

    Parameters
    ----------
    suffix : str
        That the files have, and that says their Content-Type.
    """

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self.found: list[FileCase] = []

    def __call__(
        self, outcome: Outcome, suffix: str | None = None
    ) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
        """Make a case of a function, under the function's name."""

        def declare(make: Callable[[], bytes]) -> Callable[[], bytes]:
            self.add(make.__name__, outcome, make, suffix)
            return make

        return declare

    def add(self, name: str, outcome: Outcome, make: Callable[[], bytes], suffix: str | None = None) -> None:
        """Add a case under a name without suffix."""
        suffix = suffix or self.suffix
        full = f"{name}.{suffix}"
        self.found.append(FileCase(full, TYPES.get(suffix, "image/jpeg"), outcome, make))


def files(*modules: ModuleType) -> list[FileCase]:
    """All cases of the modules; names are unique."""

    def each() -> Iterator[FileCase]:
        for module in modules:
            yield from module.case.found

    found = list(each())
    names = [case.name.lower() for case in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"Expected each case to have its own name. Received twice: {sorted(twice)}.")
    return found


def kinds(cases: list[FileCase]) -> list[FileCase]:
    """One case for each format and what may come of it."""
    found: dict[tuple[str, bool, frozenset[str]], FileCase] = {}
    for case in cases:
        found.setdefault((case.suffix, case.outcome.size is not None, case.outcome.codes), case)
    return list(found.values())
