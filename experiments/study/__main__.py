"""`make study`, or `python -m experiments.study --photos FOLDER`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from filelock import lock_descriptor

from experiments.study.experiment import run_one
from experiments.study.recipes import PRESET, PROJECT, RECIPES, Recipe, recipes_named
from experiments.study.workshop import WORK, StudyError, Workshop, git, stop_all

Job = tuple[Recipe, int]


def main() -> None:
    """Run what is missing, then write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--photos", type=Path, help="a folder of photos; without it they are fetched from Kaggle"
    )
    parser.add_argument("--recipes", nargs="*", default=[], metavar="RECIPE", help="only these")
    parser.add_argument("--seeds", nargs="*", type=int, default=[], metavar="SEED", help="only these")
    parser.add_argument(
        "--workers", type=int, default=2, help="trainings side by side, each on its share of the cores"
    )
    parser.add_argument(
        "--change", nargs="*", default=[], metavar="KEY=VALUE", help="of parameters, for a try"
    )
    parser.add_argument(
        "--report", action="store_true", help="write the report of what is there, run nothing"
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
    try:
        if not arguments.report:
            with _alone():
                _run(arguments)
        _report()
    except (StudyError, ValueError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. The same command goes on from here.")


def _run(arguments: argparse.Namespace) -> None:
    recipes = recipes_named(arguments.recipes)
    jobs = [
        (recipe, seed)
        for recipe in recipes
        for seed in recipe.seeds
        if not arguments.seeds or seed in (0, *arguments.seeds)
    ]
    photos = _photos(arguments.photos)
    _say_what_it_needs(photos, len(jobs))
    threads = max(1, (os.cpu_count() or 1) // arguments.workers)
    workshops = [
        Workshop(WORK / f"worker-{number}", threads, photos) for number in range(1, arguments.workers + 1)
    ]
    changes = tuple(arguments.change)
    for (
        workshop
    ) in workshops:  # in turn: the first one makes the tensors, the others take them from DVC's cache
        print(f"{workshop.folder.name}: photos, tensors and embeddings ...", flush=True)
        workshop.renew()
        workshop.compose([f"preset={PRESET}", *changes])
        workshop.run("-m", "dvc", "repro", "--quiet", "check")
        (workshop.folder / ".study").mkdir(exist_ok=True)
    _side_by_side(workshops, jobs, changes)


@contextmanager
def _alone() -> Iterator[None]:
    """Two studies at once would get into each other's clones."""
    WORK.mkdir(exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        if not lock_descriptor(lock.fileno(), blocking=False):
            raise StudyError(f"Expected to be the only study in {WORK}, but another one runs.")
        yield


def _photos(folder: Path | None) -> Path | None:
    if folder is None:
        return None
    if not folder.is_dir():
        raise StudyError(
            f"Expected a folder of photos at {folder}. Found none. Name yours: make study PHOTOS=folder."
        )
    return folder.resolve()


def _say_what_it_needs(photos: Path | None, jobs: int) -> None:
    where = (
        f"the photos in {photos}"
        if photos
        else "800 photos from Kaggle (with your credentials, see the README)"
    )
    print(
        f"The study trains and judges up to {jobs} times on {where}: some three hours on two cores, 4 GB of memory and "
        f"5 GB of disk in {WORK.name} and DVC's cache. What is in reports/study already is not run again. It runs the "
        f"code of the last commit, {git(PROJECT, 'rev-parse', '--short', 'HEAD')}.",
        flush=True,
    )


def _side_by_side(workshops: Sequence[Workshop], jobs: Sequence[Job], changes: tuple[str, ...]) -> None:
    """Each workshop takes the next job when it is done with one; the first failure ends the study."""
    waiting, lock, stop = deque(enumerate(jobs, start=1)), threading.Lock(), threading.Event()

    def work(workshop: Workshop) -> None:
        while not stop.is_set():
            with lock:
                if not waiting:
                    return
                number, (recipe, seed) = waiting.popleft()
            try:
                outcome = run_one(workshop, recipe, seed, changes)
            except BaseException:
                stop.set()
                raise
            print(f"{number}/{len(jobs)} {recipe.name}, seed {seed}: {outcome}", flush=True)

    with ThreadPoolExecutor(len(workshops)) as pool:
        try:
            for done in [pool.submit(work, workshop) for workshop in workshops]:
                done.result()
        except BaseException:
            stop.set()
            stop_all()
            raise


def _report() -> None:
    from experiments.study.report import write_report

    for path in write_report([recipe.name for recipe in RECIPES]):
        print(f"Wrote {path.relative_to(PROJECT)}.")


if __name__ == "__main__":
    main()
