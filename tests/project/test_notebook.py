"""docs/first-steps.ipynb: it runs, and what is stored with it is what it shows."""

from base64 import b64decode
from copy import deepcopy
from io import BytesIO

import nbformat
import numpy as np
from nbclient import NotebookClient
from PIL import Image


def test_it_shows_what_is_stored_with_it(root, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND")  # as its readers run it
    stored = nbformat.read(root / "docs/first-steps.ipynb", as_version=4)
    anew = deepcopy(stored)
    NotebookClient(anew, timeout=120, resources={"metadata": {"path": root / "docs"}}).execute()
    assert texts(anew) == texts(stored), "run: make notebook"
    for shown, kept in zip(pictures(anew), pictures(stored), strict=True):
        assert shown.shape == kept.shape
        assert np.abs(shown - kept).mean() < 2, "run: make notebook"


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def texts(notebook):
    return [output.text for output in outputs(notebook) if "text" in output]


def pictures(notebook):
    found = [output.data["image/jpeg"] for output in outputs(notebook) if "data" in output]
    assert len(found) == 2
    return [np.asarray(Image.open(BytesIO(b64decode(content))), int) for content in found]
