"""Buckets of work as tasks of a Ray cluster.

Ray places the tasks where there is room, on nodes that join later too, and runs a task again whose worker or node died.
A worker process sets itself up once (a backbone takes seconds to load) and keeps that for its next tasks. What a bucket
leaves behind is the business of the function that works on it: it writes under temporary names and keeps what is
finished, so running a bucket twice does no harm.
"""

from __future__ import annotations

import statistics
import sys
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tqdm import tqdm

from tintype.cluster.connect import TRIES, ClusterError
from tintype.errors import TintypeError

Bucket = TypeVar("Bucket")
Result = TypeVar("Result")

LARGEST = 512  # photos in a task of several buckets; their last batches of a backbone are shared
_PENDING = 1000  # tasks that Ray knows of at a time
_PATIENCE_SECONDS = 60.0  # without a result before a person is told what is waited for

_prepared: dict[str, Callable[[Sequence[Any]], Any]] = {}  # in a worker: what it works with, by the run's id


@dataclass(frozen=True)
class ClusterResults(Generic[Result]):
    """What the tasks gave.

    Attributes
    ----------
    results : list
        One a task, in the order in which they were finished.
    nodes : int
        How many nodes finished a task.
    lost_nodes : int
        How many nodes died meanwhile.
    """

    results: list[Result]
    nodes: int
    lost_nodes: int

    def sentence(self) -> str:
        """For the person at the keyboard."""
        sentence = f"Done on {self.nodes} node{'s' * (self.nodes != 1)} of the cluster"
        if self.lost_nodes:
            lost = f"{self.lost_nodes} node{'s' * (self.lost_nodes != 1)}"
            sentence += f"; what ran on {lost} went to another worker after theirs was lost"
        return f"{sentence}."


