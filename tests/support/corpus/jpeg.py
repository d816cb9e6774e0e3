"""JPEGs that are odd, and right: every one must be coloured at its own size."""

from __future__ import annotations

import base64
import io
import itertools
import struct
from functools import partial
from typing import Any

from PIL import Image, ImageCms

from corpus.case import Cases, good
from corpus.picture import image, saved

case = Cases("jpg")
SOI, APP0, APP1, APP2, APP14, COM = 0xD8, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE


def plain(mode: str = "RGB", **options: Any) -> bytes:
    """The picture as an ordinary JPEG."""
    return saved(image(mode), "JPEG", **({"quality": 90} | options))


def segment(marker: int, content: bytes) -> bytes:
    """A marker with its length and content."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def with_segments(content: bytes, *segments: bytes) -> bytes:
    """The JPEG with these right behind its start."""
    return content[:2] + b"".join(segments) + content[2:]


def exif(orientation: int | None = None, *, thumbnail: bytes = b"", order: str = "<") -> bytes:
    """An EXIF segment of one or two directories, made by hand."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = [(0x0112, 3, orientation)] if orientation is not None else []
    second = 8 + 2 + 12 * len(entries) + 4
    first = struct.pack(order + "H", len(entries))
    for tag, kind, value in entries:
        first += struct.pack(order + "HHIHH", tag, kind, 1, value, 0)
    first += struct.pack(order + "I", second if thumbnail else 0)
    if thumbnail:
        where = second + 2 + 3 * 12 + 4
        first += struct.pack(order + "H", 3)
        for tag, kind, value in ((0x0103, 4, 6), (0x0201, 4, where), (0x0202, 4, len(thumbnail))):
            first += struct.pack(order + "HHII", tag, kind, 1, value)
        first += struct.pack(order + "I", 0) + thumbnail
    return segment(APP1, b"Exif\0\0" + mark + struct.pack(order + "I", 8) + first)


def oriented(orientation: int) -> bytes:
    return with_segments(plain(), exif(orientation, order="<" if orientation % 2 else ">"))


for number in range(1, 9):
    upright = good(64, 48) if number <= 4 else good(48, 64)
    case.add(f"jpeg_orientation_{number}", upright, partial(oriented, number))
for number in (0, 9, 65535):
    case.add(f"jpeg_orientation_{number}", good(), partial(oriented, number))

case.add("jpeg_baseline", good(), plain)
case.add("jpeg_progressive", good(), partial(plain, progressive=True))
case.add("jpeg_gray", good(), partial(plain, "L"))
case.add("jpeg_cmyk", good(), partial(plain, "CMYK"))
case.add("jpeg_rgb_without_ycc", good(), partial(plain, keep_rgb=True))
case.add("jpeg_subsampled_420", good(), partial(plain, subsampling=2))
case.add("jpeg_subsampled_422", good(), partial(plain, subsampling=1))
case.add("jpeg_restart_markers", good(), partial(plain, restart_marker_blocks=1))
case.add("jpeg_quality_1", good(), partial(plain, quality=1))
case.add("jpeg_upper_case_suffix", good(), plain, suffix="JPG")
case.add("jpeg_with_a_png_name", good(), plain, suffix="png")
case.add("jpeg_trailing_zeros", good(), lambda: plain() + bytes(70_000))
case.add("jpeg_trailing_jpeg", good(), lambda: plain() + plain("L"))
case.add("jpeg_fill_bytes_before_markers", good(), lambda: with_segments(plain(), b"\xff" * 500))
case.add("jpeg_icc_not_a_profile", good(), partial(plain, icc_profile=b"not a profile"))
case.add("jpeg_exif_empty", good(), lambda: with_segments(plain(), segment(APP1, b"Exif\0\0")))
case.add(
    "jpeg_exif_garbage",
    good(),
    lambda: with_segments(plain(), segment(APP1, b"Exif\0\0II*\0" + b"\xff" * 99)),
)
case.add("jpeg_exif_twice", good(), lambda: with_segments(plain(), exif(1), exif(1)))
case.add(
    "jpeg_exif_65533_bytes",
    good(48, 64),
    lambda: with_segments(plain(), exif(6, thumbnail=b"\0" * 65_000)),
)
case.add(
    "jpeg_hundred_full_segments",
    good(),
    lambda: with_segments(plain(), *[segment(0xEA, b"\0" * 65_533)] * 100),
)
case.add(
    "jpeg_comment_with_a_script",
    good(),
    lambda: with_segments(plain(), segment(COM, b"<script>alert(1)</script>\0\x1b[2J" * 1000)),
)
case.add(
    "jpeg_density_of_zero", good(), lambda: plain().replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\1\0\0\0\0")
)


@case(good())
def jpeg_ycck() -> bytes:
    # Photoshop's kind: the Adobe segment says that three of the four inks are kept as luma and chroma
    return plain("CMYK").replace(b"Adobe\0d\0\0\0\0\0", b"Adobe\0d\0\0\0\0\2")


@case(good(48, 64))
def jpeg_exif_thumbnail() -> bytes:
    small = saved(image("RGB", 16, 12), "JPEG")
    return with_segments(plain(), exif(6, thumbnail=small))


@case(good())
def jpeg_exif_directory_that_points_at_itself() -> bytes:
    entry = struct.pack("<HHHII", 1, 0x8769, 4, 1, 8)  # its sub-directory is itself, and so is the next one
    return with_segments(plain(), segment(APP1, b"Exif\0\0II*\0\x08\0\0\0" + entry + struct.pack("<I", 8)))


