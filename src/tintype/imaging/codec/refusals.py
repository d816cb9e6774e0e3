"""Limits that a file's header already breaks, as errors."""

from __future__ import annotations

from tintype.imaging.limits import Limits
from tintype.imaging.photo_error import PhotoError


def refuse_scans(scans: int, limits: Limits, name: str) -> None:
    """Refuse a JPEG file that asks for too many passes."""
    if scans > limits.scans:
        raise PhotoError(
            f"Expected at most {limits.scans} scans in the JPEG file {name}. Received: {scans}. "
            "Save it again in an image editor.",
            "too_slow",
        )


def refuse_pixels(size: tuple[int, int], limits: Limits, name: str) -> None:
    """Refuse a picture of too many pixels."""
    width, height = size
    if width * height > limits.pixels:
        raise PhotoError(
            f"Expected at most {limits.pixels / 1e6:.0f} megapixels in {name}. "
            f"Received: {width} x {height}, {width * height / 1e6:.0f} megapixels.",
            "too_many_pixels",
        )


def refuse_frames(frames: int, limits: Limits, name: str) -> None:
    """Refuse a file of too many pictures."""
    if frames > limits.frames:
        raise PhotoError(
            f"Expected at most {limits.frames} pictures in {name}, but it has more. Give it a single one.",
            "too_many_frames",
        )


def refuse_bytes(size: int, limits: Limits, name: str) -> None:
    """Refuse a file of too many bytes."""
    if size > limits.bytes:
        raise PhotoError(
            f"Expected at most {limits.bytes / 1e6:.0f} MB in {name}. Received: {size / 1e6:.1f} MB.",
            "too_many_bytes",
        )
