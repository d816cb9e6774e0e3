import json
import os
import shutil
from pathlib import Path

import pytest

from tintype.data.sources.fetch import fetch
from tintype.data.sources.source import SourceError, read_left_out
from tintype.params import load_params
from tintype.stages.fetch import main


@pytest.fixture
def mine(tmp_path):
    """A folder of the user's own: ten photos in two classes, and what else lies around in such a folder."""
    folder = tmp_path / "mine"
    for number in range(5):
        for name in ("cats", "holiday/dogs"):
            path = folder / name / f"{number}.JPG"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{name} {number}".encode())
    for name in (
        "notes.txt",
        "list.csv",
        ".hidden.jpg",
        "cats/._0.JPG",
        ".thumbnails/0.jpg",
        "__MACOSX/0.jpg",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"no photo")
    return folder


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def record(raw):
    return json.loads((raw / "source.json").read_text())


def test_a_tree_of_photos_keeps_its_shape_and_nothing_else_comes_along(params, mine, tmp_path):
    raw = tmp_path / "raw"
    fetch(params("directory"), mine, raw)
    expected = [f"{name}/{number}.JPG" for name in ("cats", "holiday/dogs") for number in range(5)]
    assert files(raw) == ["left_out.csv"] + [f"photos/{path}" for path in expected] + ["source.json"]
    assert (raw / "photos/cats/3.JPG").read_bytes() == b"cats 3"


def test_the_record_says_what_is_there(params, mine, tmp_path):
    raw = tmp_path / "raw"
    fetch(params("directory"), mine, raw)
    assert record(raw) == {
        "source": "directory",
        "name": mine.as_posix(),
        "version": None,
        "subset": {"photos_per_class": None, "photos": None},
        "photos": 10,
        "bytes": sum(path.stat().st_size for path in (raw / "photos").rglob("*.JPG")),
        # cd photos; find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum, as coreutils computes it
        "digest": "1bb6e18bd36f5a8beb6041745e42ec60fc988d14b47280263d8b171d965ab446",
    }


def test_the_sample_brings_its_attribution(params, tmp_path, monkeypatch):
    sample = next(parent for parent in Path(__file__).parents if (parent / "data/sample").is_dir())
    monkeypatch.chdir(sample)
    raw = tmp_path / "raw"
    fetch(params("sample"), Path("data/sample"), raw)
    assert record(raw)["photos"] == 20
    assert (raw / "ATTRIBUTION.csv").read_bytes() == Path("data/sample/ATTRIBUTION.csv").read_bytes()
    with pytest.raises(SourceError, match=r"photos are in data/sample, but fetch\.directory is data/legacy"):
        fetch(params("sample"), Path("data/legacy"), raw)


def test_the_stage_fills_the_folder(mine, tmp_path, monkeypatch):
    project = next(parent for parent in Path(__file__).parents if (parent / "params.yaml").is_file())
    everything = load_params(project / "params.yaml")
    everything = everything.model_copy(
        update={"fetch": everything.fetch.model_copy(update={"source": "directory"})}
    )
    main(everything, mine, tmp_path / "raw")
    assert record(tmp_path / "raw")["photos"] == 10


def test_the_users_photos_are_copied_not_linked(params, mine, tmp_path):
    fetch(params("directory"), mine, tmp_path / "raw")
    assert not (mine / "cats/0.JPG").samefile(tmp_path / "raw/photos/cats/0.JPG")


def test_a_second_run_leaves_the_folder_alone(params, mine, tmp_path):
    raw = tmp_path / "raw"
    fetch(params("directory"), mine, raw)
    before = raw.stat().st_ino
    fetch(params("directory"), mine, raw)
    assert raw.stat().st_ino == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "raw"]


