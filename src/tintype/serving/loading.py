"""Loading the model while the server already answers `/livez`, and saying when it is ready."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from tintype.errors import TintypeError
from tintype.imaging.provenance import Lineage
from tintype.models.bundle import read_info
from tintype.models.lineage import unregistered_lineage
from tintype.serving.model import ModelError, load_packed
from tintype.serving.pointer import Pointer, read_pointer
from tintype.serving.settings import Settings

_log = logging.getLogger("bentoml.tintype")


def find_model(settings: Settings) -> tuple[Path, Lineage]:
    """The bundle to serve, checked against its checksums; nothing is loaded yet.

    Parameters
    ----------
    settings : Settings
        A pointer wins over a bundle's folder, and that over a packed model.

    Returns
    -------
    bundle : Path
    lineage : Lineage

    Raises
    ------
    BundleError, ModelError, PointerError
        If there is none or it is damaged.
    """
    if settings.pointer is not None:
        return _first_whole(read_pointer(settings.pointer))
    if settings.bundle is not None:
        return settings.bundle, unregistered_lineage(read_info(settings.bundle))
    if settings.model:
        return load_packed(settings.model)
    raise ModelError(
        "Expected a model to serve. Received: none. Run `tintype serve`, or set TINTYPE_BUNDLE to a bundle's folder."
    )


def _first_whole(pointer: Pointer) -> tuple[Path, Lineage]:
    """What a pointer names, or the newest before it that is not damaged."""
    for tag in pointer.before:
        try:
            return load_packed(pointer.model)
        except TintypeError as error:
            _log.error("%s", error)
            pointer = pointer.model_copy(update={"model": tag})
    return load_packed(pointer.model)


def in_background(load: Callable[[], None]) -> None:
    """Run `load` in a thread of its own; if it fails, end this process, whose supervisor starts another.

    Parameters
    ----------
    load : callable
    """

    def run() -> None:
        try:
            load()
        except TintypeError as error:
            _log.error("%s", error)
        except Exception:
            _log.exception("The model cannot be loaded.")
        else:
            return
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=run, name="loading", daemon=True).start()
