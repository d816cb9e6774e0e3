"""The page itself: for every width, every light, every way of using it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe

PAGE = Path(__file__).parents[2] / "src/tintype/serving/page"
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def test_the_policy_allows_nothing_inline_and_no_other_host(service):
    policy = requests.get(service, timeout=10).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_files_name_no_other_host():
    """Whatever a browser would do with it: what is not ours is not even named."""
    named = {
        (path.name, address)
        for path in PAGE.rglob("*")
        if path.suffix in {".html", ".css", ".js"}
        for address in re.findall(r"https?://[\w.-]+", path.read_text())
    }
    assert named <= {("index.js", "http://www.w3.org")}  # SVG's name space


def test_a_blocked_script_would_be_noticed(visit):
    """The check of every visit can fail."""
    visit.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))")
    assert any("Content Security Policy" in trouble for trouble in visit.troubles)
    visit.expected.append("Content Security Policy")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_bars_anyone_and_nothing_scrolls_sideways(visiting, service, canyon, text_file, scheme, size):
    with visiting(service, viewport=size, color_scheme=scheme, reduced_motion="reduce") as visit:
        visit.expected.append("status of 415")
        check(visit)
        visit.colour(canyon)
        check(visit)
        visit.add(text_file)
        visit.wait_for("#trouble")
        check(visit)


def check(visit) -> None:
    wide, width = visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= width
    found = Axe().run(visit.page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert small_targets(visit) == []


def small_targets(visit) -> list[str]:
    """Controls under 24 x 24 pixels; links in running text may be as high as their line."""
    return visit.page.evaluate(
        """[...document.querySelectorAll('button, select, input, summary, .quiet')]
            .filter((each) => each.checkVisibility() && each.id !== 'files')
            .filter((each) => each.getBoundingClientRect().height < 24 || each.getBoundingClientRect().width < 24)
            .map((each) => each.outerHTML)"""
    )


def test_everything_can_be_done_by_keyboard(visit, legacy):
    page = visit.page
    page.on(
        "filechooser", lambda chooser: None
    )  # early: Playwright catches dialogs only while someone listens
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    walk(page, "choose")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    photos = [legacy / "black-canyon.jpg", legacy / "dust-bowl-home.jpg"]
    chooser.value.set_files(photos)
    visit.wait_until_coloured(*photos)
    order = [
        walk(page, each)
        for each in (
            "compare",
            "saturation",
            "format",
            "keep-colour",
            "borders",
            "download",
            "download-all",
            "remove",
        )
    ]
    assert order == [1] * 8  # nothing in between, nothing twice
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.inner_text("#photo-name") == "dust-bowl-home.jpg"
    visible = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert visible == "solid"


def walk(page, target: str) -> int:
    """Press Tab until an element has the focus; how often that was, with a focus that is seen each time."""
    for presses in range(1, 30):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            "[document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert outline != "none", name
        if name == target:
            return presses
    pytest.fail(f"Expected Tab to reach {target}.")


def test_what_happens_is_told_to_those_who_cannot_see_it(visit, canyon):
    assert visit.page.get_attribute("#status", "aria-live") == "polite"
    visit.colour(canyon)
    assert visit.page.inner_text("#status") == "Black-canyon.jpg is in colour."
    assert visit.page.get_by_role("slider", name="Before and after").is_visible()
    assert visit.page.get_by_role("slider", name="Saturation").is_visible()
    assert visit.page.get_by_role("combobox", name="Save as").is_visible()


def test_less_motion_where_that_is_wished(visiting, service, canyon):
    with visiting(service, reduced_motion="reduce") as visit:
        visit.colour(canyon)
        assert visit.page.get_attribute("#compare", "aria-valuenow") == "50"  # at once
        assert visit.page.evaluate("document.getAnimations().length") == 0
