"""The bundle that comes with the package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tintype.models.bundle import bundle_digest, read_info
from tintype.models.card import StarterFacts, model_card, starter_card
from tintype.models.lineage import starter_lineage
from tintype.models.starter import FOLDER, StarterError, starter_bundle

MEGABYTES_AT_MOST = 20


@pytest.fixture
def folder(tmp_path: Path, bundle: Path) -> Path:
    """A folder like the package's, with another bundle in it."""
    (tmp_path / "bundle").symlink_to(bundle)
    return tmp_path


def test_it_is_there_whole_and_small() -> None:
    bundle = starter_bundle()
    info = read_info(bundle)  # checks every file's checksum
    assert (info.preset, info.network.needs) == ("starter", "maps")
    assert set(info.files) == {"network.keras", "network.xml", "network.bin"}
    assert info.ir is not None
    assert info.ir.max_difference < 0.01
    files = [path for path in FOLDER.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert sum(path.stat().st_size for path in files) < MEGABYTES_AT_MOST * 10**6
    assert {path.name for path in files} == {
        "network.keras",
        "network.xml",
        "network.bin",
        "bundle.json",
        "README.md",
        "origin.json",
        "metrics.json",
        "reliability.png",
    }


def test_its_card_has_its_own_figures() -> None:
    card = (starter_bundle() / "README.md").read_text(encoding="utf-8")
    metrics = json.loads((FOLDER / "metrics.json").read_text(encoding="utf-8"))
    for method in ("ours", "all_gray", "mean_ab"):
        assert f"{metrics[method]['delta_e2000_mean']:.2f}" in card
    assert starter_lineage().manifest_sha256[:12] in card
    assert len(starter_lineage().git_commit) == 40


def test_its_lineage_is_its_bundles(folder: Path, bundle: Path) -> None:
    (folder / "origin.json").write_text('{"git_commit": "c0ffee", "photos": 3}')
    lineage = starter_lineage(folder)
    assert (lineage.name, lineage.version, lineage.git_commit) == ("tintype", "starter", "c0ffee")
    assert lineage.bundle_sha256 == bundle_digest(read_info(bundle))
    assert lineage.dvc_lock_sha256 == ""


@pytest.mark.parametrize("origin", [None, "torn", "[]", '{"git_commit": 3}'])
def test_without_a_sound_origin_it_knows_less(folder: Path, origin: str | None) -> None:
    if origin is not None:
        (folder / "origin.json").write_text(origin)
    assert starter_lineage(folder).git_commit == ""


def test_an_installation_without_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(StarterError, match=r"comes without it\. .* --model"):
        starter_bundle(tmp_path)


def test_the_starters_card_says_all_that_a_bundles_does_and_its_licence(bundle: Path) -> None:
    info = read_info(bundle)
    facts = StarterFacts(
        "a box under the bed", "| Source |", 17, "| | PSNR |", "| Skin |", "Chosen by hand.", 0.034
    )
    card = starter_card(info, facts)
    description = model_card(info).partition("\nHow well")[0]
    assert card.startswith(description)
    for words in (
        "a box under the bed",
        "17 to be judged on",
        "| | PSNR |",
        "| Skin |",
        "Chosen by hand.",
        "off by\n0.03",
        "## Licence",
    ):
        assert words in card
    assert "reports/evaluate" not in card  # where it goes there are no reports
