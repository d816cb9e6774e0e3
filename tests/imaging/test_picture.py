"""What is a broken photo, and what is a mistake of ours."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from tintype.formats.photo import read_photo
from tintype.imaging.limits import SERVICE, PhotoError
from tintype.imaging.merge import merge
from tintype.imaging.picture import read_picture

PANORAMA = Path(__file__).parents[1] / "support/photos/panorama-65500x16.jpg"


@pytest.fixture
def jpeg() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(stream, "JPEG")
    return stream.getvalue()


def mistaken(*_: object, **__: object) -> None:
    """Code of ours with a mistake in it; of which package a function is, its globals say."""
    code = "def mistaken():\n    None.nothing"
    namespace: dict[str, Any] = {"__name__": "tintype.imaging.mistaken"}
    exec(compile(code, "mistaken.py", "exec"), namespace)
    namespace["mistaken"]()


@pytest.mark.parametrize(
    ("place", "read"),
    [
        ("tintype.imaging.reading.decode.read_orientation", read_picture),
        ("tintype.imaging.reading.decode.rgb8_and_alpha", read_picture),
        ("tintype.formats.metadata.parse_exif", read_photo),
    ],
)
def test_a_mistake_of_ours_is_no_broken_photo(
    monkeypatch: pytest.MonkeyPatch, jpeg: bytes, place: str, read: Callable[[bytes], Any]
) -> None:
    with Image.open(io.BytesIO(jpeg)) as image:
        stream = io.BytesIO()
        exif = image.getexif()
        exif[271] = "a camera"
        image.save(stream, "JPEG", exif=exif)
    monkeypatch.setattr(place, mistaken)
    with pytest.raises(AttributeError, match="nothing"):
        read(stream.getvalue())


@pytest.mark.parametrize("error", [TypeError, AttributeError, KeyError, OSError, ValueError, NameError])
def test_whatever_a_decoder_throws_is_a_broken_photo(
    monkeypatch: pytest.MonkeyPatch, jpeg: bytes, error: type[Exception]
) -> None:
    def load(_: object) -> None:
        raise error("what decoders say")

    monkeypatch.setattr(JpegImageFile, "load", load)
    with pytest.raises(PhotoError, match=r"cannot be decoded: .*what decoders say") as told:
        read_picture(jpeg)
    assert told.value.code == "broken"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_panorama_longer_than_opencv_maps_is_coloured(dtype: type) -> None:
    photo = read_picture(PANORAMA, SERVICE)
    assert photo.pixels.shape == (16, 65500, 3)
    pixels = photo.pixels.astype(dtype) * (257 if dtype is np.uint16 else 1)
    wild = np.random.default_rng(1).normal(0, 60, (32, 32, 2)).astype(np.float32)
    coloured, receipt = merge(pixels, wild, 2.0)
    assert receipt.mean_dl < 0.1
    halves = [slice(None, 30_000), slice(30_000, None)]
    alone = [merge(pixels[:, half], np.full((1, 1, 2), (80, 60), np.float32))[0] for half in halves]
    whole, _ = merge(pixels, np.full((1, 1, 2), (80, 60), np.float32))
    np.testing.assert_array_equal(whole, np.hstack(alone))
    assert np.ptp(coloured.astype(int), axis=2).mean() > 10


JUNK = """
import io, sys
from pathlib import Path
import numpy as np
from PIL import Image
from tintype.imaging.limits import PhotoError
from tintype.imaging.picture import read_picture

def memory():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) // 1024

def tiff(profile):
    stream = io.BytesIO()
    Image.new("RGB", (32, 32), "teal").save(stream, "TIFF", icc_profile=profile)
    return stream.getvalue()

def junk(number):
    return np.random.default_rng(number).bytes(size)

size = int(sys.argv[1])
read_picture(tiff(None))
replaced = junk(0)
first = tiff(replaced)  # Pillow takes seconds to write it: the others are made of it
assert replaced in first
before = memory()
for number in range(16 if size < 10_000_000 else 8):
    try:
        read_picture(first.replace(replaced, junk(number)))
    except PhotoError as error:
        assert error.code == "unsupported", error.code
        assert "colour profile of at most 4 MB" in str(error)
        continue
    assert size < 4_000_000, "not refused"
print(memory() - before)
"""


@pytest.mark.parametrize("size", [3_900_000, 12_000_000])
def test_profiles_of_strangers_are_not_kept(size: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", JUNK, str(size)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 30  # MB; the profiles are 62 and 96
