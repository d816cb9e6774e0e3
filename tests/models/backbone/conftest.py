"""The embedded backbone, made once, and gray photos of the sample."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.models.backbone import Backbone
from tintype.params import WeightsParams

SAMPLE = Path(__file__).parents[3] / "data" / "sample"
DEFAULTS = WeightsParams(
    backbone="efficientnet_lite0",
    origin="embedded",
    file=None,
    url="https://example.org/inception_resnet_v2.h5",
    checksum="md5:" + "0" * 32,
    seed=7,
)


@pytest.fixture(scope="session")
def weights() -> Callable[..., WeightsParams]:
    """Parameters for the embedded backbone, but for what is said otherwise."""
    return lambda **changed: DEFAULTS.model_copy(update=changed)


@pytest.fixture(scope="session")
def embedded(embedded_backbone: Backbone) -> Backbone:
    return embedded_backbone


@pytest.fixture(scope="session")
def gray_photos() -> dict[str, np.ndarray]:
    """The sample's photos by name: gray, (224, 224, 1) uint8."""
    return {
        path.stem: np.asarray(Image.open(path).convert("L").resize((224, 224), Image.Resampling.BILINEAR))[
            ..., None
        ]
        for path in sorted(SAMPLE.glob("*.jpg"))
    }