@pytest.mark.parametrize(
    "change", ["another photo", "other bytes", "gone", "damaged copy", "extra copy", "record"]
)
def test_whatever_differs_the_folder_is_replaced_as_a_whole(params, mine, tmp_path, change):
    raw = tmp_path / "raw"
    fetch(params("directory"), mine, raw)
    if change == "another photo":
        (mine / "new.png").write_bytes(b"new")
    elif change == "other bytes":
        (mine / "cats/0.JPG").write_bytes(b"cats X")
    elif change == "gone":
        (mine / "cats/0.JPG").unlink()
    elif change == "damaged copy":
        (raw / "photos/cats/0.JPG").write_bytes(b"cats X")
    elif change == "extra copy":
        (raw / "photos/cats/9.JPG").write_bytes(b"left over")
    else:
        (raw / "source.json").write_text("[]")
    fetch(params("directory"), mine, raw)
    fetch(params("directory"), mine, tmp_path / "fresh")
    assert files(raw) == files(tmp_path / "fresh")
    assert record(raw) == record(tmp_path / "fresh")
    assert all((raw / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes() for name in files(raw))


def test_links_are_not_followed_and_that_is_reported(params, mine, tmp_path, caplog):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.jpg").write_bytes(b"secret")
    (mine / "out").symlink_to(tmp_path / "elsewhere")
    (mine / "secret.jpg").symlink_to(tmp_path / "elsewhere" / "secret.jpg")
    (mine / "loop").symlink_to(mine)
    fetch(params("directory"), mine, tmp_path / "raw")
    assert record(tmp_path / "raw")["photos"] == 10
    assert "3 links in" in caplog.text
    assert "not followed (loop ...)" in caplog.text
    links = {one.path for one in read_left_out(tmp_path / "raw") if one.reason == "link"}
    assert links == {"loop", "out", "secret.jpg"}


def test_the_folder_itself_may_be_a_link(params, mine, tmp_path):
    (tmp_path / "link").symlink_to(mine)
    fetch(params("directory"), tmp_path / "link", tmp_path / "raw")
    assert record(tmp_path / "raw")["photos"] == 10


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: None, "Found nothing of that name"),
        (lambda folder: folder.write_bytes(b""), "Found a file"),
        (lambda folder: folder.mkdir(), r"Expected photos in .*\. Found none by their suffix"),
    ],
    ids=["missing", "file", "empty"],
)
def test_a_folder_without_photos_is_a_sentence_and_the_old_content_stays(
    params, mine, tmp_path, spoil, words
):
    raw = tmp_path / "raw"
    fetch(params("directory"), mine, raw)
    before = files(raw)
    shutil.rmtree(mine)
    spoil(mine)
    with pytest.raises(SourceError, match=words):
        fetch(params("directory"), mine, raw)
    assert files(raw) == before


def test_what_is_no_photo_or_has_an_unusable_name_is_left_out_with_a_reason(params, mine, tmp_path):
    Path(os.fsdecode(os.fsencode(mine) + b"/caf\xe9.jpg")).write_bytes(b"latin-1")
    fetch(params("directory"), mine, tmp_path / "raw")
    assert record(tmp_path / "raw")["photos"] == 10
    assert {one.path: one.reason for one in read_left_out(tmp_path / "raw")} == {
        "caf\\xe9.jpg": "unusable_name",
        "notes.txt": "no_photo",
        "list.csv": "no_photo",
        ".hidden.jpg": "hidden",
        "cats/._0.JPG": "hidden",
        ".thumbnails": "hidden",
        "__MACOSX/0.jpg": "hidden",
    }
    before = (tmp_path / "raw").stat().st_ino
    fetch(params("directory"), mine, tmp_path / "raw")
    assert (tmp_path / "raw").stat().st_ino == before
    (mine / "more.txt").touch()
    fetch(params("directory"), mine, tmp_path / "raw")
    assert "more.txt" in (tmp_path / "raw/left_out.csv").read_text()


def test_what_a_killed_fetch_left_is_removed(params, mine, tmp_path):
    (tmp_path / ".raw-abc123.part/photos").mkdir(parents=True)
    (tmp_path / ".raw-abc123.part/photos/0.jpg").write_bytes(b"half")
    fetch(params("directory"), mine, tmp_path / "raw")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "raw"]


@pytest.mark.parametrize("raw", ["mine", "mine/raw", "."])
def test_source_and_destination_may_not_overlap(params, mine, tmp_path, raw):
    with pytest.raises(SourceError, match="Expected a folder apart from"):
        fetch(params("directory"), mine, tmp_path / raw)
    assert (mine / "cats/0.JPG").exists()


def test_a_subset_is_taken_from_folders_too(params, mine, tmp_path):
    fetch(params("directory", photos_per_class=2, photos=3), mine, tmp_path / "raw")
    assert record(tmp_path / "raw")["photos"] == 3
    assert record(tmp_path / "raw")["subset"] == {"photos_per_class": 2, "photos": 3}
