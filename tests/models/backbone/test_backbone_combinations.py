"""Parameters of the stage `weights` that contradict each other are refused in a sentence, at once."""

import subprocess
import sys

import pytest

from tintype.models.backbone import BackboneError
from tintype.models.backbone.catalogue import check_combination


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"backbone": "inception_resnet_v2"},
            ["weights.backbone inception_resnet_v2", "weights.origin embedded", "imagenet, file, random"],
        ),
        ({"origin": "imagenet"}, ["weights.backbone efficientnet_lite0", "weights.origin imagenet"]),
        ({"origin": "file"}, ["weights.origin is file", "weights.file is null"]),
        ({"file": "a.keras"}, ["weights.file is a.keras", "weights.origin is embedded"]),
        (
            {"backbone": "efficientnet_lite"},
            ["weights.backbone is 'efficientnet_lite'", "efficientnet_lite0"],
        ),
        ({"backbone": "mine.h5", "origin": "file"}, ["weights.backbone is 'mine.h5'", ".keras"]),
        ({"backbone": "mine.keras"}, ["weights.backbone mine.keras", "weights.origin is embedded"]),
        (
            {"backbone": "mine.keras", "origin": "file", "file": "other.h5"},
            ["weights.backbone mine.keras", "weights.file is other.h5"],
        ),
    ],
)
def test_a_contradiction_is_named_with_both_keys(weights, changed, words):
    with pytest.raises(BackboneError) as caught:
        check_combination(weights(**changed))
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"origin": "random"},
        {"origin": "file", "file": "weights.h5"},
        {"backbone": "inception_resnet_v2", "origin": "imagenet"},
        {"backbone": "inception_resnet_v2", "origin": "random"},
        {"backbone": "inception_resnet_v2", "origin": "file", "file": "weights.h5"},
        {"backbone": "mine.keras", "origin": "file"},
    ],
)
def test_a_combination_with_a_meaning_passes(weights, changed):
    check_combination(weights(**changed))


def test_the_contradiction_is_found_without_importing_keras(weights, tmp_path):
    script = f"""
import sys
from pathlib import Path
from tintype.models.backbone import BackboneError
from tintype.models.backbone.weights import make_backbone
from tintype.params import WeightsParams
try:
    make_backbone(WeightsParams(**{weights(origin="imagenet").model_dump()!r}), Path({str(tmp_path / "b")!r}))
except BackboneError:
    sys.exit(sum(name in sys.modules for name in ("keras", "tensorflow")))
sys.exit(10)
"""
    assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 0
    assert not (tmp_path / "b").exists()
