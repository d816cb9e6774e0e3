"""The state of one worker process, which its routes share: settings, metrics, capacity, and the model that answers."""

from __future__ import annotations

import logging
import os
import signal
import threading
from pathlib import Path

from tintype.colorize import Colorizer
from tintype.errors import TintypeError
from tintype.imaging.limits import MEGA
from tintype.imaging.provenance import Lineage
from tintype.models.keras_backend import colours_on, own_this_process
from tintype.serving.http.capacity import Capacity
from tintype.serving.http.connections import on_stop
from tintype.serving.http.errors import busy
from tintype.serving.metrics import Metrics
from tintype.serving.model.current import CurrentModel
from tintype.serving.model.follow import Follower
from tintype.serving.model.smoke_test import smoke_test
from tintype.serving.model.store import find_model, load_packed
from tintype.serving.monitor.day_writer import DayWriter
from tintype.serving.monitor.monitor import Monitor
from tintype.serving.photo_pipeline import PhotoPipeline
from tintype.serving.settings import Settings

_log = logging.getLogger("bentoml.tintype")
_LARGEST_AT_ONCE = 4  # photos of the largest size, and twice as many of the largest files
_QUEUE_SECONDS = 60.0


class WorkerState:
    """Opened once in a worker process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        limits = settings.limits
        self.capacity = Capacity(
            settings.queue,
            file_bytes=2 * _LARGEST_AT_ONCE * limits.bytes,
            pixels=_LARGEST_AT_ONCE * limits.pixels,
            observe=self.metrics.photos_inside.set,
        )
        self.monitor = _monitor(settings, self.metrics)
        self.is_draining = False
        self.model = CurrentModel()
        self.follower: Follower | None = None
        if settings.pointer is not None:
            self.follower = Follower(settings.pointer, self._serve_tested, self.metrics)

    def open(self) -> None:
        """Begin to load the model, and listen for the signal to stop."""
        settings = self.settings
        # Time for a body to arrive, for those before it in the queue, and for the answer to be taken.
        on_stop(self._stop, settings.read_seconds + settings.send_seconds + _QUEUE_SECONDS)
        own_this_process()
        threading.Thread(target=self._load_or_stop, name="loading", daemon=True).start()

    @property
    def is_ready(self) -> bool:
        """Whether photos are taken now."""
        return self.model.is_loaded and not self.is_draining

    def check_ready(self) -> None:
        """Whether photos are taken now, as an answer.

        Raises
        ------
        Refusal
            503 while the model is loaded and warmed, and once the service is told to stop.
        """
        if self.is_draining:
            raise busy("stopping", "Expected a running service. This one is about to stop. Try again soon.")
        self.model.check()

    def close(self) -> None:
        """Finish what is under way."""
        if self.follower is not None:
            self.follower.close()
        self.model.close()
        if self.monitor is not None:
            self.monitor.close()

    def _stop(self) -> None:
        self.is_draining = True

    def _load_or_stop(self) -> None:
        """Load the model; if that fails, end this process, whose supervisor starts another."""
        try:
            self._load()
        except TintypeError as error:
            _log.error("%s", error)
        except Exception:
            _log.exception("The model cannot be loaded.")
        else:
            return
        os.kill(os.getpid(), signal.SIGTERM)

    def _load(self) -> None:
        if self.follower is not None:
            self.follower.begin()
        else:
            bundle, lineage = find_model(self.settings)
            self.model.swap(self._pipeline(self._warm(bundle), lineage))

    def _serve_tested(self, tag: str) -> None:
        """Let a model of BentoML's store take over, if it is fit to."""
        bundle, lineage = load_packed(tag)
        colorizer = self._warm(bundle)
        smoke_test(colorizer)
        self.model.swap(self._pipeline(colorizer, lineage))

    def _warm(self, bundle: Path) -> Colorizer:
        colorizer = Colorizer.load(bundle, self.settings.backend or colours_on())
        if colorizer.lacks_ir:
            _log.warning(
                "The bundle is from before bundles had an IR. Keras colours, and takes longer to start."
            )
        colorizer.warm_up()  # or the first clients would wait for the network to be compiled
        return colorizer

    def _pipeline(self, colorizer: Colorizer, lineage: Lineage) -> PhotoPipeline:
        settings = self.settings
        return PhotoPipeline(
            colorizer, lineage, settings.limits, settings.threads, self.metrics, self.monitor
        )


def _monitor(settings: Settings, metrics: Metrics) -> Monitor | None:
    if settings.monitor_dir is None:
        return None
    writer = DayWriter(settings.monitor_dir, int(settings.monitor_megabytes * MEGA), settings.monitor_days)
    return Monitor(writer, metrics.monitor(), settings.limits.pixels, settings.monitor_photos)
