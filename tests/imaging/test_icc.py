"""Profiles of curves and a matrix with 16 bits, against values worked out from the standards they come from."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms
from skimage.color import lab2rgb

from tintype.formats.photo import read_photo
from tintype.imaging.reading.icc import ProfileError, is_srgb, parse_profile, to_srgb16
from tintype.imaging.reading.srgb import srgb_profile

# xy of the primaries: Adobe RGB (1998), 4.3.1; SMPTE EG 432-1; IEC 61966-2-1. All have white D65.
PRIMARIES = {
    "adobe": [(0.64, 0.33), (0.21, 0.71), (0.15, 0.06)],
    "p3": [(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)],
    "srgb": [(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)],
}
WHITE = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D50 = np.array([0.9642, 1, 0.8249])


def to_xyz(space: str) -> NDArray[np.float64]:
    """From linear RGB to XYZ under D65 (SMPTE RP 177)."""
    xyz = np.array([[x / y, 1, (1 - x - y) / y] for x, y in PRIMARIES[space]]).T
    return xyz * np.linalg.solve(xyz, WHITE)


def srgb_curve(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def expected(rgb: NDArray[np.float64], space: str, gamma: float | None) -> NDArray[np.float64]:
    """By way of XYZ under D65, in which no adaptation is needed. Without a gamma, sRGB's own curve."""
    standard = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = rgb**gamma if gamma else standard
    return srgb_curve(linear @ to_xyz(space).T @ np.linalg.inv(to_xyz("srgb")).T)


def fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def curve(gamma: float) -> bytes:
    return b"curv" + struct.pack(">4xIHxx", 1, round(gamma * 256))


SRGB_PARA = b"para" + struct.pack(">4xHH", 3, 0) + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of version 4 by hand."""
    header = bytearray(128)
    struct.pack_into(">4s4s4s", header, 12, b"mntr", space, b"XYZ ")
    header[8:12], header[36:40], header[68:80] = b"\x04\x20\0\0", b"acsp", fixed(*D50)
    table, data, at = b"", b"", 132 + 12 * len(tags)
    for name, value in tags.items():
        value += bytes(-len(value) % 4)
        table += struct.pack(">4sII", name, at + len(data), len(value))
        data += value
    whole = bytes(header) + struct.pack(">I", len(tags)) + table + data
    return struct.pack(">I", len(whole)) + whole[4:]


def rgb_profile(space: str, tone: bytes) -> bytes:
    """Colorants adapted to D50 with Bradford's matrix (ICC.1:2022, annex E)."""
    adapt = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / (BRADFORD @ WHITE)) @ BRADFORD
    colorants = adapt @ to_xyz(space)
    tags = {
        name: b"XYZ " + bytes(4) + fixed(*colorants[:, index])
        for index, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))
    }
    return profile(
        b"RGB ",
        {**tags, b"rTRC": tone, b"gTRC": tone, b"bTRC": tone, b"wtpt": b"XYZ " + bytes(4) + fixed(*D50)},
    )


ADOBE, P3 = rgb_profile("adobe", curve(563 / 256)), rgb_profile("p3", SRGB_PARA)
GRAY22 = profile(b"GRAY", {b"kTRC": curve(2.2), b"wtpt": b"XYZ " + bytes(4) + fixed(*D50)})


