"""Train the starter and put it into the package: `python .ci/starter.py --photos FOLDER [FOLDER ...]`.

The pipeline runs with the preset `starter` in a clone of the last commit, so that what lies about here, data and
bundle of the project's own pipeline among it, neither goes in nor is touched. With --scratch the clone is kept, and the
same command goes on where it was cut off.

Where a folder says in ATTRIBUTION.csv where its photos come from, the card says it too. Photos that the sample shows,
mirrored or cropped too, are left out: the sample is what people try the starter on.
"""

import argparse
import csv
import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "src"))

from dvc.utils.hydra import compose_and_dump  # noqa: E402
from ruamel.yaml import YAML  # noqa: E402

from tintype.data.validation.duplicates import group_near_duplicates  # noqa: E402
from tintype.data.validation.inspection import Facts, inspect_all  # noqa: E402
from tintype.data.validation.manifest import TRAIN, read_manifest  # noqa: E402
from tintype.evaluation.summary import metrics_table  # noqa: E402
from tintype.files.atomic import new_folder, write_json, write_text  # noqa: E402
from tintype.files.digest import sha256_of  # noqa: E402
from tintype.imaging.finding import find_photos  # noqa: E402
from tintype.models.bundle import BundleInfo, read_info  # noqa: E402
from tintype.models.card import StarterFacts, starter_card  # noqa: E402
from tintype.models.starter import BUNDLE, FOLDER, METRICS_FILE, ORIGIN_FILE, RELIABILITY_FILE  # noqa: E402

MOST_MEGABYTES = 20.0
ATTRIBUTION = "ATTRIBUTION.csv"
ATTRIBUTED = ("source repository", "licence as stated there", "tier")
SAMPLE = PROJECT / "data/sample"


def main() -> None:
    """Clone, run the pipeline, take the bundle over."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--photos", type=Path, nargs="+", required=True, metavar="FOLDER", help="folders of colour photos"
    )
    parser.add_argument("--tier", help="only photos of this tier, by their folder's ATTRIBUTION.csv")
    parser.add_argument(
        "--data",
        help="where photos without an ATTRIBUTION.csv come from, for the model card: the end of a sentence",
    )
    parser.add_argument("--scratch", type=Path, help="folder for the clone, which is kept")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder for the result")
    parser.add_argument(
        "--set", dest="overrides", nargs="+", default=[], metavar="KEY=VALUE", help="as dvc exp run -S"
    )
    given = parser.parse_args()
    for folder in given.photos:
        if not folder.is_dir():
            sys.exit(f"error: Expected folders of photos as --photos. Received: {folder}.")
    if run("git", "-C", PROJECT, "status", "--porcelain", "--", "src", "conf", "dvc.yaml"):
        print("note: What is not committed yet has no part in the starter.", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="tintype-starter-") as scratch:
        place = (given.scratch or Path(scratch)).resolve()
        clone = place / "tintype"
        commit = check_out(clone)
        photos = gather([folder.resolve() for folder in given.photos], given.tier, place)
        overrides = ["preset=starter", f"fetch.directory={json.dumps(str(photos))}"]
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


def gather(folders: Sequence[Path], tier: str | None, place: Path) -> Path:
    """The folders' photos beside each other in a new one, without those that the sample shows.

    A folder that an earlier call made of the same folders and tier is taken as it is.
    """
    names = [folder.name for folder in folders]
    if len(set(names)) < len(names):
        sys.exit(f"error: Expected folders of different names as --photos. Received: {', '.join(names)}.")
    asked = hashlib.sha256(json.dumps([*map(str, folders), tier]).encode()).hexdigest()
    destination = place / f"photos-{asked[:12]}"
    if destination.is_dir():
        return destination
    attributions: list[dict[str, str]] = []
    with new_folder(destination) as part:
        for folder in folders:
            said = {row["file"]: row for row in attribution(folder)}
            for photo in find_photos(folder):
                name = photo.relative_to(folder).as_posix()
                if tier is not None and said.get(name, {}).get("tier") != tier:
                    continue
                copy = part / folder.name / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(photo, copy)
                if name in said:
                    attributions.append({**said[name], "file": f"{folder.name}/{name}"})
        shown = shown_by_the_sample(part)
        for name in shown:
            (part / name).unlink()
        print(f"{len(shown)} photos are left out, which the sample shows: {', '.join(shown) or 'none'}.")
        with (part / ATTRIBUTION).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["file", *ATTRIBUTED], extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(attributions)
    return destination


def attribution(folder: Path) -> list[dict[str, str]]:
    """What ATTRIBUTION.csv says of each photo, if there is one."""
    path = folder / ATTRIBUTION
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def shown_by_the_sample(folder: Path) -> list[str]:
    """Photos in a folder that are near duplicates of one of the sample's, or the very same."""
    facts: list[Facts] = []
    for place in (SAMPLE, folder):
        names = [path.relative_to(place).as_posix() for path in find_photos(place)]
        found = [one for one in inspect_all(place, names) if isinstance(one, Facts)]
        facts += [replace(one, path=f"{place}/{one.path}") for one in found]
    same: dict[str, list[Facts]] = {}
    for one in facts:
        same.setdefault(one.pixel_hash, []).append(one)
    groups = [[one.path for one in files] for files in same.values() if len(files) > 1]
    near: dict[str, list[str]] = {}
    for one in group_near_duplicates({one.content_hash: one for one in facts}.values()):
        near.setdefault(one.group, []).append(one.path)
    sample, own = f"{SAMPLE}/", f"{folder}/"
    return sorted(
        {
            path.removeprefix(own)
            for group in (*groups, *near.values())
            if any(path.startswith(sample) for path in group)
            for path in group
            if path.startswith(own)
        }
    )


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


