"""A worker killed and the service stopped under load, with a real bundle. `python -m experiments.faults --help`.

The right answers are the service's own, to each photo alone, before anything happens.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.clients import Clients, Shot
from benchmarks.service import Service, service
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).parents[1]
CLIENTS = 16
LEVELS = 2  # of 255; batches of different sizes add up in different orders


def pixels(content: bytes) -> NDArray[np.uint8]:
    """A decoded answer."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def crowd(running: Service, photos: Sequence[bytes], *, ask_first: bool = False) -> Clients:
    """Clients that keep their answers, without JPEG's losses."""
    return Clients(running.port, photos, "?format=png", ask_first=ask_first, keep_bodies=True)


def references(running: Service, photos: Sequence[bytes]) -> list[NDArray[np.uint8]]:
    """The service's answer to each photo alone."""
    shots = asyncio.run(crowd(running, photos).run(1, lambda sent: sent < len(photos)))
    return [pixels(shot.body) for shot in shots]


def verdict(shots: Sequence[Shot], right: Sequence[NDArray[np.uint8]]) -> dict[str, Any]:
    """What came of the shots, and how far the worst answer is from the right one."""
    worst = max(
        int(np.abs(pixels(shot.body).astype(int) - right[shot.photo]).max())
        for shot in shots
        if shot.status == 200
    )
    return {
        "statuses": dict(Counter(str(shot.status) for shot in shots)),
        "worst_difference": worst,
        "none_wrong": worst <= LEVELS,
    }


def kill(settings: dict[str, str], photos: Sequence[bytes], seconds: float) -> dict[str, Any]:
    """Kill one of two workers after a third of the time."""
    with service(settings | {"TINTYPE_WORKERS": "2"}) as running:
        right, victim, start = references(running, photos), running.workers()[0], time.monotonic()
        killed: list[float] = []
        replaced: list[float] = []

        def go_on(_: int) -> bool:
            now = time.monotonic()
            if now - start > seconds / 3 and not killed:
                os.kill(victim, signal.SIGKILL)
                killed.append(now)
            if killed and not replaced and len(set(running.workers()) - {victim}) == 2:
                replaced.append(now)
            return now - start < seconds

        shots = asyncio.run(crowd(running, photos).run(CLIENTS, go_on))
        running.wait(2)
    later = [shot for shot in shots if shot.status == 200 and shot.started > killed[0]]
    return verdict(shots, right) | {
        "replaced_after_s": round(replaced[0] - killed[0], 2) if replaced else None,
        "answered_after_the_kill": len(later),
    }


def stop(settings: dict[str, str], photos: Sequence[bytes], seconds: float) -> dict[str, Any]:
    """Tell the service to stop after the time, while all clients go on."""
    with service(settings) as running:
        right, start = references(running, photos), time.monotonic()
        stopped: list[float] = []

        def go_on(_: int) -> bool:
            if time.monotonic() - start > seconds and not stopped:
                running.process.send_signal(signal.SIGTERM)
                stopped.append(time.monotonic())
            return running.process.poll() is None

        shots = asyncio.run(crowd(running, photos, ask_first=True).run(CLIENTS, go_on))
        ended = time.monotonic() - stopped[0]
    accepted = [shot for shot in shots if shot.accepted]
    return verdict(shots, right) | {
        "accepted": len(accepted),
        "accepted_and_unanswered": sum(shot.status not in (200, 503) for shot in accepted),
        "in_flight_at_the_stop": sum(
            shot.started < stopped[0] < shot.started + shot.seconds for shot in accepted
        ),
        "ended_after_s": round(ended, 2),
        "exit_code": running.process.returncode,
    }


def main() -> None:
    """Measure and print JSON; exit code 1 if a photo was lost or answered wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=ROOT / "models/tintype")
    parser.add_argument("--photos", type=Path, default=ROOT / "data/sample", help="folder of JPEGs")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--backend", choices=["openvino", "tensorflow"])
    options = parser.parse_args()
    photos = [file.read_bytes() for file in sorted(options.photos.glob("*.jpg"))]
    settings = {"TINTYPE_BUNDLE": str(options.bundle.resolve())}
    if options.backend:
        settings["TINTYPE_BACKEND"] = options.backend
    figures = {
        "kill": kill(settings, photos, options.seconds),
        "stop": stop(settings, photos, options.seconds / 3),
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    right = all(part["none_wrong"] for part in figures.values())
    raise SystemExit(0 if right and not figures["stop"]["accepted_and_unanswered"] else 1)


if __name__ == "__main__":
    main()
