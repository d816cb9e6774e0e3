"""The photos that a model was made with, as they are listed."""

from __future__ import annotations

from dataclasses import replace

from tintype.cli.lineage_walk import TrainingPhoto, counts_by_split, photo_lines, walk_back
from tintype.models.lineage import starter_lineage
from tintype.models.starter import starter_bundle

PHOTOS = [
    *(TrainingPhoto(f"{number}.jpg", f"{number:064x}", "train") for number in range(5)),
    TrainingPhoto("a.jpg", "a" * 64, "test"),
]


def test_the_first_of_each_split_are_listed_and_the_rest_counted() -> None:
    lines = list(photo_lines(PHOTOS, everything=False))
    assert lines[0].split()[1:6] == ["6", "photos:", "5", "train,", "1"]
    assert lines[1:] == [
        *(f"    {number:064x}  train  {number}.jpg" for number in range(3)),
        f"    {'a' * 64}  test  a.jpg",
        "    and 2 more: --photos lists all",
    ]


def test_all_are_listed_if_asked_for() -> None:
    lines = list(photo_lines(PHOTOS, everything=True))
    assert len(lines) == 1 + len(PHOTOS)
    assert not any("more" in line for line in lines)


def test_no_photos_are_no_line() -> None:
    assert list(photo_lines([], everything=False)) == []
    assert counts_by_split(PHOTOS) == {"train": 5, "test": 1}


def test_the_starters_way_ends_with_what_it_has_learned_and_no_dead_ends(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    walk = walk_back(starter_lineage())
    assert walk.problems == []
    assert "has learned from 8,763 photos of 1,595 of the tier" in walk.starter
    assert "colourfulness 0.69 of the truth's" in walk.starter
    assert str(starter_bundle() / "README.md") in walk.starter
    other = walk_back(replace(starter_lineage(), bundle_sha256="0" * 64))
    assert other.starter == ""
    assert len(other.problems) == 3
