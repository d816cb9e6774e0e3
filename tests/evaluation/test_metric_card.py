"""The metric card: what figures mean, held against what they are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tintype.evaluation.figures import figures_of
from tintype.evaluation.metric_card import (
    METRICS,
    card_sha256,
    differences,
    metric_card,
    read_card,
    write_card,
)
from tintype.evaluation.paired_scores import ALL_GRAY, CHALLENGER, MEAN_AB, score_photos
from tintype.files.digest import sha256_of
from tintype.formats.photo import write_photo
from tintype.imaging.picture import PhotoFile

# What the metrics' first versions say of a made-up photo at 70 % of its chroma.
FIRST = {
    "delta_e2000_mean": 3.3835,
    "equal_delta_e2000": 3.3790,
    "colourfulness_ratio": 0.6946,
    "colourfulness_distance": 0.3645,
    "patch_score": 0.6934,
    "patches_per_colour": 0.9983,
    "bleed_score": 0.2223,
    "psnr_db": 29.0308,
}


def test_a_metric_that_gives_other_figures_has_another_version(
    tmp_path: Path, scene: np.ndarray, saturate: Callable[[np.ndarray, float], np.ndarray]
) -> None:
    write_photo(tmp_path / "scene.png", scene)
    photos = {"scene": PhotoFile(tmp_path / "scene.png", sha256_of(tmp_path / "scene.png"))}
    held = score_photos(photos, lambda rgb8: saturate(rgb8, 0.7), None, (3.0, 9.0), tmp_path / "report")
    figures = figures_of(held, (ALL_GRAY, MEAN_AB))
    received = {
        "delta_e2000_mean": figures.error,
        "equal_delta_e2000": figures.merit,
        "colourfulness_ratio": figures.colourful,
        "colourfulness_distance": figures.off_colourful,
        "patch_score": figures.patches,
        "patches_per_colour": figures.per_colour,
        "bleed_score": figures.bleeding,
        "psnr_db": figures.psnr,
    }
    assert set(received) | {"seconds"} == set(METRICS)
    for name, row in received.items():
        assert METRICS[name].startswith("1: "), "write down what the new version says"
        assert row.after.estimate == pytest.approx(FIRST[name], rel=2e-3), name
    assert held.scores.by_method[CHALLENGER]["seconds"][0] > 0


def test_a_card_is_named_by_its_files_hash(tmp_path: Path) -> None:
    card = metric_card(["a", "b"])
    write_card(tmp_path, card)
    assert card_sha256(card) == hashlib.sha256((tmp_path / "card.json").read_bytes()).hexdigest()
    assert read_card(tmp_path) == card


def test_other_photos_or_another_order_are_another_card() -> None:
    cards = [metric_card(hashes) for hashes in (["a", "b"], ["b", "a"], ["a"])]
    assert len({card_sha256(card) for card in cards}) == 3
    assert differences(cards[0], cards[2]) == "photos.count: 2 and 1; photos.sha256"
    assert differences(cards[0], cards[0]) == ""


def test_a_torn_card_is_none(tmp_path: Path) -> None:
    assert read_card(tmp_path) is None
    (tmp_path / "card.json").write_text('{"format": 1,')
    assert read_card(tmp_path) is None
