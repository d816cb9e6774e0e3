"""The pipeline of a collection."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.cli.collection.plan import Options, plan
from tintype.cli.collection.results_log import ResultsLog
from tintype.cli.collection.run import CollectionRun
from tintype.cli.collection.write import ResultWriter
from tintype.colorize import Colorizer
from tintype.engine.memory_budget import MemoryBudget
from tintype.imaging.provenance import Lineage


@pytest.fixture
def log(here):
    with ResultsLog(Path("out")) as log:
        yield log


@pytest.fixture
def writer(log):
    return ResultWriter(Options(), Lineage("tintype"), log)


@pytest.fixture
def jobs(here, sample):
    """Twelve photos of 60 x 40 pixels, and one of 300 x 200 among them."""
    Path("in").mkdir()
    picture = Image.open(sample / "coffee.jpg").convert("L")
    for number in range(13):
        size = (300, 200) if number == 6 else (60, 40)
        picture.rotate(20 * number).resize(size).save(f"in/{number:02}.png")
    return plan([Path("in")], Path("out")).jobs


def test_photos_in_memory_are_bounded_by_number_and_pixels(colorizer, writer, jobs):
    by_number = MemoryBudget(3, 10**9)
    assert all(result.receipt for result in CollectionRun(colorizer, writer, budget=by_number).run(jobs))
    assert by_number.most_photos == 3
    by_pixels = MemoryBudget(100, 5 * 60 * 40)
    results = list(CollectionRun(colorizer, writer, budget=by_pixels).run(jobs))
    assert all(result.receipt for result in results)
    assert len(results) == 13
    assert by_pixels.most_photos == 5
    assert by_pixels.most_amount == 300 * 200  # alone, since there is no room for it


def test_every_photo_is_answered_once(colorizer, writer, jobs):
    Path("in/03.png").write_bytes(b"broken")
    results = list(CollectionRun(colorizer, writer, workers=4).run(jobs))
    assert sorted(result.job.source.name for result in results) == [
        f"{number:02}.png" for number in range(13)
    ]
    assert [result.job.source.name for result in results if result.receipt is None] == ["03.png"]


class Narrow(Colorizer):
    """Has memory for one photo at a time, and for none whose first level is that of `black`."""

    def predict_with_confidence(self, l8, gray8):
        if len(l8) > 1:
            raise MemoryError
        if not l8.any():
            raise MemoryError
        return super().predict_with_confidence(l8, gray8)


def test_a_photo_that_the_network_cannot_take_does_not_take_others_with_it(bundle, writer, jobs):
    Image.fromarray(np.zeros((40, 60), np.uint8)).save("in/04.png")
    results = list(CollectionRun(Narrow.load(bundle), writer).run(jobs))
    failed = [result for result in results if result.receipt is None]
    assert [(result.job.source.name, result.reason) for result in failed] == [
        ("04.png", "Not enough memory for a photo of this size.")
    ]
    assert len(results) == 13


class Mistaken(Colorizer):
    """Has a mistake in it that one photo finds."""

    def prepare(self, pixels):
        return None.nothing if pixels.shape[0] == 200 else super().prepare(pixels)


def test_a_mistake_of_ours_is_logged_in_full_and_the_others_go_on(bundle, writer, jobs, caplog):
    results = list(CollectionRun(Mistaken.load(bundle), writer).run(jobs))
    (failed,) = [result for result in results if result.receipt is None]
    assert failed.reason.startswith("This photo met a mistake in tintype.")
    assert '"mistake"' in Path("out/tintype-manifest.jsonl").read_text()
    assert "AttributeError" in caplog.text
    assert "in prepare" in caplog.text
    assert len(results) == 13


def test_stopping_leaves_only_whole_results(colorizer, writer, jobs):
    collection = CollectionRun(colorizer, writer, budget=MemoryBudget(4, 10**9))
    run = collection.run(jobs)
    first = next(run)
    rest = collection.stop()
    written = {path.name for path in Path("out").glob("*.png")}
    assert written == {result.job.destination.name for result in [first, *rest]}
    assert 1 <= len(written) < 13
    assert not list(Path("out").glob(".*"))
