"""Building the Bento of one version."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import bentoml

from tintype.errors import TintypeError
from tintype.files.atomic import write_text
from tintype.imaging.provenance import Lineage
from tintype.serving.model.store import import_version, model_tag
from tintype.serving.packing.context import fill_context
from tintype.serving.packing.description import bento_labels, bento_readme
from tintype.serving.packing.requirements import Variant, locked_requirements

_DIGITS = 12


@dataclass(frozen=True)
class Packed:
    """A Bento in the store.

    Attributes
    ----------
    tag : str
        Such as ``tintype:v3-cpu-0f343b0931b1``; its end names the content.
    model : str
        The tag of the model inside.
    path : Path
        Where the store keeps it.
    anew : bool
        False if it was there already.
    """

    tag: str
    model: str
    path: Path
    anew: bool


def build_bento(
    project: Path, bundle: Path, lineage: Lineage, variant: Variant, judgement: str, commit: str
) -> Packed:
    """Pack a version, unless the same Bento is in the store.

    Parameters
    ----------
    project : Path
        With bentofile.yaml, uv.lock and the source.
    bundle : Path
        The version's.
    lineage : Lineage
        The version's.
    variant : Variant
        What to build for.
    judgement : str
        What the registry says of its quality, in Markdown.
    commit : str
        Of the source, for people who look for it; empty if it is not known.

    Raises
    ------
    TintypeError
        If something that it takes is missing, or BentoML cannot build it.
    """
    model = import_version(bundle, lineage)
    requirements = locked_requirements(project, variant.extras)
    labels = bento_labels(model, lineage, commit)
    with tempfile.TemporaryDirectory(prefix="tintype-bento-") as scratch:
        context = Path(scratch).resolve()
        digest = fill_context(
            context, project, variant, requirements, bento_readme(bundle, lineage, judgement), labels
        )
        version = f"{_short(lineage)}-{variant.name}-{digest[:_DIGITS]}"
        found = _stored(f"tintype:{version}")
        if found is not None:
            return Packed(f"tintype:{version}", model, found, anew=False)
        _build(context, version, model)
    path = _stored(f"tintype:{version}")
    if path is None:
        raise TintypeError(
            f"Expected tintype:{version} in BentoML's store after building, but it is not there."
        )
    return Packed(f"tintype:{version}", model, path, anew=True)


def _build(context: Path, version: str, model: str) -> None:
    """Build into a store beside the real one, and move the Bento over when it is whole.

    BentoML copies a Bento into its store file by file: one that was cut off there could look like a whole one.
    """
    models = Path(bentoml.models.get(model).path).parents[1]
    with tempfile.TemporaryDirectory(prefix=".tintype-", suffix=".part", dir=models.parent) as scratch:
        (Path(scratch) / "models").symlink_to(models)
        _run_bentoml(context, version, model, scratch)
        built = Path(scratch) / "bentos/tintype" / version
        place = models.parent / "bentos/tintype" / version
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            _remove(f"tintype:{version}")
            built.rename(place)
        except OSError as error:
            if _stored(f"tintype:{version}") is None:  # else another process was faster
                raise TintypeError(f"Expected to put the Bento into {place}. Received: {error}.") from error
        write_text(place.parent / "latest", version)


def _run_bentoml(context: Path, version: str, model: str, home: str) -> None:
    """Run `bentoml build` in a process of its own, which sees the source that is packed and no other."""
    # The builder's own settings are not part of what is built.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TINTYPE_")}
    environment |= {
        "PYTHONPATH": str(context / "src"),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": home,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bentoml", "build", "--version", version, "--arg", f"model_tag={model}", "."],
        cwd=context,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise TintypeError(f"BentoML could not build the Bento: {' '.join(lines[-3:])}")


def _short(lineage: Lineage) -> str:
    return model_tag(lineage).partition(":")[2].rpartition("-")[0]


def _remove(tag: str) -> None:
    """Make room: what has the tag and cannot be read was damaged."""
    try:
        bentoml.bentos.delete(tag)
    except bentoml.exceptions.NotFound:
        return


def _stored(tag: str) -> Path | None:
    try:
        return Path(bentoml.bentos.get(tag).path)
    except bentoml.exceptions.BentoMLException:
        return None
