"""Colour on plain backgrounds that have none."""

import numpy as np
import pytest

from tintype.measures.washes import wash_chroma


def scene(backdrop: tuple[float, float] = (0, 0), thing: tuple[float, float] = (30, 40)) -> np.ndarray:
    """A thing of many tones before a plain backdrop, in Lab."""
    lab = np.zeros((120, 160, 3), np.float32)
    lab[..., 0] = 70
    lab[..., 1:] = backdrop
    lab[30:90, 50:110, 0] = np.random.default_rng(0).uniform(10, 90, (60, 60))
    lab[30:90, 50:110, 1:] = thing
    return lab


def test_it_is_the_chroma_of_the_backdrop_alone() -> None:
    truth = scene()
    assert wash_chroma(scene((0, 0), (90, 0)), truth) == pytest.approx(0, abs=0.5)
    assert wash_chroma(scene((-6, -8), (0, 0)), truth) == pytest.approx(10, abs=0.5)


def test_a_coloured_backdrop_may_have_its_colour() -> None:
    assert np.isnan(wash_chroma(scene((-6, -8)), scene((-6, -8))))


def test_small_gray_places_are_no_backdrop() -> None:
    truth = scene((20, 20))
    truth[:15, :20, 1:] = 0
    assert np.isnan(wash_chroma(scene((9, 9)), truth))


def test_its_size_does_not_matter() -> None:
    truth, coloured = (np.kron(lab, np.ones((4, 4, 1), np.float32)) for lab in (scene(), scene((-6, -8))))
    assert wash_chroma(coloured, truth) == pytest.approx(10, abs=0.5)
