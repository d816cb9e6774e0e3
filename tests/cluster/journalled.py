"""The stage `lab` on a cluster, one bucket at a time and in no hurry, with a journal of who began and ended what.

`python journalled.py RAW MANIFEST OUT JOURNAL`. The buckets' own function is the real one.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tintype.data.tensors.engine import make_shards
from tintype.data.tensors.lab import PhotoCounts, lab_worker
from tintype.data.tensors.plan import ShardPlan, plan_shards
from tintype.data.validation.manifest import read_manifest
from tintype.params import load_params

PAUSE = 0.4  # seconds in the middle of a bucket


def journalling(
    make: Callable[[int], Callable[[Sequence[ShardPlan]], PhotoCounts]], journal: Path, cpus: int
) -> Callable[[Sequence[ShardPlan]], PhotoCounts]:
    import ray

    work, node = make(cpus), ray.get_runtime_context().get_node_id()
    journal.mkdir(exist_ok=True)

    def note(event: str, plan: ShardPlan) -> None:
        with (journal / f"{node}-{os.getpid()}").open("a") as file:
            file.write(f"{time.time():.6f} {event} {node} {plan.name}\n")

    def journalled(plans: Sequence[ShardPlan]) -> PhotoCounts:
        made = PhotoCounts(0, 0)
        for plan in plans:
            note("start", plan)
            time.sleep(PAUSE)
            made += work([plan])
            note("end", plan)
        return made

    return journalled


if __name__ == "__main__":
    raw, manifest, out, journal = (Path(argument).absolute() for argument in sys.argv[1:])
    params = load_params()
    plans = plan_shards(read_manifest(manifest), params.crops)
    make = partial(lab_worker, raw / "photos", out, params.crops, params.lab.size)
    sentence = make_shards(
        "lab",
        plans,
        out,
        params.cluster,
        here=lambda: PhotoCounts(0, 0),
        worker=partial(journalling, make, journal),
        whole_nodes=False,
        largest=0,
    )
    sys.stdout.write(sentence)
