from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tintype.imaging.finding import find_photos
from tintype.params import CropsParams


@pytest.fixture
def photos(tmp_path: Path, sample: Path) -> Path:
    """Eight sample photos in a folder of their own."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in find_photos(sample)[:8]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def crops() -> CropsParams:
    return CropsParams(per_photo=3, min_side_share=0.5)
