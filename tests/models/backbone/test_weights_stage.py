"""The stage `weights` as DVC calls it."""

import shutil
import subprocess
import sys
from pathlib import Path

PARAMS = Path(__file__).parents[3] / "params.yaml"


def test_the_stage_makes_the_folder_and_says_nothing(tmp_path):
    shutil.copy(PARAMS, tmp_path)
    command = [sys.executable, "-m", "tintype.stages.weights", "models/backbone"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(path.name for path in (tmp_path / "models" / "backbone").iterdir()) == [
        "backbone.json",
        "backbone.keras",
    ]
