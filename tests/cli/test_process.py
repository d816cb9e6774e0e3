"""The installed command as a process of its own: killed, interrupted, at a terminal."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.cli.collection.results_log import LOG_FILE, read_log
from tintype.files.digest import sha256_of
from tintype.formats.photo import read_photo


@pytest.fixture
def many(here, sample):
    """A folder `in` of 120 photos that all differ, in three folders."""
    picture = Image.open(sample / "coffee.jpg").convert("L").resize((300, 200))
    for number in range(120):
        folder = Path(f"in/{number % 3}")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(np.asarray(picture), 4 * number, axis=1)).save(folder / f"{number}.jpg")
    return Path("in")


def lines_of(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for_lines(process, count):
    """Wait until the log of results has so many lines, and the process still runs."""
    end = time.monotonic() + 120
    while lines_of(Path("out") / LOG_FILE) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


def done_lines():
    lines = [json.loads(line) for line in (Path("out") / LOG_FILE).read_text().splitlines()]
    return Counter(line["destination"] for line in lines if line["status"] == "done")


def parts():
    return [path for path in Path("out").rglob(".*") if ".part" in path.name]


@pytest.mark.timeout(600)
def test_after_kill_9_the_same_command_does_the_rest_and_nothing_twice(many, bundle, process):
    command = ["colorize", "in", "-o", "out", "--model", bundle]
    written = {}
    for lines in (9, 50):
        killed = process(*command)
        wait_for_lines(killed, lines)
        killed.kill()
        assert killed.wait() == -signal.SIGKILL
        for path in Path("out").rglob("*.jpg"):
            if not path.name.startswith("."):
                stamp = (path.stat().st_mtime_ns, sha256_of(path))
                assert written.setdefault(path, stamp) == stamp  # never written a second time
    assert 9 <= len(written) < 120
    last = process(*command)
    out, err = last.communicate()
    assert last.returncode == 0
    assert [line for line in err.splitlines() if "cut off" not in line] == []
    assert f"Coloured {120 - len(written)} of {120 - len(written)} photos into out" in out
    assert f"{len(written)} photos were coloured before" in out
    assert all((path.stat().st_mtime_ns, sha256_of(path)) == stamp for path, stamp in written.items())
    assert done_lines() == {path.relative_to("in").as_posix(): 1 for path in many.rglob("*.jpg")}
    for photo in many.rglob("*.jpg"):
        result = read_photo(Path("out") / photo.relative_to("in"))
        assert result.pixels.shape == read_photo(photo).pixels.shape
    assert parts() == []


@pytest.mark.timeout(600)
def test_ctrl_c_finishes_what_it_writes_and_says_how_to_go_on(many, bundle, process):
    command = ["colorize", "in", "-o", "out", "--model", bundle]
    stopped = process(*command)
    wait_for_lines(stopped, 12)
    stopped.send_signal(signal.SIGINT)
    out, err = stopped.communicate(timeout=60)
    assert stopped.returncode == 130
    assert "Stopping: photos that are being written are finished first" in err
    assert "not begun. Run the same command again to go on." in err
    assert "Traceback" not in err
    assert "Coloured " in out
    statuses = Counter(record.status for record in read_log(Path("out") / LOG_FILE).records.values())
    assert set(statuses) == {"done"}
    assert 6 <= statuses["done"] < 120
    assert parts() == []
    again = process(*command)
    out, err = again.communicate()
    assert (again.returncode, err) == (0, "")
    assert f"{statuses['done']} photos were coloured before" in out
    assert sum(done_lines().values()) == 120


def at_a_terminal(process, *arguments):
    """Run the command with stderr at a terminal; what the terminal got."""
    master, slave = pty.openpty()
    running = process(*arguments, stderr=slave)
    os.close(slave)
    shown = b""
    try:
        while block := os.read(master, 4096):
            shown += block
    except OSError:  # the last process that had the terminal is gone
        pass
    os.close(master)
    assert running.wait() == 0
    return shown.decode()


def test_a_progress_bar_is_for_terminals_only(photos, bundle, process):
    shown = at_a_terminal(process, "colorize", "in", "-o", "out", "--model", bundle)
    assert "6/6 [" in shown
    assert "photos/s]" in shown
    quiet = process("colorize", "in", "-o", "again", "--model", bundle)
    said = quiet.communicate()[1].splitlines()
    assert [line for line in said if "Had colours of its own, which were replaced." not in line] == []
    assert len(said) == 4
    assert quiet.returncode == 0


LOADED = """
import sys
from tintype.cli import app
code = 0
try:
    app(sys.argv[2:])
except SystemExit as end:
    code = end.code
print("loaded:", sorted(set(sys.argv[1].split(",")) & set(sys.modules)), "code:", code)
"""


@pytest.fixture
def imported(environment):
    """Run the command, and tell which of some modules it imported: the last line of its process."""

    def run(modules, *arguments):
        command = [sys.executable, "-c", LOADED, ",".join(modules), *map(str, arguments)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        return done.stdout.splitlines()[-1]

    return run


def test_a_dry_run_loads_no_network(photos, bundle, imported):
    output = imported(
        ["keras", "tensorflow", "openvino", "PIL"], "colorize", "in", "-o", "out", "-m", bundle, "--dry-run"
    )
    assert output == "loaded: ['PIL'] code: 0"


def test_colouring_by_an_ir_loads_neither_keras_nor_tensorflow(photos, bundle, imported):
    modules = ["keras", "tensorflow", "h5py", "mlflow", "openvino"]
    output = imported(modules, "colorize", "in/gray.jpg", "-o", "out", "-m", bundle)
    assert output == "loaded: ['openvino'] code: 0"


def test_a_bundle_without_an_ir_is_coloured_by_keras_and_the_command_says_so(photos, bundle, process):
    shutil.copytree(bundle, "before", ignore=shutil.ignore_patterns("*.xml", "*.bin"))
    info = json.loads(Path("before/bundle.json").read_text())
    del info["ir"], info["files"]["network.xml"], info["files"]["network.bin"]
    del info["files"]["backbone.xml"], info["files"]["backbone.bin"]
    Path("before/bundle.json").write_text(json.dumps(info))
    running = process("colorize", "in/gray.jpg", "-o", "out", "-m", "before")
    out, err = running.communicate()
    assert running.returncode == 0
    assert err == "note: before is from before bundles had an IR. Keras colours, and takes longer to start.\n"
    assert out.startswith("Coloured 1 of 1 photo into out")


def test_help_comes_at_once_because_little_is_loaded(here, imported):
    modules = ["keras", "numpy", "cv2", "PIL", "tqdm", "mlflow", "typer"]
    assert imported(modules, "--help") == "loaded: ['typer'] code: 0"
    assert imported(modules, "colorize", "--help") == "loaded: ['typer'] code: 0"
