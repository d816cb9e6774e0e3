"""`import tintype`, as programs and notebooks use it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
TINTYPE = Path(sys.executable).with_name("tintype")
MOST_SECONDS = 0.05


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A process in an empty folder, by a person who has chosen no backend."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.chdir(tmp_path)

    def start(*command):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return start


@pytest.fixture
def python(run):
    return lambda code: run(sys.executable, "-c", code)


def photo_with_caption(path):
    exif = Image.Exif()
    exif[0x010E] = "Grandmother, 1911"
    Image.fromarray(np.tile(np.arange(0, 240, dtype=np.uint8), (160, 1))).save(path, exif=exif)


def test_importing_it_loads_nothing_and_takes_no_time(python):
    code = (
        "import sys, time; before = set(sys.modules); start = time.perf_counter(); import tintype; "
        "print(time.perf_counter() - start, *sorted(set(sys.modules) - before))"
    )
    seconds, *loaded = min((python(code).split() for _ in range(5)), key=lambda answer: float(answer[0]))
    assert loaded == ["tintype"]
    assert float(seconds) < MOST_SECONDS


def test_what_it_offers_is_there_and_nothing_else(python):
    code = "import tintype; print(all(hasattr(tintype, n) for n in tintype.__all__), hasattr(tintype, 'nothing'))"
    assert python(code).split() == ["True", "False"]
    assert python("import tintype; print(tintype.__version__)") == run_version()
    stub = (ROOT / "src/tintype/__init__.pyi").read_text()
    named = set(re.findall(r" as (\w+)$", stub, re.M)) | {"__version__"}
    assert named == set(json.loads(python("import json, tintype; print(json.dumps(tintype.__all__))")))


def run_version():
    done = subprocess.run([TINTYPE, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.removeprefix("tintype ")


def test_a_file_is_the_one_that_the_command_makes(run, python):
    photo_with_caption("gray.jpg")
    deep = np.tile(np.arange(0, 60_000, 250, dtype=np.uint16), (160, 1))
    cv2.imwrite("deep.png", np.stack([deep] * 3, axis=-1))
    names = ("gray.jpg", "deep.png")
    ways = {
        "plain": ("", ()),
        "chosen": (
            ", saturation=0.5, quality=80, metadata='strip'",
            ("-s", 0.5, "--quality", 80, "--metadata", "strip"),
        ),
    }
    calls = [
        f"tintype.colorize_file({name!r}, '{way}-{name}'{call})"
        for way, (call, _) in ways.items()
        for name in names
    ]
    python("\n".join(["import tintype", *calls]))
    for way, (_, options) in ways.items():
        run(TINTYPE, "colorize", *names, "-o", way, *options)
        for name in names:
            assert Path(f"{way}-{name}").read_bytes() == (Path(way) / name).read_bytes()
        assert cv2.imread(f"{way}-deep.png", cv2.IMREAD_UNCHANGED).dtype == np.uint16
        caption = "Grandmother" in str(Image.open(f"{way}-gray.jpg").getexif())
        assert caption is (way == "plain")


def test_the_readmes_example_runs_as_it_is_written_and_its_result_can_be_traced(run, python):
    [example] = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S
    )
    photo_with_caption("gray.jpg")
    assert "lightness changed by 0." in python(example)
    traced = json.loads(run(TINTYPE, "trace", "coloured.png", "--original", "gray.jpg", "--json"))
    assert traced["is_original"]
    assert traced["model"]["version"] == "starter"
    assert Image.open("array.png").size == Image.open("coloured.png").size == (240, 160)
    assert np.array_equal(np.asarray(Image.open("array.png")), np.asarray(Image.open("coloured.png")))


def test_arrays_may_be_gray_and_wrong_ones_are_reported(python):
    code = """
import numpy as np, tintype
colorizer = tintype.load("starter")
gray = np.tile(np.arange(0, 240, dtype=np.uint8), (160, 1))
coloured = colorizer.colorize(gray)
assert coloured.shape == (160, 240, 3)
assert np.array_equal(coloured, colorizer.colorize(np.stack([gray] * 3, axis=-1)))
assert colorizer.colorize(gray.astype(np.uint16) * 257).dtype == np.uint16
for wrong in (gray / 255, gray[..., None], gray[0]):
    try:
        colorizer.colorize(wrong)
    except ValueError as error:
        print(error)
"""
    sentences = python(code).splitlines()
    assert len(sentences) == 3
    assert sentences[0].endswith("Received: (160, 240), float64.")


REFUSED = {
    "'gray.jpg', 'there.png'": "there.png already exists. Use overwrite=True to replace it.",
    "'gray.jpg', 'gray.jpg', overwrite=True": "gray.jpg is read by this command and would be lost",
    "'gray.jpg', 'out.xyz'": "Expected an output that ends in one of",
    "'gray.jpg', 'out.png', saturation=3": "Expected saturation from 0 to 2. Received: 3.",
    "'gray.jpg', 'out.png', metadata='all'": "Expected metadata to be keep, no-gps or strip",
    "'gray.jpg', 'out.png', model='nowhere'": "Expected a bundle's folder, a models:/ address or starter",
    "'none.jpg', 'out.png'": "none.jpg",
}


def test_what_cannot_be_is_an_error_with_a_sentence(python):
    photo_with_caption("gray.jpg")
    Path("there.png").touch()
    attempts = "".join(
        f"""
try:
    tintype.colorize_file({arguments})
    said.append("nothing")
except tintype.TintypeError as error:
    said.append(str(error))
files.update(os.listdir())
"""
        for arguments in REFUSED
    )
    answer = python(
        f"import json, os, tintype\nsaid, files = [], set()\n{attempts}\nprint(json.dumps([said, sorted(files)]))"
    )
    said, files = json.loads(answer)
    for sentence, error in zip(REFUSED.values(), said, strict=True):
        assert sentence in error
    assert files == ["gray.jpg", "there.png"]


def test_a_photo_in_colour_is_told_of_or_left_as_it_is(python, sample):
    photo = sample / "coffee.jpg"
    code = f"""
import tintype
colorizer = tintype.load("starter")
for keep in (False, True):
    made = tintype.colorize_file({str(photo)!r}, f"{{keep}}.jpg", model=colorizer, keep_colour=keep)
    print(made.notes[-1])
"""
    assert python(code).splitlines() == [
        "Had colours of its own, which were replaced.",
        "Has colours of its own, and was left as it is.",
    ]
    assert Path("True.jpg").read_bytes() == photo.read_bytes()
    assert Path("False.jpg").read_bytes() != photo.read_bytes()
