"""The stage `weights` as DVC calls it."""

import shutil
import subprocess
import sys
from pathlib import Path

PARAMS = Path(__file__).parents[3] / "params.yaml"


def test_the_stage_makes_the_folder_and_says_in_a_sentence_what_is_in_it(tmp_path):
    shutil.copy(PARAMS, tmp_path)
    command = [sys.executable, "-m", "tintype.stages.weights", "models/backbone"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("weights: efficientnet_lite0, with an IR for OpenVINO, at most ")
    assert done.stdout.endswith(" of the largest score from Keras.\n")
    assert sorted(path.name for path in (tmp_path / "models" / "backbone").iterdir()) == [
        "backbone.bin",
        "backbone.json",
        "backbone.keras",
        "backbone.xml",
        "openvino.json",
    ]
