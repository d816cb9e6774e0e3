"""A bundle against the champion: the report that is kept, and whose figures may stand beside whose."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.colorize import Colorizer
from tintype.evaluation.comparison import Champion, Comparison, ComparisonReport
from tintype.files.digest import sha256_of
from tintype.imaging.picture import PhotoFile
from tintype.models.bundle import bundle_digest, read_info

FILES = {"table.md", "photos.csv", "front.csv", "picture.jpg", "card.json", "verdict.json"}


def champion_of(digest: str, bundle: Path | None, missing: str = "", report: Path | None = None) -> Champion:
    """What a registry would know of version 1."""
    return Champion("1", digest, bundle, missing, report)


@pytest.fixture(scope="module", autouse=True)
def loaded_once() -> Iterator[None]:
    """As for people, on OpenVINO. To load a bundle takes seconds, and here the same two are compared a lot."""
    load = Colorizer.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Colorizer, "load", functools.cache(lambda bundle: load(bundle, "openvino")))
        yield


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> dict[str, PhotoFile]:
    folder = tmp_path_factory.mktemp("small")
    found = {}
    for path in sorted(sample.glob("*.jpg"))[:3]:
        picture = Image.open(path).convert("RGB")
        picture.thumbnail((64, 64))
        picture.save(folder / f"{path.stem}.png")
        small = folder / f"{path.stem}.png"
        found[path.stem] = PhotoFile(small, sha256_of(small))
    return found


def digest(bundle: Path) -> str:
    return bundle_digest(read_info(bundle))


@pytest.fixture(scope="module")
def own(
    tmp_path_factory: pytest.TempPathFactory, bundle: Path, photos: dict[str, PhotoFile]
) -> tuple[Path, ComparisonReport]:
    """The report of a first version, which had nobody to beat."""
    folder = tmp_path_factory.mktemp("own")
    return folder, Comparison(bundle, photos)(None, folder)


@pytest.fixture(scope="module")
def beaten(
    tmp_path_factory: pytest.TempPathFactory,
    bundle: Path,
    pyramid_bundle: Path,
    photos: dict[str, PhotoFile],
    own: tuple[Path, ComparisonReport],
) -> tuple[Path, ComparisonReport]:
    """The report of a second version against the first, whose scores are kept."""
    folder = tmp_path_factory.mktemp("second")
    champion = champion_of(digest(bundle), bundle, report=own[0])
    return folder, Comparison(pyramid_bundle, photos)(champion, folder)


def figures(folder: Path) -> dict[str, dict[str, list[float]]]:
    return {
        row["figure"].partition(" ")[0]: row
        for row in json.loads((folder / "verdict.json").read_text())["figures"]
    }


def test_a_report_is_whole_and_its_card_is_named_by_its_hash(
    beaten: tuple[Path, ComparisonReport], photos: dict[str, PhotoFile]
) -> None:
    folder, outcome = beaten
    assert {path.name for path in folder.iterdir()} == FILES
    verdict = json.loads((folder / "verdict.json").read_text())
    assert verdict["metric_card"] == hashlib.sha256((folder / "card.json").read_bytes()).hexdigest()
    assert verdict["verdict"] == outcome.verdict
    assert verdict["champion"]["name"] == "version 1"
    assert verdict["challenger"]["network_size"] == 48
    card = json.loads((folder / "card.json").read_text())
    assert card["photos"] == {
        "count": 3,
        "sha256": hashlib.sha256("\n".join(photo.sha256 for photo in photos.values()).encode()).hexdigest(),
    }
    assert set(card["versions"]) == {"tintype", "numpy", "opencv", "scikit-image"}
    assert outcome.markdown.startswith("| | champion | challenger | difference | all gray | mean ab |\n")
    assert (folder / "table.md").read_text() == f"{outcome.markdown}\n"
    picture = np.asarray(Image.open(folder / "picture.jpg"))
    assert picture.ndim == 3


def test_without_a_champion_there_is_a_table_of_one(own: tuple[Path, ComparisonReport]) -> None:
    folder, outcome = own
    assert {path.name for path in folder.iterdir()} == FILES
    assert outcome.markdown.startswith("| | challenger | all gray | mean ab |\n")
    assert "There is no champion to compare with." in outcome.reasons


def test_scores_of_the_same_card_are_taken_as_they_are(
    bundle: Path,
    pyramid_bundle: Path,
    photos: dict[str, PhotoFile],
    own: tuple[Path, ComparisonReport],
    beaten: tuple[Path, ComparisonReport],
    tmp_path: Path,
) -> None:
    anew = tmp_path / "anew"
    Comparison(pyramid_bundle, photos)(champion_of(digest(bundle), bundle), anew)
    for name, row in figures(anew).items():
        if name != "seconds":
            assert row == figures(beaten[0])[name]
    # They really are taken: other scores in the champion's report show.
    changed = tmp_path / "changed"
    shutil.copytree(own[0], changed)
    rows = (changed / "photos.csv").read_text().splitlines()
    place = rows[0].split(",").index("psnr_db")
    cells = [row.split(",") for row in rows]
    for row in cells[1:]:
        row[place] = "77" if row[1] == "challenger" else row[place]
    (changed / "photos.csv").write_text("\n".join(map(",".join, cells)))
    again = tmp_path / "again"
    Comparison(pyramid_bundle, photos)(champion_of(digest(bundle), bundle, report=changed), again)
    assert figures(again)["PSNR,"]["champion"] == [77, 77, 77]
    assert figures(again)["seconds"]["champion"] is not None


def test_figures_of_different_cards_are_not_compared(
    bundle: Path,
    pyramid_bundle: Path,
    photos: dict[str, PhotoFile],
    own: tuple[Path, ComparisonReport],
    tmp_path: Path,
) -> None:
    fewer = dict(list(photos.items())[:2])
    comparison = Comparison(pyramid_bundle, fewer)
    gone = champion_of(digest(bundle), None, "Its files were deleted.", own[0])
    outcome = comparison(gone, tmp_path / "gone")
    reasons = " ".join(outcome.reasons)
    assert outcome.markdown.startswith("| | challenger |")
    assert "another metric card (photos.count: 3 and 2; photos.sha256)" in reasons
    assert "Its files were deleted." in reasons
    judged_anew = comparison(champion_of(digest(bundle), bundle, report=own[0]), tmp_path / "anew")
    assert judged_anew.markdown.startswith("| | champion |")
    assert "photos.count: 3 and 2" in judged_anew.markdown
    assert "judged anew" in judged_anew.markdown


def test_scores_outlive_the_champions_files(
    bundle: Path,
    pyramid_bundle: Path,
    photos: dict[str, PhotoFile],
    own: tuple[Path, ComparisonReport],
    beaten: tuple[Path, ComparisonReport],
    tmp_path: Path,
) -> None:
    gone = champion_of(digest(bundle), None, "Its files were deleted.", own[0])
    outcome = Comparison(pyramid_bundle, photos)(gone, tmp_path / "gone")
    assert "The bundle of version 1 cannot be had: Its files were deleted." in outcome.markdown
    for name, row in figures(tmp_path / "gone").items():
        assert row["champion"] == (None if name == "seconds" else figures(beaten[0])[name]["champion"])


def test_scores_of_another_bundle_are_not_the_champions(
    bundle: Path,
    pyramid_bundle: Path,
    photos: dict[str, PhotoFile],
    own: tuple[Path, ComparisonReport],
    tmp_path: Path,
) -> None:
    champion = champion_of("0" * 64, None, "It is gone.", own[0])
    outcome = Comparison(pyramid_bundle, photos)(champion, tmp_path / "other")
    assert outcome.markdown.startswith("| | challenger |")