@case(good())
def jpeg_exif_of_four_thousand_million_values() -> bytes:
    entry = struct.pack("<HHHII", 1, 0x010F, 2, 0xFFFFFFFF, 8)
    return with_segments(plain(), segment(APP1, b"Exif\0\0II*\0\x08\0\0\0" + entry + bytes(4)))


@case(good())
def jpeg_multi_picture() -> bytes:
    """What phones write: a second picture behind the first."""
    return saved(image(), "MPO", save_all=True, append_images=[image("RGB", 32, 24)])


@case(good())
def jpeg_multi_picture_with_lying_offsets() -> bytes:
    content = bytearray(jpeg_multi_picture())
    at = content.index(b"MPF\0") + 4
    content[at + 60 : at + 80] = b"\xff" * 20
    return bytes(content)


@case(good())
def jpeg_icc_of_a_printer() -> bytes:
    """A Lab profile, which cannot be that of an RGB photo."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return plain(icc_profile=profile[:24] + bytes(12) + profile[36:])  # without the time of its making


@case(good())
def jpeg_icc_with_a_part_missing() -> bytes:
    return with_segments(plain(), segment(APP2, b"ICC_PROFILE\0\x01\xff" + bytes(128)))


@case(good())
def jpeg_xmp_of_a_thousand_million_laughs() -> bytes:
    names = "abcdefghij"
    lines = "".join(f'<!ENTITY {n} "{f"&{m};" * 10}">' for m, n in itertools.pairwise(names))
    xmp = f'<!DOCTYPE x [<!ENTITY a "ha">{lines}]><x:xmpmeta xmlns:x="adobe:ns:meta/">&j;</x:xmpmeta>'
    return with_segments(plain(), segment(APP1, b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()))


@case(good())
def jpeg_xmp_that_asks_for_a_file() -> bytes:
    xmp = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&f;</x:xmpmeta>'
    return with_segments(plain(), segment(APP1, b"http://ns.adobe.com/xap/1.0/\0" + xmp))


@case(good())
def jpeg_iptc_garbage() -> bytes:
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\xff\xff\xff\xff" + b"\x1c\x02\x78\xff\xff" * 10
    return with_segments(plain(), segment(0xED, block))


@case(good())
def jpeg_arithmetic() -> bytes:
    return base64.b64decode(ARITHMETIC)


@case(good())
def jpeg_arithmetic_progressive() -> bytes:
    return base64.b64decode(ARITHMETIC_PROGRESSIVE)


@case(good())
def jpeg_two_quantisation_tables_of_16_bits() -> bytes:
    """A table written with 16 bits where 8 would do."""
    content = plain("L")
    at = content.index(b"\xff\xdb")
    length = struct.unpack(">H", content[at + 2 : at + 4])[0]
    table = content[at + 5 : at + 2 + length]
    wide = b"".join(bytes([0, value]) for value in table[:64])
    return content[:at] + segment(0xDB, b"\x10" + wide) + content[at + 2 + length :]


def reopened(content: bytes) -> Any:
    """Pillow's view of a file of ours."""
    return Image.open(io.BytesIO(content))


# jpegtran (libjpeg-turbo 2.1.5) made these of the picture at quality 40: Pillow reads arithmetic coding, and does not
# write it.
ARITHMETIC = """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7
gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8
fHx8fHx8fHz/yQARCAAwAEADASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/AHgeqAx37SgcFQqR5wJQIw7y9F2S
LpXybTGy5I7Ox/8AJZujka7CowkfxFI+YT93LI/uj1lKpzf2L7hPnvmIddR3JSn7szu0HIU177mm6VqA+6kjRrNrSuzi+0ryVgt2
yxSw7gWnv7XTjoejBXA7vxfcP4RmH9aBud3W0cfhoQeOBnlS30Mf/tYTfOAlEUsXstezBHgLShj2WHefhd+8S9KFJS04IrgF6zKu
xJlAkQszN3xo/9k=
"""
ARITHMETIC_PROGRESSIVE = """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7
gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8
fHx8fHx8fHz/ygARCAAwAEADASIAAhEBAxEB/8wABgAQARD/2gAMAwEAAhADEAAAAf7w4x09KOovrFBvnw3Nl1bFyFJ6nXq1cGW4
4FXhMkpK0D+hfyvs34QdjKCu8v/MAAQQBf/aAAgBAQABBQKWEwQ2IujMWo9MA7BgyLsBA6r/zAAEEQX/2gAIAQMBAT8BEGBrzf36
ueaUEP/MAAQRBf/aAAgBAgEBPwGAxbTXJQZNB1ZQvo9dTKw0NEnAIP/MAAQQBf/aAAgBAQAGPwKo/8wABBAF/9oACAEBAAE/Id9T
iDIQT6E0ahmUoQo/rTPvdr4hQP/aAAwDAQACAAMAAAAQzczUpWo8SqRZ/8wABBEF/9oACAEDAQE/EM2JKOytr9Oo/8wABBEF/9oA
CAECAQE/EMtIAL/A5SgpsdxtGP/MAAQQBf/aAAgBAQABPxB5QF4ZOosXoRzMLwyhCgJ85VR2YpkxjT//2Q==
"""
