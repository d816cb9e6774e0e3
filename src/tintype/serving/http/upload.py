"""From a request to a photo's file and the client's options, under a limit and a clock; nothing is decoded here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from tintype.engine.photo_job import PhotoOptions
from tintype.imaging.reading.sniff import sniff
from tintype.serving.http.contract import read_options
from tintype.serving.http.errors import ClientGone, Refusal, too_large
from tintype.serving.http.form import Form, bad_form

_FRAMING = 64 * 1024  # bytes that a form may add to the photo: boundaries, headers, options
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
    options : PhotoOptions
        From form and query.
    """

    content: bytes
    file_name: str
    options: PhotoOptions


async def read_upload(request: Request, most: int, seconds: float, hold: Callable[[int], None]) -> Upload:
    """Read a photo sent as a form's field `photo` or as the whole body.

    A raw body is recognized by its own bytes, not by its Content-Type, so that ``curl --data-binary @photo.jpg``, which
    claims to send a form, works.

    Parameters
    ----------
    most : int
        Bytes that the file may have.
    seconds : float
        For the whole body to arrive.
    hold : callable
        Told the number of bytes so far; may refuse them.

    Raises
    ------
    Refusal
        400 for a wrong form or option, 408, 413, 415 for bytes that are no photo.
    ClientGone
        If the client hangs up.
    """
    query = request.query_params.multi_items()
    read_options(query)  # wrong ones are refused before the body is read
    content_type = request.headers.get("content-type", "")
    if _media_type(content_type) == _FORM:
        form = Form(content_type, most)
        async for chunk in _chunks(request, most, seconds, hold):
            form.write(chunk)
        content, file_name, given = form.finish(), form.file_name, form.options
    else:
        content, file_name, given = await _raw(request, most, seconds, hold), "", []
    _refuse_what_is_no_photo(content, content_type)
    return Upload(content, file_name, read_options([*query, *given]))


async def _raw(request: Request, most: int, seconds: float, hold: Callable[[int], None]) -> bytes:
    content = bytearray()
    async for chunk in _chunks(request, most, seconds, hold):
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


def refuse_announced(request: Request, most: int) -> None:
    """Refuse a body whose announced length is too large: nothing of it is read."""
    if announced(request) > most + _FRAMING:
        raise too_large(most)


def announced(request: Request) -> int:
    """The body's length as the client says it, 0 if it does not."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


async def _chunks(
    request: Request, most: int, seconds: float, hold: Callable[[int], None]
) -> AsyncIterator[bytes]:
    """The body as it comes in.

    Parameters
    ----------
    most : int
        Bytes that a photo's file may have. The body may have a little more, for a form.
    seconds : float
        For the whole body to arrive.
    hold : callable
        Told the number of bytes so far; may refuse them.

    Raises
    ------
    Refusal
        413 as soon as it is known to be too large, by its announced length or on the way; 408 if it takes too long.
    ClientGone
        If the client hangs up.
    """
    refuse_announced(request, most)
    received = 0
    body = request.stream()
    end = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            async with asyncio.timeout_at(end):
                chunk = await anext(body, None)
        except TimeoutError:
            raise Refusal(
                "too_slow_upload",
                f"Expected the whole request within {seconds:g} seconds. Received {received} bytes. Send it again.",
            ) from None
        except ClientDisconnect:
            raise ClientGone from None
        if chunk is None:
            return
        received += len(chunk)
        if received > most + _FRAMING:
            raise too_large(most)
        hold(received)
        yield chunk
