"""Lab tensors: every crop at the network's size, shards in parallel.

A few workers are threads: decoding and arithmetic release Python's lock, and a process takes a second of a core to
start, in which that core makes a hundred photos. Many workers are processes, because Python's own part of the work
runs in one thread at a time.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tintype.data.tensors.crops import lab_crops, one_thread_a_photo
from tintype.data.tensors.plan import PhotoRef, ShardPlan
from tintype.data.tensors.shards import check_room, is_complete, kept_rows, remove_others, write_shard
from tintype.errors import TintypeError
from tintype.files.objects import Folder
from tintype.imaging.inputs import network_lab8
from tintype.params import CropsParams, LabParams

FORMAT = 2  # raise when the same parameters give other bytes than before
# With two workers, photos in threads take half the time of a core that they take in processes, whose start counts.
MOST_THREADS = 4


@dataclass(frozen=True)
class PhotoCounts:
    """How many photos' rows were computed and how many were kept from an earlier run."""

    computed: int
    kept: int

    def __add__(self, other: PhotoCounts) -> PhotoCounts:
        return PhotoCounts(self.computed + other.computed, self.kept + other.kept)


def make_lab(
    plans: Sequence[ShardPlan], photos: Path, folder: Folder, crops: CropsParams, lab: LabParams
) -> PhotoCounts:
    """Bring the Lab shards in `folder` up to date with the plans.

    Parameters
    ----------
    plans : sequence of ShardPlan
        All shards.
    photos : Path
        Folder that the plans' paths start from.
    folder : Path or ObjectFolder
        The shards' folder. Shards there that are still right are kept, others replaced or removed.
    crops, lab : CropsParams, LabParams
        The stage's parameters.

    Returns
    -------
    PhotoCounts
        Over all shards.

    Raises
    ------
    TintypeError
        If a photo cannot be read any more, or a worker process died.
    """
    remove_others(folder, plans)
    check_room("lab", folder, plans, (lab.size, lab.size, 3), np.uint8)
    workers = min(lab.workers or os.cpu_count() or 1, len(plans))
    total = PhotoCounts(0, 0)
    with (
        tqdm(
            total=sum(len(plan.photos) for plan in plans), desc="lab", unit=" photos", disable=None
        ) as progress,
        one_thread_a_photo(),
    ):
        pool = _pool(workers)
        try:
            with _interrupts_held_back():
                jobs = {
                    pool.submit(make_lab_shard, plan, photos, folder, crops, lab.size): plan for plan in plans
                }
            for job in as_completed(jobs):
                total += job.result()
                progress.update(len(jobs[job].photos))
        except BrokenProcessPool:
            raise TintypeError(
                "A worker process of `lab` was killed, most often for want of memory. Shards made so far are kept: "
                "lower lab.workers in params.yaml and run `dvc repro` again."
            ) from None
        finally:
            # An interrupt ends the process, which does not wait for buckets that are under way.
            interrupted = isinstance(sys.exc_info()[1], KeyboardInterrupt)
            pool.shutdown(wait=not interrupted, cancel_futures=True)
    return total


def make_lab_shard(
    plan: ShardPlan, photos: Path, folder: Folder, crops: CropsParams, size: int
) -> PhotoCounts:
    """Make one shard, in whichever thread, process or node."""
    parameters = {"format": FORMAT, "size": size, "min_side_share": crops.min_side_share}
    kept = kept_rows(folder, plan, parameters)
    if is_complete(kept, plan):
        return PhotoCounts(0, len(kept))

    def rows(photo: PhotoRef) -> NDArray[Any]:
        if photo.content_hash in kept:
            return kept[photo.content_hash]
        parts = lab_crops(photos, photo, plan.crops, crops.min_side_share)
        return np.stack([network_lab8(part, size) for part in parts])

    write_shard(folder, plan, parameters, map(rows, plan.photos), row_shape=(size, size, 3), dtype=np.uint8)
    reused = sum(photo.content_hash in kept for photo in plan.photos)
    return PhotoCounts(len(plan.photos) - reused, reused)


def lab_worker(
    photos: Path, folder: Folder, crops: CropsParams, size: int, cpus: int
) -> Callable[[Sequence[ShardPlan]], PhotoCounts]:
    """Prepare a process that has some CPUs; the function returned makes the shards that it is given."""
    from tintype.data.tensors.engine import check_on_node

    check_on_node(photos, folder)
    cv2.setNumThreads(cpus)

    def work(plans: Sequence[ShardPlan]) -> PhotoCounts:
        return sum((make_lab_shard(plan, photos, folder, crops, size) for plan in plans), PhotoCounts(0, 0))

    return work


def _pool(workers: int) -> Executor:
    if workers <= MOST_THREADS:
        return ThreadPoolExecutor(workers)
    # Not forked: OpenCV's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_process)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C reaches this process after the block, and processes that are started in it never: this one ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare_process() -> None:
    cv2.setNumThreads(1)  # the processes are the parallelism
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
