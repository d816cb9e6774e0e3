"""From a request to a photo's file and the client's options; nothing is decoded here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from tintype.imaging.reading.sniff import sniff
from tintype.serving.body import chunks, too_large
from tintype.serving.form import Form, bad_form
from tintype.serving.options import Options, read_options
from tintype.serving.responses import Refusal

_FORM = "multipart/form-data"
_URLENCODED = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Upload:
    """What a client sent.

    Attributes
    ----------
    content : bytes
        The photo's file.
    file_name : str
        As the client's form calls it, unchecked; empty if it does not.
    options : Options
        From form and query.
    """

    content: bytes
    file_name: str
    options: Options


async def read_upload(request: Request, most: int, seconds: float, hold: Callable[[int], None]) -> Upload:
    """Read a photo sent as a form's field `photo` or as the whole body.

    A raw body is told from its own bytes: its Content-Type is not looked at, so that
    ``curl --data-binary @photo.jpg``, which claims to send a form, works.

    Parameters
    ----------
    request : Request
    most : int
        Bytes that the file may have.
    seconds : float
        For the whole body to arrive.
    hold : callable
        Told the number of bytes so far; may refuse them.

    Returns
    -------
    Upload

    Raises
    ------
    Refusal
        400 for a wrong form or option, 408, 413, 415 for bytes that are no photo.
    Gone
        If the client hangs up.
    """
    query = request.query_params.multi_items()
    read_options(query)  # wrong ones are told before the body is read
    content_type = request.headers.get("content-type", "")
    if _media_type(content_type) == _FORM:
        form = Form(content_type, most)
        async for chunk in chunks(request, most, seconds, hold):
            form.write(chunk)
        content, file_name, given = form.finish(), form.file_name, form.options
    else:
        content, file_name, given = await _raw(request, most, seconds, hold), "", []
    _refuse_what_is_no_photo(content, content_type)
    return Upload(content, file_name, read_options([*query, *given]))


async def _raw(request: Request, most: int, seconds: float, hold: Callable[[int], None]) -> bytes:
    content = bytearray()
    async for chunk in chunks(request, most, seconds, hold):
        content += chunk
        if len(content) > most:
            raise too_large(most)
    return bytes(content)


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _refuse_what_is_no_photo(content: bytes, content_type: str) -> None:
    if not content:
        raise Refusal(
            "empty", "Expected a photo. Received: nothing. Send the file as the field 'photo' or raw."
        )
    if sniff(content) is not None:
        return
    if _media_type(content_type) == _URLENCODED:
        raise bad_form(
            "Expected a photo as multipart/form-data or as the raw body. Received: a URL-encoded form. "
            "Send the file itself: curl -F photo=@photo.jpg"
        )
    raise Refusal(
        "unknown_format",
        "Expected a photo, such as JPEG, PNG, TIFF or WebP. Received bytes that are none of the formats known here.",
    )
