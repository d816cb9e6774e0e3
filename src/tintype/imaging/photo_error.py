"""What is said when a photo cannot be read or written."""

from __future__ import annotations

from tintype.errors import TintypeError


class PhotoError(TintypeError):
    """A photo cannot be read or written.

    Attributes
    ----------
    code : str
        What is wrong, for programs: ``missing``, ``empty``, ``unknown_format``, ``broken``, ``too_many_bytes``,
        ``too_many_pixels``, ``too_many_frames``, ``too_slow``, ``unsupported`` or ``not_writable``.
    """

    def __init__(self, message: str, code: str = "broken") -> None:
        super().__init__(message)
        self.code = code


def reason(error: Exception) -> str:
    """A library's exception as the end of a sentence."""
    return str(error).rstrip(".") or type(error).__name__
