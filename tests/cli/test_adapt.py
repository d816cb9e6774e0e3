"""A model fitted further on photos of one's own."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tintype.cli import app
from tintype.cli.adapt import prepare
from tintype.models.bundle import bundle_digest, read_info
from tintype.training.adapt import train_params

PHOTOS = 32  # two more than it takes


@pytest.fixture(scope="module")
def holdings(tmp_path_factory):
    """Photos of different things under the same red light, and three that cannot teach."""
    folder = tmp_path_factory.mktemp("own") / "photos"
    (folder / "deep").mkdir(parents=True)
    random = np.random.default_rng(5)
    for number in range(PHOTOS):
        shapes = Image.fromarray(random.integers(30, 220, (5, 7), np.uint8)).resize((112, 80), Image.BICUBIC)
        light = np.asarray(shapes, np.float32)[..., None] * np.array([1.15, 0.75, 0.7], np.float32)
        noisy = light + random.normal(0, 3, light.shape)
        picture = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
        picture.save(folder / ("deep" if number % 2 else ".") / f"{number:02d}.png")
    shutil.copy(folder / "00.png", folder / "again.png")
    Image.new("L", (90, 90), 70).save(folder / "gray.png")
    (folder / "torn.jpg").write_bytes(b"\xff\xd8 no photo")
    return folder


@pytest.fixture
def adapt(here, monkeypatch):
    """The command `tintype adapt`, in this process, by a person who has chosen no backend."""
    monkeypatch.delenv("KERAS_BACKEND")
    return lambda *arguments: CliRunner().invoke(app, ["adapt", *map(str, arguments)])


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize(
    "kind",
    [
        "bundle",
        pytest.param("report_bundle", marks=pytest.mark.slow),
        pytest.param("report_pyramid_bundle", marks=pytest.mark.slow),
    ],
)
def test_it_comes_nearer_to_the_photos_and_says_so(kind, adapt, holdings, request):
    base = request.getfixturevalue(kind)
    before = files(holdings)
    done = adapt(holdings, "--model", base, "--output", "mine", "--epochs", "2")
    assert done.exit_code == 0, done.output
    assert "3 cannot be used" in done.output
    assert "Nothing was registered." in done.output
    assert "--model mine" in done.output
    assert files(holdings) == before

    info, was = read_info(Path("mine")), read_info(base)
    assert (info.network, info.backbone, info.size) == (was.network, was.backbone, was.size)
    assert info.preset == f"adapted from {bundle_digest(was)[:12]}"
    assert info.data.mean_ab[0] > 10  # it is red in there
    assert info.trained.loss == was.trained.loss
    card = Path("mine/README.md").read_text()
    assert "| CIEDE2000 (less is better) |" in card
    assert "before" in card
    with Image.open("mine/adapted.jpg") as grid:
        assert grid.width > 4 * 100
    # These networks had learnt nothing, so there is everything to gain.
    assert "It helped: on " in done.output
    assert not [path for path in Path().iterdir() if path.name != "mine"]


def test_photos_are_dealt_out_by_their_content(bundle, holdings, tmp_path):
    info = read_info(bundle)
    prepared = prepare(holdings, bundle, info, tmp_path / "one")
    learned, chosen, held_out = prepared.counts
    assert learned + chosen + held_out == PHOTOS
    assert min(chosen, held_out) > 0
    assert len(prepared.held_out) == held_out
    moved = tmp_path / "moved"
    shutil.copytree(holdings, moved)
    shutil.move(moved / "02.png", moved / "deep/other.png")
    again = prepare(moved, bundle, info, tmp_path / "two")
    assert again.counts == prepared.counts


def test_too_few_photos_are_reported(adapt, bundle, holdings):
    Path("few").mkdir()
    for path in sorted(holdings.glob("*.png"))[:9]:
        shutil.copy(path, "few")
    done = adapt("few", "--model", bundle)
    assert done.exit_code == 1
    assert "Expected at least 30 colour photos" in done.output
    assert "Received: 9" in done.output
    assert not Path("models").exists()
    Path("none").mkdir()
    assert "Received: 0." in adapt("none", "--model", bundle).output


def test_a_command_that_cannot_be_meant_begins_nothing(adapt, bundle, holdings):
    assert adapt("nowhere", "--model", bundle).exit_code == 2
    inside = adapt(holdings, "--model", bundle, "--output", holdings / "new")
    assert inside.exit_code == 2
    assert "apart from the photos" in inside.output
    Path("mine").mkdir()
    there = adapt(holdings, "--model", bundle, "--output", "mine")
    assert there.exit_code == 2
    assert "--force" in there.output
    assert list(Path("mine").iterdir()) == []
    assert adapt(holdings, "--model", "no-such-bundle").exit_code == 2


def test_interrupted_it_leaves_no_half_bundle(adapt, bundle, holdings, monkeypatch):
    from tintype.evaluation import before_after
    from tintype.training import adapt as training

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "adapt_bundle", lambda base, *rest: shutil.copytree(base, rest[-1]))
    monkeypatch.setattr(before_after, "compare", stop)
    done = adapt(holdings, "--model", bundle, "--output", "mine", "--epochs", "1")
    assert done.exit_code == 130
    assert "Nothing was written to mine." in done.output
    assert list(Path().iterdir()) == []


def test_scans_are_imitated_only_where_no_embedding_is_of_the_clean_photo(bundle, pyramid_bundle):
    fusion = train_params(read_info(bundle), 2, has_classes=False)
    pyramid = train_params(read_info(pyramid_bundle), 2, has_classes=True)
    assert (fusion.scans, fusion.loss.name) == (0, "mse")
    assert (pyramid.scans > 0, pyramid.loss.name) == (True, "classes")
