"""What `make starter` puts together before it trains."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from tintype.data.validation import inspection

ROOT = Path(__file__).parents[2]
HEADER = "file,source repository,commit,path,licence as stated there,tier\n"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Its functions, which look at photos in this process."""

    def here(photos: Path, names: list[str]) -> Any:
        return (inspection.inspect_photo(photos, name) for name in names)

    monkeypatch.setattr(inspection, "inspect_all", here)
    return runpy.run_path(str(ROOT / ".ci/starter.py"))


def test_folders_are_put_beside_each_other_without_what_the_sample_shows(
    script: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said, bare = tmp_path / "said", tmp_path / "bare"
    said.mkdir()
    bare.mkdir()
    cat = Image.open(ROOT / "data/sample/cat.jpg")
    cat.save(said / "same.png")
    ImageOps.mirror(cat).save(bare / "mirrored.jpg")
    for folder, name in ((said, "open"), (said, "research"), (bare, "own")):
        noise = Image.effect_noise((160, 120), 90)
        Image.merge("RGB", [noise, noise.rotate(180), ImageOps.mirror(noise)]).save(folder / f"{name}.png")
    (said / "ATTRIBUTION.csv").write_text(
        f"{HEADER}open.png,there,1,a,CC0,open\nresearch.png,there,1,b,none,research\nsame.png,there,1,c,CC0,open\n"
    )
    everything = script["gather"]([said, bare], None, tmp_path / "scratch")
    assert sorted(path.relative_to(everything).as_posix() for path in everything.rglob("*.*")) == [
        "ATTRIBUTION.csv", "bare/own.png", "said/open.png", "said/research.png",
    ]  # fmt: skip
    assert (
        "2 photos are left out, which the sample shows: bare/mirrored.jpg, said/same.png."
        in capsys.readouterr().out
    )
    assert script["attribution"](everything)[0] == {
        "file": "said/open.png", "source repository": "there", "licence as stated there": "CC0", "tier": "open",
    }  # fmt: skip
    free = script["gather"]([said, bare], "open", tmp_path / "scratch")
    assert [path.name for path in free.rglob("*.png")] == ["open.png"]
    with pytest.raises(
        SystemExit, match=r"Expected folders of different names as --photos\. Received: said, said\."
    ):
        script["gather"]([said, tmp_path / "other/said"], None, tmp_path / "scratch")
