"""From a photo to its result, as a person does it."""

from __future__ import annotations

import zipfile
from base64 import b64encode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image


def ask(service: str, path: Path, **options: str) -> requests.Response:
    """What the service answers to a program."""
    with path.open("rb") as photo:
        answer = requests.post(
            f"{service}/colorize", files={"photo": (path.name, photo)}, data=options, timeout=60
        )
    assert answer.status_code == 200
    return answer


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(content)).convert("RGB"))


def test_a_photo_is_shown_before_and_after(visit, canyon):
    visit.colour(canyon)
    sizes = visit.page.evaluate(
        "['before', 'after'].map((id) => document.getElementById(id))"
        ".map((image) => [image.naturalWidth, image.naturalHeight, image.complete])"
    )
    assert sizes == [[1024, 750, True]] * 2
    assert visit.page.inner_text("#photo-name") == "black-canyon.jpg"


def test_the_receipt_and_the_version_are_reported_in_words(visit, canyon):
    visit.colour(canyon)
    notes = visit.page.inner_text("#notes")
    assert "Lightness kept: mean difference 0." in notes
    assert "Coloured by an unregistered model: a guess, not a record." in notes
    assert "Colours are a guess by a network, not a record." in visit.page.inner_text("#about")
    assert visit.page.inner_text("#version") == "Unregistered model"


def test_the_download_is_the_services_answer(visit, service, canyon, tmp_path):
    with visit.page.expect_response("**/colorize?*", timeout=60_000) as answered:
        visit.colour(canyon)
    saved = visit.save("#download", tmp_path)
    assert saved.name == "black-canyon-colour.jpg"
    assert saved.read_bytes() == answered.value.body()
    np.testing.assert_array_equal(pixels(saved.read_bytes()), pixels(ask(service, canyon).content))


@pytest.mark.parametrize(
    ("chosen", "name", "kind"),
    [("png", "black-canyon-colour.png", "PNG"), ("tiff", "black-canyon-colour.tif", "TIFF"),
     ("webp", "black-canyon-colour.webp", "WEBP")],
)  # fmt: skip
def test_another_format_is_made_when_it_is_downloaded(visit, service, canyon, tmp_path, chosen, name, kind):
    visit.colour(canyon)
    visit.page.select_option("#format", chosen)
    saved = visit.save("#download", tmp_path)
    assert saved.name == name
    assert Image.open(saved).format == kind
    np.testing.assert_array_equal(
        pixels(saved.read_bytes()), pixels(ask(service, canyon, format=chosen).content)
    )


def test_several_photos_are_coloured_at_once_and_saved_as_one_file(visit, legacy, tmp_path):
    twin = tmp_path / "other" / "black-canyon.jpg"  # of the same name
    twin.parent.mkdir()
    twin.write_bytes((legacy / "nagasaki-boats.jpg").read_bytes())
    photos = [
        legacy / "black-canyon.jpg",
        legacy / "dust-bowl-home.jpg",
        legacy / "acanthus-mollis.jpg",
        twin,
    ]
    answers = []
    visit.page.on("response", lambda answer: answers.append(answer) if "/colorize?" in answer.url else None)
    visit.colour(*photos)
    saved = visit.save("#download-all", tmp_path)
    with zipfile.ZipFile(saved) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    assert list(files) == [
        "black-canyon-colour.jpg",
        "dust-bowl-home-colour.jpg",
        "acanthus-mollis-colour.jpg",
        "black-canyon-colour (2).jpg",
    ]
    assert sorted(files.values()) == sorted(answer.body() for answer in answers)  # to the byte
    for content, photo in zip(files.values(), photos, strict=True):
        assert Image.open(BytesIO(content)).size == Image.open(photo).size


def test_never_more_than_two_uploads_at_a_time(visit, legacy):
    under_way: set[object] = set()
    most = 0

    def started(request):
        nonlocal most
        if "/colorize?" in request.url:
            under_way.add(request)
            most = max(most, len(under_way))

    visit.page.on("request", started)
    visit.page.on("requestfinished", lambda request: under_way.discard(request))
    visit.colour(*sorted(legacy.glob("*.jpg"))[:5])
    assert most == 2


