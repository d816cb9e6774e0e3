"""Photos below a folder, and an account of everything else."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tintype.imaging.finding import look_below


def names(paths):
    return [str(path) for path in paths]


def test_everything_in_a_folder_is_accounted_for(photo):
    for name in ("in/b.jpg", "in/deep/er/a.PNG", "in/.hidden.jpg", "in/.cache/c.jpg", "elsewhere/d.jpg"):
        photo(name)
    Path("in/notes.txt").write_text("no photo")
    Path("in/deep/boat").write_text("no suffix")
    os.mkfifo("in/pipe.jpg")
    Path("in/folder.jpg").mkdir()
    Path("in/away").symlink_to(Path("elsewhere").absolute())
    Path("in/linked.jpg").symlink_to(Path("elsewhere/d.jpg").absolute())
    Path("in/broken.jpg").symlink_to("nowhere.jpg")
    found = look_below(Path("in"), Path("out"))
    assert names(found.photos) == ["in/b.jpg", "in/broken.jpg", "in/deep/er/a.PNG", "in/linked.jpg"]
    assert found.strangers == 3  # the notes, the boat, the pipe, which would never end
    assert found.hidden == 2
    assert names(found.links) == ["in/away"]
    assert found.unreadable == []


def test_an_earlier_runs_results_are_left_out(photo):
    photo("in/b.jpg")
    photo("in/colour/b.jpg")
    Path("in/colour/tintype-manifest.jsonl").write_text("")
    found = look_below(Path("in"), Path("in/../in/colour"))
    assert names(found.photos) == ["in/b.jpg"]
    assert found.strangers == 0


LOOK = """
import os, sys
from pathlib import Path
from tintype.imaging.finding import look_below
if os.geteuid() == 0:
    os.setuid(65534)
found = look_below(Path(sys.argv[1]), Path("out"))
print([path.name for path in found.photos], [path.name for path in found.unreadable])
"""


def test_a_folder_that_may_not_be_read_is_named():
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "a.jpg").write_text("a")
        (folder / "locked").mkdir()
        (folder / "locked/b.jpg").write_text("b")
        (folder / "locked").chmod(0)
        output = subprocess.run(
            [sys.executable, "-c", LOOK, made], check=True, capture_output=True, text=True, cwd=made
        ).stdout
        (folder / "locked").chmod(0o755)
    assert output == "['a.jpg'] ['locked']\n"
