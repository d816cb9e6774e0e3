"""No reports to anybody: BentoML sends one at every start, every 12 hours and at the end unless it is told not to."""

from __future__ import annotations

import os


def send_none() -> None:
    """Tell BentoML. Its command asks once, before it imports the service, and keeps the answer: make it ask again."""
    from bentoml._internal.utils.analytics import usage_stats

    os.environ["BENTOML_DO_NOT_TRACK"] = "True"  # for the workers too
    usage_stats.do_not_track.cache_clear()
