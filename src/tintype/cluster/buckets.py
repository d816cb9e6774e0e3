"""Buckets of work on the workers of a cluster.

Workers are actors: each sets itself up once (a backbone takes seconds to load) and then works on handfuls of buckets,
one running and one waiting, so that nobody holds more than two and nobody is idle. Who dies, alone or
with its node, gives back what it had not finished; nodes that join get workers. What a bucket leaves behind is the
bucket function's own business: it writes by temporary name and keeps what is finished, so that running one twice does
no harm.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tqdm import tqdm

from tintype.cluster.connect import ClusterError
from tintype.errors import TintypeError, install_command

Bucket = TypeVar("Bucket")
Result = TypeVar("Result")

AHEAD = 2  # handfuls given to a worker: one to work on and one to go on with
TRIES = 3  # of a handful whose workers die, and of a node whose workers do not start
LARGEST = 512  # photos in a handful of several buckets; their last batches of a backbone are shared
LOOK_SECONDS = 5.0  # between two looks for nodes that joined
PATIENCE_SECONDS = 60.0  # without any worker before a person is told what is waited for


@dataclass(frozen=True)
class Done(Generic[Bucket, Result]):
    """A handful that is finished, and the node it was finished on."""

    node: str
    buckets: tuple[Bucket, ...]
    result: Result


@dataclass
class Outcome(Generic[Bucket, Result]):
    """What became of all buckets.

    Attributes
    ----------
    done : list of Done
        In the order in which they were finished; every bucket is in one of them.
    again : list of bucket
        Given to another worker after theirs was lost.
    """

    done: list[Done[Bucket, Result]] = field(default_factory=list)
    again: list[Bucket] = field(default_factory=list)

    @property
    def nodes(self) -> int:
        """How many nodes took part."""
        return len({done.node for done in self.done})

    def sentence(self) -> str:
        """For the person at the keyboard."""
        said = f"Done on {self.nodes} node{'s' * (self.nodes != 1)} of the cluster"
        if self.again:
            some = len(self.again)
            said += f"; {some} bucket{'s' * (some != 1)} went to another worker after theirs was lost"
        return f"{said}."


def run_on_cluster(
    ray: Any,
    make: Callable[[int], Callable[[Sequence[Bucket]], Result]],
    buckets: Sequence[Bucket],
    *,
    weight: Callable[[Bucket], int],
    what: str,
    whole_nodes: bool,
    largest: int = LARGEST,
    told: Callable[[Done[Bucket, Result]], None] = lambda done: None,
) -> Outcome[Bucket, Result]:
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
        True: one worker a node (a GPU each where there are GPUs), which has all its CPUs. False: one worker a CPU.
    largest : int
        Photos in a handful, unless one bucket has more.
    told : callable
        Told of every finished handful.

    Returns
    -------
    Outcome

    Raises
    ------
    TintypeError
        With the bucket function's own words, if it refuses; ClusterError if a handful's workers die again and again,
        or no worker starts.
    """
    total = sum(weight(bucket) for bucket in buckets)
    fleet = _Fleet(ray, make, whole_nodes)
    slots = sum(fleet.slots(node) for node in fleet.nodes().values())
    waiting = deque(_handfuls(buckets, weight, min(largest, total // (4 * max(slots, 1)))))
    outcome: Outcome[Bucket, Result] = Outcome()
    tries: Counter[tuple[Bucket, ...]] = Counter()
    try:
        with tqdm(total=total, desc=what, unit=" photos", disable=None) as progress:
            while waiting or fleet.busy:
                fleet.recruit(len(waiting))
                fleet.assign(waiting)
                for node, handful, answer in fleet.answers():
                    if isinstance(answer, _Lost):
                        outcome.again += handful
                        tries[handful] += answer.running
                        if tries[handful] >= TRIES:
                            raise ClusterError(_killers(handful, answer.why))
                        waiting.appendleft(handful)
                    else:
                        done = Done(node, handful, answer)
                        outcome.done.append(done)
                        progress.update(sum(map(weight, handful)))
                        told(done)
    finally:
        fleet.dismiss()
    return outcome


def _handfuls(
    buckets: Sequence[Bucket], weight: Callable[[Bucket], int], largest: int
) -> list[tuple[Bucket, ...]]:
    handfuls: list[list[Bucket]] = []
    room = 0
    for bucket in buckets:
        if not handfuls or weight(bucket) > room:
            handfuls.append([])
            room = largest
        handfuls[-1].append(bucket)
        room -= weight(bucket)
    return [tuple(handful) for handful in handfuls]


def _killers(handful: Sequence[Any], why: str) -> str:
    names = ", ".join(str(getattr(bucket, "name", bucket)) for bucket in handful)
    return (
        f"The workers of the buckets {names} were killed {TRIES} times, most often for want of memory ({why}). "
        "Shards made so far are kept: free some memory on the nodes, or make buckets smaller with "
        "validate.bucket_digits, and run again."
    )


@dataclass(frozen=True)
class _Lost:
    why: str
    running: bool  # not only waiting behind another


@dataclass(frozen=True)
class _Refusal:
    sentence: str


class _Worker:
    """What Ray keeps alive on a node."""

    def __init__(self, make: Callable[[int], Callable[[Sequence[Any]], Any]], cpus: int) -> None:
        self._make, self._cpus = make, cpus
        self._work: Callable[[Sequence[Any]], Any] | None = None

    def ready(self) -> _Refusal | None:
        return self.run(())

    def run(self, handful: Sequence[Any]) -> Any:
        # An expected error travels as its sentence: exceptions with arguments of their own do not survive pickling.
        try:
            if self._work is None:
                self._work = self._make(self._cpus)
            return self._work(handful) if handful else None
        except TintypeError as error:
            return _Refusal(str(error))


@dataclass(eq=False)
class _Member:
    """A worker as the driver sees it."""

    node: str
    actor: Any
    birth: Any  # a reference to its `ready`; None once it is
    given: deque[tuple[Any, tuple[Any, ...]]] = field(default_factory=deque)


class _Fleet:
    """The workers that there are, and what each was given."""

    def __init__(self, ray: Any, make: Callable[[int], Callable[..., Any]], whole_nodes: bool) -> None:
        self._ray = ray
        self._make = ray.put(make)
        self._whole_nodes = whole_nodes
        self._members: list[_Member] = []
        self._stillborn: Counter[str] = Counter()
        self._reason = ""
        self._looked = float("-inf")
        self._last_ready = time.monotonic()

    @property
    def busy(self) -> bool:
        return any(member.given for member in self._members)

    def nodes(self) -> dict[str, dict[str, float]]:
        """Resources of the nodes that are alive and have a CPU to give, by id."""
        return {
            node["NodeID"]: node["Resources"]
            for node in self._ray.nodes()
            if node["Alive"] and node["Resources"].get("CPU", 0) >= 1
        }

    def slots(self, resources: dict[str, float]) -> int:
        """How many workers a node has room for."""
        if self._whole_nodes:
            return max(1, int(resources.get("GPU", 0)))
        return int(resources["CPU"])

    def recruit(self, wanted: int) -> None:
        """Start workers where there is room, at most one for each handful that waits."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        nodes = self.nodes()
        usable = {node: has for node, has in nodes.items() if self._stillborn[node] < TRIES}
        if nodes and not usable:
            raise ClusterError(
                f"No worker starts on any of the {len(nodes)} nodes of the cluster ({self._reason}). Each node needs "
                f"the same version of Python and the packages of this project: `{install_command('cluster')}` there."
            )
        for node, has in usable.items():
            there = sum(member.node == node for member in self._members)
            for _ in range(min(self.slots(has) - there, wanted)):
                self._start(node, has)
                wanted -= 1
        if not any(member.birth is None for member in self._members):
            self._complain(nodes)

    def _start(self, node: str, resources: dict[str, float]) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        cpus = max(1, int(resources["CPU"]) // self.slots(resources)) if self._whole_nodes else 1
        gpus = 1 if self._whole_nodes and resources.get("GPU", 0) >= 1 else 0
        actor = (
            self._ray.remote(_Worker)
            .options(
                num_cpus=cpus,
                num_gpus=gpus,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
            )
            .remote(self._make, cpus)
        )
        self._members.append(_Member(node, actor, actor.ready.remote()))

    def _complain(self, nodes: dict[str, dict[str, float]]) -> None:
        if time.monotonic() - self._last_ready > PATIENCE_SECONDS:
            self._last_ready = time.monotonic()
            cpus = int(sum(has["CPU"] for has in nodes.values()))
            tqdm.write(
                f"note: No worker yet. The cluster has {len(nodes)} nodes with {cpus} CPUs; waiting until nodes join "
                "or whoever holds their CPUs lets them go.",
                file=sys.stderr,
            )

    def assign(self, waiting: deque[tuple[Any, ...]]) -> None:
        """Give everybody who is ready something to do, those with least first."""
        for depth in range(AHEAD):
            for member in self._members:
                if waiting and member.birth is None and len(member.given) == depth:
                    handful = waiting.popleft()
                    member.given.append((member.actor.run.remote(handful), handful))

    def answers(self) -> list[tuple[str, tuple[Any, ...], Any]]:
        """Results and losses since the last call, after a second at most: node, handful, result or `_Lost`."""
        heads = {self._head(member): member for member in self._members if self._head(member) is not None}
        if not heads:
            time.sleep(1.0)
            return []
        ready, _ = self._ray.wait(list(heads), num_returns=1, timeout=1.0)
        return [answer for reference in ready for answer in self._answer(heads[reference], reference)]

    def _head(self, member: _Member) -> Any:
        if member.birth is not None:
            return member.birth
        return member.given[0][0] if member.given else None

    def _answer(self, member: _Member, reference: Any) -> list[tuple[str, tuple[Any, ...], Any]]:
        lost = self._ray.exceptions
        try:
            answer = self._ray.get(reference)
        except (lost.RayActorError, lost.OutOfMemoryError, lost.WorkerCrashedError) as error:
            return self._bury(member, error)
        if isinstance(answer, _Refusal):
            raise TintypeError(answer.sentence)
        self._last_ready = time.monotonic()
        if member.birth is not None:
            member.birth = None
            self._stillborn[member.node] = 0
            return []
        _, handful = member.given.popleft()
        return [(member.node, handful, answer)]

    def _bury(self, member: _Member, error: BaseException) -> list[tuple[str, tuple[Any, ...], Any]]:
        self._members.remove(member)
        self._looked = float("-inf")
        why = next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), "no reason")
        if member.birth is not None:
            self._stillborn[member.node] += 1
            self._reason = why
        return [
            (member.node, handful, _Lost(why, running=place == 0))
            for place, (_, handful) in reversed(list(enumerate(member.given)))
        ]

    def dismiss(self) -> None:
        """End all workers."""
        for member in self._members:
            self._ray.kill(member.actor)
