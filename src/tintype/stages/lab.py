"""Crops as Lab tensors. DVC stage `lab`."""

from pathlib import Path

from tintype.params import Params
from tintype.stages.door import enter, say


def main(params: Params, raw: Path, manifest: Path, folder: Path) -> None:
    """Bring the Lab shards in `folder` up to date with the manifest."""
    from tintype.data.tensors.lab import make_lab
    from tintype.data.tensors.plan import PLANNED_BY, plan_shards
    from tintype.data.validation.manifest import read_manifest

    plans = plan_shards(read_manifest(manifest, PLANNED_BY), params.crops)
    made = make_lab(plans, raw / "photos", folder, params.crops, params.lab)
    say(f"lab: {made.computed} photos computed, {made.kept} kept from earlier runs.")


if __name__ == "__main__":
    enter(main)
