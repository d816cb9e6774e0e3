"""What is normal: by a data set, and by good days."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pandas as pd
import pytest

from tintype.data.validation.inspection import inspect_photo
from tintype.data.validation.manifest import COLUMNS, write_manifest
from tintype.formats.photo import read_photo
from tintype.measures.photo_statistics import input_statistics
from tintype.measures.statistics import STATISTICS
from tintype.monitoring.days import read_days
from tintype.monitoring.reference import (
    UnusableReferenceError,
    of_manifest,
    of_photos,
    read_reference,
    write_reference,
)

LEARNT = ("cat.jpg", "coffee.jpg", "dahlia.jpg", "fig.jpg")
UNSEEN = ("rocket.jpg", "temple.jpg")


@pytest.fixture
def data(tmp_path, sample):
    """Folders `raw` and `manifest` with six photos."""
    (tmp_path / "raw/photos").mkdir(parents=True)
    rows = []
    for name in (*LEARNT, *UNSEEN):
        (tmp_path / "raw/photos" / name).write_bytes((sample / name).read_bytes())
        facts = dataclasses.asdict(inspect_photo(tmp_path / "raw/photos", name))
        split = "train" if name in LEARNT else "test"
        rows.append({key: facts.get(key) for key in COLUMNS} | {"bucket": "00", "split": split})
    manifest = pd.DataFrame(rows).astype(COLUMNS)
    write_manifest(tmp_path / "manifest", manifest, pd.DataFrame(columns=["path", "reason", "detail"]))
    return tmp_path


def test_inputs_are_training_photos(data, sample):
    reference = of_manifest(data / "manifest", data / "raw", most=100, colorizer=None)
    assert reference.source == "4 training photos"
    assert reference.statistics.keys() == {name.name for name in STATISTICS if name.measured_on == "input"}
    expected = np.median([input_statistics(read_photo(sample / name).rgb8)["lightness"] for name in LEARNT])
    assert reference.statistics["lightness"].middle == pytest.approx(expected)
    assert reference.statistics["lightness"].count == 4
    assert reference.gray is None


def test_the_choice_is_the_same_each_time_and_has_its_bound(data):
    first, second = (of_manifest(data / "manifest", data / "raw", most=2, colorizer=None) for _ in range(2))
    assert first.statistics["lightness"].count == 2
    for name, known in first.statistics.items():  # OpenCV adds up in any order: the last digit may differ
        assert second.statistics[name].edges == pytest.approx(known.edges)


def test_answers_are_to_photos_that_were_not_learnt_from(data, pyramid_bundle):
    from tintype.colorize import Colorizer

    colorizer = Colorizer.load(pyramid_bundle)
    reference = of_manifest(
        data / "manifest", data / "raw", most=100, colorizer=colorizer, model="tintype/3", bundle="0a"
    )
    assert reference.source == "4 training photos and 2 answers to photos not learnt from"
    assert reference.statistics["colourfulness"].count == 2
    assert reference.statistics["confidence"].middle is not None
    assert 0 < reference.statistics["confidence"].middle < 1
    assert (reference.model, reference.bundle, reference.gray) == ("tintype/3", "0a", 0.0)


def test_a_reference_is_read_as_it_was_written(tmp_path, reference):
    write_reference(tmp_path / "reference.json", reference)
    assert read_reference(tmp_path / "reference.json") == reference
    assert (tmp_path / "reference.json").stat().st_size < 20_000


def test_good_days_say_which_version_they_are_of(traffic, today):
    folder = traffic("normal", days=2, photos=20)
    found = of_photos(read_days(folder, today - datetime.timedelta(days=3), today).photos, "good days")
    assert (found.model, found.bundle) == ("tintype/3", "0123456789ab")
    traffic("normal", days=1, until=2, photos=20, model="tintype/4", bundle="ffff")
    found = of_photos(read_days(folder, today - datetime.timedelta(days=3), today).photos, "good days")
    assert (found.model, found.bundle) == ("", "")


def test_no_photos_make_no_reference(traffic, today):
    folder = traffic("normal", days=1, photos=0)
    with pytest.raises(UnusableReferenceError, match="Expected photos to make a reference of"):
        of_photos(read_days(folder, today, today).photos, "good days")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "Expected a reference at .* No such file"),
        ("no JSON", "Expected a reference in .* at the file: Invalid JSON"),
        ("{}", "at source: Field required"),
        ('{"format": 2, "source": "x", "statistics": {}}', "Received: format 2"),
    ],
)
def test_a_file_that_is_no_reference_is_reported(tmp_path, content, sentence):
    file = tmp_path / "reference.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UnusableReferenceError, match=sentence):
        read_reference(file)
