"""What a pull request changes, in Markdown; and whether dvc.lock belongs to what is there."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STAGE = """import json, sys
rate = float(sys.argv[1])
json.dump({"psnr_db": 20 + rate, "ssim": 0.5}, open("reports/evaluate/headline.json", "w"))
open("reports/history.csv", "w").write(f"epoch,loss\\n1,0.5\\n2,{rate}\\n")
open("reports/evaluate/grid.jpg", "w").write(f"a picture at {rate}")
"""
PIPELINE = """stages:
  evaluate:
    cmd: python3 stage.py ${rate}
    deps: [stage.py]
    params: [rate]
    metrics:
      - reports/evaluate/headline.json: {cache: false}
    plots:
      - reports/history.csv: {cache: false, x: epoch, y: loss}
      - reports/evaluate/grid.jpg
"""


@pytest.fixture(scope="module")
def committed(tmp_path_factory) -> Path:
    """A pipeline that has run and is committed: made once, since each DVC command takes a second."""
    folder = tmp_path_factory.mktemp("template") / "project"
    (folder / "reports/evaluate").mkdir(parents=True)
    (folder / "stage.py").write_text(STAGE)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "params.yaml").write_text("rate: 0.25\n")
    dvc = [sys.executable, "-m", "dvc"]
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org"]
    for command in (
        ["git", "init", "-q"],
        [*dvc, "init", "-q"],
        [*dvc, "repro", "-q"],
        ["git", "add", "."],
        [*git, "commit", "-qm", "A pipeline"],
    ):
        subprocess.run(command, cwd=folder, check=True)
    return folder


@pytest.fixture
def project(committed, tmp_path, monkeypatch) -> Path:
    """A copy of one's own."""
    for name in ("GITHUB_STEP_SUMMARY", "GRID_URL"):
        monkeypatch.delenv(name, raising=False)
    return Path(shutil.copytree(committed, tmp_path / "project"))


@pytest.fixture
def script(root, project):
    def run(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, root / ".ci" / name, *arguments],
            cwd=project,
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )

    return run


def test_a_changed_parameter_is_reported_with_all_that_follows(project, script, tmp_path):
    (project / "params.yaml").write_text("rate: 0.75\n")
    subprocess.run([sys.executable, "-m", "dvc", "repro", "-q"], cwd=project, check=True)
    summary = tmp_path / "summary.md"
    done = script("pr_report.py", "--base", "HEAD", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stderr
    report = project / "demo/report"
    text = (report / "report.md").read_text()
    assert summary.read_text() == text
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert ["reports/evaluate/headline.json", "psnr_db", "20.25", "20.75", "0.5"] in rows
    assert "ssim" not in text, "what did not change is not told"
    assert "| params.yaml | rate    | 0.25   | 0.75        |" in text
    assert "| reports/history.csv | 1 of 2 points differ |" in text
    assert "![Gray, ours, truth](grid.jpg)" in text
    assert (report / "grid.jpg").read_text() == "a picture at 0.75"
    assert (report / "plots/index.html").is_file()


def test_nothing_changed_is_said_too_and_the_grid_has_a_link_where_it_lies_elsewhere_or_is_missed(
    project, script, root
):
    assert script("pr_report.py", "--base", "HEAD", GRID_URL="https://example.org/grid").returncode == 0
    text = (project / "demo/report/report.md").read_text()
    for sentence in ("No metric changes.", "No parameter changes.", "No plot changes."):
        assert sentence in text
    assert "[Gray, ours and truth of test photos](https://example.org/grid)" in text
    (project / "reports/evaluate/grid.jpg").unlink()
    section = runpy.run_path(str(root / ".ci/pr_report.py"))["grid"](project, project / "demo/report", None)
    assert "No grid: the pipeline has not run here" in "\n".join(section)


def test_a_base_that_git_does_not_know_is_a_sentence(script):
    done = script("pr_report.py", "--base", "nowhere")
    assert (done.returncode, "failed; see above" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


def test_the_lock_is_up_to_date_though_the_data_are_not_here(project, script, tmp_path):
    done = script("pipeline_check.py")
    assert (done.returncode, done.stdout) == (0, "dvc.lock is up to date.\n")
    (project / "reports/evaluate/grid.jpg").unlink()
    shutil.rmtree(project / ".dvc/cache")  # a fresh clone
    assert script("pipeline_check.py").returncode == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda p: (p / "stage.py").write_text(STAGE + "\n"), "evaluate: stage.py modified"),
        (lambda p: (p / "stage.py").unlink(), "evaluate: stage.py deleted"),
        (lambda p: (p / "params.yaml").write_text("rate: 0.5\n"), "rate modified"),
        (
            lambda p: (p / "dvc.yaml").write_text(PIPELINE.replace("stage.py ${rate}", "stage.py 0.26")),
            "changed command",
        ),
        (
            lambda p: (p / "reports/evaluate/headline.json").write_text(json.dumps({})),
            "reports/evaluate/headline.json modified",
        ),
    ],
    ids=["code", "code gone", "parameter", "command", "result"],
)
def test_a_lock_that_is_not_up_to_date_names_stage_and_reason(project, script, change, sentence):
    change(project)
    done = script("pipeline_check.py")
    assert done.returncode == 1
    assert sentence in done.stdout
    assert "Run `dvc repro` and commit dvc.lock" in done.stderr
