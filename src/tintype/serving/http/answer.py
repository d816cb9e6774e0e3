"""A coloured photo as an answer: its headers, and sending it under a clock."""

from __future__ import annotations

import asyncio
import re
from pathlib import PurePosixPath
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tintype.engine.photo_job import RESULT_SUFFIXES
from tintype.imaging.provenance import Lineage
from tintype.serving.http.errors import ClientGone
from tintype.serving.photo_pipeline import ColouredContent

_CHUNK = 256 * 1024


class PhotoAnswer(Response):
    """A photo, sent in pieces: a client that does not take it holds one piece of memory, and not for ever.

    Parameters
    ----------
    lineage : Lineage
        Of the model that coloured it.
    file_name : str
        As the client called the photo, unchecked.
    seconds : float
        For the client to take it.
    """

    def __init__(self, coloured: ColouredContent, lineage: Lineage, file_name: str, seconds: float) -> None:
        super().__init__(
            coloured.content,
            headers=_headers(coloured, lineage, file_name),
            media_type=f"image/{coloured.format}",
        )
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as ASGI has it."""
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        body = memoryview(self.body)
        try:
            async with asyncio.timeout(self._seconds):
                await send(start)
                for at in range(0, len(body), _CHUNK):
                    piece = bytes(body[at : at + _CHUNK])
                    await send(
                        {"type": "http.response.body", "body": piece, "more_body": at + _CHUNK < len(body)}
                    )
        except TimeoutError:
            raise ClientGone from None  # the server closes the connection of an answer that was not finished


def _headers(coloured: ColouredContent, lineage: Lineage, file_name: str) -> dict[str, str]:
    receipt = coloured.receipt
    headers = {
        "Content-Disposition": disposition(file_name, coloured.format),
        "Cache-Control": "no-store",
        "X-Tintype-Model": f"{lineage.name}/{lineage.version or 'unregistered'}",
        "X-Tintype-Bundle": lineage.bundle_sha256,
        "X-Tintype-Receipt": f"mean_dl={receipt.mean_dl:.2f}; max_dl={receipt.max_dl:.2f}",
    }
    if receipt.inside is not None:
        headers["X-Tintype-Inside"] = str(receipt.inside)
    if receipt.own_colours:
        headers["X-Tintype-Own-Colours"] = receipt.own_colours
    if lineage.run_id:
        headers["X-Tintype-Run"] = lineage.run_id
    if coloured.notes:
        headers["X-Tintype-Notes"] = quote(" ".join(coloured.notes), safe=" .,:;()'/")
    return headers


def disposition(file_name: str, file_format: str) -> str:
    """A Content-Disposition whose name is safe whatever the client called its file.

    Parameters
    ----------
    file_name : str
        Anything: paths of any system, control characters, 300 letters.
    file_format : str
        Of the answer.
    """
    stem = PurePosixPath(file_name.replace("\\", "/")).stem
    stem = re.sub(r"[^\w \-.()]", "", stem, flags=re.UNICODE).strip(" .")[:80] or "photo"
    name = f"{stem}-colour{RESULT_SUFFIXES[file_format]}"
    plain = re.sub(r"[^\x20-\x7e]", "_", name)
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name)}"
    return f'inline; filename="{plain}"{extended}'