def test_a_tiff_is_previewed_and_downloaded_as_a_tiff(visit, service, canyon, tmp_path):
    scan = tmp_path / "scan.tif"
    Image.open(canyon).convert("L").resize((512, 375)).save(scan, compression="tiff_lzw")
    visit.colour(scan)
    before, after = visit.page.locator("#before"), visit.page.locator("#after")
    assert before.evaluate("(image) => image.naturalWidth") == 512
    assert after.evaluate("(image) => image.naturalWidth") == 512
    assert "This browser cannot show the file itself" in visit.page.inner_text("#notes")
    saved = visit.save("#download", tmp_path / "saved")
    assert (saved.name, Image.open(saved).format) == ("scan-colour.tif", "TIFF")
    np.testing.assert_array_equal(pixels(saved.read_bytes()), pixels(ask(service, scan).content))


def test_a_photo_can_be_dropped(visit, canyon):
    visit.page.evaluate_handle("window.dropped = new DataTransfer()")
    _fill(visit.page, canyon)
    for event in ("dragenter", "dragover"):
        _send(visit.page, event)
    assert visit.page.is_visible("#drop")
    _send(visit.page, "drop")
    visit.wait_for("#compare")
    assert not visit.page.is_visible("#drop")


def test_a_photo_can_be_pasted(visit, canyon):
    visit.page.evaluate_handle("window.dropped = new DataTransfer()")
    _fill(visit.page, canyon)
    visit.page.evaluate(
        "document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: window.dropped, bubbles: true }))"
    )
    visit.wait_for("#compare")
    assert visit.page.inner_text("#photo-name") == "black-canyon.jpg"


def test_an_example_can_be_tried(visit):
    visit.page.click("[data-example='examples/nagasaki-boats.jpg']")
    visit.wait_for("#compare")
    assert visit.page.inner_text("#photo-name") == "nagasaki-boats.jpg"


def test_photos_can_be_removed_until_the_desk_is_empty(visit, legacy):
    visit.colour(legacy / "black-canyon.jpg", legacy / "dust-bowl-home.jpg")
    visit.page.click("#remove")
    assert visit.page.inner_text("#photo-name") == "dust-bowl-home.jpg"
    visit.page.click("#remove")
    assert visit.page.is_visible("#welcome")
    assert visit.page.evaluate("document.activeElement.id") == "choose"


def test_object_urls_are_given_back(visiting, service, legacy):
    with visiting(service) as visit:
        visit.page.evaluate(
            """() => {
                const [create, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
                window.open_urls = new Set();
                URL.createObjectURL = (blob) => {
                    const url = create.call(URL, blob);
                    window.open_urls.add(url);
                    return url;
                };
                URL.revokeObjectURL = (url) => (window.open_urls.delete(url), revoke.call(URL, url));
            }"""
        )
        photos = [legacy / "black-canyon.jpg", legacy / "dust-bowl-home.jpg", legacy / "march-pastoral.jpg"]
        visit.colour(*photos)
        for place in (2, 3, 1):
            visit.page.click(f"#photos li:nth-child({place}) button")
            visit.wait_for("#compare")
        visit.page.wait_for_timeout(500)
        assert visit.page.evaluate("window.open_urls.size") == 2  # of the photo that is shown


def _fill(page, path):
    """Put a file into the page's DataTransfer without asking the network."""
    page.evaluate(
        """([name, text]) => window.dropped.items.add(
            new File([Uint8Array.from(atob(text), (one) => one.charCodeAt(0))], name, { type: "image/jpeg" }))""",
        [path.name, b64encode(path.read_bytes()).decode()],
    )


def _send(page, event):
    page.evaluate(
        "(event) => document.body.dispatchEvent("
        "new DragEvent(event, { dataTransfer: window.dropped, bubbles: true, cancelable: true }))",
        event,
    )
