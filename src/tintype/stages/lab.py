"""Crops as Lab tensors. DVC stage `lab`."""

from functools import partial
from pathlib import Path

from tintype.params import Params
from tintype.stages.entrypoint import log, run_stage


def main(params: Params, raw: Path, manifest: Path, folder: Path | str) -> None:
    """Bring the Lab shards in `folder` up to date with the manifest."""
    from tintype.data.tensors.engine import make_shards
    from tintype.data.tensors.lab import lab_worker, make_lab
    from tintype.data.tensors.plan import PLANNED_BY, plan_shards
    from tintype.data.validation.manifest import read_manifest
    from tintype.files.objects import folder_at

    plans = plan_shards(read_manifest(manifest, PLANNED_BY), params.crops)
    photos, shards = raw.absolute() / "photos", folder_at(folder)
    made = make_shards(
        "lab",
        plans,
        shards,
        params.cluster,
        here=partial(make_lab, plans, photos, shards, params.crops, params.lab),
        worker=partial(lab_worker, photos, shards, params.crops, params.lab.size),
        whole_nodes=False,
    )
    log(made)


if __name__ == "__main__":
    run_stage(main)