def run_on_cluster(
    ray: Any,
    make: Callable[[int], Callable[[Sequence[Bucket]], Result]],
    buckets: Sequence[Bucket],
    *,
    weight: Callable[[Bucket], int],
    what: str,
    whole_nodes: bool,
    largest: int = LARGEST,
) -> ClusterResults[Result]:
    """Work on all buckets, wherever there is room.

    Parameters
    ----------
    ray : module
        From `tintype.cluster.connect.connected`.
    make : callable
        Called once in each worker process, with the number of its CPUs; gives the function that works on some buckets.
        Can be pickled.
    buckets : sequence
        Can be pickled.
    weight : callable
        How many photos a bucket has.
    what : str
        For the progress bar.
    whole_nodes : bool
        True: one worker a node (one a GPU where there are GPUs), with all CPUs of the node. False: one worker a CPU.
        Where nodes differ, a worker has the CPUs of the median node: larger ones get several, smaller ones none.
    largest : int
        Photos in a task, unless one bucket has more.

    Returns
    -------
    ClusterResults

    Raises
    ------
    TintypeError
        With the bucket function's own words, if it refuses; ClusterError if a task's workers die again and again, or
        cannot start.
    """
    cpus, gpus, workers = _sizes(_nodes(ray), whole_nodes)
    total = sum(map(weight, buckets))
    waiting = deque(_portions(buckets, weight, min(largest, total // (4 * max(workers, 1)))))
    task = ray.remote(_work).options(
        num_cpus=cpus, num_gpus=gpus, scheduling_strategy="SPREAD", max_retries=TRIES - 1
    )
    run_id, maker = uuid.uuid4().hex, ray.put(make)
    before = set(_nodes(ray))
    pending: dict[Any, tuple[Bucket, ...]] = {}
    results: list[Result] = []
    nodes: set[str] = set()
    try:
        with tqdm(total=total, desc=what, unit=" photos", disable=None) as progress:
            while waiting or pending:
                while waiting and len(pending) < _PENDING:
                    portion = waiting.popleft()
                    pending[task.remote(run_id, maker, cpus, portion)] = portion
                ready, _ = ray.wait(list(pending), timeout=_PATIENCE_SECONDS)
                if not ready and not results:
                    _tell_of_waiting(_nodes(ray))
                for reference in ready:
                    portion = pending.pop(reference)
                    node, result = _answer(ray, reference, portion)
                    nodes.add(node)
                    results.append(result)
                    progress.update(sum(map(weight, portion)))
    finally:
        for reference in pending:
            ray.cancel(reference, force=True)
    return ClusterResults(results, len(nodes), len((before | nodes) - set(_nodes(ray))))


def _nodes(ray: Any) -> dict[str, dict[str, float]]:
    """Resources of the nodes that are alive and have a CPU to give, by id."""
    return {
        node["NodeID"]: node["Resources"]
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU", 0) >= 1
    }


def _sizes(nodes: dict[str, dict[str, float]], whole_nodes: bool) -> tuple[int, int, int]:
    """CPUs and GPUs of a worker, and how many workers there is room for."""
    if not whole_nodes or not nodes:
        return 1, 0, int(sum(has["CPU"] for has in nodes.values()))
    with_gpus = [has for has in nodes.values() if has.get("GPU", 0) >= 1]
    if with_gpus:
        shares = [max(1, int(has["CPU"] // has["GPU"])) for has in with_gpus]
        return statistics.median_low(shares), 1, int(sum(has["GPU"] for has in with_gpus))
    cpus = int(statistics.median_low(has["CPU"] for has in nodes.values()))
    return cpus, 0, sum(int(has["CPU"]) // cpus for has in nodes.values())


def _portions(
    buckets: Sequence[Bucket], weight: Callable[[Bucket], int], largest: int
) -> list[tuple[Bucket, ...]]:
    """Buckets side by side, as many for a task as have `largest` photos together."""
    portions: list[list[Bucket]] = []
    room = 0
    for bucket in buckets:
        if not portions or weight(bucket) > room:
            portions.append([])
            room = largest
        portions[-1].append(bucket)
        room -= weight(bucket)
    return [tuple(portion) for portion in portions]


@dataclass(frozen=True)
class _Refusal:
    sentence: str


def _work(
    run_id: str,
    make: Callable[[int], Callable[[Sequence[Any]], Any]],
    cpus: int,
    portion: Sequence[Any],
) -> tuple[str, Any]:
    """The task: the node that it ran on, and its result or a refusal."""
    import ray

    node = ray.get_runtime_context().get_node_id()
    # An expected error travels as its sentence: exceptions with arguments of their own do not survive pickling.
    try:
        if run_id not in _prepared:
            _prepared.clear()
            _prepared[run_id] = make(cpus)
        return node, _prepared[run_id](portion)
    except TintypeError as error:
        return node, _Refusal(str(error))


def _answer(ray: Any, reference: Any, portion: Sequence[Any]) -> tuple[str, Any]:
    try:
        node, result = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if not isinstance(error.cause, ImportError):
            raise
        raise ClusterError(_cannot_start(error.cause)) from None
    except (ray.exceptions.RuntimeEnvSetupError, ray.exceptions.RaySystemError) as error:
        raise ClusterError(_cannot_start(error)) from None
    except ray.exceptions.RayError as error:
        names = ", ".join(str(getattr(bucket, "name", bucket)) for bucket in portion)
        raise ClusterError(
            f"The workers of the buckets {names} were killed {TRIES} times, most often for want of memory "
            f"({_last_line(error)}). Shards made so far are kept: free some memory on the nodes, or make buckets "
            "smaller with validate.bucket_digits, and run again."
        ) from None
    if isinstance(result, _Refusal):
        raise TintypeError(result.sentence)
    return node, result


def _cannot_start(error: BaseException) -> str:
    return (
        f"Expected workers to start on the nodes of the cluster. Received: {_last_line(error)}. Each node needs the "
        'same version of Python and the packages of this project: `make extras EXTRA="pipeline cluster"` there.'
    )


def _last_line(error: BaseException) -> str:
    return next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), "no reason")


def _tell_of_waiting(nodes: dict[str, dict[str, float]]) -> None:
    cpus = int(sum(has["CPU"] for has in nodes.values()))
    tqdm.write(
        f"note: Nothing is finished yet. The cluster has {len(nodes)} nodes with {cpus} CPUs; if other jobs hold them, "
        "the work begins when they let them go or when nodes join.",
        file=sys.stderr,
    )
