"""What is answered when there is no photo to answer: JSON with a code for programs and a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse

from tintype.imaging.limits import MEGA, PhotoError

RETRY_SECONDS = 2
# Every code that an error may have, with its status and an example of its sentence.
ERRORS: dict[str, tuple[int, str]] = {
    "bad_form": (400, "Expected a file in the form's field 'photo'. Received: no such field."),
    "bad_request": (400, "Expected a request that can be understood. Received another."),
    "bad_option": (400, "Expected saturation to be a number from 0 to 2. Received: '3'."),
    "empty": (400, "Expected a photo. Received: nothing. Send the file as the field 'photo' or raw."),
    "unauthorized": (401, "Expected this service's key as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'."),
    "not_found": (404, "Expected one of this service's paths; they are listed in /docs."),
    "method_not_allowed": (405, "Expected POST. Received: GET."),
    "too_slow_upload": (
        408,
        "Expected the whole request within 60 seconds. Received 512 bytes. Send it again.",
    ),
    "too_many_bytes": (413, "Expected a file of at most 64 MB. Received more. Send a smaller one."),
    "too_many_pixels": (413, "Expected at most 50 megapixels. Received: 20000 x 20000, 400 megapixels."),
    "too_many_frames": (413, "Expected at most 1000 frames. Received more."),
    "too_much_memory": (413, "Expected a photo that fits into this service's memory. Received a larger one."),
    "unknown_format": (
        415,
        "Expected a photo, such as JPEG, PNG, TIFF or WebP. Received bytes that are none.",
    ),
    "unsupported": (415, "Expected whole numbers as pixels. Received: floating point."),
    "broken": (422, "Expected a whole photo, but it cannot be decoded: image file is truncated."),
    "too_slow": (422, "Expected a photo that is decoded within 10 seconds. Received one that takes longer."),
    "not_writable": (
        422,
        "Expected a photo that WebP can hold. Received: 20000 x 100 pixels; it holds 16383.",
    ),
    "internal_error": (500, "Something went wrong that should not have."),
    "overloaded": (503, "Expected room for one more photo. Received it while 32 are being worked on."),
    "not_ready": (503, "Expected a loaded model. It is being loaded. Try again soon."),
    "stopping": (503, "Expected a running service. This one is about to stop. Try again soon."),
}


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


class ClientGone(Exception):  # noqa: N818
    """The client hung up, so no answer is sent."""


def busy(code: str, message: str) -> Refusal:
    """A refusal for now: 503, with the advice to come again."""
    return Refusal(code, message, {"Retry-After": str(RETRY_SECONDS)})


def refusal_of(error: PhotoError) -> Refusal:
    """The refusal of a photo that cannot be read or written; one without a code of its own is a broken photo, 422."""
    code = error.code if error.code in ERRORS else "broken"
    return Refusal(code, str(error))


def too_large(most: int) -> Refusal:
    """The refusal of a file of more than `most` bytes."""
    return Refusal(
        "too_many_bytes",
        f"Expected a file of at most {most / MEGA:g} MB. Received more. Send a smaller one.",
    )
