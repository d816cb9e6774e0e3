"""Photos a second of the stages `lab` and `embed` together: `python -m benchmarks.features`.

Beside them, in turn and round after round: the backbone alone on the same photos, ready in memory, and the recipe of
the published notebooks (scikit-image's resize and Lab, Keras' `predict` on batches of 10), on the first few photos.
What the stages share (one decoding for both would do) and what their start costs is measured too.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import results
from benchmarks.notebook import Notebook
from tintype.data.tensors.crops import lightness_crops, one_thread_a_photo
from tintype.data.tensors.embed import make_embeddings
from tintype.data.tensors.lab import make_lab
from tintype.data.tensors.plan import ShardPlan, plan_shards
from tintype.files.digest import sha256_of
from tintype.formats.photo import read_photo
from tintype.imaging.finding import find_photos
from tintype.imaging.inputs import backbone_gray8
from tintype.models.backbone import BackboneError
from tintype.models.backbone.embedder import Embedder, load_embedder
from tintype.params import CropsParams, LabParams, WeightsParams

SAMPLE = results.ROOT / "data" / "sample"
SIZE = 256  # pixels; what the notebooks train at


def main() -> None:
    """Measure one backbone or several, and write benchmarks/results/features.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=SAMPLE, help="of photos; the sample's by default")
    parser.add_argument("--photos", type=int, default=64, help="how many, by name")
    parser.add_argument(
        "--recipe-photos", type=int, default=20, help="how many the recipe gets; 0: no recipe"
    )
    parser.add_argument("--crops", type=int, default=1, help="rows of each photo")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", choices=["auto", "float32", "bfloat16"], default="auto")
    parser.add_argument(
        "--backbones",
        nargs="+",
        choices=["inception_resnet_v2", "efficientnet_lite0"],
        default=["inception_resnet_v2", "efficientnet_lite0"],
    )
    parser.add_argument("--results", type=Path, default=results.RESULTS, help="folder of the result")
    arguments = parser.parse_args()
    table = {}
    with tempfile.TemporaryDirectory() as scratch:
        photos = find_photos(arguments.folder)[: arguments.photos]
        for name in arguments.backbones:
            folder = Path(scratch) / name
            in_process(make_backbone_folder, name, folder)
            table[name] = measured(folder, photos, arguments)
            print(results.show({name: table[name]}), flush=True)
    command = results.command_line("benchmarks.features")
    print(results.write("features", table, command, arguments.results))


