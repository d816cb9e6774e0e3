"""The file that names the version with which a service answers that follows an alias.

`tintype serve --follow` writes it, whole or not at all, and every worker process looks at it. It names a model in
BentoML's store, so that workers need no registry, no network and no package for either.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ValidationError

from tintype.errors import TintypeError
from tintype.files.atomic import write_json

_KEPT = 3  # versions before, newest first: a worker that starts when the newest is damaged takes the next


class ServedVersionError(TintypeError):
    """The file of the served version cannot be read."""


class ServedVersion(BaseModel, frozen=True, extra="forbid"):
    """The content of the file."""

    model: str  # tag in BentoML's store
    before: tuple[str, ...] = ()  # tags that it named earlier, the last one first
    error: str = ""  # why the newest version of the alias is another one: it could not be fetched

    def moved_to(self, model: str) -> ServedVersion:
        """The same with another model, and this one among those before."""
        before = dict.fromkeys(tag for tag in (self.model, *self.before) if tag != model)
        return ServedVersion(model=model, before=tuple(before)[:_KEPT])


def read_served_version(file: Path) -> ServedVersion:
    """Read the file.

    Raises
    ------
    ServedVersionError
        If it is missing or not of this form.
    """
    try:
        return ServedVersion.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ServedVersionError(
            f"Expected the followed version's name in {file}. Received: {error.strerror}. Start `tintype serve "
            "--follow` anew, which writes it."
        ) from None
    except ValidationError as error:
        raise ServedVersionError(
            f"Expected the followed version's name in {file}. Received: {error.errors()[0]['msg']}. Start `tintype "
            "serve --follow` anew, which writes it."
        ) from None


def write_served_version(file: Path, version: ServedVersion) -> None:
    """Replace the file in one step.

    Parameters
    ----------
    file : Path
        Its folder is made if need be.
    """
    write_json(file, version.model_dump(mode="json"))


def touch(file: Path) -> None:
    """Note that the alias was looked at just now, and that the file is right."""
    os.utime(file)
