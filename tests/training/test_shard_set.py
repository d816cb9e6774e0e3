"""Figures of shards' rows: a sample of them, and how often each colour is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tintype.models.bins import ab_bins
from tintype.training.shard_set import class_prior, sample_rows


def test_rows_are_evenly_spaced_once_there_are_too_many(tmp_path: Path) -> None:
    shards = [tmp_path / "0.npy", tmp_path / "1.npy"]
    np.save(shards[0], np.arange(10))
    np.save(shards[1], np.arange(10, 13))
    assert [int(row) for row in sample_rows(shards, most=13)] == list(range(13))
    assert [int(row) for row in sample_rows(shards, most=7)] == [0, 2, 4, 6, 8, 10, 12]
    assert [int(row) for row in sample_rows(shards, most=1)] == [0, 10]


def test_it_counts_the_colours_of_every_fourth_pixel_of_all_files(tmp_path: Path) -> None:
    first = np.full((2, 8, 8, 3), 128, np.uint8)  # gray
    first[0, :4, :, 1] = 128 + 41  # the upper half of one crop: a* 41, nearest to 40
    first[1, 1, 1, 2] = 0  # between the pixels that are looked at
    second = np.full((1, 8, 8, 3), 128, np.uint8)
    second[..., 2] = 128 - 32
    for name, rows in (("first", first), ("second", second)):
        np.save(tmp_path / f"{name}.npy", rows)
    prior = class_prior([tmp_path / "first.npy", tmp_path / "second.npy"])
    index = {tuple(centre): number for number, centre in enumerate(ab_bins().astype(int).tolist())}
    expected = np.zeros(len(ab_bins()))
    # Four pixels a crop, twelve in all.
    expected[index[40, 0]], expected[index[0, 0]], expected[index[0, -30]] = 2 / 12, 6 / 12, 4 / 12
    np.testing.assert_allclose(prior, expected)


def test_lightness_does_not_matter(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).integers(100, 150, (3, 16, 16, 3), dtype=np.uint8)
    np.save(tmp_path / "one.npy", rows)
    rows[..., 0] = 7
    np.save(tmp_path / "two.npy", rows)
    np.testing.assert_array_equal(class_prior([tmp_path / "one.npy"]), class_prior([tmp_path / "two.npy"]))
