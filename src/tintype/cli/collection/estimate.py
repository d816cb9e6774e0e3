"""What a call would take, from the photos' headers and a short measurement: `--dry-run`.

Time around the network is proportional to pixels. It is measured here and now on a small picture made up for it, since
machines differ. The network's own share and the memory are constants that were measured once, with the fusion network
of 128 pixels on 2 cores of an EPYC with the OpenVINO backend: a GPU is faster, a wider network slower.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tintype.cli.collection.headers import Header, read_header, shows_colours
from tintype.cli.collection.plan import Job, Options
from tintype.cli.collection.resume import Decision
from tintype.cli.collection.run import IN_FLIGHT, IN_FLIGHT_PIXELS
from tintype.cli.collection.summary import say_left_out
from tintype.cli.console import counted, print_error, print_line
from tintype.formats.photo import encode_photo, read_photo
from tintype.imaging.inputs import network_inputs
from tintype.imaging.merge import merge

LOAD_SECONDS = 7.0
NETWORK_SECONDS = 0.05  # a photo, in batches of 8
BASE_BYTES = 600_000_000  # of the program with network and backend; with TensorFlow 900 MB
PIXEL_BYTES = 12  # in flight; 11 of a JPEG of 189 megapixels, 8 where several are in flight
_SIDE = 1000  # pixels of the picture that is measured on


@dataclass(frozen=True)
class Work:
    """Photos by their headers.

    Attributes
    ----------
    photos : int
        That can be coloured.
    pixels, bytes : int
        Of all of them.
    in_flight : int
        The most pixels that will be in memory at a time.
    formats : dict
        Photos of each format.
    """

    photos: int
    pixels: int
    bytes: int
    in_flight: int
    formats: dict[str, int]


def work_of(headers: Sequence[Header]) -> Work:
    """Add up headers."""
    sizes = sorted((header.pixels for header in headers), reverse=True)
    in_flight = max(min(sum(sizes[:IN_FLIGHT]), IN_FLIGHT_PIXELS), *sizes[:1], 0)
    formats = dict(Counter(header.format for header in headers).most_common())
    return Work(len(headers), sum(sizes), sum(header.bytes for header in headers), in_flight, formats)


def seconds_of(work: Work, seconds_per_megapixel: float) -> float:
    """How long it takes from start to end, the network loaded and each processor busy."""
    around = work.pixels / 1e6 * seconds_per_megapixel / len(os.sched_getaffinity(0))
    return LOAD_SECONDS + work.photos * NETWORK_SECONDS + around


def bytes_of(work: Work) -> int:
    """The most memory that it takes."""
    return BASE_BYTES + work.in_flight * PIXEL_BYTES


def measure() -> float:
    """Seconds of one processor that a megapixel takes here, everything but the network."""
    y, x = np.mgrid[:_SIDE, :_SIDE]
    picture = np.dstack([(x * y) % 251, (x + y) % 253, (x - y) % 255]).astype(np.uint8)
    content = encode_photo(picture, "JPEG")
    ab = np.full((32, 32, 2), 10, np.float32)  # gray would be quicker
    start = time.thread_time()
    photo = read_photo(content)
    network_inputs(photo.pixels, 128, 224)
    encode_photo(merge(photo.pixels, ab)[0], "JPEG", like=photo)
    return (time.thread_time() - start) * 1e6 / _SIDE**2


def say_estimate(decision: Decision, options: Options) -> int:
    """Say what a call would do and take.

    Returns
    -------
    int
        Exit code: 0, or 1 if photos can be seen to fail.
    """
    good, failing = _look(decision.todo, options)
    work = work_of([header for _, header in good])
    if work.photos:
        formats = ", ".join(f"{count:,} {name}" for name, count in work.formats.items())
        print_line(
            f"{counted(work.photos, 'photo')} would be coloured: {work.pixels / 1e6:,.1f} megapixels, "
            f"{work.bytes / 1e6:,.1f} MB, {formats}."
        )
        print_line(
            f"Estimate: {_span(seconds_of(work, measure()))} and {bytes_of(work) / 1e9:.1f} GB of memory on "
            f"{counted(len(os.sched_getaffinity(0)), 'processor')}, by the files' headers and a short measurement; "
            "the network's share is a typical one."
        )
    else:
        print_line("Nothing would be coloured.")
    if decision.replaced:
        print_line(f"{counted(decision.replaced, 'result')} would be replaced (--force).")
    if decision.retried:
        print_line(f"{counted(decision.retried, 'photo')} failed before and would be tried again.")
    for job in _in_colour(good, options):
        would = "would stay as they are" if options.keep_colour else "would be replaced (see --keep-colour)"
        print_error(f"note: {job.source}: Has colours of its own, which {would}.")
    for job, reason in failing:
        print_error(f"would fail: {job.source}: {reason}")
    for job in decision.foreign:
        print_error(f"in the way: {next(path for path in job.outputs if path.exists())}")
    if decision.foreign:
        print_error("Nothing would be begun: use --force to replace, or --skip-existing to leave out.")
    say_left_out(decision)
    return 1 if failing or decision.foreign or decision.stale else 0


def _look(jobs: Sequence[Job], options: Options) -> tuple[list[tuple[Job, Header]], list[tuple[Job, str]]]:
    """Headers of the photos that can be coloured, and why others cannot, as far as headers tell."""
    with ThreadPoolExecutor() as readers:
        pairs = list(zip(jobs, readers.map(lambda job: read_header(job.source), jobs), strict=True))
    limits = options.limits
    good, failing = [], []
    for job, header in pairs:
        if header is None:
            failing.append((job, "Its header cannot be read."))
        elif header.pixels > limits.pixels:
            failing.append(
                (job, f"Has {header.pixels / 1e6:.1f} megapixels, of at most {limits.pixels / 1e6:g}.")
            )
        elif header.bytes > limits.bytes:
            failing.append((job, f"Has {header.bytes / 1e6:.1f} MB, of at most {limits.bytes / 1e6:g}."))
        else:
            good.append((job, header))
    return good, failing


def _in_colour(photos: Sequence[tuple[Job, Header]], options: Options) -> list[Job]:
    """Those that have colours of their own."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as readers:  # each may hold a photo
        found = readers.map(lambda pair: shows_colours(pair[0].source, pair[1], options), photos)
        return [job for (job, _), colours in zip(photos, found, strict=True) if colours]


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
