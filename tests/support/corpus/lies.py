"""Files that are no photos, or more than a photo, whatever they are called."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import zipfile
from functools import partial

from corpus.case import Cases, either, good, refused
from corpus.jpeg import plain, segment, with_segments
from corpus.picture import image, saved
from corpus.png import colours

case = Cases("jpg")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48">{}</svg>'
XXE = '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
POSTSCRIPT = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n%%EndComments\n(x) (w) file quit\n%%EOF\n"

TEXTS = {
    "text": "Dear archive, here is the photograph that I promised.\n" * 20,
    "html": "<!DOCTYPE html><html><body><img src=x onerror=alert(1)></body></html>",
    "svg_with_a_script": SVG.format("<script>alert(1)</script>"),
    "svg_that_asks_for_a_file": XXE + SVG.format("<text>&x;</text>"),
    "svg_that_asks_for_a_page": SVG.format('<image href="http://169.254.169.254/latest/meta-data/"/>'),
    "postscript": POSTSCRIPT,
    "json": '{"photo": "/etc/passwd"}',
    "url": "http://127.0.0.1:9/photo.jpg",
    "path": "/etc/passwd",
    "magick_vector": "push graphic-context\nfill 'url(https://127.0.0.1/\"|ls \"-la)'\npop graphic-context",
    "xpm": '/* XPM */\nstatic char *x[] = {\n"1 1 1 1",\n"a c #FF0000",\n"a"};\n',
    "ppm": "P3\n1 1\n255\n255 0 0\n",
    "php": "<?php system($_GET['c']); ?>",
    "one_letter": "x",
    "data_address": "data:image/png;base64,iVBORw0KGgo=",
}
alien = refused("unknown_format", "unsupported")
for name, text in TEXTS.items():
    case.add(f"not_a_photo_{name}", alien, partial(str.encode, text))

BYTES = {
    "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF\n",
    "zeros": bytes(100_000),
    "windows_program": b"MZ\x90\0" + bytes(500),
    "linux_program": b"\x7fELF\2\1\1" + bytes(500),
    "film": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(500),
    "jpeg_2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(500),
    "photoshop": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 48, 64, 8, 3) + bytes(500),
    "icon": b"\0\0\1\0\1\0\1\1\0\0\1\0\x20\0\x30\0\0\0\x16\0\0\0" + bytes(100),
    "targa": bytes([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 48, 0, 24, 0]) + bytes(64 * 48 * 3),
    "direct_draw": b"DDS " + struct.pack("<I", 124) + bytes(200),
    "flic": struct.pack("<IHHHHHH", 500, 0xAF12, 1, 64, 48, 8, 3) + bytes(500),
    "pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    "numpy_array": b"\x93NUMPY\1\0v\0{'descr': '|O'}" + bytes(100),
}
for name, content in BYTES.items():
    case.add(f"not_a_photo_{name}", alien, partial(bytes, content))
case.add("not_a_photo_empty", refused("empty"), bytes)
case.add("not_a_photo_gzip", alien, lambda: gzip.compress(plain(), mtime=0))
case.add("not_a_photo_svg_with_its_own_name", alien, partial(str.encode, SVG.format("")), suffix="svg.png")
case.add("not_a_photo_postscript_with_a_preview", alien, lambda: b"\xc5\xd0\xd3\xc6" + POSTSCRIPT.encode())
case.add("not_a_photo_pdf_around_a_jpeg", alien, lambda: BYTES["pdf"] + plain())
case.add("not_a_photo_mark_before_a_png", alien, lambda: b"\xef\xbb\xbf" + colours())
case.add(
    "not_a_photo_noise", alien, lambda: b"".join(hashlib.sha256(bytes([n])).digest() for n in range(250))
)
case.add("not_a_photo_of_65_megabytes", refused("too_many_bytes"), lambda: plain() + bytes(65_000_000))


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("../../evil.sh"), "rm -rf /")
    return stream.getvalue()


case.add("not_a_photo_zip", alien, zipped)
case.add("polyglot_jpeg_and_zip", good(), lambda: plain() + zipped())
case.add(
    "polyglot_jpeg_and_html",
    good(),
    lambda: with_segments(plain(), segment(0xFE, b"--><script>alert(1)</script><!--")),
)
case.add("polyglot_png_and_php", good(), lambda: colours() + b"<?php system($_GET['c']); ?>", suffix="png")
case.add("polyglot_jpeg_named_php", good(), plain, suffix="php.jpg")
case.add("polyglot_jpeg_and_pdf", good(), lambda: plain() + BYTES["pdf"])
case.add(
    "polyglot_gif_and_javascript",
    either(good(10_799, 48), "broken", "too_many_pixels"),
    lambda: (lambda gif: gif[:6] + b"/*" + gif[8:] + b"*/=1;alert(1)")(saved(image("P"), "GIF")),
    suffix="gif",
)
