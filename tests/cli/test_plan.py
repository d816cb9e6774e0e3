"""Which photo goes where."""

from pathlib import Path

import pytest

from tintype.cli.collection.plan import Options, plan
from tintype.errors import UsageError


def pairs(inputs, output, **options):
    return [(str(job.source), str(job.destination)) for job in plan(inputs, output, Options(**options)).jobs]


def test_a_photo_goes_into_a_folder_under_its_own_name(photo):
    assert pairs([photo("old/boat.jpg")], Path("out")) == [("old/boat.jpg", "out/boat.jpg")]


def test_one_photo_may_be_given_a_file_name(photo):
    assert pairs([photo("boat.jpg")], Path("out/colour.png")) == [("boat.jpg", "out/colour.png")]


def test_a_folder_with_a_photos_suffix_is_still_a_folder(photo):
    Path("album.jpg").mkdir()
    assert pairs([photo("boat.jpg")], Path("album.jpg")) == [("boat.jpg", "album.jpg/boat.jpg")]


def test_a_folder_keeps_its_tree(photo):
    for name in ("in/b/two.jpg", "in/a/one.JPG", "in/top.png", "in/.hidden/no.jpg"):
        photo(name)
    Path("in/notes.txt").write_text("not a photo")
    assert pairs([Path("in")], Path("out")) == [
        ("in/a/one.JPG", "out/a/one.JPG"),
        ("in/b/two.jpg", "out/b/two.jpg"),
        ("in/top.png", "out/top.png"),
    ]


def test_formats_that_are_only_read_become_png(photo):
    assert pairs([photo("in/scan.bmp"), photo("in/scan.png")], Path("out")) == [
        ("in/scan.bmp", "out/scan.bmp.png"),
        ("in/scan.png", "out/scan.png"),
    ]


def test_a_photo_named_twice_is_coloured_once(photo):
    photo("in/boat.jpg")
    assert pairs([Path("in/boat.jpg"), Path("in")], Path("out")) == [("in/boat.jpg", "out/boat.jpg")]


def test_results_inside_the_input_folder_are_not_coloured_again(photo):
    photo("in/boat.jpg")
    photo("in/colour/boat.jpg")
    assert pairs([Path("in")], Path("in/colour"), force=True) == [("in/boat.jpg", "in/colour/boat.jpg")]


def test_two_photos_for_one_name_are_refused(photo):
    with pytest.raises(UsageError, match=r"a/boat\.jpg and b/boat\.jpg would both become out/boat\.jpg"):
        plan([photo("a/boat.jpg"), photo("b/boat.jpg")], Path("out"))
    with pytest.raises(UsageError, match="would both become"):
        plan([photo("scan.bmp"), photo("scan.bmp.png")], Path("out"))


def test_a_photo_is_never_replaced_by_its_own_colour(photo):
    photo("in/boat.jpg")
    for inputs, output in [
        (["in/boat.jpg"], "in"),
        (["in"], "./in/../in/."),
        (["in/boat.jpg"], "in/boat.jpg"),
    ]:
        with pytest.raises(UsageError, match="would be lost"):
            plan([Path(name) for name in inputs], Path(output), Options(force=True))


def test_options_that_exclude_each_other_are_refused(photo):
    boat = [photo("in/boat.jpg")]
    with pytest.raises(UsageError, match="--force and --skip-existing exclude each other"):
        plan(boat, Path("out"), Options(force=True, skip_existing=True))
    with pytest.raises(UsageError, match=r"--format png and the name out\.jpg exclude each other"):
        plan(boat, Path("out.jpg"), Options(file_format="png"))
    with pytest.raises(UsageError, match="Expected a folder as output of --layer"):
        plan(boat, Path("out.png"), Options(layer=True))


def test_a_format_names_results_anew_but_not_those_that_have_it(photo):
    for name in ("in/boat.jpg", "in/scan.tif", "in/old.gif", "in/drawing.PNG"):
        photo(name)
    assert [name for _, name in pairs([Path("in")], Path("out"), file_format="png")] == [
        "out/boat.png",
        "out/drawing.PNG",
        "out/old.png",
        "out/scan.png",
    ]
    assert pairs([Path("in/boat.jpg")], Path("out"), file_format="tiff") == [("in/boat.jpg", "out/boat.tif")]


def test_photos_that_differ_in_their_suffix_only_stay_apart(photo):
    photo("in/boat.jpg")
    photo("in/boat.tif")
    names = plan([Path("in")], Path("out"), Options(layer=True, compare=True)).jobs
    assert [str(path) for job in names for path in job.outputs] == [
        "out/boat.jpg.layer.png",
        "out/boat.jpg.compare.jpg",
        "out/boat.tif.layer.png",
        "out/boat.tif.compare.jpg",
    ]
    assert [name for _, name in pairs([Path("in")], Path("out"), file_format="png")] == [
        "out/boat.jpg.png",
        "out/boat.tif.png",
    ]


def test_a_comparison_a_layer_or_a_confidence_is_named_after_its_photo(photo):
    photo("in/boat.jpg")
    (job,) = plan([Path("in")], Path("out"), Options(compare=True)).jobs
    assert [str(path) for path in job.outputs] == ["out/boat.jpg", "out/boat.compare.jpg"]
    (job,) = plan([Path("in")], Path("out"), Options(layer=True)).jobs
    assert job.outputs == [Path("out/boat.layer.png")]
    (job,) = plan([Path("in")], Path("out"), Options(confidence=True)).jobs
    assert job.outputs == [Path("out/boat.jpg"), Path("out/boat.confidence.png")]


def test_a_comparison_does_not_take_a_photos_place(photo):
    photo("in/boat.jpg")
    photo("in/boat.compare.jpg")
    photo("in/boat.confidence.png")
    with pytest.raises(UsageError, match=r"would both become out/boat\.compare\.jpg"):
        plan([Path("in")], Path("out"), Options(compare=True))
    with pytest.raises(UsageError, match=r"would both become out/boat\.confidence\.png"):
        plan([Path("in")], Path("out"), Options(confidence=True))


def test_a_collection_is_more_than_one_photo(photo):
    photo("in/boat.jpg")
    photo("in/house.jpg")
    assert plan([Path("in/boat.jpg"), Path("in/house.jpg")], Path("out")).collects
    assert plan([Path("in")], Path("out")).collects
    single = plan([Path("in/boat.jpg")], Path("out"))
    assert (single.collects, single.folder) == (False, Path("out"))
    assert plan([Path("in/boat.jpg")], Path("out.jpg")).folder is None


def test_what_is_not_there_is_refused(here):
    (here / "empty").mkdir()
    with pytest.raises(UsageError, match="at nowhere"):
        plan([Path("nowhere")], Path("out"))
    with pytest.raises(UsageError, match=r"at nowhere\.jpg"):
        plan([Path("nowhere.jpg")], Path("out.png"))
    with pytest.raises(UsageError, match="Expected photos in the folder empty"):
        plan([Path("empty")], Path("out"))


def test_several_photos_need_a_folder(photo):
    with pytest.raises(UsageError, match=r"Expected a folder as output.*out\.jpg"):
        plan([photo("a.jpg"), photo("b.jpg")], Path("out.jpg"))
    with pytest.raises(UsageError, match="Expected a folder as output"):
        plan([Path()], Path("out.jpg"))


def test_a_format_that_is_not_written_is_refused(photo):
    with pytest.raises(UsageError, match=r"ends in one of .*out\.gif"):
        plan([photo("a.jpg")], Path("out.gif"))
