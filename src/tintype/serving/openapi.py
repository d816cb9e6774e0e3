"""The service's contract as OpenAPI 3, kept by hand: tests hold it to what the running service does."""

from __future__ import annotations

from typing import Any

from tintype.imaging.limits import MEGA
from tintype.serving.errors import ERRORS
from tintype.serving.options import FORMATS, MAX_SATURATION, METADATA
from tintype.serving.settings import Settings

_VERSION = "1"  # of this contract
_COLORIZE_ERRORS = (400, 401, 408, 413, 415, 422, 503)


def openapi(settings: Settings) -> dict[str, Any]:
    """The contract.

    Parameters
    ----------
    settings : Settings
        Whether a key is asked for, and the limits.

    Returns
    -------
    dict
        Ready for JSON.
    """
    keyed = settings.api_key is not None
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Tintype",
            "version": _VERSION,
            "description": "Black-and-white photo in, coloured photo out. "
            "The colours are a plausible guess and no record; lightness is the photo's own.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/colorize": {"post": _colorize(settings, keyed)},
            "/model_info": {"get": _get("Which model this is and what it was made from", _JSON, 503)},
            "/livez": {"get": _get("Whether the process lives", _TEXT)},
            "/readyz": {"get": _get("Whether photos are taken now: model loaded and warm", _TEXT, 503)},
            "/metrics": {
                "get": _get("Figures for Prometheus", _TEXT, *((401,) if keyed else ())) | _security(keyed)
            },
        },
        "components": {
            "schemas": {"Error": _ERROR},
            "responses": {str(status): _error(status) for status in sorted({*_COLORIZE_ERRORS})},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            },
        },
    }


_ERROR = {
    "type": "object",
    "required": ["error", "message"],
    "additionalProperties": False,
    "properties": {
        "error": {"type": "string", "description": "For programs."},
        "message": {"type": "string", "description": "For people, in whole sentences."},
    },
}
_JSON = {"application/json": {"schema": {"type": "object"}}}
_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_OPTIONS: dict[str, dict[str, Any]] = {
    "saturation": {
        "description": "Factor on the colours: 0 is gray, 1 as the model sees it.",
        "schema": {"type": "number", "minimum": 0, "maximum": MAX_SATURATION, "default": 1},
        "example": 1.2,
    },
    "format": {
        "description": "Of the answer; without it the photo's own, as far as it can be written.",
        "schema": {"type": "string", "enum": list(FORMATS)},
        "example": "png",
    },
    "metadata": {
        "description": "What the answer keeps of EXIF, comments and place: nothing, all but the place, or all. "
        "Resolution is always kept.",
        "schema": {"type": "string", "enum": list(METADATA), "default": "strip"},
        "example": "no-gps",
    },
}


def _colorize(settings: Settings, keyed: bool) -> dict[str, Any]:
    statuses = [status for status in _COLORIZE_ERRORS if keyed or status != 401]
    limits = settings.limits
    return {
        "summary": "Colour a photo",
        "operationId": "colorize",
        "description": f"JPEG, PNG, TIFF, WebP and more, told from the bytes, of at most {limits.bytes / MEGA:g} MB "
        f"and {limits.pixels / MEGA:g} megapixels. An option goes into the query or the form, not both.",
        "parameters": [{"name": name, "in": "query", **option} for name, option in _OPTIONS.items()],
        "requestBody": {"required": True, "content": _bodies()},
        "responses": {
            "200": _PHOTO,
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses},
        },
        **_security(keyed),
    }


def _bodies() -> dict[str, Any]:
    file = {"type": "string", "format": "binary"}
    form = {
        "type": "object",
        "required": ["photo"],
        "additionalProperties": False,
        "properties": {
            "photo": {**file, "description": "The file."},
            **{
                name: {**option["schema"], "description": option["description"]}
                for name, option in _OPTIONS.items()
            },
        },
    }
    return {
        "multipart/form-data": {"schema": form, "encoding": {"photo": {"contentType": "image/*"}}},
        "image/*": {"schema": file},
        "application/octet-stream": {"schema": file},
    }


def _header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


_PHOTO = {
    "description": "The coloured photo, upright, as large as it came.",
    "headers": {
        "Content-Disposition": _header("A name for the file.", 'inline; filename="street-colour.jpg"'),
        "X-Tintype-Model": _header("Name and version.", "tintype/3"),
        "X-Tintype-Bundle": _header("SHA-256 of the model's files.", "1a8b4bf73d0f3a05..."),
        "X-Tintype-Run": _header(
            "The run that trained it, if it is registered.", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
        ),
        "X-Tintype-Receipt": _header(
            "How far L* (0 to 100) is from the photo's own, on average and at most.",
            "mean_dl=0.12; max_dl=0.90",
        ),
        "X-Tintype-Notes": _header(
            "What was left behind, if anything: sentences in percent-encoded UTF-8.",
            "Has 3 pages; the first was taken.",
        ),
    },
    "content": {f"image/{name}": {"schema": {"type": "string", "format": "binary"}} for name in FORMATS},
}


def _get(summary: str, content: dict[str, Any], *errors: int) -> dict[str, Any]:
    return {
        "summary": summary,
        "responses": {
            "200": {"description": summary, "content": content},
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in errors},
        },
    }


def _error(status: int) -> dict[str, Any]:
    examples = {
        code: {"value": {"error": code, "message": message}}
        for code, (known, message) in ERRORS.items()
        if known == status
    }
    response: dict[str, Any] = {
        "description": _DESCRIPTIONS[status],
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Error"}, "examples": examples}
        },
    }
    if status == 503:
        response["headers"] = {
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "example": 2}
        }
    return response


_DESCRIPTIONS = {
    400: "A wrong form, field or option, or an empty file.",
    401: "The key is missing or wrong.",
    408: "The request did not arrive in time.",
    413: "Too many bytes, pixels or frames.",
    415: "Not a photo, or of a kind that is not read here.",
    422: "A broken photo, one that takes too long to decode, or one that the asked format cannot hold.",
    503: "Not now: as much to do as fits, not yet ready, or about to stop.",
}


def _security(keyed: bool) -> dict[str, Any]:
    return {"security": [{"bearer": []}, {"key": []}]} if keyed else {}
