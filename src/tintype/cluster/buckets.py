"""Buckets of work on the actors of a Ray cluster.

An actor sets itself up once (a backbone takes seconds to load) and then works on one portion of buckets after the
other; Ray places it where there is room, on nodes that join later too. The portion of an actor that died, alone or with
its node, goes to another one. An actor that finds nothing more to do is ended at once, since another one may wait for
its CPUs. What a bucket leaves behind is the business of the function that works on it: it writes under temporary names
and keeps what is finished, so running a bucket twice does no harm.

Ray's own means to repeat work do not fit here (2.60): its retries of an actor's call are used up within seconds on a
node whose death it has not noticed yet, and a task on a node that is cut off is noticed after seven minutes, where a
lost actor is after one.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tqdm import tqdm

from tintype.cluster.connect import ClusterError
from tintype.errors import TintypeError

Bucket = TypeVar("Bucket")
Result = TypeVar("Result")

LARGEST = 512  # photos in a portion of several buckets; their last batches of a backbone are shared
TRIES = 3  # of a portion whose workers die
_LOOK_SECONDS = 5.0  # between two looks for nodes that joined
_PATIENCE_SECONDS = 60.0  # without a result before a person is told what is waited for


@dataclass(frozen=True)
class ClusterResults(Generic[Result]):
    """What was made of all buckets.

    Attributes
    ----------
    results : list
        One a portion, in the order in which they were finished.
    nodes : int
        How many nodes finished a portion.
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
        Called once in each worker, with the number of its CPUs; gives the function that works on some buckets. Can be
        pickled.
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
        Photos in a portion, unless one bucket has more.

    Raises
    ------
    TintypeError
        With the bucket function's own words, if it refuses; ClusterError if a portion's workers die again and again,
        or cannot start.
    """
    cpus, gpus, room = _sizes(_nodes(ray), whole_nodes)
    total = sum(map(weight, buckets))
    waiting = deque(_portions(buckets, weight, min(largest, total // (4 * max(room, 1)))))
    maker = ray.put(make)
    worker = ray.remote(_Worker).options(
        num_cpus=cpus,
        num_gpus=gpus,
        scheduling_strategy="SPREAD",
    )
    idle: list[Any] = []
    running: dict[Any, tuple[Any, tuple[Bucket, ...]]] = {}
    tries: Counter[tuple[Bucket, ...]] = Counter()
    results: list[Result] = []
    at_work: set[str] = set()
    seen: set[str] = set()
    patience = time.monotonic() + _PATIENCE_SECONDS
    try:
        with tqdm(total=total, desc=what, unit=" photos", disable=None) as progress:
            while waiting or running:
                nodes = _nodes(ray)  # more of them may have joined
                seen |= set(nodes)
                room = max(1, _sizes(nodes, whole_nodes, cpus)[2]) - len(running) - len(idle)
                idle += [worker.remote(maker, cpus) for _ in range(min(room, len(waiting) - len(idle)))]
                while waiting and idle:
                    actor, portion = idle.pop(), waiting.popleft()
                    running[actor.work.remote(portion)] = actor, portion
                while idle:
                    ray.kill(idle.pop())
                ready, _ = ray.wait(list(running), timeout=_LOOK_SECONDS)
                for reference in ready:
                    actor, portion = running.pop(reference)
                    try:
                        node, result = _answer(ray, reference)
                    except _LostError as lost:
                        ray.kill(actor)
                        tries[portion] += 1
                        if tries[portion] == TRIES:
                            raise ClusterError(_killed(portion, str(lost))) from None
                        waiting.appendleft(portion)
                        continue
                    idle.append(actor)
                    at_work.add(node)
                    results.append(result)
                    progress.update(sum(map(weight, portion)))
                if not results and time.monotonic() > patience:
                    patience = float("inf")
                    _tell_of_waiting(nodes)
    finally:
        for actor in (*idle, *(actor for actor, _ in running.values())):
            ray.kill(actor)
    return ClusterResults(results, len(at_work), len((seen | at_work) - set(_nodes(ray))))


def _nodes(ray: Any) -> dict[str, dict[str, float]]:
    """Resources of the nodes that are alive and have a CPU to give, by id."""
    return {
        node["NodeID"]: node["Resources"]
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU", 0) >= 1
    }


def _sizes(
    nodes: dict[str, dict[str, float]], whole_nodes: bool, cpus: int | None = None
) -> tuple[int, int, int]:
    """CPUs and GPUs of a worker, and how many workers of so many CPUs there is room for."""
    if not whole_nodes or not nodes:
        return 1, 0, int(sum(has["CPU"] for has in nodes.values()))
    with_gpus = [has for has in nodes.values() if has.get("GPU", 0) >= 1]
    if with_gpus:
        cpus = cpus or statistics.median_low(max(1, int(has["CPU"] // has["GPU"])) for has in with_gpus)
        return cpus, 1, sum(min(int(has["GPU"]), int(has["CPU"]) // cpus) for has in with_gpus)
    cpus = cpus or int(statistics.median_low(has["CPU"] for has in nodes.values()))
    return cpus, 0, sum(int(has["CPU"]) // cpus for has in nodes.values())


def _portions(
    buckets: Sequence[Bucket], weight: Callable[[Bucket], int], largest: int
) -> list[tuple[Bucket, ...]]:
    """Buckets side by side, as many together as have `largest` photos."""
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


class _Worker:
    """What Ray keeps alive on a node."""

    def __init__(self, make: Callable[[int], Callable[[Sequence[Any]], Any]], cpus: int) -> None:
        self._make, self._cpus = make, cpus
        self._function: Callable[[Sequence[Any]], Any] | None = None

    def work(self, portion: Sequence[Any]) -> tuple[str, Any]:
        """The node that this runs on, and the portion's result or a refusal."""
        import ray

        node = ray.get_runtime_context().get_node_id()
        # An expected error travels as its sentence: exceptions with arguments of their own do not survive pickling.
        try:
            if self._function is None:
                self._function = self._make(self._cpus)
            return node, self._function(portion)
        except TintypeError as error:
            return node, _Refusal(str(error))


class _LostError(Exception):
    """A worker died at its portion; says why."""


def _answer(ray: Any, reference: Any) -> tuple[str, Any]:
    try:
        node, result = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if not isinstance(error.cause, ImportError):
            raise
        raise ClusterError(_cannot_start(error.cause)) from None
    except (ray.exceptions.RuntimeEnvSetupError, ray.exceptions.RaySystemError) as error:
        raise ClusterError(_cannot_start(error)) from None
    except ray.exceptions.RayError as error:
        if "creation task" in str(error):
            raise ClusterError(_cannot_start(error)) from None
        raise _LostError(_last_line(error)) from None
    if isinstance(result, _Refusal):
        raise TintypeError(result.sentence)
    return node, result


def _killed(portion: Sequence[Any], why: str) -> str:
    names = ", ".join(str(getattr(bucket, "name", bucket)) for bucket in portion)
    return (
        f"The workers of the buckets {names} were killed {TRIES} times, most often for want of memory ({why}). Shards "
        "made so far are kept: free some memory on the nodes, or make buckets smaller with validate.bucket_digits, "
        "and run again."
    )


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
