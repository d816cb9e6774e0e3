from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tintype.formats.photo import encode_photo, read_photo
from tintype.imaging.limits import SERVICE, PhotoError

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


@pytest.mark.parametrize(
    ("file_format", "metadata"),
    [("JPEG", "keep"), ("PNG", "no-gps"), ("PNG", "strip"), ("TIFF", "keep"), ("WEBP", "strip")],
)
def test_every_photo_that_is_read_can_be_written(corpus: ModuleType, file_format: str, metadata: Any) -> None:
    good = [case for case in corpus.FILES if case.outcome.size and not case.outcome.codes]
    for case in good:
        photo = read_photo(case.content, SERVICE)
        again = read_photo(encode_photo(photo.pixels, file_format, like=photo, metadata=metadata), SERVICE)
        assert again.pixels.shape == photo.pixels.shape, case.name
        assert again.format == file_format, case.name
        if file_format in ("PNG", "TIFF"):
            np.testing.assert_array_equal(again.pixels, photo.pixels, err_msg=case.name)


def spoilt(content: bytes, luck: random.Random) -> bytes:
    """A few bytes changed, lost or added, most of them near the start, where a file says what it is."""
    spoilt = bytearray(content)
    for _ in range(luck.choice((1, 1, 2, 4, 16))):
        at = luck.randrange(min(len(spoilt), luck.choice((64, 256, 1 << 30))))
        kind = luck.randrange(4)
        if kind == 0:
            spoilt[at] = luck.randrange(256)
        elif kind == 1:
            del spoilt[at : at + luck.randrange(1, 20)]
        elif kind == 2:
            spoilt[at:at] = luck.randbytes(luck.randrange(1, 9))
        else:
            spoilt[at : at + 4] = luck.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\x80\0\0\0"))
    return bytes(spoilt) or b"\0"


def test_two_thousand_spoilt_photos_are_read_or_refused(corpus: ModuleType) -> None:
    luck = random.Random(1839)
    good = [case for case in corpus.FILES if case.outcome.size and len(case.content) < 30_000]
    read = 0
    for number in range(2000):
        case = good[number % len(good)]
        photo = outcome_of(spoilt(case.content, luck))
        read += not isinstance(photo, PhotoError)
    assert 200 < read < 1800, "the spoiling must neither spare nor destroy all"


def memory_mb(kind: str) -> float:
    """Of this process: VmRSS now, VmHWM at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{kind}:"))


def test_lies_about_a_size_cost_no_memory(corpus: ModuleType) -> None:
    lies = [case for case in corpus.FILES if not case.outcome.size]
    contents = [case.content for case in lies]
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak
    before = memory_mb("VmRSS")
    for content in contents:
        assert isinstance(outcome_of(content), PhotoError)
    assert memory_mb("VmHWM") - before < 300