def take_over(clone: Path, commit: str, data: str | None, output: Path) -> None:
    """Bundle, card, origin and figures of the clone's pipeline, as a whole or not at all."""
    trained = clone / "models/tintype"
    info = read_info(trained)
    decode = YAML(typ="safe").load(clone / "params.yaml")["decode"]
    metrics = json.loads((clone / "reports/evaluate/metrics.json").read_text(encoding="utf-8"))
    data, sources = where_from(clone, data)
    facts = StarterFacts(
        data,
        sources,
        metrics["photos"],
        metrics_table(metrics),
        skin_table(metrics["faces"]),
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


def where_from(clone: Path, others: str | None) -> tuple[str, str]:
    """Where the photos that were learned from come from: as the end of a sentence, and as a table in Markdown."""
    table = read_manifest(clone / "data/manifest", ["path", "split"])
    learned = table.loc[table["split"] == TRAIN, "path"]
    said = {row["file"]: row for row in attribution(clone / "data/raw")}
    counts = Counter(tuple(said[path][key] for key in ATTRIBUTED) for path in learned if path in said)
    unsaid = len(learned) - counts.total()
    rows = [
        f"| {repository} | {tier} | {licence.replace('|', '/')} | {count} |"
        for (repository, licence, tier), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    if unsaid:
        rows.insert(0, f"| {others or 'not said'} | | | {unsaid} |")
    tiers: Counter[str] = Counter()
    for (_, _, tier), count in counts.items():
        tiers[tier] += count
    parts = [f"{count:,} of the tier `{tier}`" for tier, count in sorted(tiers.items())]
    if unsaid:
        parts.append(f"{unsaid:,} from {others or 'a folder that does not say where they come from'}")
    heading = "| Source | Tier | Licence as stated there | Photos |\n|---|---|---|---|"
    return "; ".join(parts), "\n".join([heading, *rows])


def skin_table(faces: dict[str, dict[str, Any]]) -> str:
    """Errors inside faces, as a table in Markdown."""
    rows = ["| Skin | Faces | CIEDE2000 | of all gray | Hue error, degrees |", "|---|---|---|---|---|"]
    for tone, block in faces.items():
        values = [
            (block[method].get(mean, math.nan), block[method].get(error, math.nan))
            for method, mean, error in (
                ("ours", "delta_e2000_mean", "delta_e2000_se"),
                ("all_gray", "delta_e2000_mean", "delta_e2000_se"),
                ("ours", "hue_error", "hue_error_se"),
            )
        ]
        # One face alone has no standard error, and one that came out gray no hue.
        cells = [
            ("\N{EN DASH}" if math.isnan(value) else f"{value:.1f}")
            + ("" if math.isnan(error) else f" ± {error:.1f}")
            for value, error in values
        ]
        rows.append(f"| {tone} | {block['faces']} | {' | '.join(cells)} |")
    return "\n".join(rows)


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
    if decoding.contrast and decode["contrast"] is None:
        chosen.append(
            f"A contrast of {decoding.contrast:g}, chosen in the same way, makes faint colours fainter and strong ones "
            "stronger: less of a wash where there is no colour."
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
