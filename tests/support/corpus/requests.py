"""Ways to talk to the service that a browser would not choose, and the statuses that may answer them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from corpus.jpeg import plain
from corpus.wire import BOUNDARY, MULTIPART, Parts, closed, form, head, in_chunks, part, value, whole

OK = 200


@dataclass(frozen=True)
class Request:
    """Bytes on the wire and the statuses that may answer them; no status if the client does not wait."""

    name: str
    statuses: frozenset[int]
    parts: Callable[[], Parts]

    def __str__(self) -> str:
        return self.name


@cache
def photo() -> bytes:
    return plain()


def named(name: str) -> list[bytes]:
    """A good photo under a name."""
    return form(part(photo(), f'form-data; name="photo"; filename="{name}"'))


REQUESTS: list[Request] = []


def request(name: str, statuses: Sequence[int], parts: Callable[[], Parts]) -> None:
    REQUESTS.append(Request(name, frozenset(statuses), parts))


NAMES = {
    "of_300_characters": "n" * 300 + ".jpg",
    "of_5000_characters": "n" * 5000 + ".jpg",
    "that_climbs": "../../../../etc/passwd",
    "that_climbs_backwards": "..\\\\..\\\\windows\\\\system32\\\\x.jpg",
    "that_is_absolute": "/etc/cron.d/evil",
    "with_a_null_byte": "photo.jpg\0.php",
    "in_unicode": "Großmutter 祖母 👵.jpg",
    "in_latin_1": b"Gro\xdfmutter.jpg".decode("ascii", "surrogateescape"),
    "percent_encoded": "%2e%2e%2fphoto.jpg%0d%0aX-Evil: 1",
    "with_a_command": "$(reboot);`id`|x&.jpg",
    "that_is_empty": "",
    "that_is_a_dot": ".",
    "of_blanks": "   ",
    "with_markup": "<img src=x onerror=alert(1)>.jpg",
    "of_a_device": "CON.jpg",
    "right_to_left": "photo\u202egpj.exe",
    "without_a_suffix": "photo",
}
for label, name in NAMES.items():
    wanted = (OK,) if 0 < len(name) < 1000 else (OK, 400)
    request(f"name_{label}", wanted, partial(named, name))
request("name_with_a_line_break", (OK, 400), partial(named, "photo\r\nX-Evil: 1\r\n.jpg"))
request(
    "name_as_extended_value",
    (OK, 400),
    lambda: form(part(photo(), "form-data; name=\"photo\"; filename*=UTF-8''Gro%C3%9Fmutter.jpg")),
)
request("name_unquoted", (OK, 400), lambda: form(part(photo(), "form-data; name=photo; filename=photo.jpg")))
request(
    "name_with_a_quote_open",
    (OK, 400),
    lambda: form(part(photo(), 'form-data; name="photo"; filename="photo')),
)

TYPES = {
    "short": "image/jpg",
    "any_image": "image/*",
    "anything": "*/*",
    "text": "text/plain",
    "html": "text/html; charset=utf-8",
    "wrong": "image/png",
    "bytes": "application/octet-stream",
    "garbage": "garbage",
    "long": "image/" + "x" * 4000,
    "script": "image/svg+xml",
    "missing": None,
    "empty": "",
}
for label, kind in TYPES.items():
    request(f"part_type_{label}", (OK,), partial(lambda kind: form(part(photo(), content_type=kind)), kind))
for label in ("short", "wrong", "bytes", "any_image"):
    request(f"raw_type_{label}", (OK,), partial(lambda kind: whole(photo(), kind), TYPES[label]))
for label in ("text", "html", "garbage", "missing", "empty", "script"):
    request(f"raw_type_{label}", (OK, 400, 415), partial(lambda kind: whole(photo(), kind), TYPES[label]))

request("field_wrong", (400,), lambda: form(part(photo(), 'form-data; name="image"; filename="a.jpg"')))
request("field_without_a_name", (400,), lambda: form(part(photo(), 'form-data; filename="a.jpg"')))
request("field_twice", (400,), lambda: form(part(photo()), part(photo())))
request("field_that_nobody_asked_for", (OK, 400), lambda: form(part(photo()), value("colour", "red")))
request(
    "field_of_a_thousand", (OK, 400), lambda: form(*[value(f"f{n}", "x") for n in range(1000)], part(photo()))
)
request("file_of_a_thousand", (400,), lambda: form(*[part(photo())] * 1000))
request("photo_is_an_address", (400,), lambda: form(value("photo", "http://127.0.0.1:9/photo.jpg")))
request("photo_is_a_path", (400,), lambda: form(value("photo", "/etc/passwd")))
request("photo_is_a_file_address", (400,), lambda: form(value("photo", "file:///etc/passwd")))
request("photo_is_an_empty_text", (400,), lambda: form(value("photo", "")))
request("photo_is_a_data_address", (400,), lambda: form(value("photo", "data:image/png;base64,iVBORw0KGgo=")))
request("form_of_nothing", (400,), lambda: form())
request("form_without_a_boundary", (400,), lambda: form(part(photo()), content_type="multipart/form-data"))
request(
    "form_of_an_empty_boundary",
    (400,),
    lambda: form(part(photo()), content_type="multipart/form-data; boundary="),
)
request(
    "form_of_another_boundary",
    (400,),
    lambda: form(part(photo()), content_type="multipart/form-data; boundary=x"),
)
request(
    "form_that_is_mixed",
    (400, 415),
    lambda: form(part(photo()), content_type=f"multipart/mixed; boundary={BOUNDARY}"),
)
request("form_never_closed", (400, OK), lambda: whole(part(photo()), MULTIPART))
request("form_cut_in_its_head", (400,), lambda: whole(part(photo())[:40], MULTIPART))
request("form_of_garbage", (400,), lambda: whole(b"\xff\0garbage" * 100, MULTIPART))
request(
    "form_part_without_a_head",
    (400,),
    lambda: whole(closed(f"--{BOUNDARY}\r\n\r\nx\r\n".encode()), MULTIPART),
)
request(
    "form_part_with_a_head_of_a_megabyte",
    (400, 413),
    lambda: form(part(photo(), 'form-data; name="photo"; x="' + "x" * 1_000_000 + '"')),
)
request(
    "form_in_base64",
    (400, 415, 422),
    lambda: form(
        part(b"/9j/4AAQ", 'form-data; name="photo"; filename="a.jpg"\r\nContent-Transfer-Encoding: base64')
    ),
)
request(
    "form_of_urls",
    (400, 415),
    lambda: whole(b"photo=http%3A%2F%2F127.0.0.1%3A9%2F", "application/x-www-form-urlencoded"),
)
request(
    "body_in_json",
    (400, 415),
    lambda: whole(json.dumps({"photo": "/etc/passwd"}).encode(), "application/json"),
)
request(
    "body_in_json_with_an_address",
    (400, 415),
    lambda: whole(json.dumps({"photo": {"url": "http://127.0.0.1:9/"}}).encode(), "application/json"),
)
request("body_of_broken_json", (400, 415), lambda: whole(b'{"photo": ', "application/json"))
request("body_of_nothing", (400, 415, 422), lambda: whole(b"", "image/jpeg"))
request("body_without_length", (400, 411, 415, 422), lambda: [head(["Content-Type: image/jpeg"])])
request(
    "body_deflated",
    (400, 415, 422),
    lambda: [
        head(["Content-Type: image/jpeg", "Content-Encoding: gzip", f"Content-Length: {len(photo())}"]),
        photo()[::-1],
    ],
)

request("chunked", (OK,), lambda: in_chunks(photo(), 100, ["Content-Type: image/jpeg"]))
request("chunked_by_bytes", (OK,), lambda: in_chunks(photo()[:], 1, ["Content-Type: image/jpeg"]))
request("chunked_form", (OK,), lambda: in_chunks(closed(part(photo())), 33, [f"Content-Type: {MULTIPART}"]))
request(
    "chunked_beyond_the_limit",
    (413,),
    lambda: in_chunks(bytes(70_000_000), 1_000_000, ["Content-Type: image/jpeg"]),
)
request(
    "chunked_form_beyond_the_limit",
    (413,),
    lambda: in_chunks(closed(part(bytes(70_000_000))), 1_000_000, [f"Content-Type: {MULTIPART}"]),
)
request(
    "chunk_of_garbage",
    (400,),
    lambda: [head(["Content-Type: image/jpeg", "Transfer-Encoding: chunked"]), b"zz\r\nhello\r\n0\r\n\r\n"],
)
request(
    "chunk_of_negative_length",
    (400,),
    lambda: [head(["Content-Type: image/jpeg", "Transfer-Encoding: chunked"]), b"-5\r\nhello\r\n0\r\n\r\n"],
)
request(
    "length_beyond_the_limit",
    (413,),
    lambda: [head(["Content-Type: image/jpeg", "Content-Length: 70000000"]), bytes(1000)],
)
request(
    "length_of_a_terabyte",
    (400, 413),
    lambda: [head(["Content-Type: image/jpeg", "Content-Length: 1000000000000"])],
)
request(
    "length_that_is_no_number", (400,), lambda: [head(["Content-Type: image/jpeg", "Content-Length: many"])]
)
request("length_that_is_negative", (400,), lambda: [head(["Content-Type: image/jpeg", "Content-Length: -1"])])
request(
    "length_shorter_than_the_photo",
    (400, 422),
    lambda: [head(["Content-Type: image/jpeg", "Content-Length: 500"]), photo()],
)
request(
    "length_and_chunks_at_once",
    (400, 415),
    lambda: [
        head(["Content-Type: image/jpeg", "Content-Length: 5", "Transfer-Encoding: chunked"]),
        b"5\r\nhello\r\n0\r\n\r\n",
    ],
)

OPTIONS = {
    "saturation_of_3": "saturation=3",
    "saturation_of_minus_1": "saturation=-1",
    "saturation_of_nan": "saturation=nan",
    "saturation_of_infinity": "saturation=inf",
    "saturation_of_words": "saturation=very",
    "saturation_of_1e999": "saturation=1e999",
    "a_switch_that_is_neither": "keep_colour=maybe",
    "saturation_twice": "saturation=1&saturation=2",
    "format_of_executable": "format=exe",
    "format_of_a_path": "format=../../png",
    "metadata_of_something": "metadata=everything",
    "null_byte": "saturation=%00",
    "broken_percent": "saturation=%zz",
}
for label, query in OPTIONS.items():
    request(
        f"option_{label}",
        (400,),
        partial(lambda query: whole(photo(), "image/jpeg", target=f"/colorize?{query}"), query),
    )
request("option_in_the_form_of_words", (400,), lambda: form(value("saturation", "very"), part(photo())))
request(
    "option_in_the_form_of_a_megabyte",
    (400, 413),
    lambda: form(value("saturation", "1" * 1_000_000), part(photo())),
)
request(
    "option_in_the_form_as_a_file",
    (OK, 400),
    lambda: form(part(b"1", 'form-data; name="saturation"; filename="s"'), part(photo())),
)
request(
    "query_of_8_kilobytes",
    (OK, 400, 414),
    lambda: whole(photo(), "image/jpeg", target="/colorize?x=" + "x" * 8000),
)

for method in ("GET", "PUT", "DELETE", "PATCH", "TRACE", "BREW"):
    request(
        f"method_{method.lower()}",
        (400, 405),
        partial(lambda method: whole(b"", None, method=method), method),
    )
request("method_head", (405,), lambda: [head([], "HEAD")])
for label, target in {
    "unknown": "/nothing/here",
    "that_climbs": "/static/../../../../etc/passwd",
    "that_climbs_encoded": "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "that_climbs_twice_encoded": "/static/%252e%252e/%252e%252e/etc/passwd",
    "of_two_slashes": "//etc/passwd",
    "with_a_null_byte": "/static/%00",
    "of_source": "/static/../service.py",
}.items():
    request(f"path_{label}", (400, 404), partial(lambda target: [head([], "GET", target)], target))
request("path_of_100_kilobytes", (400, 404, 414, 431), lambda: [head([], "GET", "/" + "x" * 100_000)])
request(
    "header_of_100_kilobytes",
    (400, 404, 413, 431, OK),
    lambda: [head(["X-Long: " + "x" * 100_000], "GET", "/livez")],
)
request("header_of_garbage", (400,), lambda: [b"POST /colorize HTTP/1.1\r\nHost: x\r\n: : :\r\n\xff\r\n\r\n"])
request("no_http", (400,), lambda: [b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(100) + b"\r\n\r\n"])
request(
    "expects_to_go_on",
    (OK,),
    lambda: [
        head(["Content-Type: image/jpeg", f"Content-Length: {len(photo())}", "Expect: 100-continue"]),
        photo(),
    ],
)
