"""The backbone's view of each gray crop. DVC stage `embed`."""

from functools import partial
from pathlib import Path

from tintype.models.keras_backend import own_this_process
from tintype.params import Params
from tintype.stages.entrypoint import log, run_stage


def main(params: Params, raw: Path, manifest: Path, backbone_folder: Path, folder: Path | str) -> None:
    """Bring the embedding shards in `folder` up to date with the manifest and the backbone."""
    from tintype.data.tensors.engine import make_shards
    from tintype.data.tensors.plan import PLANNED_BY, plan_shards
    from tintype.data.validation.manifest import read_manifest
    from tintype.files.objects import folder_at
    from tintype.models.backbone.embedder import choice_for
    from tintype.stages.embedding import Embedding, chosen_sentence

    plans = plan_shards(read_manifest(manifest, PLANNED_BY), params.crops)
    photos, backbone = raw.absolute() / "photos", backbone_folder.absolute()
    embedding = Embedding(photos, backbone, folder_at(folder), params.crops, params.embed)
    chosen = choice_for(backbone, params.embed.precision)
    made = make_shards(
        "embed",
        plans,
        embedding.folder,
        params.cluster,
        here=partial(embedding.here, plans),
        worker=partial(embedding.worker, chosen),
        whole_nodes=True,
        how=chosen_sentence(chosen),
    )
    log(made)


if __name__ == "__main__":
    own_this_process()
    run_stage(main)
