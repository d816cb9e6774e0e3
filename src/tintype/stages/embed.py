"""The backbone's view of each gray crop. DVC stage `embed`."""

from pathlib import Path

from tintype.params import Params
from tintype.stages.door import enter, say


def main(params: Params, raw: Path, manifest: Path, backbone_folder: Path, folder: Path) -> None:
    """Bring the embedding shards in `folder` up to date with the manifest and the backbone."""
    from tintype.data.tensors.embed import make_embeddings
    from tintype.data.tensors.plan import PLANNED_BY, plan_shards
    from tintype.data.validation.manifest import read_manifest
    from tintype.models.backbone.engine import choose_engine

    plans = plan_shards(read_manifest(manifest, PLANNED_BY), params.crops)
    engine = choose_engine(backbone_folder, params.embed.precision, params.embed.batch_size)
    backbone = engine.backbone
    made = make_embeddings(
        plans,
        raw / "photos",
        folder,
        params.crops,
        embed=lambda gray8: backbone.embed(gray8, engine.batch_size),
        input_size=backbone.spec.input_size,
        embedding_size=backbone.spec.embedding_size,
        backbone_sha256=backbone.spec.sha256,
        precision=engine.precision,
        batch_size=params.embed.batch_size,
        at_once=engine.at_once,
    )
    say(f"embed: {made.computed} photos computed, {made.kept} kept from earlier runs, {engine.sentence}.")


if __name__ == "__main__":
    enter(main)
