"""What a change does to the results, in Markdown: `python .ci/pr_report.py --base origin/main --output demo/report`.

Metrics, parameters and plots of the working tree are compared with those of the base, by DVC. The folder then has
report.md for a comment, DVC's plots as pages to open, and the picture grid where the pipeline has made one.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

GRID = Path("reports/evaluate/grid.jpg")


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--base", default="origin/main", help="revision to compare with [default: %(default)s]"
    )
    parser.add_argument("--output", type=Path, default=Path("demo/report"))
    given = parser.parse_args()
    text = report(Path.cwd(), given.base, given.output, os.environ.get("GRID_URL") or None)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as page:
            page.write(text)
    print(f"In {given.output}: {', '.join(sorted(path.name for path in given.output.iterdir()))}")


def report(project: Path, base: str, output: Path, grid_url: str | None) -> str:
    """Write report.md with what it shows into a folder.

    `grid_url` is where readers of the comment find the grid; without one, the text shows the file beside it.
    """
    commit = run(project, "git", "rev-parse", "--short", "--verify", f"{base}^{{commit}}").strip()
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    run(project, *dvc("plots", "diff", base, "--out", str(output.absolute() / "plots")))
    text = "\n".join(
        [
            "## What this changes",
            "",
            f"Compared with {commit}.",
            "",
            *metrics(project, base),
            *params(project, base),
            *plots(project, base),
            *grid(project, output, grid_url),
        ]
    )
    (output / "report.md").write_text(text, encoding="utf-8")
    return text


def metrics(project: Path, base: str) -> list[str]:
    """DVC's table of the network's headline figures that change."""
    table = run(project, *dvc("metrics", "diff", "--md", base)).strip().splitlines()
    return ["### Metrics", "", *(table if len(table) > 2 else ["No metric changes."]), ""]


def params(project: Path, base: str) -> list[str]:
    """DVC's table of changed parameters."""
    table = run(project, *dvc("params", "diff", "--md", base)).strip().splitlines()
    return ["### Parameters", "", *(table if len(table) > 2 else ["No parameter changes."]), ""]


def plots(project: Path, base: str) -> list[str]:
    """Which curves change, and by how many points; the curves themselves are pages."""
    found = json.loads(run(project, *dvc("plots", "diff", base, "--json")))["data"]
    rows = [f"| {name} | {change} |" for name, entries in found.items() if (change := _change(entries))]
    table = ["| Plot | Change |", "|---|---|", *rows] if rows else ["No plot changes."]
    return ["### Plots", "", *table, "", "Both in one chart: `plots/index.html` of this report's files.", ""]


def _change(entries: list[dict]) -> str | None:
    """What differs between the two revisions of a plot; None if nothing does, or it is a picture."""
    new: list[str] = []
    old: list[str] = []
    for entry in entries:
        if entry["type"] != "vega":
            return None
        for point in entry["content"]["data"]["values"]:
            side = new if point.pop("rev") == "workspace" else old
            side.append(json.dumps(point, sort_keys=True))
    if new == old:
        return None
    if not old or not new:
        return f"new, {len(new)} points" if new else f"gone, had {len(old)} points"
    return f"{len(set(new) - set(old))} of {len(new)} points differ"


def grid(project: Path, output: Path, url: str | None) -> list[str]:
    """The photos: gray, ours, truth."""
    picture = project / GRID
    if not picture.is_file():
        return ["### Photos", "", f"No grid: the pipeline has not run here, so there is no {GRID}.", ""]
    shutil.copyfile(picture, output / GRID.name)
    shown = f"[Gray, ours and truth of test photos]({url})" if url else f"![Gray, ours, truth]({GRID.name})"
    return ["### Photos", "", shown, ""]


def dvc(*command: str) -> tuple[str, ...]:
    """DVC of this environment."""
    return (sys.executable, "-m", "dvc", *command)


def run(project: Path, *command: str) -> str:
    """What a command printed; if it fails, show what it said and end."""
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stderr.strip()}\nerror: {' '.join(command[-3:])} failed; see above.")
    return done.stdout


if __name__ == "__main__":
    main()
