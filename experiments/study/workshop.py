"""Clones of the project in which trainings run, each in its own: DVC lets one command at a time into a folder.

`dvc exp run --temp` would make a clone for every experiment and check out all photos and tensors into it. These stay,
share DVC's cache and MLflow's store with the project, and follow its last commit.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from experiments.study.recipes import PROJECT, compose

WORK = PROJECT / ".study"


_RUNNING: set[int] = set()


class StudyError(Exception):
    """The study cannot go on; a sentence says why."""


@dataclass(frozen=True)
class Workshop:
    """One clone.

    Attributes
    ----------
    threads : int
        That its commands may use.
    photos : Path or None
        Folder of photos of the user's own; None to fetch them as the preset says.
    """

    folder: Path
    threads: int
    photos: Path | None

    @property
    def log(self) -> Path:
        """What its commands say."""
        return self.folder.with_suffix(".log")

    def renew(self) -> None:
        """Bring the clone to the project's last commit."""
        commit = git(PROJECT, "rev-parse", "HEAD")
        if not (self.folder / ".git").is_dir():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            git(PROJECT, "clone", "--quiet", "--local", str(PROJECT), str(self.folder))
        if git(self.folder, "rev-parse", "HEAD") != commit:
            git(self.folder, "fetch", "--quiet", "origin")
            git(self.folder, "reset", "--quiet", "--hard", commit)
            # A training that was cut off goes on by its parameters and photos: other code must not go on with it.
            shutil.rmtree(self.folder / ".checkpoints", ignore_errors=True)
        self.run("-m", "dvc", "config", "--quiet", "--local", "cache.dir", str(PROJECT / ".dvc" / "cache"))

    def compose(self, overrides: Sequence[str]) -> dict[str, object]:
        """Write the clone's params.yaml."""
        own = [] if self.photos is None else ["fetch.source=directory", f"fetch.directory={self.photos}"]
        return compose(self.folder, [*overrides, *own], self.folder / "params.yaml")

    def stage(self, name: str, *paths: str) -> None:
        """Run a stage by hand, outside of DVC."""
        self.run("-m", f"tintype.stages.{name}", *paths)

    def run(self, *arguments: str) -> int:
        """Run Python in the clone, on its code; the most bytes that a process held. `StudyError` if it fails."""
        with self.log.open("ab") as log:
            begin = log.tell()
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.folder,
                env=self._environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that `stop_all` reaches what it starts
            )
        _RUNNING.add(process.pid)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            _RUNNING.discard(process.pid)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            with self.log.open("rb") as log:
                log.seek(begin)
                last_lines = log.read().decode(errors="replace").strip().splitlines()[-12:]
            raise StudyError(
                f"`python {' '.join(arguments)}` failed in {self.folder} (see {self.log}):\n"
                + "\n".join(last_lines)
            )
        return int(usage.ru_maxrss) * 1024

    def _environment(self) -> dict[str, str]:
        threads = dict.fromkeys(
            ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
            str(self.threads),
        )
        own = {
            "PYTHONPATH": os.pathsep.join([str(self.folder / "src"), str(self.folder)]),
            # DVC's stages call `python`.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            "MLFLOW_TRACKING_URI": os.environ.get(
                "MLFLOW_TRACKING_URI", f"sqlite:///{PROJECT / '.mlflow' / 'mlflow.db'}"
            ),
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }
        return {**os.environ, **threads, **own}


def stop_all() -> None:
    """End all commands that run, with what they have started. Trainings go on from their last checkpoint."""
    for group in tuple(_RUNNING):
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGTERM)


def git(folder: Path, *arguments: str) -> str:
    """What git says, or a `StudyError`."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StudyError(f"`git {' '.join(arguments)}` failed in {folder}: {done.stderr.strip()}")
    return done.stdout.strip()