def inside(pixels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where no channel is cut off, for beyond the gamut there is more than one right answer."""
    return ((pixels > 0.01) & (pixels < 0.99)).all(axis=-1)


@pytest.fixture
def colours() -> NDArray[np.float64]:
    return np.random.default_rng(3).uniform(0.1, 0.9, (64, 80, 3))


@pytest.mark.parametrize(("content", "space", "gamma"), [(ADOBE, "adobe", 563 / 256), (P3, "p3", None)])
def test_sixteen_bits_to_a_few_levels(
    colours: NDArray[np.float64], content: bytes, space: str, gamma: float | None
) -> None:
    pixels = np.rint(colours * 65535).astype(np.uint16)
    want = expected(pixels / 65535, space, gamma)
    assert np.abs(want - pixels / 65535).max() > 0.05  # the profile matters
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, photometric="rgb", iccprofile=content)
    photo = read_photo(stream.getvalue())
    assert photo.pixels.dtype == np.uint16
    assert photo.notes == ()
    error = np.abs(photo.pixels - want * 65535)[inside(want)]
    assert len(error) > 2000
    assert error.max() < 40  # of 65535; colorants in a profile have 16 bits after the point


@pytest.mark.parametrize(("content", "space", "gamma"), [(ADOBE, "adobe", 563 / 256), (P3, "p3", None)])
def test_eight_bits_to_a_level(
    colours: NDArray[np.float64], content: bytes, space: str, gamma: float | None
) -> None:
    pixels = np.rint(colours * 255).astype(np.uint8)
    want = expected(pixels / 255, space, gamma)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", icc_profile=content)
    error = np.abs(read_photo(stream.getvalue()).pixels - want * 255)[inside(want)]
    assert error.max() < 1.6


def test_gray_with_a_gamma_in_both_depths() -> None:
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    stream, shallow = io.BytesIO(), io.BytesIO()
    tifffile.imwrite(stream, ramp, photometric="minisblack", iccprofile=GRAY22)
    want = srgb_curve((ramp / 65535) ** 2.2) * 65535
    deep = read_photo(stream.getvalue()).pixels
    assert np.abs(deep[..., 1] - want).max() < 30
    assert len(np.unique(deep)) > 50_000
    Image.fromarray((ramp >> 8).astype(np.uint8)).save(shallow, "PNG", icc_profile=GRAY22)
    want8 = srgb_curve(((ramp >> 8) / 255) ** 2.2) * 255
    assert np.abs(read_photo(shallow.getvalue()).rgb8[..., 1] - want8).max() < 1.6
    assert np.abs(want8 - (ramp >> 8)).max() > 3  # the profile matters


def test_gray_with_opacity_and_a_profile() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    stream = io.BytesIO()
    Image.fromarray(np.dstack([ramp, ramp[::-1]]), "LA").save(stream, "PNG", icc_profile=GRAY22)
    photo = read_photo(stream.getvalue())
    assert np.abs(photo.rgb8[..., 0] - srgb_curve((ramp / 255) ** 2.2) * 255).max() < 1.6
    np.testing.assert_array_equal(photo.alpha, ramp[::-1])


@pytest.mark.parametrize("tone", [SRGB_PARA, None])
def test_srgb_itself_changes_nothing(tone: bytes | None) -> None:
    content = rgb_profile("srgb", tone) if tone else srgb_profile()
    parsed = parse_profile(content)
    assert is_srgb(parsed)
    pixels = np.random.default_rng(1).integers(0, 65536, (9, 7, 3)).astype(np.uint16)
    np.testing.assert_array_equal(to_srgb16(pixels.copy(), parsed), pixels)
    assert not is_srgb(parse_profile(ADOBE))
    assert not is_srgb(parse_profile(P3))


def test_grays_stay_gray() -> None:
    ramp = np.repeat(np.linspace(0, 65535, 999).astype(np.uint16).reshape(27, 37, 1), 3, axis=-1)
    converted = to_srgb16(ramp.copy(), parse_profile(P3)).astype(int)
    assert np.ptp(converted, axis=-1).max() <= 20
    assert np.abs(converted - ramp).max() <= 25  # P3 has sRGB's own curve


@pytest.mark.parametrize(
    ("parameters", "reference"),
    [
        ((0, [2.0]), lambda x: x**2),
        ((1, [2.0, 0.5, 0.25]), lambda x: (0.5 * x + 0.25) ** 2),
        ((2, [2.0, 0.5, 0.25, 0.125]), lambda x: (0.5 * x + 0.25) ** 2 + 0.125),
        (
            (4, [2.0, 0.5, 0.25, 0.5, 0.5, 0.125, 0.0625]),
            lambda x: np.where(x >= 0.5, (x / 2 + 0.25) ** 2 + 0.125, x / 2 + 0.0625),
        ),
    ],
)
def test_parametric_curves(parameters: tuple[int, list[float]], reference) -> None:
    function, values = parameters
    tone = b"para" + struct.pack(">4xHH", function, 0) + fixed(*values)
    x = np.linspace(0, 1, 65536)
    np.testing.assert_allclose(
        parse_profile(profile(b"GRAY", {b"kTRC": tone})).curves[0], reference(x), atol=1e-6
    )


def test_sampled_curves() -> None:
    tone = b"curv" + struct.pack(">4xI3H", 3, 0, 10_000, 65535)
    found = parse_profile(profile(b"GRAY", {b"kTRC": tone})).curves[0]
    assert found[0] == 0
    assert found[-1] == 1
    assert found[16384] == pytest.approx(5_000 / 65535, abs=1e-5)
    identity = parse_profile(profile(b"GRAY", {b"kTRC": b"curv" + bytes(8)})).curves[0]
    np.testing.assert_allclose(identity, np.linspace(0, 1, 65536), atol=1e-7)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a profile" * 20,
        ADOBE[:200],
        ADOBE[:-40],
        profile(b"CMYK", {}),
        profile(b"RGB ", {b"A2B0": b"mft2"}),
        profile(b"GRAY", {b"kTRC": b"curv" + struct.pack(">4xI", 4_000_000_000)}),
        profile(b"GRAY", {b"kTRC": b"para" + struct.pack(">4xHH", 9, 0)}),
        profile(b"GRAY", {b"kTRC": b"what" + bytes(8)}),
    ],
)
def test_broken_and_other_profiles_are_refused(content: bytes) -> None:
    with pytest.raises(ProfileError):
        parse_profile(content)


def test_a_broken_profile_costs_a_deep_photo_nothing() -> None:
    pixels = np.random.default_rng(1).integers(0, 65536, (9, 7, 3)).astype(np.uint16)
    for content in (b"not a profile" * 20, GRAY22):  # the second one is not for colours
        stream = io.BytesIO()
        tifffile.imwrite(stream, pixels, photometric="rgb", iccprofile=content)
        np.testing.assert_array_equal(read_photo(stream.getvalue()).pixels, pixels)


def test_a_cmyk_profile_is_taken_into_account() -> None:
    """Four inks whose profile says that they are all the same gray: only a profile could say that."""
    lab = [
        (round(652.8 * (100 - 20 * (c + m + y + k))), 0x8000, 0x8000) for c, m, y, k in np.ndindex(2, 2, 2, 2)
    ]
    values = [value for corner in lab for value in corner]
    table = struct.pack(">4s4xBBBx9iHH", b"mft2", 4, 3, 2, 65536, 0, 0, 0, 65536, 0, 0, 0, 65536, 2, 2)
    table += struct.pack(">8H48H6H", *[0, 65535] * 4, *values, *[0, 65535] * 3)
    content = bytearray(profile(b"CMYK", {b"A2B0": table}))
    content[8:12], content[12:16], content[20:24] = b"\x02\x40\0\0", b"prtr", b"Lab "
    ImageCms.ImageCmsProfile(io.BytesIO(bytes(content)))
    stream = io.BytesIO()
    Image.new("CMYK", (32, 32), (255, 0, 0, 0)).save(stream, "JPEG", icc_profile=bytes(content), quality=100)
    want = 255 * lab2rgb(np.array([[[80.0, 0, 0]]]))[0, 0]
    assert np.abs(read_photo(stream.getvalue()).rgb8[16, 16] - want).max() < 3
