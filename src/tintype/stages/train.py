"""Fit the network. DVC stage `train`."""

from collections.abc import Callable
from pathlib import Path

from tintype.models.keras_backend import own_this_process
from tintype.params import Params
from tintype.stages.entrypoint import CHECKPOINTS, declared, run_stage


def main(
    params: Params,
    manifest: Path,
    lab: Path | str,
    embeddings: Path | str,
    backbone: Path,
    bundle: Path,
    report: Path,
) -> Callable[[], None]:
    """Train, watched by MLflow; a training that was killed goes on, in the same run.

    The checkpoint is left to `run_stage`: whoever changed params.yaml meanwhile can change it back.
    """
    from tintype.data.tensors.local import local_shards
    from tintype.data.tensors.plan import plan_shards
    from tintype.data.tensors.shards import npy_path, refuse_other_parameters
    from tintype.data.validation.manifest import TEST, read_manifest
    from tintype.files.atomic import write_json
    from tintype.models.backbone.spec import read_spec
    from tintype.registry.runs import tracked_run
    from tintype.training.inputs import Tensors, checkpoints_of
    from tintype.training.start import start_bundle
    from tintype.training.train import train_network

    table = read_manifest(manifest)
    plans = plan_shards(table, params.crops)
    names = [plan.name for plan in plans if plan.split != TEST]
    here = local_shards(lab, names), local_shards(embeddings, names)
    lab_files, embedding_files = ([npy_path(folder, name) for name in names] for folder in here)
    refuse_other_parameters("lab", lab_files, params.crops, size=params.lab.size)
    refuse_other_parameters("embed", embedding_files, params.crops, backbone=read_spec(backbone).sha256)
    start = start_bundle(params.train.start, declared("train").get("deps"))
    tensors = Tensors(plans, manifest / "manifest.parquet", *here, backbone, start)
    checkpoints = checkpoints_of(CHECKPOINTS, tensors, params.network, params.train)
    with tracked_run("train", params.register_.experiment, params, resume=checkpoints.read().run_id) as run:
        checkpoints.note_run(run.run_id)
        run.dataset(table, tensors.manifest)
        train_network(
            tensors,
            params.network,
            params.train,
            params.decode,
            adversarial=params.adversarial,
            preset=params.preset,
            checkpoints=checkpoints,
            observer=run,
            bundle=bundle,
            report=report,
        )
        write_json(report / "run.json", run.describe())
    return checkpoints.remove


if __name__ == "__main__":
    own_this_process()
    run_stage(main)
