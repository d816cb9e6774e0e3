"""The service's contract: what a client may choose, what it is answered, and both as OpenAPI 3.

`ANSWER_FORMATS` and `OPTIONS` are the only places that name formats and options. The check of a request, the form's
fields, content types, file names, OpenAPI and BentoML's schema follow from them. The rest of the OpenAPI document is
kept by hand; tests hold it to what the running service does.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tintype.engine.photo_job import PhotoOptions
from tintype.formats.photo import Photo
from tintype.imaging.limits import MEGA
from tintype.serving.http.errors import ERRORS, Refusal
from tintype.serving.settings import Settings

# Formats of an answer, each one that `tintype.formats` writes. A photo of another format is answered as one of these.
ANSWER_FORMATS = ("jpeg", "png", "tiff", "webp")
_LOSSLESS = {"BMP", "GIF"}  # formats whose photos are answered as PNG


def answer_format(photo: Photo) -> str:
    """The format in which a photo is answered if the client does not choose one."""
    own = photo.format.lower()
    if own in ANSWER_FORMATS:
        return own
    return "png" if photo.format in _LOSSLESS or photo.alpha is not None else "jpeg"


_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Option:
    """What a client may choose, in the query or as a field of the form.

    Attributes
    ----------
    name : str
        As the client calls it.
    field : str
        Of `PhotoOptions`.
    schema : mapping
        In OpenAPI's words: a ``number`` or ``integer`` between ``minimum`` and ``maximum``, a ``boolean``, or a
        ``string`` that is one of ``enum``; with its ``default``, if there is one.
    """

    name: str
    field: str
    schema: Mapping[str, Any]
    description: str
    example: Any

    def read(self, text: str) -> Any:
        """The value that a text gives.

        Raises
        ------
        Refusal
            400, if it gives none.
        """
        boolean = self.schema["type"] == "boolean"
        value = _BOOLEANS.get(text.lower()) if boolean else self._number_or_choice(text)
        if value is None:
            raise _bad_option(f"Expected {self.name} to be {self._expected()}. Received: {text[:50]!r}.")
        return value

    @property
    def parameter(self) -> dict[str, Any]:
        """The option as a parameter of the query, in OpenAPI's words."""
        return {
            "name": self.name,
            "in": "query",
            "description": self.description,
            "schema": dict(self.schema),
            "example": self.example,
        }

    @property
    def annotation(self) -> Any:
        """The option's type, for BentoML."""
        kind = {"number": float, "integer": int, "string": str, "boolean": bool}[self.schema["type"]]
        return Literal[tuple(self.schema["enum"])] if "enum" in self.schema else kind

    def _number_or_choice(self, text: str) -> float | int | str | None:
        if "enum" in self.schema:
            return text.lower() if text.lower() in self.schema["enum"] else None
        try:
            number = int(text) if self.schema["type"] == "integer" else float(text)
        except ValueError:
            number = math.nan
        return (
            number if self.schema["minimum"] <= number <= self.schema["maximum"] else None
        )  # None for nan too

    def _expected(self) -> str:
        if "enum" in self.schema:
            return f"one of {', '.join(self.schema['enum'])}"
        if self.schema["type"] == "boolean":
            return " or ".join(_BOOLEANS)
        kind = "a whole number" if self.schema["type"] == "integer" else "a number"
        return f"{kind} from {self.schema['minimum']:g} to {self.schema['maximum']:g}"


OPTIONS = (
    Option(
        "saturation",
        "saturation",
        {"type": "number", "minimum": 0, "maximum": 2, "default": 1},
        "Factor on the colours: 0 is gray, 1 as the model sees it.",
        1.2,
    ),
    Option(
        "format",
        "file_format",
        {"type": "string", "enum": list(ANSWER_FORMATS)},
        "Of the answer; without it the photo's own, as far as it can be written.",
        "png",
    ),
    Option(
        "metadata",
        "metadata",
        {"type": "string", "enum": ["strip", "no-gps", "keep"], "default": "strip"},
        "What the answer keeps of EXIF, comments and place: nothing, all but the place, or all. "
        "Resolution is always kept.",
        "no-gps",
    ),
    Option(
        "keep_colour",
        "keep_colour",
        {"type": "boolean", "default": False},
        "Whether a photo that has colours of its own is answered as it is. Sepia and other toning are none.",
        True,
    ),
    Option(
        "borders",
        "borders",
        {"type": "boolean", "default": True},
        "Whether a border or mount is looked for. It becomes gray, and the picture inside is coloured as without it.",
        False,
    ),
)
OPTION_NAMES = tuple(option.name for option in OPTIONS)


def read_options(given: Iterable[tuple[str, str]]) -> PhotoOptions:
    """Options from names and values.

    Parameters
    ----------
    given : iterable of (str, str)
        From the query, the form, or both. A value may be in JSON's double quotes, as BentoML's client sends it, and
        an empty one or null is none.

    Raises
    ------
    Refusal
        400 for an unknown option, one given twice or a value that is none.
    """
    texts: dict[str, str] = {}
    for name, text in given:
        if name not in OPTION_NAMES:
            raise _bad_option(f"Expected the options {', '.join(OPTION_NAMES)}. Received: {name[:50]!r}.")
        if name in texts:
            raise _bad_option(f"Expected the option {name} once. Received it twice.")
        texts[name] = text.strip().removeprefix('"').removesuffix('"')
    chosen = {option.field: option.schema["default"] for option in OPTIONS if "default" in option.schema}
    for option in OPTIONS:
        text = texts.get(option.name, "")
        if text not in ("", "null"):
            chosen[option.field] = option.read(text)
    return PhotoOptions(**chosen)


def _bad_option(message: str) -> Refusal:
    return Refusal("bad_option", message)


def signature_with_options(function: Any) -> Any:
    """Give a function the options as parameters in place of ``**options``, for tools that read its signature."""
    signature = inspect.signature(function)
    parameters = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    for option in OPTIONS:
        default = option.schema.get("default")
        annotation = option.annotation if default is not None else option.annotation | None
        parameters.append(
            inspect.Parameter(
                option.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation
            )
        )
    function.__signature__ = signature.replace(parameters=parameters)
    return function


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


def _colorize(settings: Settings, keyed: bool) -> dict[str, Any]:
    statuses = [status for status in _COLORIZE_ERRORS if keyed or status != 401]
    limits = settings.limits
    return {
        "summary": "Colour a photo",
        "operationId": "colorize",
        "description": f"JPEG, PNG, TIFF, WebP and more, told from the bytes, of at most {limits.bytes / MEGA:g} MB "
        f"and {limits.pixels / MEGA:g} megapixels. An option goes into the query or the form, not both.",
        "parameters": [option.parameter for option in OPTIONS],
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
            **{option.name: {**option.schema, "description": option.description} for option in OPTIONS},
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
        "X-Tintype-Own-Colours": _header(
            "What became of colours that the photo had itself, if any: `replaced` or `kept`.", "replaced"
        ),
        "X-Tintype-Inside": _header(
            "What was coloured inside of a border, if one was found: width, height, left and top in pixels.",
            "362x279+33+33",
        ),
        "X-Tintype-Notes": _header(
            "What was left behind, if anything: sentences in percent-encoded UTF-8.",
            "Has 3 pages; the first was taken.",
        ),
    },
    "content": {
        f"image/{name}": {"schema": {"type": "string", "format": "binary"}} for name in ANSWER_FORMATS
    },
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
