"""Tasks on a cluster: set up once a worker, tried again when workers die, but not without end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tintype.cluster.buckets import run_on_cluster
from tintype.cluster.connect import ClusterError, connected
from tintype.errors import TintypeError

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """A cluster of this machine alone, with two CPUs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        with connected(cpus=2) as ray:
            yield ray


def run(ray: Any, make: Callable[[int], Callable[[Sequence[int]], Any]], count: int, largest: int = 0) -> Any:
    return run_on_cluster(
        ray, make, range(count), weight=lambda _: 1, what="test", whole_nodes=False, largest=largest
    )


def test_each_bucket_is_in_one_task_and_a_worker_is_set_up_once(ray: Any, tmp_path: Path) -> None:
    def make(cpus: int) -> Callable[[Sequence[int]], list[int]]:
        (tmp_path / f"{os.getpid()}-{cpus}").touch(exist_ok=False)
        return list

    done = run(ray, make, 40, largest=3)
    assert sorted(bucket for portion in done.results for bucket in portion) == list(range(40))
    assert max(map(len, done.results)) == 3
    assert done.sentence() == "Done on 1 node of the cluster."
    assert 1 <= len(list(tmp_path.glob("*-1"))) < len(done.results)


def test_a_bucket_whose_worker_dies_is_tried_again(ray: Any, tmp_path: Path) -> None:
    def make(cpus: int) -> Callable[[Sequence[int]], list[int]]:
        def work(buckets: Sequence[int]) -> list[int]:
            if buckets[0] == 3 and not (tmp_path / "died").exists():
                (tmp_path / "died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return list(buckets)

        return work

    assert sorted(run(ray, make, 6).results) == [[bucket] for bucket in range(6)]
    assert (tmp_path / "died").exists()


def test_a_bucket_that_kills_its_workers_again_and_again_ends_in_a_sentence(ray: Any, tmp_path: Path) -> None:
    def make(cpus: int) -> Callable[[Sequence[int]], list[int]]:
        def work(buckets: Sequence[int]) -> list[int]:
            if buckets[0] == 2:
                (tmp_path / str(len(list(tmp_path.iterdir())))).touch(exist_ok=False)
                os.kill(os.getpid(), signal.SIGKILL)
            return list(buckets)

        return work

    with pytest.raises(ClusterError, match="The workers of the buckets 2 were killed 3 times") as caught:
        run(ray, make, 4)
    assert "validate.bucket_digits, and run again." in str(caught.value)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_refusal_arrives_as_its_sentence(ray: Any) -> None:
    def make(cpus: int) -> Callable[[Sequence[int]], Any]:
        def work(buckets: Sequence[int]) -> Any:
            raise TintypeError("Expected a photo. Received: a song.")

        return work

    with pytest.raises(TintypeError, match=r"^Expected a photo\. Received: a song\.$"):
        run(ray, make, 4)


def test_a_worker_that_lacks_a_package_is_a_sentence(ray: Any) -> None:
    def make(cpus: int) -> Callable[[Sequence[int]], Any]:
        import no_such_package_anywhere  # noqa: F401

        return list

    with pytest.raises(
        ClusterError, match=r"Received: No module named .no_such_package_anywhere.\. Each node"
    ):
        run(ray, make, 4)