def measured(backbone: Path, photos: list[Path], arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures of one backbone."""
    embedder = load_embedder(backbone, arguments.precision, 16)
    crops = CropsParams(per_photo=arguments.crops, min_side_share=0.5)
    plans = _plans(photos, crops)
    gray = _in_memory(photos, embedder, crops)
    recipe = photos[: arguments.recipe_photos]
    own: dict[str, list[float]] = {"lab": [], "embed": []}
    cpu: dict[str, list[float]] = defaultdict(list)

    def rate(case: str, count: int, work: Callable[[], tuple[float, float]]) -> float:
        wall, cores = work()
        cpu[case].append(1000 * cores / count)
        return count / wall

    def stages() -> None:
        with tempfile.TemporaryDirectory() as folder:
            lab = results.seconds_of(
                lambda: make_lab(
                    plans, Path("/"), Path(folder) / "lab", crops, LabParams(size=SIZE, workers=0)
                )
            )
            embed = results.seconds_of(lambda: _embed(embedder, plans, crops, Path(folder) / "embeddings"))
        own["lab"].append(len(photos) / lab)
        own["embed"].append(len(photos) / embed)

    cases: dict[str, Callable[[], float]] = {
        "stages": lambda: rate("stages", len(photos), lambda: _both_clocks(stages)),
        "backbone_alone": lambda: rate(
            "backbone_alone", len(photos), lambda: _both_clocks(lambda: _alone(embedder, gray))
        ),
    }
    other = _in_the_other_precision(backbone, embedder)
    if other is not None:
        name = f"backbone_alone_in_{other.precision}"
        cases[name] = lambda: rate(name, len(photos), lambda: _both_clocks(lambda: _alone(other, gray)))
    with ExitStack() as stack:
        if recipe:
            context = multiprocessing.get_context("spawn")
            notebook = stack.enter_context(context.Pool(1, _open_notebook, [backbone, SIZE]))
            cases["recipe"] = lambda: rate(
                "recipe", len(recipe), lambda: notebook.apply(_notebook_seconds, [recipe])
            )
        rates = results.paired(cases, arguments.rounds)
    compared = {}
    if recipe:
        compared["stages_over_recipe"] = results.ratio(rates["stages"], rates["recipe"])
        compared["stages_over_recipe_by_cpu"] = results.ratio(cpu["recipe"], cpu["stages"])
    return {
        "photos": len(photos),
        "crops_per_photo": crops.per_photo,
        "engine": embedder.sentence,
        "photos_per_s": {name: results.spread(values) for name, values in (rates | own).items()},
        "stages_over_backbone_alone": results.ratio(rates["stages"], rates["backbone_alone"]),
        **compared,
        # Where all cores are busy, what they take for a photo is what bounds the rate.
        "cpu_ms_per_photo": {case: results.spread(values) for case, values in cpu.items()},
        "stages_over_backbone_alone_by_cpu": results.ratio(cpu["backbone_alone"], cpu["stages"]),
        "second_decoding_cpu_ms_per_photo": _second_decoding(photos),
    }


def _in_the_other_precision(backbone: Path, embedder: Embedder) -> Embedder | None:
    """The backbone as the choice was not; None where there is no choice."""
    other = "float32" if embedder.precision == "bfloat16" else "bfloat16"
    try:
        return load_embedder(backbone, other, 16)
    except BackboneError:
        return None


def _plans(photos: list[Path], crops: CropsParams) -> list[ShardPlan]:
    import pandas as pd

    rows = [(str(path.resolve())[1:], sha256_of(path)) for path in photos]
    manifest = pd.DataFrame(rows, columns=["path", "content_hash"])
    manifest["bucket"] = manifest["content_hash"].str[:1]
    return plan_shards(manifest.assign(split="train"), crops)


def _in_memory(photos: list[Path], embedder: Embedder, crops: CropsParams) -> list[np.ndarray]:
    """What the backbone sees of the photos."""
    side = embedder.backbone.spec.input_size
    plans = _plans(photos, crops)
    return [
        backbone_gray8(crop, side)
        for plan in plans
        for photo in plan.photos
        for crop in lightness_crops(Path("/"), photo, plan.crops, crops.min_side_share)
    ]


def _alone(embedder: Embedder, gray: list[np.ndarray]) -> None:
    """The backbone's pass over photos in memory, as many calls at a time as the embedder wants."""
    size = 16
    batches = [np.stack(gray[start : start + size]) for start in range(0, len(gray), size)]
    with ThreadPoolExecutor(embedder.at_once) as pool:
        for _ in pool.map(lambda batch: embedder.embed(batch), batches):
            pass


def _embed(embedder: Embedder, plans: list[ShardPlan], crops: CropsParams, folder: Path) -> None:
    spec = embedder.backbone.spec
    make_embeddings(
        plans,
        Path("/"),
        folder,
        crops,
        embed=embedder.embed,
        input_size=spec.input_size,
        embedding_size=spec.embedding_size,
        backbone_sha256=spec.sha256,
        batch_size=16,
        precision=embedder.precision,
        at_once=embedder.at_once,
    )


def _second_decoding(photos: list[Path]) -> float:
    """What one decoding of a photo costs: so much would be saved if `lab` and `embed` shared it."""
    with one_thread_a_photo():
        seconds = results.cpu_seconds_of(lambda: [read_photo(path) for path in photos])
    return float(f"{1000 * seconds / len(photos):.3g}")


def make_backbone_folder(name: str, folder: Path) -> None:
    """A backbone's folder with its IR, made in a process of its own, as by the stage `weights`."""
    from tintype.models.backbone.weights import add_ir, make_backbone

    embedded = name == "efficientnet_lite0"
    weights = WeightsParams(
        backbone=name,
        origin="embedded" if embedded else "random",  # random weights take as long as others
        file=None,
        url="",
        checksum="md5:" + "0" * 32,
        seed=1,
    )
    make_backbone(weights, folder)
    print(f"{name}, {add_ir(folder)}", file=sys.stderr)


def in_process(work: Callable[..., None], *arguments: Any) -> None:
    """Do some work in a process of its own, so that what it imports and holds goes with it."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        pool.apply(work, arguments)


_notebook: list[Notebook] = []  # of the process that has TensorFlow


def _open_notebook(backbone: Path, size: int) -> None:
    _notebook.append(Notebook(backbone, size))


def _notebook_seconds(photos: list[Path]) -> tuple[float, float]:
    return _both_clocks(lambda: _notebook[0].features(photos))


def _both_clocks(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of a call: on the wall, and of all cores."""
    cores: list[float] = []
    wall = results.seconds_of(lambda: cores.append(results.cpu_seconds_of(work)))
    return wall, cores[0]


if __name__ == "__main__":
    main()
