"""What can be set from outside, all of it through the environment: `TINTYPE_...`.

Every value has a default that serves. A wrong one is refused with a sentence at the start, before anything is loaded.
Variables that are not known are left alone: Kubernetes sets `TINTYPE_PORT` and others by itself for a service of this
name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from tintype.errors import TintypeError
from tintype.imaging.limits import MEGA, SERVICE, Limits

PREFIX = "TINTYPE_"
_ORIGIN = re.compile(r"https?://[^/\s,*]+")


class SettingsError(TintypeError):
    """A setting cannot be used."""


def _split(value: Any) -> Any:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


class Settings(BaseModel, frozen=True, extra="forbid"):
    """The service's settings, by their names in the environment without `TINTYPE_`, in lower case."""

    bundle: Path | None = None  # a bundle's folder, instead of the packed model
    model: str = ""  # tag of the packed model
    follow: str = ""  # address of the alias that is followed, as given to `tintype serve --follow`
    # File that names the version to answer with; `tintype serve --follow` writes it.
    pointer: Path | None = None
    api_key: SecretStr | None = None  # if set, /colorize and /metrics ask for it
    backend: Literal["openvino", "tensorflow"] | None = None  # Keras' backend
    workers: int = Field(1, ge=1, le=64)  # processes, each with its own model
    threads: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)), ge=1, le=256
    )  # for decoding etc.
    queue: int = Field(32, ge=1, le=10_000)  # photos inside at once, for each worker
    max_megabytes: float = Field(SERVICE.bytes / MEGA, gt=0, le=2_000)  # of one file
    max_megapixels: float = Field(SERVICE.pixels / MEGA, gt=0, le=2_000)  # of one photo
    read_seconds: float = Field(60.0, gt=0, le=3_600)  # for a request's body to arrive
    decode_seconds: float = Field(SERVICE.seconds, gt=0, le=3_600)  # processor time for one photo
    send_seconds: float = Field(60.0, gt=0, le=3_600)  # for an answer to be taken
    cors_origins: Annotated[
        tuple[str, ...], BeforeValidator(_split)
    ] = ()  # pages of other origins that may ask
    monitor_dir: Path | None = None  # if set, every answer is measured, and the figures are written there
    monitor_photos: float = Field(0.0, ge=0, le=1)  # share of photos of which small copies are kept there
    monitor_megabytes: float = Field(100.0, gt=0, le=100_000)  # a day and worker, and as much again of copies
    monitor_days: int = Field(90, ge=1, le=10_000)  # that what the service wrote there is kept

    @field_validator("bundle")
    @classmethod
    def _is_folder(cls, bundle: Path | None) -> Path | None:
        if bundle is not None and not bundle.is_dir():
            raise ValueError("expected the folder of a bundle, but there is none")
        return bundle

    @model_validator(mode="after")
    def _is_started_to_follow(self) -> Settings:
        # A Bento is one version. A person who sets this expects it to change, and must not wait in vain.
        if self.follow and self.pointer is None:
            raise ValueError(
                "expected a service that follows an alias to be started by `tintype serve --follow`"
            )
        return self

    @field_validator("api_key")
    @classmethod
    def _is_sendable(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not re.fullmatch(r"[\x21-\x7e]{8,}", key.get_secret_value()):
            raise ValueError("expected at least 8 characters of ASCII without spaces")
        return key

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"expected '*' or origins such as https://example.org, not {origin!r}")
        return origins

    @property
    def limits(self) -> Limits:
        """What one photo may cost."""
        return Limits(
            bytes=int(self.max_megabytes * MEGA),
            pixels=int(self.max_megapixels * MEGA),
            seconds=self.decode_seconds,
        )


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from an environment.

    Parameters
    ----------
    environ : mapping of str to str
        Such as `os.environ`. An empty value is taken as not set.

    Raises
    ------
    SettingsError
        If a value cannot be used; the message names each variable. A secret's value is never shown.
    """
    given = {name: environ.get(PREFIX + name.upper(), "").strip() for name in Settings.model_fields}
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        raise SettingsError(" ".join(_sentence(fault, given) for fault in error.errors())) from None


def _sentence(fault: Any, given: Mapping[str, str]) -> str:
    name = str(fault["loc"][0]) if fault["loc"] else "follow"
    received = "a value that is not shown" if name == "api_key" else repr(given[name])
    reason = fault["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{PREFIX}{name.upper()}: {reason[:1].upper()}{reason[1:]}. Received: {received}."
