"""The page's files."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PAGE = Path(__file__).parent / "page"


class PageFiles(StaticFiles):
    """Static files that browsers keep but ask after, so that page and scripts always fit each other."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        if "\0" in path:
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response
