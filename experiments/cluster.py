"""What Ray costs: the stage `embed` by engine `ray` against engine `local`, on the same cores of one machine.

Both make all shards of the same photos into an empty folder, in turn, round after round; the bytes are compared.
The clock starts when the backbone is loaded, here or in the worker; what comes before is measured apart. Beside the
time stands the processor time of the processes at work, Ray's servers among them, which a busy machine disturbs less.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from benchmarks import results

from tintype.cluster.buckets import run_on_cluster
from tintype.cluster.connect import connected
from tintype.data.tensors.plan import plan_shards
from tintype.files.digest import sha256_of
from tintype.imaging.finding import find_photos
from tintype.models.backbone.embedder import choice_for
from tintype.models.backbone.weights import add_ir, make_backbone
from tintype.params import CropsParams, load_params
from tintype.stages.embedding import Embedding


def main() -> None:
    """Measure and write benchmarks/results/cluster.json."""
    wishes = _arguments()
    params = load_params()
    cores = len(os.sched_getaffinity(0))
    crops = CropsParams(per_photo=wishes.crops, min_side_share=params.crops.min_side_share)
    with tempfile.TemporaryDirectory() as scratch:
        backbone = Path(scratch) / "backbone"
        make_backbone(params.weights, backbone)
        add_ir(backbone)
        table = _manifest(wishes.photos, wishes.count, wishes.bucket_photos)
        plans = plan_shards(table, crops)
        chosen = choice_for(backbone, params.embed.precision)
        embedding = Embedding(wishes.photos.absolute(), backbone, Path(scratch) / "none", crops, params.embed)
        begun = time.perf_counter()
        with connected(None, cpus=cores) as ray:
            started = time.perf_counter() - begun
            local = partial(_local, embedding, plans, chosen, cores)
            on_ray = partial(_on_ray, ray, embedding, plans, chosen)
            figures = results.paired(
                {"local": partial(_rate, local, len(table)), "ray": partial(_rate, on_ray, len(table))},
                wishes.rounds,
            )
    written = {
        "photos": len(table),
        "crops": sum(plan.rows for plan in plans),
        "buckets": len(plans),
        "cores": cores,
        "same_bytes": len(_SEEN) == 1,
        "start_of_ray_s": round(started, 1),
        "local_photos_per_s": results.spread(figures["local"]),
        "ray_photos_per_s": results.spread(figures["ray"]),
        "ray_time_over_local": results.ratio(figures["local"], figures["ray"]),
        "ray_cpu_over_local": results.ratio(_CPU["ray"], _CPU["local"]),
        "worker_ready_s": results.spread(_BIRTHS),
    }
    results.write("cluster", written, results.command_line("experiments.cluster"), wishes.results)
    print(results.show(written))


_SEEN: set[str] = set()  # digests of all shards of a run
_CPU: dict[str, list[float]] = {"local": [], "ray": []}  # seconds of all processes
_BIRTHS: list[float] = []  # seconds until the worker had its backbone


def _rate(make: Any, photos: int) -> float:
    """Photos a second of one run into an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = make(Path(folder))
        digest = hashlib.sha256()
        for path in sorted(Path(folder).rglob("*.npy")):
            digest.update(f"{path.relative_to(folder)} {sha256_of(path)}\n".encode())
    _SEEN.add(digest.hexdigest())
    return photos / seconds


def _local(embedding: Embedding, plans: list[Any], chosen: Any, cores: int, folder: Path) -> float:
    work = _into(embedding, folder).worker(chosen, cores)  # loads the backbone
    cpu = time.process_time()
    seconds = results.seconds_of(lambda: work(plans))
    _CPU["local"].append(time.process_time() - cpu)
    return seconds


def _on_ray(ray: Any, embedding: Embedding, plans: list[Any], chosen: Any, folder: Path) -> float:
    with tempfile.TemporaryDirectory() as aside:
        note = Path(aside) / "note"
        begun, cpu = time.time(), _cpu_of_ray()
        run_on_cluster(
            ray,
            partial(_noted, partial(_into(embedding, folder).worker, chosen), note),
            plans,
            weight=lambda plan: len(plan.photos),
            what="embed",
            whole_nodes=True,
        )
        ended, cpu = time.time(), _cpu_of_ray() - cpu
        notes = [tuple(map(float, line.split())) for line in note.read_text().splitlines()]
    (ready, cpu_ready), (_, cpu_ended) = notes[0], notes[-1]
    _CPU["ray"].append(cpu_ended - cpu_ready + cpu)
    _BIRTHS.append(ready - begun)
    return ended - ready


def _noted(make: Any, note: Path, cpus: int) -> Any:
    """Makes a worker ready; writes down the time and its own processor time then and after every handful."""
    work = make(cpus)

    def write() -> None:
        with note.open("a") as file:
            file.write(f"{time.time()} {time.process_time()}\n")

    def noted(plans: Any) -> Any:
        made = work(plans)
        write()
        return made

    write()
    return noted


def _cpu_of_ray() -> float:
    """Processor seconds of this process and of Ray's servers; workers count for themselves."""
    me = psutil.Process()
    servers = [child for child in me.children(recursive=True) if child.name() in ("raylet", "gcs_server")]
    return sum(process.cpu_times().user + process.cpu_times().system for process in [me, *servers])


def _into(embedding: Embedding, folder: Path) -> Embedding:
    return Embedding(embedding.photos, embedding.backbone, folder, embedding.crops, embedding.embed)


def _manifest(photos: Path, count: int, bucket_photos: int) -> pd.DataFrame:
    """Photos dealt out by their hashes as `validate` does it, into buckets of about the size given."""
    paths = find_photos(photos)[:count]
    if len(paths) < count:
        sys.exit(f"error: Expected {count} photos in {photos}. Received: {len(paths)}.")
    table = pd.DataFrame({"path": [path.relative_to(photos).as_posix() for path in paths]})
    table["content_hash"] = [sha256_of(path) for path in paths]
    buckets = max(1, round(count / bucket_photos))
    table["bucket"] = [f"{int(digest[:8], 16) % buckets:x}" for digest in table["content_hash"]]
    return table.assign(split="train")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--photos", type=Path, default=Path("data/sample"), help="folder of photos (data/sample)"
    )
    parser.add_argument("--count", type=int, default=15, help="how many of them (15)")
    parser.add_argument("--crops", type=int, default=1, help="crops of each (1)")
    parser.add_argument("--bucket-photos", type=int, default=25, help="photos in a bucket, about (25)")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of runs (5)")
    parser.add_argument("--results", type=Path, default=results.RESULTS, help="folder of cluster.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
