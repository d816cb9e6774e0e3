"""What is answered when there is no photo to answer: JSON with a code for programs and a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse

from tintype.imaging.limits import PhotoError
from tintype.serving.errors import ERRORS

RETRY_SECONDS = 2


class Refusal(Exception):  # noqa: N818 - an answer, and no error of the program
    """A request that is not done.

    Parameters
    ----------
    code : str
        For programs; one of `ERRORS`, which knows its status.
    message : str
        A sentence for people: what was expected, what came, what to do.
    headers : mapping of str to str, optional
        To send along.
    """

    def __init__(self, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = ERRORS[code][0]
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
    return Refusal(code, message, {"Retry-After": str(RETRY_SECONDS)})


def refusal_of(error: PhotoError) -> Refusal:
    """The refusal of a photo that cannot be read or written; what is not told apart is a broken photo, 422."""
    code = error.code if error.code in ERRORS else "broken"
    return Refusal(code, str(error))
