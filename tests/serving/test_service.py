"""The running service, asked as clients ask it."""

import hashlib
import io
import re

import httpx
import numpy as np
import pytest
from PIL import Image

from tintype.imaging.lab import rgb_to_lab
from tintype.models.bundle import bundle_digest, read_info
from tintype.serving.http.errors import ERRORS

SECURITY = ("content-security-policy", "x-content-type-options", "referrer-policy")


def lightness(image):
    return rgb_to_lab(np.asarray(image.convert("RGB")))[..., 0]


def chroma(image):
    lab = rgb_to_lab(np.asarray(image.convert("RGB")))
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean())


def opened(response):
    assert response.status_code == 200, response.text
    return Image.open(io.BytesIO(response.content))


def encoded(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def refused(response, status, code):
    assert (response.status_code, response.json()["error"]) == (status, code), response.text
    assert response.json().keys() == {"error", "message"}
    assert re.match(r"[A-Z].*\S$", response.json()["message"], re.DOTALL)
    assert ERRORS[code][0] == status
    for name in SECURITY:
        assert name in response.headers


def test_a_form_gives_the_photo_in_colour_with_its_own_lightness(client, cat_file, bundle):
    response = client.post("/colorize", files={"photo": ("street cat.jpg", cat_file)})
    image = opened(response)
    assert (image.format, image.size) == ("JPEG", (451, 300))
    assert response.headers["content-type"] == "image/jpeg"
    assert response.headers["content-disposition"] == 'inline; filename="street cat-colour.jpg"'
    assert response.headers["x-tintype-model"] == "tintype/unregistered"
    assert response.headers["x-tintype-bundle"] == bundle_digest(read_info(bundle))
    receipt = re.fullmatch(r"mean_dl=(\d+\.\d+); max_dl=(\d+\.\d+)", response.headers["x-tintype-receipt"])
    assert receipt is not None
    assert float(receipt[1]) < 1
    assert np.abs(lightness(image) - lightness(Image.open(io.BytesIO(cat_file)))).mean() < 1


def test_a_raw_body_gives_the_same_answer_whatever_it_says_it_is(client, cat_file):
    form = client.post("/colorize", files={"photo": cat_file})
    for content_type in (
        "image/jpeg",
        "image/png",
        "image/*",
        "text/plain",
        "application/x-www-form-urlencoded",
    ):
        raw = client.post("/colorize", content=cat_file, headers={"Content-Type": content_type})
        assert raw.content == form.content
    chunked = client.post("/colorize", content=iter([cat_file[:10], cat_file[10:]]))
    assert chunked.content == form.content


def test_saturation_by_query_and_by_form(client, cat_file):
    gray, as_is, strong = (
        opened(
            client.post("/colorize", files={"photo": cat_file}, params={"saturation": value, "format": "png"})
        )
        for value in (0, 1, 2)
    )
    assert chroma(gray) < 0.5 < chroma(as_is) < chroma(strong)
    by_form = client.post("/colorize", files={"photo": cat_file}, data={"saturation": "2", "format": "png"})
    assert np.array_equal(np.asarray(opened(by_form)), np.asarray(strong))


@pytest.mark.parametrize(
    ("name", "pillow", "suffix"),
    [("jpeg", "JPEG", "jpg"), ("png", "PNG", "png"), ("tiff", "TIFF", "tif"), ("webp", "WEBP", "webp")],
)
def test_every_format_can_be_asked_for_and_is_kept_if_none_is(client, cat, name, pillow, suffix):
    asked = client.post("/colorize", content=encoded(Image.fromarray(cat), "PNG"), params={"format": name})
    assert opened(asked).format == pillow
    assert asked.headers["content-type"] == f"image/{name}"
    assert asked.headers["content-disposition"] == f'inline; filename="photo-colour.{suffix}"'
    kept = client.post("/colorize", content=encoded(Image.fromarray(cat), pillow))
    assert opened(kept).format == pillow


@pytest.mark.parametrize("file_format", ["BMP", "GIF"])
def test_formats_that_are_not_written_are_answered_as_png(client, cat, file_format):
    assert (
        opened(client.post("/colorize", content=encoded(Image.fromarray(cat), file_format))).format == "PNG"
    )


def test_16_bits_and_opacity_stay(client, cat):
    alpha = Image.fromarray(cat).convert("RGBA")
    alpha.putalpha(77)
    assert np.asarray(opened(client.post("/colorize", content=encoded(alpha, "PNG"))))[..., 3].max() == 77
    deep = Image.fromarray(np.asarray(Image.fromarray(cat).convert("L"), np.uint16) * 257)
    answer = client.post("/colorize", content=encoded(deep, "PNG")).content
    assert answer[24] == 16  # PNG's bit depth


def test_metadata_goes_unless_asked_for(client, cat):
    exif = Image.Exif()
    exif[0x010E] = "Market street"
    exif.get_ifd(0x8825)[1] = "N"
    photo = encoded(Image.fromarray(cat), "JPEG", exif=exif, comment=b"secret comment") + b"trailing bytes"
    answers = {
        policy: opened(client.post("/colorize", content=photo, params={"metadata": policy})).getexif()
        for policy in ("strip", "no-gps", "keep")
    }
    assert {name: 0x010E in exif for name, exif in answers.items()} == {
        "strip": False,
        "no-gps": True,
        "keep": True,
    }
    assert {name: 0x8825 in exif for name, exif in answers.items()} == {
        "strip": False,
        "no-gps": False,
        "keep": True,
    }
    plain = client.post("/colorize", content=photo).content
    assert b"secret comment" not in plain
    assert b"trailing bytes" not in plain


def test_a_border_and_colours_of_its_own_are_told_of_and_can_be_left(client, cat_file):
    sheet = Image.new("RGB", (551, 400), "white")
    sheet.paste(Image.open(io.BytesIO(cat_file)), (50, 50))
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    answers = {
        query: client.post("/colorize", content=stream.getvalue(), params=query).headers
        for query in ("", "borders=false", "keep_colour=true")
    }
    inside = {query: headers.get("x-tintype-inside") for query, headers in answers.items()}
    assert inside == {"": "451x300+50+50", "borders=false": None, "keep_colour=true": None}
    own = {query: headers["x-tintype-own-colours"] for query, headers in answers.items()}
    assert own == {"": "replaced", "borders=false": "replaced", "keep_colour=true": "kept"}
    assert "left as it is" in answers["keep_colour=true"]["x-tintype-notes"]
    kept = client.post("/colorize", content=stream.getvalue(), params="keep_colour=true")
    assert opened(kept).convert("RGB").tobytes() == sheet.tobytes()


def test_the_answer_says_where_its_colours_come_from(client, cat_file, tmp_path):
    from tintype.formats.xmp import read_provenance

    answer = client.post("/colorize", content=cat_file, params={"saturation": "1.5"}).content
    provenance = read_provenance(answer)
    assert provenance.input_sha256 == hashlib.sha256(cat_file).hexdigest()
    assert provenance.lineage.name == "tintype"
    assert provenance.parameters["saturation"] == "1.5"


def test_what_was_left_behind_is_noted(client, cat):
    pages = [Image.fromarray(cat), Image.fromarray(cat[::-1])]
    photo = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    response = client.post("/colorize", content=photo)
    opened(response)
    assert "page" in response.headers["x-tintype-notes"]


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"files": {"foto": b"x"}}, 400, "bad_form"),
        ({"files": {"photo": (None, "https://example.org/a.jpg")}}, 400, "bad_form"),
        ({"files": {"photo": b""}}, 400, "empty"),
        ({"data": {"photo": "https://example.org/a.jpg"}}, 400, "bad_form"),
        ({"json": {"photo": "https://example.org/a.jpg"}}, 415, "unknown_format"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "bad_form"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=y"}}, 400, "bad_form"),
        ({}, 400, "empty"),
        ({"content": b"plain text"}, 415, "unknown_format"),
        ({"files": {"photo": ("a.jpg", b"plain text", "image/jpeg")}}, 415, "unknown_format"),
        ({"params": {"saturation": "3"}, "content": b"x"}, 400, "bad_option"),
        ({"params": {"quality": "3"}, "content": b"x"}, 400, "bad_option"),
    ],
)
def test_bad_requests_are_reported_in_sentences(client, request_, status, code):
    refused(client.post("/colorize", **request_), status, code)


