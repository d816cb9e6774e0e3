"""How long a person waits: from the start to the first coloured photo, and for one photo of 12 megapixels.

Run it as `python -m benchmarks.serving`, on an otherwise quiet machine. Cases that are compared take turns. Where a
folder with DDColor is named (benchmarks/ddcolor.py says how to get it), it takes turns with ours. Beside the clock's
seconds are the processors', which other work on the machine changes less.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.clients import Clients
from benchmarks.one_photo import Ours, Theirs, photo_of
from benchmarks.service import service
from benchmarks.serving_bundles import inception_bundle, without_ir
from tintype.models.starter import starter_bundle

PHOTO = results.ROOT / "data/sample/coffee.jpg"
TINTYPE = Path(sys.executable).with_name("tintype")


def main() -> None:
    """Measure what is asked for and write benchmarks/results/serving.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each case")
    parser.add_argument("--megapixels", type=float, default=12.0, help="of the one photo")
    parser.add_argument("--only", choices=["start", "photo"], help="leave out the rest")
    parser.add_argument(
        "--quick", action="store_true", help="once each, without what takes minutes: no Keras"
    )
    parser.add_argument("--inception", type=Path, help="folder that keeps the bundle with InceptionResNetV2")
    parser.add_argument("--ddcolor", type=Path, help="DDColor's environment, with the folder source in it")
    parser.add_argument("--results", type=Path, default=results.RESULTS, help="folder for the figures")
    given = parser.parse_args()
    table: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if given.only != "photo":
            table["start_seconds"] = starts(scratch, 0 if given.quick else given.rounds)
        if given.only != "start":
            bundles = {"efficientnet_lite0": starter_bundle()}
            if not given.quick:
                bundles["inception_resnet_v2"] = inception_bundle(given.inception or scratch / "inception")
            photo = photo_of(PHOTO, given.megapixels, scratch / "photo.jpg")
            table["photo_seconds"] = photos(bundles, photo, 1 if given.quick else given.rounds, given.ddcolor)
    sys.stdout.write(results.show(table) + "\n")
    path = results.write("serving", table, results.command_line("benchmarks.serving"), given.results)
    sys.stdout.write(f"\nWritten to {path}\n")


def starts(scratch: Path, rounds: int) -> dict[str, Any]:
    """Seconds from the start of a process, by case; with 0 rounds once, and without Keras."""
    with_ir, without = starter_bundle(), without_ir(starter_bundle(), scratch / "without")
    cases = {
        "help": lambda: results.seconds_of(lambda: _run(TINTYPE, "--help")),
        "command": lambda: _command(with_ir, scratch),
    }
    if not rounds:
        return {name: results.spread([case()]) for name, case in cases.items()}
    by_keras = {
        "service": lambda: _service(with_ir),
        "command_by_keras": lambda: _command(without, scratch),
        "service_by_keras": lambda: _service(without),
    }
    for case in (cases | by_keras).values():
        case()  # files come from the disk only once
    processor: dict[str, list[float]] = {name: [] for name in cases | by_keras}
    measured = {name: _with_processor(case, processor[name]) for name, case in (cases | by_keras).items()}
    seconds = results.paired(measured, rounds)
    return {name: results.spread(values) for name, values in seconds.items()} | {
        "processor": {name: results.spread(values) for name, values in processor.items()},
        "command_ratio": results.ratio(seconds["command_by_keras"], seconds["command"]),
        "service_ratio": results.ratio(seconds["service_by_keras"], seconds["service"]),
    }


def _run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), check=True, capture_output=True)


def _with_processor(case: Callable[[], float], processor: list[float]) -> Callable[[], float]:
    """A case that also notes the processors' seconds of the processes that it waits for."""

    def measured() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = case()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return seconds

    return measured


def _command(bundle: Path, scratch: Path) -> float:
    output = scratch / "coloured.jpg"
    command = [TINTYPE, "colorize", PHOTO, "--output", output, "--model", bundle, "--force"]
    return results.seconds_of(lambda: _run(*command))


def _service(bundle: Path) -> float:
    """From the start of the server to the first coloured photo; stopping it is not counted."""
    begun = time.perf_counter()
    with service({"TINTYPE_BUNDLE": str(bundle)}) as running:
        asyncio.run(Clients(running.port, [PHOTO.read_bytes()]).run(1, lambda sent: sent < 1))
        return time.perf_counter() - begun


def photos(bundles: dict[str, Path], photo: Path, rounds: int, ddcolor: Path | None) -> dict[str, Any]:
    """Seconds of one photo, JPEG to JPEG, in a process that is warm."""
    with ExitStack() as stack:
        ours = {name: Ours(bundle, photo) for name, bundle in bundles.items()}
        cases = {name: timed.colour for name, timed in ours.items()}
        if ddcolor is not None:
            theirs = stack.enter_context(Theirs(ddcolor, photo))
            cases["ddcolor_tiny"] = theirs.colour
        seconds = results.paired(cases, rounds)
    table: dict[str, Any] = {name: results.spread(values) for name, values in seconds.items()}
    processor = {name: timed.processor for name, timed in ours.items()}
    if ddcolor is not None:
        processor["ddcolor_tiny"] = theirs.processor
    table["processor"] = {name: results.spread(values) for name, values in processor.items()}
    for name, timed in ours.items():
        table[f"{name}_by_step"] = {step: results.spread(values) for step, values in timed.steps.items()}
    if ddcolor is not None:
        table["ddcolor_tiny_network"] = results.spread(theirs.network)
        for name in ours:
            table[f"ddcolor_tiny_to_{name}"] = results.ratio(seconds["ddcolor_tiny"], seconds[name])
            table["processor"][f"ddcolor_tiny_to_{name}"] = results.ratio(
                processor["ddcolor_tiny"], processor[name]
            )
    return table


if __name__ == "__main__":
    main()
