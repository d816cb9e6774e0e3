"""Copies of a photo are known as such and share its split, and strangers are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance, ImageOps

from tintype.data.validation.duplicates import drop_duplicates, group_near_duplicates
from tintype.data.validation.frequency_signs import frequency_signs
from tintype.data.validation.inspection import Facts, inspect_photo
from tintype.data.validation.validate import make_manifest
from tintype.imaging.finding import find_photos
from tintype.params import ValidateParams

SAMPLE = Path(__file__).parents[3] / "data/sample"
SIX = ("astronaut", "cat", "coffee", "leaves", "temple", "waterfall")
Copy = Callable[[Image.Image], Image.Image]


def cropped(share: float, down: float, right: float) -> Copy:
    """Cut to a share of each side; `down` and `right` say where, from 0 to 1."""

    def copy(image: Image.Image) -> Image.Image:
        left, top = image.width * (1 - share) * right, image.height * (1 - share) * down
        return image.crop(
            (round(left), round(top), round(left + image.width * share), round(top + image.height * share))
        )

    return copy


COPIES: dict[str, tuple[str, Copy]] = {
    "mirrored": ("mirrored", ImageOps.mirror),
    "turned": ("turned by 270 degrees", lambda image: image.transpose(Image.Transpose.ROTATE_90)),
    "turned round": ("turned by 180 degrees", lambda image: image.rotate(180)),
    "white border": ("the same way up", lambda image: ImageOps.expand(image, 25, "white")),
    "blue border": ("the same way up", lambda image: ImageOps.expand(image, 15, "navy")),
    "cropped": ("the same way up", cropped(0.95, 0.5, 0.5)),
    "cropped at a corner": ("the same way up", cropped(0.97, 1, 0.2)),
    "brightened": ("the same way up", lambda image: ImageEnhance.Brightness(image).enhance(1.2)),
    "all of it": (
        "mirrored",
        lambda image: ImageEnhance.Brightness(ImageOps.mirror(cropped(0.97, 0, 0.4)(image))).enhance(1.1),
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, smaller, and copies of six of its photos."""
    folder = tmp_path_factory.mktemp("photos")
    for path in find_photos(SAMPLE):
        with Image.open(path) as image:
            image.thumbnail((400, 400))
            image.convert("RGB").save(folder / path.name, quality=92)
    for name in SIX:
        with Image.open(folder / f"{name}.jpg") as image:
            for kind, (_, copy) in COPIES.items():
                copy(image).save(folder / f"{name}, {kind}.jpg", quality=85)
    return folder


@pytest.fixture(scope="module")
def facts(folder: Path) -> dict[str, Facts]:
    inspected = [inspect_photo(folder, path.name) for path in find_photos(folder)]
    return {one.path: one for one in inspected if isinstance(one, Facts)}


@pytest.fixture(scope="module")
def originals(facts: dict[str, Facts]) -> list[Facts]:
    return [one for path, one in facts.items() if "," not in path]


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_known_and_strangers_are_not(
    kind: str, facts: dict[str, Facts], originals: list[Facts], params: ValidateParams
) -> None:
    copies = [facts[f"{name}, {kind}.jpg"] for name in SIX]
    found = group_near_duplicates([*originals, *copies])
    assert {one.path: one.nearest for one in found} == {
        **{f"{name}.jpg": f"{name}, {kind}.jpg" for name in SIX},
        **{f"{name}, {kind}.jpg": f"{name}.jpg" for name in SIX},
    }
    assert {one.likeness for one in found if "," not in one.path} == {COPIES[kind][0]}
    kept, _ = drop_duplicates([*originals, *copies], params.min_hash_distance)
    table = make_manifest(kept, group_near_duplicates(kept), params).set_index("path")["split"]
    assert all(
        table[name] == table[copy]
        for name, copy in ((f"{name}.jpg", f"{name}, {kind}.jpg") for name in SIX)
        if {name, copy} <= set(table.index)
    )


def test_a_photo_keeps_its_split_when_smaller_copies_of_it_are_added(
    facts: dict[str, Facts], originals: list[Facts], params: ValidateParams
) -> None:
    """The copies' own hashes put most of them elsewhere."""
    copies = [facts[f"{name}, {kind}.jpg"] for name in SIX for kind in COPIES if kind.startswith("cropped")]
    before = make_manifest(originals, [], params).set_index("path")["split"]
    many = [*originals, *copies]
    after = make_manifest(many, group_near_duplicates(many), params).set_index("path")["split"]
    pd.testing.assert_series_equal(after[before.index], before)
    alone = make_manifest(many, [], params).set_index("path")["split"]
    assert (after != alone).any()
    assert group_near_duplicates(many[::-1]) == group_near_duplicates(many)


def test_groups_join_by_a_photo_that_is_like_both(make_facts: Callable[..., Facts]) -> None:
    """Four signs in five of one photo's neighbour's neighbour are its own: too few by themselves."""
    signs = np.unpackbits(np.frombuffer(make_facts("a").frequency_signs, np.uint8)).reshape(2, -1)
    far = np.random.default_rng(0).permutation(np.arange(130, 256))

    def turned(name: str, count: int, width: int) -> Facts:
        changed = signs.copy()
        changed[:, far[:count]] ^= 1
        return make_facts(name, frequency_signs=np.packbits(changed).tobytes(), width=width)

    one, between, other = turned("one", 0, 500), turned("between", 60, 400), turned("other", 120, 600)
    assert group_near_duplicates([one, other]) == []
    found = group_near_duplicates([one, between, other])
    assert [photo.path for photo in found] == ["other", "one", "between"]
    assert {photo.group for photo in found} == {other.content_hash}


def test_a_flat_photo_and_a_line_have_signs() -> None:
    for shape in ((64, 64), (1, 200), (200, 3)):
        assert len(frequency_signs(np.full(shape, 50, np.float32))) == 64
