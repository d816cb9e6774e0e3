"""docs/quality.md of reports/study: figures are computed, words are those of quality.md beside this file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import Template

from experiments.study.criteria import criteria
from experiments.study.plot import draw_fronts
from experiments.study.recipes import DEFAULT, PROJECT
from experiments.study.results import Results, read_results
from experiments.study.tables import cost_table, criteria_table, effect_table, front_table, operating_table
from tintype.files.atomic import write_text

PAGE = PROJECT / "docs" / "quality.md"
TEMPLATE = Path(__file__).with_name("quality.md")
RESAMPLES = 2000


def write_report(names: Sequence[str]) -> list[Path]:
    """Write the page and its pictures."""
    from experiments.study.pictures import draw_pictures

    results = read_results(names)
    pictures = PROJECT / "docs" / "pictures"
    draw_fronts(results, pictures / "quality-fronts.png")
    write_text(PAGE, page(results))
    return [PAGE, pictures / "quality-fronts.png", *draw_pictures(results, pictures)]


def page(results: Results, resamples: int = RESAMPLES) -> str:
    """The page of these results; the same for the same results."""
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        photos=len(results.photos),
        trainings=sum(any(history) for runs in results.runs.values() for history in runs.histories),
        looks=_looks(results),
        criteria=criteria_table(criteria(results, resamples)),
        front=front_table(results, resamples),
        operating=operating_table(results, resamples),
        effects=effect_table(results, resamples),
        cost=cost_table(results),
    )


def _looks(results: Results) -> int:
    """How often the default's trainings saw each photo, as one crop or another."""
    params = results.runs[DEFAULT].records[0]["params"]
    return int(params["crops"]["per_photo"] * params["train"]["epochs"])
