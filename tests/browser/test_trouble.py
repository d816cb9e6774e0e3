"""What goes wrong is told in words, and goes on where it can."""

from __future__ import annotations

import requests

REFUSED = "Failed to load resource: the server responded with a status of {}"


def test_a_bad_file_is_refused_with_the_services_sentence(visit, service, text_file):
    visit.expected.append(REFUSED.format(415))
    visit.add(text_file)
    visit.wait_for("#trouble")
    with text_file.open("rb") as file:
        answer = requests.post(f"{service}/colorize", files={"photo": file}, timeout=60)
    assert answer.status_code == 415
    assert visit.page.inner_text("#trouble-words") == answer.json()["message"]
    assert visit.page.inner_text("#status") == f"Holiday.jpg: {answer.json()['message']}"
    assert not visit.page.is_visible("#again")  # the same file would be refused again
    assert not visit.page.is_visible("#download")


def test_a_bad_file_does_not_hold_up_the_others(visit, text_file, legacy):
    visit.expected.append(REFUSED.format(415))
    visit.add(text_file, legacy / "black-canyon.jpg", legacy / "dust-bowl-home.jpg")
    visit.wait_for("#photos li:nth-child(1) [data-state=failed]")
    visit.wait_for("#photos li:nth-child(2) [data-state=done]")
    visit.wait_for("#photos li:nth-child(3) [data-state=done]")


def test_offline_is_reported_and_mended_by_itself(visit, canyon):
    visit.expected.append("net::ERR_INTERNET_DISCONNECTED")
    visit.page.context.set_offline(True)
    visit.add(canyon)
    visit.wait_for("#trouble")
    assert "This device is offline." in visit.page.inner_text("#trouble-words")
    visit.page.context.set_offline(False)
    visit.wait_for("#compare")
    assert not visit.page.is_visible("#trouble")


def test_a_service_that_is_gone_is_reported_and_can_be_tried_again(visit, canyon):
    visit.expected.append("net::ERR_CONNECTION_REFUSED")
    visit.page.route("**/colorize?*", lambda route: route.abort("connectionrefused"))
    visit.add(canyon)
    visit.wait_for("#trouble")
    assert "The service cannot be reached." in visit.page.inner_text("#trouble-words")
    visit.page.unroute("**/colorize?*")
    visit.page.click("#again")
    visit.wait_for("#compare")


def test_a_key_is_asked_for_once_and_kept_for_the_session(visiting, strict_service, strict_key, canyon):
    with visiting(strict_service) as visit:
        visit.expected += [REFUSED.format(401), REFUSED.format(503)]
        visit.add(canyon)
        visit.wait_for("#key")
        visit.page.fill("#key-field", "not-the-key")
        visit.page.keyboard.press("Enter")
        visit.wait_for("#key")
        visit.page.get_by_text("The service did not accept that key.").wait_for()
        visit.page.fill("#key-field", strict_key)
        visit.page.keyboard.press("Enter")
        visit.wait_for("#compare")
        assert visit.page.evaluate("Object.values(sessionStorage)") == [strict_key]
        assert visit.page.evaluate("localStorage.length") == 0


def test_without_a_key_the_photo_waits_with_a_sentence(visiting, strict_service, canyon):
    with visiting(strict_service) as visit:
        visit.expected += [REFUSED.format(401), REFUSED.format(503)]
        visit.add(canyon)
        visit.wait_for("#key")
        visit.page.keyboard.press("Escape")
        visit.wait_for("#trouble")
        assert "key" in visit.page.inner_text("#trouble-words")
        visit.page.click("#again")
        visit.wait_for("#key")


def test_a_busy_service_is_waited_for(visiting, strict_service, strict_key, legacy):
    """Two uploads meet room for one: the refused one comes again when Retry-After says so."""
    with visiting(strict_service) as visit:
        visit.expected.append(REFUSED.format(503))
        visit.page.evaluate("(key) => sessionStorage.setItem('tintype-api-key', key)", strict_key)
        refused = []
        visit.page.on("response", lambda answer: refused.append(answer) if answer.status == 503 else None)
        visit.colour(*sorted(legacy.glob("*.jpg"))[:4])
        assert refused
