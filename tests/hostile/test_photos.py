from __future__ import annotations

import time
from collections import Counter
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tintype.imaging.limits import SERVICE
from tintype.imaging.photo import PhotoError, encode_photo, read_photo

SLACK_S = 3.0  # on top of the limit on decoding: for sniffing, colour profiles, and a busy machine


def test_the_corpus_is_wide(corpus: ModuleType) -> None:
    outcomes = Counter(bool(case.outcome.size) for case in corpus.FILES)
    assert outcomes[True] >= 60
    assert outcomes[False] >= 60


def test_equal_bytes_whenever_they_are_made(corpus: ModuleType) -> None:
    small = [case for case in corpus.FILES if len(case.content) < 100_000]
    changed = [case.name for case in small if case.make() != case.content]
    assert not changed


def outcome_of(content: bytes) -> Any:
    """The photo, or the error."""
    try:
        return read_photo(content, SERVICE)
    except PhotoError as error:
        return error


def test_a_photo_or_an_error_that_says_why(file_case: Any) -> None:
    wanted, content = file_case.outcome, file_case.content
    start = time.process_time()
    photo = outcome_of(content)
    assert time.process_time() - start < SERVICE.seconds + SLACK_S
    if isinstance(photo, PhotoError):
        assert photo.code in wanted.codes, str(photo)
        assert str(photo).endswith((".", ")")), "not a sentence"
        return
    assert wanted.size is not None, f"expected to be refused as {sorted(wanted.codes)}"
    height, width = photo.pixels.shape[:2]
    assert (width, height) == wanted.size
    assert photo.pixels.dtype in (np.uint8, np.uint16)
    assert photo.alpha is None or photo.alpha.shape == (height, width)


@pytest.mark.parametrize("metadata", ["keep", "no-gps", "strip"])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_every_photo_that_is_read_can_be_written(corpus: ModuleType, file_format: str, metadata: Any) -> None:
    good = [case for case in corpus.FILES if case.outcome.size and not case.outcome.codes]
    for case in good:
        photo = read_photo(case.content, SERVICE)
        if max(photo.pixels.shape) > 16383 and file_format == "WEBP":
            continue  # WebP's own limit
        again = read_photo(encode_photo(photo.pixels, file_format, like=photo, metadata=metadata), SERVICE)
        assert again.pixels.shape == photo.pixels.shape, case.name
        assert again.format == file_format, case.name
        if file_format in ("PNG", "TIFF"):
            np.testing.assert_array_equal(again.pixels, photo.pixels, err_msg=case.name)
