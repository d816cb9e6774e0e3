"""Planted trouble raises its alarm, and only that; what is normal raises none."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from tintype.monitoring.days import read_days
from tintype.monitoring.drift import Level
from tintype.monitoring.judging import ENOUGH, judge


def judged(folder, reference, today, days=28):
    photos = read_days(folder, today - datetime.timedelta(days=days - 1), today).photos
    return judge(photos, reference, np.datetime64(today))


def alarms(*given):
    return {alarm.key: alarm for alarm in judged(*given).alarms}


def level_of(judgement, name):
    return next(row.drift.level for row in judgement.rows if row.statistic.name == name)


@pytest.mark.parametrize("photos", [10, 60, 400])
def test_normal_traffic_raises_no_alarm(traffic, reference, today, photos):
    judgement = judged(traffic("normal", days=14, photos=photos), reference, today)
    assert judgement.alarms == ()
    assert {row.drift.level for row in judgement.rows} <= {Level.SAME, Level.WATCH, Level.FEW}


def test_many_photos_are_judged_by_the_newest_day_and_few_by_a_week(traffic, reference, today):
    traffic("normal", days=10, until=1, photos=20)
    assert len(judged(traffic("normal", days=1, photos=20), reference, today).judged) == 7 * 20
    folder = traffic("normal", days=1, photos=ENOUGH)
    assert len(judged(folder, reference, today).judged.days) == 1


def test_gray_answers_are_reported_with_the_day_since_when(traffic, reference, today):
    traffic("normal", days=10, until=4, photos=120)
    found = alarms(traffic("gray", days=4, photos=120), reference, today)
    assert found.keys() == {"gray", "pale"}
    assert str(today - datetime.timedelta(days=3)) in found["gray"].since
    assert str(today - datetime.timedelta(days=3)) in found["pale"].since
    assert found["gray"].how_far.startswith("100% of the answers from ")
    assert "tintype rollback" in found["gray"].to_do


def test_a_few_gray_answers_are_enough_for_the_alarm(traffic, reference, today):
    assert alarms(traffic("gray", days=1, photos=20), reference, today).keys() == {"gray"}
    assert alarms(traffic("gray", days=1, photos=20), None, today).keys() == {"gray"}


def test_garish_answers_are_reported(traffic, reference, today):
    traffic("normal", days=10, until=3, photos=150)
    found = alarms(traffic("garish", days=3, photos=150), reference, today)
    assert found.keys() == {"garish"}
    assert "Colourfulness: median " in found["garish"].how_far
    assert str(today - datetime.timedelta(days=2)) in found["garish"].since
    assert "have not changed" in found["garish"].to_do


def test_patches_are_reported(traffic, reference, today):
    found = alarms(traffic("patchy", days=3, photos=150), reference, today)
    [alarm] = found.values()
    assert alarm.key in {"answers", "garish"}
    assert "Patches: median " in alarm.how_far


def test_bright_photos_are_reported_as_inputs_and_the_model_is_not_blamed_first(traffic, reference, today):
    traffic("normal", days=10, until=3, photos=150)
    found = alarms(traffic("bright", days=3, photos=150), reference, today)
    assert "inputs" in found
    assert found.keys() <= {"inputs", "answers", "pale"}
    assert "Lightness: median " in found["inputs"].how_far
    assert str(today - datetime.timedelta(days=2)) in found["inputs"].since
    for alarm in found.values():
        assert "have not changed" not in alarm.to_do


def test_what_clients_ask_for_is_no_alarm(traffic, reference, today):
    traffic("normal", days=3, photos=150)
    folder = traffic("gray", days=3, photos=151, saturation=0.0)
    assert alarms(folder, reference, today) == {}


def test_too_few_photos_are_said_to_be_too_few(traffic, reference, today):
    judgement = judged(traffic("garish", days=3, photos=20), reference, today)
    assert {row.drift.level for row in judgement.rows} == {Level.FEW}
    assert any("Drift is told from 100 photos on" in note for note in judgement.notes)
    assert judgement.alarms == ()


def test_a_service_that_fell_silent_is_reported(traffic, reference, today):
    found = alarms(traffic("normal", days=5, until=8), reference, today)
    assert found.keys() == {"silent"}
    assert str(today - datetime.timedelta(days=8)) in found["silent"].since


def test_a_quiet_week_is_not(traffic, reference, today):
    assert alarms(traffic("normal", days=5, until=7), reference, today) == {}


def test_another_version_than_the_references_is_noted(traffic, reference, today):
    folder = traffic("normal", days=2, photos=200, model="tintype/4", bundle="ba9876543210")
    judgement = judged(folder, reference, today)
    assert judgement.alarms == ()
    assert any("answers of tintype/3, but tintype/4 answers now" in note for note in judgement.notes)


def test_without_a_reference_only_what_is_plain_is_reported(traffic, today):
    judgement = judged(traffic("normal", days=2, photos=200), None, today)
    assert judgement.alarms == ()
    assert any("There is no reference" in note for note in judgement.notes)


def test_a_day_of_trouble_that_is_over_raises_no_alarm(traffic, reference, today):
    traffic("garish", days=1, until=1, photos=400)
    assert alarms(traffic("normal", days=1, photos=400), reference, today) == {}


@pytest.mark.parametrize("kind", ["gray", "garish", "bright"])
def test_since_is_the_first_of_an_unbroken_run(traffic, reference, today, kind):
    traffic(kind, days=2, until=5, photos=150)
    traffic("normal", days=2, until=3, photos=150)
    traffic("normal", days=1, until=2, photos=5)  # of which nothing can be said
    found = alarms(traffic(kind, days=2, photos=150), reference, today)
    assert {alarm.since for alarm in found.values()} == {
        f"It has been so since {today - datetime.timedelta(days=1)}."
    }
