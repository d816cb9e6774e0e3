"""The pipeline of a collection."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.cli.budget import Budget
from tintype.cli.collection import Collection
from tintype.cli.finishing import Finisher
from tintype.cli.jobs import plan
from tintype.cli.manifest import Manifest
from tintype.cli.options import Options
from tintype.colorize import Colorizer
from tintype.imaging.provenance import Lineage


@pytest.fixture
def manifest(here):
    with Manifest(Path("out")) as manifest:
        yield manifest


@pytest.fixture
def finisher(manifest):
    return Finisher(Options(), Lineage("tintype"), manifest)


@pytest.fixture
def jobs(here, sample):
    """Twelve photos of 60 x 40 pixels, and one of 300 x 200 among them."""
    Path("in").mkdir()
    picture = Image.open(sample / "coffee.jpg").convert("L")
    for number in range(13):
        size = (300, 200) if number == 6 else (60, 40)
        picture.rotate(20 * number).resize(size).save(f"in/{number:02}.png")
    return plan([Path("in")], Path("out")).jobs


def test_photos_in_memory_are_bounded_by_number_and_pixels(colorizer, finisher, jobs):
    by_number = Budget(3, 10**9)
    assert all(outcome.receipt for outcome in Collection(colorizer, finisher, budget=by_number).run(jobs))
    assert by_number.most_photos == 3
    by_pixels = Budget(100, 5 * 60 * 40)
    outcomes = list(Collection(colorizer, finisher, budget=by_pixels).run(jobs))
    assert all(outcome.receipt for outcome in outcomes)
    assert len(outcomes) == 13
    assert by_pixels.most_photos == 5
    assert by_pixels.most_pixels == 300 * 200  # alone, since there is no room for it


def test_every_photo_is_answered_once(colorizer, finisher, jobs):
    Path("in/03.png").write_bytes(b"broken")
    outcomes = list(Collection(colorizer, finisher, workers=4).run(jobs))
    assert sorted(outcome.job.source.name for outcome in outcomes) == [
        f"{number:02}.png" for number in range(13)
    ]
    assert [outcome.job.source.name for outcome in outcomes if outcome.receipt is None] == ["03.png"]


class Narrow(Colorizer):
    """Has memory for one photo at a time, and for none whose first level is that of `black`."""

    def predict_with_confidence(self, l8, gray8):
        if len(l8) > 1:
            raise MemoryError
        if not l8.any():
            raise MemoryError
        return super().predict_with_confidence(l8, gray8)


def test_a_photo_that_the_network_cannot_take_does_not_take_others_with_it(bundle, finisher, jobs):
    Image.fromarray(np.zeros((40, 60), np.uint8)).save("in/04.png")
    outcomes = list(Collection(Narrow.load(bundle), finisher).run(jobs))
    failed = [outcome for outcome in outcomes if outcome.receipt is None]
    assert [(outcome.job.source.name, outcome.reason) for outcome in failed] == [
        ("04.png", "Not enough memory for a photo of this size.")
    ]
    assert len(outcomes) == 13


def test_stopping_leaves_only_whole_results(colorizer, finisher, manifest, jobs):
    collection = Collection(colorizer, finisher, budget=Budget(4, 10**9))
    run = collection.run(jobs)
    first = next(run)
    rest = collection.stop()
    written = {path.name for path in Path("out").glob("*.png")}
    assert written == {outcome.job.destination.name for outcome in [first, *rest]}
    assert 1 <= len(written) < 13
    assert not list(Path("out").glob(".*"))
