"""Whether dvc.lock belongs to the code, parameters and data at hand: `python .ci/pipeline_check.py`.

`dvc status` says it too, but calls a stage changed as well where its data are only not here, as in every fresh clone.
Here what the pipeline itself makes may be missing; everything else must be as dvc.lock knows it.
"""

import json
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

_MISSING = ("deleted", "not in cache")  # DVC's words for data that are not on this machine


def main(project: Path) -> None:
    """Say which stages dvc.lock no longer describes, and end with 1 if there are any."""
    changed = out_of_date(status_of(project), made_by_the_pipeline(project))
    if not changed:
        print("dvc.lock is up to date.")
        return
    for stage, reasons in changed.items():
        print(f"{stage}: {', '.join(reasons)}")
    sys.exit(
        f"error: Expected dvc.lock to be up to date. Received: {len(changed)} changed stages, listed above. "
        "Run `dvc repro` and commit dvc.lock with the metrics."
    )


def out_of_date(status: dict, made: set[str]) -> dict[str, list[str]]:
    """Stages by name with what has changed of them, from the content of `dvc status --json`."""
    changed = {}
    for stage, entries in status.items():
        reasons = [reason for entry in entries for reason in _reasons(entry, made)]
        if reasons:
            changed[stage] = sorted(set(reasons))
    return changed


def _reasons(entry: object, made: set[str]) -> list[str]:
    if not isinstance(entry, dict):  # such as "changed command"
        return [str(entry)]
    found = []
    for files in entry.values():
        for path, state in files.items():
            if isinstance(state, dict):  # parameters of a file, by name
                found += [f"{name} {what}" for name, what in state.items()]
            elif state not in _MISSING or path not in made:
                found.append(f"{path} {state}")
    return found


def made_by_the_pipeline(project: Path) -> set[str]:
    """The paths that stages write, by dvc.lock."""
    stages = YAML(typ="safe").load(project / "dvc.lock")["stages"]
    return {out["path"] for stage in stages.values() for out in stage.get("outs", [])}


def status_of(project: Path) -> dict:
    """The content of `dvc status --json`."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "status", "--json"], cwd=project, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main(Path.cwd())
