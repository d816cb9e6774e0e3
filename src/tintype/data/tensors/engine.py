"""Where shards are made: on this machine, or on a cluster. The bytes are the same."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import assert_never

from tintype.cluster.buckets import LARGEST, run_on_cluster
from tintype.cluster.connect import connected
from tintype.data.tensors.lab import PhotoCounts
from tintype.data.tensors.plan import ShardPlan
from tintype.data.tensors.shards import remove_others
from tintype.errors import TintypeError
from tintype.files.objects import Folder
from tintype.params import ClusterParams

Work = Callable[[Sequence[ShardPlan]], PhotoCounts]


def make_shards(
    what: str,
    plans: Sequence[ShardPlan],
    folder: Folder,
    cluster: ClusterParams,
    *,
    here: Callable[[], PhotoCounts],
    worker: Callable[[int], Work],
    whole_nodes: bool,
    how: str = "",
    largest: int = LARGEST,
) -> str:
    """Bring the shards in `folder` up to date, by the engine that the parameters name.

    Parameters
    ----------
    what : str
        Name of the stage.
    plans : sequence of ShardPlan
        All shards.
    folder : Path or ObjectFolder
        The shards' folder; a path has to mean the same folder on all nodes.
    cluster : ClusterParams
        The engine.
    here : callable
        Makes all shards on this machine.
    worker : callable
        Called once in each worker of a cluster, with the number of its CPUs; gives the function that makes some shards.
        Can be pickled.
    whole_nodes : bool
        Whether a worker has all CPUs of a node or one.
    how : str
        What the work is done with, for the sentence.
    largest : int
        Photos in what a worker of a cluster gets at a time, unless one shard has more.

    Returns
    -------
    str
        What was done, in a sentence or two.

    Raises
    ------
    TintypeError
        If a photo cannot be read any more, or workers are killed again and again.
    """
    match cluster.engine:
        case "local":
            return _sentence(what, here(), how)
        case "ray":
            if isinstance(folder, Path):
                folder.mkdir(parents=True, exist_ok=True)
            remove_others(folder, plans)
            with connected(cluster.address) as ray:
                done = run_on_cluster(
                    ray,
                    worker,
                    plans,
                    weight=lambda plan: len(plan.photos),
                    what=what,
                    whole_nodes=whole_nodes,
                    largest=largest,
                )
            remove_others(folder, plans)  # the half files of workers that were lost
            return f"{_sentence(what, sum(done.results, PhotoCounts(0, 0)), how)} {done.sentence()}"
        case _:
            assert_never(cluster.engine)


def check_on_node(photos: Path, folder: Folder) -> None:
    """Refuse a node that does not see the project's folders.

    Parameters
    ----------
    photos : Path
        Must be there.
    folder : Path or ObjectFolder
        If a path, it must be there, too: shards on a node's own disk would be lost.

    Raises
    ------
    TintypeError
        If one is missing.
    """
    for needed in (photos, folder):
        if isinstance(needed, Path) and not needed.is_dir():
            raise TintypeError(
                f"Expected the folder {needed} on the node {socket.gethostname()}, but it is not there. All nodes of "
                "the cluster need the project at the same path, on a file system that they share."
            )


def _sentence(what: str, made: PhotoCounts, how: str) -> str:
    counts = f"{what}: {made.computed} photos computed, {made.kept} kept from earlier runs"
    return f"{counts}, {how}." if how else f"{counts}."
