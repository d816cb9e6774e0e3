"""What a result was made from: code, environment, parameters, data."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from tintype.files.digest import sha256_of
from tintype.models.bundle import BundleInfo, bundle_digest
from tintype.registry import tags

_WRITTEN_BY_THE_PIPELINE = ("dvc.lock", "reports")


def code_tags(project: Path) -> dict[str, str]:
    """The code in a working tree that a result comes from, as tags.

    Returns
    -------
    dict of str to str
        `git_commit` and `git_dirty` ("true" if a tracked file other than the pipeline's own results
        differs from the commit), where there is git and a commit; `dvc_experiment` and `dvc_baseline`
        in an experiment run by DVC, whose temporary copy has commits that the project does not know.
    """
    named = {
        tags.EXPERIMENT: os.environ.get("DVC_EXP_NAME"),
        tags.BASELINE: os.environ.get("DVC_EXP_BASELINE_REV"),
    }
    return {**_git_tags(project), **{name: value for name, value in named.items() if value}}


def bundle_tags(info: BundleInfo, preset: str) -> dict[str, str]:
    """What a bundle was made from, and with which preset, as tags.

    Returns
    -------
    dict of str to str
        `bundle_sha256`, `manifest_sha256`, `preset`, `network` and `weights_origin`, such as
        "inception_resnet_v2: random, seed 1".
    """
    backbone = info.backbone
    seed = f", seed {backbone.origin_detail}" if backbone.origin == "random" else ""
    return {
        tags.BUNDLE: bundle_digest(info),
        tags.MANIFEST: info.data.manifest_sha256,
        tags.PRESET: preset,
        tags.NETWORK: f"{info.network.name}, width {info.network.width:g}, {info.size} px",
        tags.WEIGHTS: f"{backbone.name}: {backbone.origin}{seed}",
    }


def lock_tags(lock: Path) -> dict[str, str]:
    """`dvc_lock_sha256`: the state of the pipeline, by its dvc.lock; empty where there is none."""
    return {tags.DVC_LOCK: sha256_of(lock)} if lock.is_file() else {}


def commit_subject(commit: str, project: Path) -> str | None:
    """The first line of a commit's message; None if there is no git, no repository, or no such commit in it."""
    subject = git(project, "log", "-1", "--format=%s", f"{commit}^{{commit}}", "--")
    return None if subject is None else subject.strip()


def git(project: Path, *arguments: str) -> str | None:
    """The output of a git command in a folder; None without git or a repository, or if it fails or takes long."""
    try:
        # A tag is not worth waiting for: status of a huge tree on a slow disk can take minutes.
        done = subprocess.run(
            ["git", "-C", str(project), *arguments], capture_output=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")


def _git_tags(project: Path) -> dict[str, str]:
    commit = git(project, "rev-parse", "HEAD")
    excluded = [f":(top,exclude){path}" for path in _WRITTEN_BY_THE_PIPELINE]
    changes = git(project, "status", "--porcelain", "--untracked-files=no", "--", ":(top)", *excluded)
    if commit is None or changes is None:
        return {}
    return {tags.COMMIT: commit.strip(), tags.DIRTY: "true" if changes.strip() else "false"}


def environment() -> dict[str, Any]:
    """`python`, `platform` and `packages`, which is every installed package with its version, sorted by name."""
    packages = {item.metadata["Name"]: item.version for item in distributions() if item.metadata["Name"]}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def flatten(block: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested parameters as dotted names, with the values as params.yaml writes them.

    ``{"train": {"epochs": 30, "patience": None}}`` becomes ``{"train.epochs": "30", "train.patience": "null"}``.
    """
    flat: dict[str, str] = {}
    for key, value in block.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = _as_yaml(value)
    return flat


def _as_yaml(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
