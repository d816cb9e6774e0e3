"""Train the starter and put it into the package: `python .ci/starter.py --photos FOLDER`.

The pipeline runs with the preset `starter` in a clone of the last commit, so that what lies about here, data and
bundle of the project's own pipeline among it, neither goes in nor is touched. With --scratch the clone is kept, and the
same command goes on where it was cut off.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "src"))

from dvc.utils.hydra import compose_and_dump  # noqa: E402
from ruamel.yaml import YAML  # noqa: E402

from tintype.evaluation.summary import metrics_table  # noqa: E402
from tintype.files.atomic import new_folder, write_json, write_text  # noqa: E402
from tintype.files.digest import sha256_of  # noqa: E402
from tintype.models.bundle import BundleInfo, read_info  # noqa: E402
from tintype.models.card import StarterFacts, starter_card  # noqa: E402
from tintype.models.starter import BUNDLE, FOLDER, METRICS_FILE, ORIGIN_FILE, RELIABILITY_FILE  # noqa: E402

MOST_MEGABYTES = 20.0
KAGGLE = "ImageNet's subset on Kaggle (https://www.kaggle.com/datasets/ifigotin/imagenetmini-1000)"


def main() -> None:
    """Clone, run the pipeline, take the bundle over."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, required=True, help="a folder of colour photos")
    parser.add_argument("--data", default=KAGGLE, help="where they come from, for the model card")
    parser.add_argument("--scratch", type=Path, help="folder for the clone, which is kept")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder for the result")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="as dvc exp run -S takes them")
    given = parser.parse_args()
    if not given.photos.is_dir():
        sys.exit(f"error: Expected a folder of photos as --photos. Received: {given.photos}.")
    if run("git", "-C", PROJECT, "status", "--porcelain", "--", "src", "conf", "dvc.yaml"):
        print("note: What is not committed yet has no part in the starter.", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="tintype-starter-") as scratch:
        clone = (given.scratch or Path(scratch)).resolve() / "tintype"
        commit = check_out(clone)
        overrides = ["preset=starter", f"fetch.directory={json.dumps(str(given.photos.resolve()))}"]
        compose_and_dump(
            clone / "params.yaml",
            str(clone / "conf"),
            None,
            "config",
            str(clone / "conf"),
            [*overrides, *given.overrides],
        )
        train(clone)
        take_over(clone, commit, given.data, given.output)


def check_out(clone: Path) -> str:
    """Bring a clone to the project's last commit; what its pipeline has made stays."""
    if not (clone / ".git").is_dir():
        clone.parent.mkdir(parents=True, exist_ok=True)
        run("git", "clone", "--quiet", "--no-checkout", PROJECT, clone)
    run("git", "-C", clone, "fetch", "--quiet", PROJECT, "HEAD")
    run("git", "-C", clone, "checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
    return run("git", "-C", clone, "rev-parse", "HEAD")


def train(clone: Path) -> None:
    """Run the pipeline up to its evaluation; a store of runs is made in the clone and goes with it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(["dvc", "repro", "evaluate"], cwd=clone, env=environment, check=False)
    if done.returncode:
        sys.exit("error: The pipeline failed; it says why above.")


def take_over(clone: Path, commit: str, data: str, output: Path) -> None:
    """Bundle, card, origin and figures of the clone's pipeline, as a whole or not at all."""
    trained = clone / "models/tintype"
    info = read_info(trained)
    decode = YAML(typ="safe").load(clone / "params.yaml")["decode"]
    metrics = json.loads((clone / "reports/evaluate/metrics.json").read_text(encoding="utf-8"))
    facts = StarterFacts(
        data,
        metrics["photos"],
        metrics_table(metrics),
        operating_point(info, decode, metrics),
        metrics["ours"]["calibration_error"],
    )
    with new_folder(output / BUNDLE) as part:
        for name in (*info.files, "bundle.json"):
            shutil.copyfile(trained / name, part / name)
        write_text(part / "README.md", starter_card(info, facts))
        size = sum(path.stat().st_size for path in part.iterdir()) / 1e6
        if size > MOST_MEGABYTES:
            sys.exit(
                f"error: Expected a bundle of at most {MOST_MEGABYTES:g} MB. Received: {size:.1f} MB. "
                "Choose a smaller backbone or network.width, and network.half."
            )
    origin = {"git_commit": commit, "dvc_lock_sha256": sha256_of(clone / "dvc.lock"), "data": data}
    write_json(output / ORIGIN_FILE, origin)
    write_json(output / METRICS_FILE, metrics)
    shutil.copyfile(clone / "reports/evaluate/reliability.png", output / RELIABILITY_FILE)
    print(
        f"\n{metrics_table(metrics)}\n\nThe starter is in {output}, {size:.1f} MB. Look at its card, then commit it."
    )


def operating_point(
    info: BundleInfo, decode: dict[str, float | None], metrics: dict[str, dict[str, float]]
) -> str:
    """Why colours are as strong as they are."""
    aim, decoding = decode["colourfulness"], info.decoding
    chosen = []
    if decoding.temperature is not None and decode["temperature"] is None:
        chosen.append(
            f"Of several temperatures of the distribution over colours, {decoding.temperature:g} came nearest to the "
            "true colours (by CIEDE2000) once each was made equally colourful."
        )
    if aim is None:
        chosen.append("Colours are as strong as the network says them.")
    else:
        chosen.append(
            f"The factor on the colours, {decoding.gain:g}, makes validation photos {aim:g} times as colourful as "
            "they are in truth. The smallest error would be had with far paler colours, because a pale guess is never "
            "far wrong; people who look at photos want colours that they see. `--saturation` goes either way."
        )
    ratio = metrics["ours"]["colourfulness_ratio"]
    chosen.append(
        f"On the photos held out, which had no part in this choice, the ratio came out as {ratio:.2f}."
    )
    return " ".join(chosen)


def run(*command: str | Path) -> str:
    """A command's output without its last newline; its failure ends this one."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"error: {' '.join(map(str, command[:4]))} failed: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
