from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photo(here):
    """Make a small photo at a path relative to the working folder."""

    def make(path: str, gray: int = 90) -> Path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((6, 9, 3), gray, np.uint8)).save(path)
        return Path(path)

    return make
