"""Faces, the tone of their skin, and errors of its hue."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.evaluation.faces import FaceComparison
from tintype.imaging.lab import rgb_to_lab
from tintype.measures.skin import find_faces, hue_error, tone_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return np.asarray(Image.open(ROOT / "data/sample/astronaut.jpg").convert("RGB"))


def test_the_astronauts_face_is_found_and_nothing_else(astronaut: np.ndarray) -> None:
    [face] = find_faces(astronaut, rgb_to_lab(astronaut))
    height, width = astronaut.shape[:2]
    middle = (
        (face.rows.start + face.rows.stop) / 2 / height,
        (face.columns.start + face.columns.stop) / 2 / width,
    )
    assert middle == pytest.approx((0.22, 0.43), abs=0.06)
    assert face.tone == "light"
    assert 0.2 < face.skin.mean() < 0.4


@pytest.mark.parametrize("name", ["coffee", "cat", "bridge"])
def test_where_nobody_is_there_is_no_face(name: str) -> None:
    photo = np.asarray(Image.open(ROOT / f"data/sample/{name}.jpg").convert("RGB"))
    assert find_faces(photo, rgb_to_lab(photo)) == []


def test_a_face_of_another_colour_than_skin_is_none(astronaut: np.ndarray) -> None:
    blue = astronaut[..., ::-1].copy()
    assert find_faces(blue, rgb_to_lab(blue)) == []


@pytest.mark.parametrize(
    ("lightness", "b", "tone"), [(70, 15, "light"), (53, 10, "light"), (48, 15, "dark"), (30, 12, "dark")]
)
def test_tones(lightness: float, b: float, tone: str) -> None:
    assert tone_of(lightness, b) == tone


def test_hues_are_apart_by_the_shorter_way_round() -> None:
    def pixels(degrees: float, chroma: float = 20) -> np.ndarray:
        turn = np.radians(degrees)
        return np.tile(np.float32([50, chroma * np.cos(turn), chroma * np.sin(turn)]), (4, 1))

    assert hue_error(pixels(40), pixels(55)) == pytest.approx(15, abs=1e-3)
    assert hue_error(pixels(-175), pixels(175)) == pytest.approx(10, abs=1e-3)
    assert np.isnan(hue_error(pixels(40, 0.5), pixels(55)))


def test_errors_are_of_the_skin_alone(astronaut: np.ndarray) -> None:
    [face] = find_faces(astronaut, rgb_to_lab(astronaut))
    elsewhere = astronaut.copy()
    elsewhere[: face.rows.start] = 0
    green = astronaut.copy()
    green[face.rows, face.columns, 0] //= 2
    gray = np.repeat(astronaut.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    faces = FaceComparison(1024)
    faces.add(astronaut, {"same": astronaut, "elsewhere": elsewhere, "green": green, "gray": gray})
    light = faces.summary()["light"]
    assert light["faces"] == 1
    assert light["same"] == light["elsewhere"] == {"delta_e2000_mean": 0.0, "hue_error": 0.0}
    assert light["green"]["hue_error"] > 40
    assert light["gray"]["delta_e2000_mean"] > 5
    assert "hue_error" not in light["gray"]
