"""The dividing line and the saturation."""

from __future__ import annotations

import time
from io import BytesIO

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def coloured(visit, canyon):
    """A visit with one photo in colour, its opening movement over."""
    visit.page.emulate_media(reduced_motion="reduce")
    visit.colour(canyon)
    return visit


def position(visit) -> int:
    return int(visit.page.get_attribute("#compare", "aria-valuenow"))


def test_the_line_is_moved_by_keys(coloured):
    coloured.page.focus("#compare")
    seen = [position(coloured)]
    for key in ("ArrowRight", "ArrowLeft", "ArrowLeft", "PageUp", "Home", "End", "ArrowRight"):
        coloured.page.keyboard.press(key)
        seen.append(position(coloured))
    assert seen == [50, 52, 50, 48, 68, 0, 100, 100]
    assert coloured.page.get_attribute("#compare", "aria-valuetext") == "100 % as it was, 0 % in colour"


def test_the_line_is_dragged_by_the_mouse(coloured):
    box = coloured.page.locator("#compare").bounding_box()
    middle = box["y"] + box["height"] / 2
    coloured.page.mouse.move(box["x"] + box["width"] / 2, middle)
    coloured.page.mouse.down()
    coloured.page.mouse.move(box["x"] + box["width"] / 4, middle, steps=5)
    coloured.page.mouse.up()
    assert position(coloured) == 25


def test_what_is_left_of_the_line_is_the_photo_as_it_was(coloured, canyon):
    """The original is sepia: with the line at the right end that is what is seen."""
    coloured.page.focus("#compare")
    coloured.page.keyboard.press("End")
    shown = seen(coloured)
    original = np.asarray(Image.open(canyon).convert("RGB").resize(shown.shape[1::-1]), np.int16)
    top = slice(20, shown.shape[0] // 3)  # the sky: no handle, no tags
    assert np.abs(shown[top, 20:-20] - original[top, 20:-20]).mean() < 3


def test_saturation_zero_leaves_no_colour(coloured, tmp_path):
    set_saturation(coloured, "0")
    saved = coloured.save("#download", tmp_path)
    rgb = np.asarray(Image.open(saved).convert("RGB"), np.int16)
    assert np.abs(rgb - rgb.mean(axis=2, keepdims=True)).max() <= 2  # JPEG's rounding
    coloured.page.focus("#compare")
    coloured.page.keyboard.press("Home")
    end = time.monotonic() + 15  # a busy machine paints late
    while (off := colour_of(seen(coloured)[20:200, 20:-20])) > 3 and time.monotonic() < end:
        coloured.page.wait_for_timeout(100)
    assert off <= 3


def test_the_chosen_saturation_is_kept_for_the_next_photo_only(coloured, legacy):
    set_saturation(coloured, "0.4")
    with coloured.page.expect_request("**/colorize?*") as asked:
        coloured.add(legacy / "dust-bowl-home.jpg")
    assert asked.value.url.endswith("/colorize?saturation=0.4")
    coloured.wait_for("#photos li:nth-child(2) [data-state=done]")
    set_saturation(coloured, "1.5")
    coloured.page.click("#photos li:nth-child(1) button")
    assert coloured.page.input_value("#saturation") == "0.4"


def test_moving_the_saturation_asks_the_service_once(coloured):
    asked = []
    coloured.page.on("request", lambda request: asked.append(request.url))
    coloured.page.focus("#saturation")
    with coloured.page.expect_response("**/colorize?*", timeout=60_000):
        for _ in range(5):
            coloured.page.keyboard.press("ArrowRight")
    coloured.page.wait_for_selector("#work", state="hidden", timeout=60_000)
    assert [url.rpartition("/")[2] for url in asked if not url.startswith("blob:")] == [
        "colorize?saturation=1.25"
    ]
    assert coloured.page.inner_text("#saturation-value") == "1.25"


def test_a_photo_in_colour_is_told_of_and_left_as_it_is_when_asked(visit, sample, tmp_path):
    visit.colour(sample / "coffee.jpg")
    assert "Had colours of its own, which were replaced." in visit.page.inner_text("#notes")
    with visit.page.expect_response("**/colorize?keep_colour=true&saturation=1", timeout=60_000) as answered:
        visit.page.check("#keep-colour")
    assert answered.value.headers["x-tintype-own-colours"] == "kept"
    visit.wait_for("#notes li:has-text('left as it is')")
    assert "model" not in visit.page.inner_text("#notes")
    ours, saved = (
        Image.open(path).convert("RGB") for path in (sample / "coffee.jpg", visit.save("#download", tmp_path))
    )
    assert np.abs(np.asarray(ours, np.int16) - np.asarray(saved, np.int16)).mean() < 1


def set_saturation(visit, value: str) -> None:
    with visit.page.expect_response("**/colorize?*", timeout=60_000) as answered:
        visit.page.fill("#saturation", value)
    assert answered.value.status == 200
    answered.value.finished()
    visit.page.wait_for_selector("#work", state="hidden", timeout=60_000)
    visit.page.wait_for_timeout(300)  # until the picture was decoded and swapped


def colour_of(rgb: np.ndarray) -> float:
    """How far from gray the farthest pixel is."""
    return float(np.abs(rgb - rgb.mean(axis=2, keepdims=True)).max())


def seen(visit) -> np.ndarray:
    """What a person sees under the slider: (H, W, 3) int16."""
    return np.asarray(
        Image.open(BytesIO(visit.page.locator("#compare").screenshot())).convert("RGB"), np.int16
    )
