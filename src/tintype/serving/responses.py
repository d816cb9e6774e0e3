"""What is answered when there is no photo to answer: JSON with a code for programs and a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse

from tintype.imaging.photo import PhotoError

RETRY_SECONDS = 2
_STATUS = {  # of a PhotoError's code
    "missing": 400,
    "empty": 400,
    "too_many_bytes": 413,
    "too_many_pixels": 413,
    "too_many_frames": 413,
    "unknown_format": 415,
    "unsupported": 415,
}


class Refusal(Exception):  # noqa: N818 - an answer, and no error of the program
    """A request that is not done.

    Parameters
    ----------
    status : int
        Of HTTP.
    code : str
        For programs.
    message : str
        A sentence for people: what was expected, what came, what to do.
    headers : mapping of str to str, optional
        To send along.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """The answer that says so."""
        return JSONResponse(
            {"error": self.code, "message": self.message}, status_code=self.status, headers=self.headers
        )


class Gone(Exception):  # noqa: N818
    """The client hung up: nobody is there to be answered."""


def busy(code: str, message: str) -> Refusal:
    """A refusal for now: 503, with the advice to come again."""
    return Refusal(503, code, message, {"Retry-After": str(RETRY_SECONDS)})


def refusal_of(error: PhotoError) -> Refusal:
    """The refusal of a photo that cannot be read or written; what is not told apart is a broken photo, 422."""
    return Refusal(_STATUS.get(error.code, 422), error.code, str(error))
