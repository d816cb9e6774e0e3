"""What a client may choose: in the query, or as fields of the form."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast, get_args

from tintype.serving.responses import Refusal

FileFormat = Literal["jpeg", "png", "tiff", "webp"]
Metadata = Literal["strip", "no-gps", "keep"]
FORMATS: tuple[str, ...] = get_args(FileFormat)
METADATA: tuple[str, ...] = get_args(Metadata)
NAMES = ("saturation", "format", "metadata")
MAX_SATURATION = 2.0


@dataclass(frozen=True)
class Options:
    """How a photo is to be coloured.

    Attributes
    ----------
    saturation : float
        Factor on the colours, 0 to 2.
    format : str or None
        Of the answer; None for the photo's own.
    metadata : str
        What of the photo's metadata the answer keeps.
    """

    saturation: float = 1.0
    format: FileFormat | None = None
    metadata: Metadata = "strip"


def read_options(given: Iterable[tuple[str, str]]) -> Options:
    """Options from names and values.

    Parameters
    ----------
    given : iterable of (str, str)
        From the query, the form, or both. A value may be in JSON's double quotes, as BentoML's client sends it, and
        an empty one or null is none.

    Returns
    -------
    Options

    Raises
    ------
    Refusal
        400 for an unknown option, one given twice or a value that is none.
    """
    values: dict[str, str] = {}
    for name, value in given:
        if name not in NAMES:
            raise _refusal(f"Expected the options {', '.join(NAMES)}. Received: {name[:50]!r}.")
        if name in values:
            raise _refusal(f"Expected the option {name} once. Received it twice.")
        values[name] = value.strip().removeprefix('"').removesuffix('"')
    chosen = {name: value for name, value in values.items() if value not in ("", "null")}
    return Options(
        saturation=_saturation(chosen.get("saturation", "1")),
        format=cast(FileFormat, _one_of("format", FORMATS, chosen["format"])) if "format" in chosen else None,
        metadata=cast(Metadata, _one_of("metadata", METADATA, chosen.get("metadata", "strip"))),
    )


def _saturation(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number <= MAX_SATURATION:  # false for nan as well
        raise _refusal(f"Expected saturation to be a number from 0 to 2. Received: {value[:50]!r}.")
    return number


def _one_of(name: str, known: tuple[str, ...], value: str) -> str:
    lower = value.lower()
    if lower not in known:
        raise _refusal(f"Expected {name} to be one of {', '.join(known)}. Received: {value[:50]!r}.")
    return lower


def _refusal(message: str) -> Refusal:
    return Refusal("bad_option", message)
