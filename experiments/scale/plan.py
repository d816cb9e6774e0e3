"""The tables of docs/scale.md: `python -m experiments.scale.plan`.

What a photo costs a core, and how fast networks embed and train on two cores, is read from benchmarks/results. All that
is said of GPUs is reckoned from `GPU_FLOPS` and `GPU_CORES`, which are assumptions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import results

from tintype.data.validation.splits import digits_for

SCALES = {"35 thousand": 35_000, "1.28 million": 1_281_167, "100 million": 100_000_000}
EPOCHS = {
    "35 thousand": 30,
    "1.28 million": 10,
    "100 million": 1,
}  # each photo is seen less often, the more there are
SPLITS, SHARDS = 3, 2  # kinds of shards: Lab and embeddings
LAB_BYTES = 256 * 256 * 3
EMBEDDING_BYTES = 1000 * 2
TRAIN_BATCH = 16  # crops in a step of `benchmarks.training precision --network imagenet`

# Assumed of a machine with an H100.
GPU_FLOPS = 100e12  # sustained in bfloat16, about an eighth of what its matrix units can do
GPU_CORES = 16  # beside each GPU, each as fast as one here
EMBED_FLOP, TRAIN_FLOP = 24e9, 27e9  # a photo: the backbone at 299 px; a step of the preset `imagenet`


@dataclass(frozen=True)
class Machine:
    """Hours a photo in each kind of work, from milliseconds of one core and operations of a network."""

    cores: int
    gpus: int

    def hours(self, core_ms: float, flop: float = 0.0, rate: float = 0.0) -> float:
        """Of one photo: on GPUs cores and network work side by side, without one they share the cores."""
        cores = core_ms / 1e3 / self.cores
        if self.gpus:
            return max(cores, flop / (GPU_FLOPS * self.gpus)) / 3600
        return (cores + (1 / rate if rate else 0)) / 3600


MACHINES = {
    "2 cores": Machine(2, 0),
    "one H100": Machine(GPU_CORES, 1),
    "eight H100": Machine(8 * GPU_CORES, 8),
}


def main() -> None:
    """Print both tables."""
    photo = _table("scale")["photos"]["each"]
    embeds = _table("features")["inception_resnet_v2"]["photos_per_s"]["backbone_alone"]["median"]
    trains = _table("training-precision-imagenet")["steps/s"]["float32"]["median"] * TRAIN_BATCH
    print(_storage(photo["mean_kb"] * 1e3))
    print()
    print(_hours(photo, embeds, trains))


def _table(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((results.RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return dict(content["table"])


def _storage(photo_bytes: float) -> str:
    lines = [
        "| photos | on disk | Lab at 256 px | embeddings | `bucket_digits` | shards | photos in one that trains |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, photos in SCALES.items():
        digits = digits_for(photos)
        shards = SPLITS * SHARDS * 16**digits
        sizes = (_bytes(photos * each) for each in (photo_bytes, LAB_BYTES, EMBEDDING_BYTES))
        lines.append(
            f"| {name} | {' | '.join(sizes)} | {digits} | {shards:,} | {0.9 * photos / 16**digits:,.0f} |"
        )
    return "\n".join(lines)


def _hours(core_ms: dict[str, Any], embeds: float, trains: float) -> str:
    # What is paid a photo, once or in each epoch; decoding and Lab run on cores, no matter where the network runs.
    work: dict[str, Callable[[Machine], float]] = {
        "fetch": lambda machine: machine.hours(core_ms["fetch_ms"] * machine.cores),  # it runs on one
        "validate": lambda machine: machine.hours(core_ms["validate_ms"]),
        "lab": lambda machine: machine.hours(core_ms["lab_ms"]),
        "embed": lambda machine: machine.hours(core_ms["embed_input_ms"], EMBED_FLOP, embeds),
        "an epoch": lambda machine: machine.hours(0.0, TRAIN_FLOP, trains),
    }
    lines = [
        "| photos | machine | " + " | ".join(work) + " | all, epochs |",
        "|---|---|" + "---:|" * (len(work) + 1),
    ]
    for name, photos in SCALES.items():
        for title, machine in MACHINES.items():
            hours = {part: hours_a_photo(machine) * photos for part, hours_a_photo in work.items()}
            whole = sum(hours.values()) + (EPOCHS[name] - 1) * hours["an epoch"]
            shown = " | ".join(_time(value) for value in hours.values())
            lines.append(f"| {name} | {title} | {shown} | {_time(whole)}, {EPOCHS[name]} |")
    return "\n".join(lines)


def _time(hours: float) -> str:
    if hours < 1 / 60:
        return f"{hours * 3600:.0f} s"
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return (
        f"{hours:.1f} h"
        if hours < 10
        else f"{hours:,.0f} h"
        if hours < 24 * 30
        else f"{hours / 24:,.0f} days"
    )


def _bytes(count: float) -> str:
    for unit in ("MB", "GB", "TB"):
        count /= 1e6 if unit == "MB" else 1e3
        if count < 1000:
            break
    return f"{count:.3g} {unit}"


if __name__ == "__main__":
    main()