def test_options_in_query_and_form_must_not_meet(client, cat_file):
    both = {"params": {"saturation": "1"}, "data": {"saturation": "1"}}
    refused(client.post("/colorize", files={"photo": cat_file}, **both), 400, "bad_option")


def test_a_broken_photo_is_distinguished_from_no_photo(client, cat_file):
    refused(client.post("/colorize", content=cat_file[: len(cat_file) // 2]), 422, "broken")


def test_what_the_asked_format_cannot_hold_is_reported(client):
    wide = encoded(Image.new("L", (20_000, 2)), "PNG")
    refused(client.post("/colorize", content=wide, params={"format": "webp"}), 422, "not_writable")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_post_colours(client, method):
    response = client.request(method, "/colorize")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    if method != "HEAD":
        refused(response, 405, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/colorize/",
        "/static/nothing.js",
        "/static/%00",
        "/static/../app.py",
        "/static/" + "x" * 300,
        "/static/%2e%2e/app.py",
        "/%0aforged",
    ],
)
def test_an_unknown_path_is_404(client, path):
    refused(client.get(path), 404, "not_found")


def test_the_page_and_its_files(client):
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    again = client.get("/static/index.html")
    assert again.text == page.text
    same = client.get("/static/index.html", headers={"If-None-Match": again.headers["etag"]})
    assert same.status_code == 304


def test_probes(client):
    for path in ("/livez", "/readyz", "/healthz"):
        assert client.get(path).status_code == 200


def test_model_info_is_the_bundles(client, bundle):
    told = client.get("/model_info").json()
    info = read_info(bundle)
    assert told["name"] == "tintype"
    assert told["version"] == "unregistered"
    assert told["bundle_sha256"] == bundle_digest(info)
    assert told["backend"] in ("openvino", "tensorflow")
    assert told["ir"] is (told["backend"] == "openvino")
    assert told["network"]["size"] == info.size
    assert told["trained"]["epochs"] == 0
    assert told["limits"]["pixels"] == 50_000_000


def series(client):
    lines = client.get("/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_metrics_count_what_was_served(client, cat_file):
    before = series(client)
    client.post("/colorize", content=cat_file)
    client.post("/colorize", content=b"plain text")
    client.get("/never-asked-before")
    after = series(client)

    def grown(name):
        return after[name] - before.get(name, 0)

    assert grown('tintype_photos_total{outcome="ok"}') == 1
    assert grown('tintype_photos_total{outcome="unknown_format"}') == 1
    assert grown('tintype_requests_total{route="/colorize",status="200"}') == 1
    assert grown('tintype_requests_total{route="other",status="404"}') == 1
    for name in (
        "photo_megapixels",
        "queue_seconds",
        "batch_size",
        "network_seconds",
        "chroma",
        "file_megabytes",
    ):
        assert grown(f"tintype_{name}_count") == 1, name
    assert grown("tintype_photo_megapixels_sum") == pytest.approx(451 * 300 / 1e6)
    assert after["tintype_photos_in_house"] == 0
    assert not any("never-asked-before" in name for name in after)  # a client cannot make them grow


def test_a_websocket_is_turned_away(server):
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert httpx.get(server.url + "/colorize", headers=headers, trust_env=False).status_code in (403, 405)


def test_bentomls_own_client_works(server, cat_file, tmp_path):
    import bentoml

    photo = tmp_path / "cat.jpg"
    photo.write_bytes(cat_file)
    with bentoml.SyncHTTPClient(server.url) as client:
        answer = client.colorize(photo=photo, saturation=1.5, format="png")
        assert Image.open(answer).size == (451, 300)
        assert Image.open(answer).format == "PNG"


def test_the_log_has_one_line_for_a_request_and_no_query(server, client):
    client.get("/nothing%0aforged-line?secret=hidden-in-the-query")
    log = server.log.read_text()
    assert "\\nforged-line" in log
    assert "hidden-in-the-query" not in log
    assert "\nforged-line" not in log


def test_nothing_is_sent_to_other_hosts(client, way_out):
    client.post("/colorize", files={"photo": (None, "https://example.org/a.jpg")})
    client.post("/colorize", data={"photo": "http://example.org/a.jpg"})
    with pytest.raises(BlockingIOError):  # nobody came by, BentoML's report of the start included
        way_out.accept()
