"""Two models on the same photos."""

import numpy as np
import pytest
from PIL import Image

from tintype.evaluation.baselines import all_gray
from tintype.evaluation.before_after import compare, comparison_table, verdict
from tintype.files.digest import sha256_of
from tintype.imaging.picture import PhotoFile


@pytest.fixture(scope="module")
def photos(tmp_path_factory, sample):
    """Small copies of sample photos."""
    folder = tmp_path_factory.mktemp("small")
    found = {}
    for path in sorted(sample.glob("*.jpg"))[:9]:
        picture = Image.open(path).convert("RGB")
        picture.thumbnail((64, 64))
        small = folder / f"{path.stem}.png"
        picture.save(small)
        found[f"in/{small.name}"] = PhotoFile(small, sha256_of(small))
    return found


def half(rgb8):
    return ((rgb8.astype(int) + all_gray(rgb8)) // 2).astype(np.uint8)


def test_one_that_comes_nearer_helped(photos):
    compared = compare(photos, all_gray, half)
    sentence = verdict(compared.judgements)
    assert sentence.startswith("It helped: on 9 photos held out, colours came nearer to the truth by ")
    assert "farther" not in sentence
    table = comparison_table(compared.judgements)
    rows = {line.split("|")[1].strip().split(",")[0].split(" (")[0]: line for line in table.splitlines()[2:]}
    assert set(rows) == {"CIEDE2000", "PSNR", "colourfulness", "patches"}
    cells = [cell.strip() for cell in rows["CIEDE2000"].split("|")[2:6]]
    assert cells[2].startswith("-")
    assert cells[0].split()[0] == cells[3]  # before was all gray
    assert float(rows["colourfulness"].split("|")[3].split()[0]) == pytest.approx(0.5, abs=0.06)
    assert compared.grid.ndim == 3


def test_one_that_goes_off_made_matters_worse(photos):
    def wrong(rgb8):
        return rgb8[..., ::-1].copy()

    sentence = verdict(compare(photos, half, wrong).judgements)
    assert sentence.startswith("It made matters worse: on 9 photos held out, colours went off by ")
    assert "farther from the truth than gray" in sentence


def test_what_chance_may_have_done_is_left_open(photos):
    names = list(photos)
    flip = {photos[name].path.stem: index % 2 == 0 for index, name in enumerate(names)}
    sizes = iter(flip.values())

    def luck(rgb8):
        return half(rgb8) if next(sizes) else all_gray(rgb8)

    sizes_back = iter([not one for one in flip.values()])

    def other_luck(rgb8):
        return half(rgb8) if next(sizes_back) else all_gray(rgb8)

    sentence = verdict(compare(photos, luck, other_luck).judgements)
    assert sentence.startswith("It made no difference that 9 photos held out could show: ")
