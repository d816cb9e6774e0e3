"""What must be known of a backbone to use it: the content of backbone.json."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tintype.errors import TintypeError

NETWORK_FILE = "backbone.keras"
SPEC_FILE = "backbone.json"
IR_FILE, CONSTANTS_FILE = "backbone.xml", "backbone.bin"
DESCRIPTION_FILE = "openvino.json"  # of the IR

Origin = Literal["embedded", "imagenet", "file", "random"]


class BackboneError(TintypeError):
    """The backbone cannot be built, loaded or used."""


class BackboneSpec(BaseModel):
    """A backbone's preprocessing and where it came from.

    Its input is `(gray - offset) / scale`, with gray in 0..255 as R = G = B.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    input_size: Annotated[int, Field(ge=1)]  # pixels; side of the square
    offset: float
    scale: Annotated[float, Field(gt=0)]
    embedding_size: Annotated[int, Field(ge=1)]
    origin: Origin
    origin_detail: str  # a URL, a file's name or a seed
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]  # of backbone.keras
    licence: str


class IrDescription(BaseModel):
    """What a backbone's IR was made of: the content of openvino.json, the same on every machine."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    openvino: str  # the version that wrote it
    network_sha256: str  # of backbone.keras
    files: dict[str, str]  # SHA-256 of each


def read_spec(folder: Path) -> BackboneSpec:
    """Read a backbone folder's backbone.json.

    Parameters
    ----------
    folder : Path
        As made by the stage `weights`.

    Raises
    ------
    BackboneError
        If the file is missing or does not hold exactly the fields of a `BackboneSpec`.
    """
    path = folder / SPEC_FILE
    try:
        return BackboneSpec.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BackboneError(
            f"Expected a backbone in {folder}, but {path} cannot be read ({error.strerror}). "
            "Run `dvc repro weights` to make it."
        ) from None
    except ValidationError as error:
        raise BackboneError(f"{path} does not describe a backbone: {problems_of(error)}.") from None


def problems_of(error: ValidationError) -> str:
    """What pydantic found, on one line: `key: what was expected`, separated by semicolons."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'content'}: {problem['msg']}" for problem in error.errors()
    )
