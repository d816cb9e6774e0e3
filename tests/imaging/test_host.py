"""A library in somebody else's process: nothing there is another once a photo has been read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

HOST = """
import importlib, pkgutil, sys, threading, warnings
import cv2
from PIL import Image
import PIL.Image

def state():
    return Image.MAX_IMAGE_PIXELS, list(warnings.filters), cv2.utils.logging.getLogLevel()

Image.MAX_IMAGE_PIXELS = 1_200_000
Image.init()  # registers all formats, as any use of Pillow does
formats = sorted(Image.OPEN)
before = state()
for name in ("tintype.imaging", "tintype.formats"):
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        importlib.import_module(module.name)
assert state() == before, ("import", state(), before)

from tintype.errors import TintypeError
from tintype.formats.photo import read_photo
from tintype.formats.xmp import read_xmp

contents = [open(path, "rb").read() for path in sys.argv[1:]]

def read_all():
    for content in contents * 5:
        try:
            read_photo(content)
        except TintypeError:
            pass
        read_xmp(content)

threads = [threading.Thread(target=read_all) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert state() == before, ("reading", state(), before)
assert sorted(Image.OPEN) == formats, set(Image.OPEN) - set(formats)
print("same")
"""


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """One larger than the host's limit for Pillow, one that makes Pillow warn, one that is broken, one in HEIF."""
    Image.new("RGB", (2000, 1500), "teal").save(tmp_path / "large.jpg")
    broken = (tmp_path / "large.jpg").read_bytes()[:-1000]
    (tmp_path / "broken.jpg").write_bytes(broken)
    palette = Image.new("P", (20, 20))
    palette.save(tmp_path / "warns.png", transparency=b"\0\1")
    paths = [tmp_path / name for name in ("large.jpg", "warns.png", "broken.jpg")]
    try:
        import pillow_heif
    except ModuleNotFoundError:
        return paths
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), "olive")).save(tmp_path / "new.heic")
    return [*paths, tmp_path / "new.heic"]


def test_importing_and_reading_change_nothing_in_the_process(photos: list[Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HOST, *photos], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "same"
    assert done.stderr == ""
