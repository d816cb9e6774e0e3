"""A person's hands in a real browser: MLflow's pages and the service's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

CHROMIUM = Path(shutil.which("chromium") or shutil.which("google-chrome") or "/usr/bin/chromium")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK = {"width": 1280, "height": 800}
PATIENCE_MS = 120_000  # MLflow's first page has taken half a minute


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    from playwright.sync_api import sync_playwright

    if not CHROMIUM.exists():
        raise FileNotFoundError(
            f"Expected a Chromium at {CHROMIUM}. There is none: install Debian's package chromium."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def desk(browser: Browser) -> Iterator[Page]:
    """An empty page in a window of a desk's size."""
    # Without the sweep over a photo that has just been coloured: a picture of the page would be of its middle.
    context = browser.new_context(viewport=DESK, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


def open_version(page: Page, mlflow: str, version: str) -> None:
    """Open a version's page in MLflow and wait for what is written there.

    Never wait until the network is idle: MLflow's pages ask again and again.
    """
    page.goto(f"{mlflow}/#/models/tintype/versions/{version}", wait_until="domcontentloaded")
    page.reload(wait_until="domcontentloaded")  # another address behind the # alone loads nothing anew
    page.get_by_title("Edit aliases").first.wait_for()
    for close in page.get_by_role("button", name="Close", exact=True).all():
        close.click()  # of an assistant that MLflow opens beside the page


def add_champion(page: Page, from_version: str) -> Locator:
    """Type the alias into MLflow's dialog, as far as its warning that another version loses it; the dialog."""
    page.get_by_title("Edit aliases").first.click()
    dialog = page.get_by_role("dialog")
    box = dialog.get_by_role("combobox")
    box.fill("champion")
    box.press("Enter")
    dialog.get_by_text(f"also being used on version {from_version}").wait_for()
    return dialog


def save(dialog: Locator) -> None:
    """Press the dialog's button and wait until it is gone."""
    dialog.get_by_role("button", name="Save aliases").click()
    dialog.wait_for(state="hidden")


def colour(page: Page, service: str, photo: Path) -> None:
    """Give the service's page a photo and wait until it lies under the slider."""
    page.goto(f"{service}/", wait_until="load")
    page.set_input_files("#files", photo)
    page.wait_for_selector("#photos li:nth-child(1) [data-state=done]", state="attached")
    page.wait_for_selector("#compare")
