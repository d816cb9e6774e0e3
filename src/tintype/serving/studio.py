"""What the routes of one worker process share: settings, metrics, the house, and who paints once it is loaded."""

from __future__ import annotations

import logging
from pathlib import Path

from tintype.colorize import Colorizer
from tintype.imaging.limits import MEGA
from tintype.imaging.provenance import Lineage
from tintype.models.keras_backend import colours_on
from tintype.serving.admission import House
from tintype.serving.drain import on_stop
from tintype.serving.follow import Follower
from tintype.serving.loading import find_model, in_background
from tintype.serving.metrics import Metrics
from tintype.serving.model import load_packed
from tintype.serving.monitor.day_writer import DayWriter
from tintype.serving.monitor.monitor import Monitor
from tintype.serving.painter import Painter
from tintype.serving.responses import busy
from tintype.serving.settings import Settings
from tintype.serving.shift import Shift
from tintype.serving.trial import try_out

_log = logging.getLogger("bentoml.tintype")
_LARGEST_AT_ONCE = 4  # photos of the largest size, and twice as many of the largest files
_QUEUE_SECONDS = 60.0


class Studio:
    """Opened once in a worker process.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        limits = settings.limits
        self.house = House(
            settings.queue,
            files=2 * _LARGEST_AT_ONCE * limits.bytes,
            pixels=_LARGEST_AT_ONCE * limits.pixels,
            observe=self.metrics.in_house.set,
        )
        self.monitor = _monitor(settings, self.metrics)
        self.draining = False
        self.shift = Shift()
        self.follower: Follower | None = None
        if settings.pointer is not None:
            self.follower = Follower(settings.pointer, self._serve_tried, self.metrics)

    def open(self) -> None:
        """Begin to load the model, and listen for the signal to stop."""
        settings = self.settings
        # Time for a body to arrive, for those before it in the queue, and for the answer to be taken.
        on_stop(self._stop, settings.read_seconds + settings.send_seconds + _QUEUE_SECONDS)
        in_background(self._load)

    @property
    def is_ready(self) -> bool:
        """Whether photos are taken now."""
        return self.shift.is_staffed and not self.draining

    def check_ready(self) -> None:
        """Whether photos are taken now, as an answer.

        Raises
        ------
        Refusal
            503 while the model is loaded and warmed, and once the service is told to stop.
        """
        if self.draining:
            raise busy("stopping", "Expected a running service. This one is about to stop. Try again soon.")
        self.shift.check()

    def close(self) -> None:
        """Finish what is under way."""
        if self.follower is not None:
            self.follower.close()
        self.shift.close()
        if self.monitor is not None:
            self.monitor.close()

    def _stop(self) -> None:
        self.draining = True

    def _load(self) -> None:
        if self.follower is not None:
            self.follower.begin()
        else:
            bundle, lineage = find_model(self.settings)
            self.shift.relieve(self._painter(self._warm(bundle), lineage))

    def _serve_tried(self, tag: str) -> None:
        """Let a model of BentoML's store take over, if it is fit to."""
        bundle, lineage = load_packed(tag)
        colorizer = self._warm(bundle)
        try_out(colorizer)
        self.shift.relieve(self._painter(colorizer, lineage))

    def _warm(self, bundle: Path) -> Colorizer:
        colorizer = Colorizer.load(bundle, self.settings.backend or colours_on())
        if colorizer.lacks_ir:
            _log.warning(
                "The bundle is from before bundles had an IR. Keras colours, and takes longer to start."
            )
        colorizer.warm_up()  # or the first clients would wait for the network to be compiled
        return colorizer

    def _painter(self, colorizer: Colorizer, lineage: Lineage) -> Painter:
        settings = self.settings
        return Painter(colorizer, lineage, settings.limits, settings.threads, self.metrics, self.monitor)


def _monitor(settings: Settings, metrics: Metrics) -> Monitor | None:
    if settings.monitor_dir is None:
        return None
    writer = DayWriter(settings.monitor_dir, int(settings.monitor_megabytes * MEGA), settings.monitor_days)
    return Monitor(writer, metrics.monitor(), settings.limits.pixels, settings.monitor_photos)
