"""Following the served-version file: the version that it names is loaded beside the one that answers, and takes over.

A version that cannot be loaded or fails its smoke test is reported in the log, at `/model_info` and to Prometheus, and
the version before goes on answering. It is not tried again until the file has named another one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tintype.errors import TintypeError
from tintype.serving.metrics import Metrics
from tintype.serving.model.served_version_file import ServedVersion, ServedVersionError, read_served_version

_EVERY = 0.5  # seconds between two looks
_log = logging.getLogger("bentoml.tintype")


class Follower:
    """A thread that keeps a worker at the version that the file names.

    Parameters
    ----------
    file : Path
        The version.
    serve : callable
        Loads the model of a tag, tries it and lets it take over; raises if it is not fit to.
    """

    def __init__(self, file: Path, serve: Callable[[str], None], metrics: Metrics) -> None:
        self._file = file
        self._serve = serve
        self._metrics = metrics
        self._stop = threading.Event()
        self._last_sentence = ""
        self.served = ""  # tag of the model that answers
        self.wanted = ""  # tag that the file names
        self.error = ""  # why they differ, or why the alias' newest version is not the one wanted

    def begin(self) -> None:
        """Serve what the file names, or the newest before it that is fit to, and follow it from then on.

        Raises
        ------
        TintypeError
            If none is.
        """
        version = read_served_version(self._file)
        self._begin_with(version)
        self.wanted, self.error = version.model, self.error or version.error
        self._tell_metrics()
        threading.Thread(target=self._follow, name="following", daemon=True).start()

    def close(self) -> None:
        """Follow no longer."""
        self._stop.set()

    def _begin_with(self, version: ServedVersion) -> None:
        if not any(self._takes_over(tag) for tag in (version.model, *version.before)):
            raise ServedVersionError(
                f"Expected a version that can be served in {self._file}. Received: none. {self.error}"
            )

    def _follow(self) -> None:
        while not self._stop.wait(_EVERY):
            try:
                version = read_served_version(self._file)
            except ServedVersionError as error:
                self._tell(str(error))
                continue
            if version.model != self.wanted:
                self._move_to(version.model)
            if version.model == self.served:
                self.error = version.error
            self._tell_metrics()

    def _move_to(self, tag: str) -> None:
        self.wanted = tag
        if tag == self.served:  # back, after one that was not fit
            self.error = ""
            return
        _log.info("Loading %s beside %s.", tag, self.served)
        self._tell_metrics()
        start, before = time.monotonic(), self.served
        if self._takes_over(tag):
            _log.info("%s answers now instead of %s, after %.1f s.", tag, before, time.monotonic() - start)
            self.error = ""
            self._metrics.swaps.labels("ok").inc()

    def _takes_over(self, tag: str) -> bool:
        try:
            self._serve(tag)
        except TintypeError as error:
            sentence = str(error)
        except Exception as error:  # a foreign network may raise anything; the one that answers must go on
            _log.exception("%s cannot be loaded.", tag)
            sentence = f"{type(error).__name__}: {error}"
        else:
            self.served = tag
            return True
        self.error = f"{tag} is not taken into service: {sentence}"
        self._metrics.swaps.labels("failed").inc()
        self._tell(self.error)
        return False

    def _tell(self, sentence: str) -> None:
        """Say it in the log, once."""
        if sentence != self._last_sentence:
            self._last_sentence = sentence
            _log.error("%s", sentence)

    def _tell_metrics(self) -> None:
        self._metrics.behind.set(0 if self.served == self.wanted and not self.error else 1)
        try:
            self._metrics.look_age.set(max(0.0, time.time() - self._file.stat().st_mtime))
        except OSError as error:
            self._tell(f"Expected to read {self._file}. Received: {error.strerror}.")
