"""The bundle as an MLflow model."""

from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from mlflow.models import Model

import tintype
from tintype.colorize import Colorizer
from tintype.formats.photo import read_photo
from tintype.formats.xmp import read_provenance
from tintype.imaging.inputs import BATCH
from tintype.models.bundle import bundle_digest, read_info
from tintype.registry.mlflow_model import write_model
from tintype.registry.pyfunc import PhotoColorizer


@pytest.fixture(scope="module")
def bundle():
    return files("tintype.models.starter") / "bundle"


@pytest.fixture(scope="module")
def model(bundle):
    model = PhotoColorizer()
    model.load_context(SimpleNamespace(artifacts={"bundle": str(bundle)}))
    return model


def test_photos_are_coloured_as_everywhere_and_say_by_which_bundle(model, bundle, odd_photos, tmp_path):
    colorizer = Colorizer.load(bundle)
    names = ["gray.jpg", "gray16.png"] * (BATCH // 2) + ["rotated.jpg"]  # more than one batch
    contents = [(odd_photos / name).read_bytes() for name in names]
    pngs = model.predict(None, pd.DataFrame({"photo": contents}))["png"]
    assert len(pngs) == len(names)
    for content, png in list(zip(contents, pngs, strict=True))[-3:]:
        photo, coloured = read_photo(content), read_photo(png)
        assert coloured.format == "PNG"
        np.testing.assert_array_equal(coloured.pixels, colorizer.colorize(photo.pixels))
        assert coloured.pixels.dtype == photo.pixels.dtype
        (tmp_path / "photo.png").write_bytes(png)
        provenance = read_provenance(tmp_path / "photo.png")
        assert provenance.lineage.bundle_sha256 == bundle_digest(read_info(bundle))
        assert provenance.input_sha256 == photo.sha256


def test_a_model_brings_the_whole_package(make_bundle, tmp_path):
    """What loads a model has its code on its path, before any other, and so have the processes that it starts."""
    bundle = make_bundle("first")
    write_model(tmp_path / "model", bundle, read_info(bundle), Model())
    brought, package = (
        {file.relative_to(root) for file in root.rglob("*.py")}
        for root in (tmp_path / "model/code/tintype", Path(tintype.__file__).parent)
    )
    assert brought == package
