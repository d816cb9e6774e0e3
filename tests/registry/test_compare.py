"""A version's comparison with the champion: made once, kept where a person decides, redone when it has to be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tintype.evaluation.comparison import Champion, Comparison
from tintype.params import RegisterParams
from tintype.registry.register import Registration, register
from tintype.registry.resolve import resolve
from tintype.registry.store import RegistryError, connect, find_store

PARAMS = RegisterParams(model_name="tintype", experiment="photos")
MakeBundle = Callable[[str], Path]
Reports = tuple[Path, Path]


@dataclass
class Judge:
    """Compares by writing a report; it remembers what it was asked."""

    verdict: str = "pass"
    reasons: tuple[str, ...] = ("Nearer to the truth.", "As colourful.")
    markdown: str = "| | champion | challenger |\n|---|---:|---:|\n| CIEDE2000 | 11.00 | 10.00 |"
    card_sha256: str = "c" * 64
    limits_sha256: str = "1" * 64
    asked: list[Champion | None] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def __call__(self, rival: Champion | None, folder: Path) -> Judge:
        self.asked.append(rival)
        if rival is not None and rival.report is not None:
            self.kept.append((rival.report / "photos.csv").read_text())
        for name in ("table.md", "photos.csv", "front.csv", "picture.jpg", "card.json", "verdict.json"):
            (folder / name).write_text(f"{name} number {len(self.asked)}")
        return self


@pytest.fixture
def client(project: Path) -> Any:
    return connect(find_store())


def _register(bundle: Path, reports: Reports, judge: Judge) -> Registration:
    return register(bundle, *reports, PARAMS, "sample", compare=cast("Comparison", judge))


def test_a_verdict_stands_where_a_person_decides(
    client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    judge = Judge()
    _register(make_bundle("first"), reports, judge)
    made = _register(make_bundle("second"), reports, judge)

    assert made.verdict == "pass"
    version = client.get_model_version("tintype", "2")
    tags = version.tags
    assert (tags["verdict"], tags["compared_with"], tags["metric_card"]) == ("pass", "1", "c" * 64)
    assert tags["verdict_reasons"] == "Nearer to the truth. As colourful."
    lines = version.description.splitlines()
    assert lines[0] == "**Verdict: pass** against champion version 1"
    assert "- Nearer to the truth." in lines
    assert "| CIEDE2000 | 11.00 | 10.00 |" in lines
    experiment = client.get_run(made.run_id).info.experiment_id
    folder = f"#/experiments/{experiment}/runs/{made.run_id}/artifacts/comparison"
    assert f"[Photos on which they differ most]({folder}/picture.jpg)" in version.description
    assert "| all gray | 23.90 |" in version.description, "its own figures follow"
    files = {
        item.path.removeprefix("comparison/") for item in client.list_artifacts(made.run_id, "comparison")
    }
    assert files == {"table.md", "photos.csv", "front.csv", "picture.jpg", "card.json", "verdict.json"}


def test_a_version_that_fails_is_tagged_and_no_challenger(
    client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    judge = Judge()
    _register(make_bundle("first"), reports, judge)
    second = make_bundle("second")
    _register(second, reports, judge)
    judge.verdict, judge.reasons = "fail", ("Farther from the truth.",)
    third = _register(make_bundle("third"), reports, judge)

    assert (third.aliases, third.verdict, third.verdict_reasons) == ([], "fail", "Farther from the truth.")
    assert str(client.get_registered_model("tintype").aliases["challenger"]) == "2"
    assert client.get_model_version("tintype", "3").tags["verdict"] == "fail"
    with pytest.raises(RegistryError, match=r"has the versions 1, 2, 3 \(verdict: fail\) and"):
        resolve("models:/tintype/4")

    client.set_registered_model_alias("tintype", "champion", "3")
    assert _register(second, reports, judge).aliases == [], "it fails beside the champion of now"
    assert "challenger" not in client.get_registered_model("tintype").aliases


def test_the_judge_is_told_of_the_champion_and_given_its_own_report(
    client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    judge = Judge()
    first = _register(make_bundle("first"), reports, judge)
    _register(make_bundle("second"), reports, judge)
    assert judge.asked[0] is None, "the first version had nobody to beat"
    rival = judge.asked[1]
    assert rival is not None
    assert (rival.name, rival.digest, rival.missing) == ("version 1", first.bundle_sha256, "")
    assert rival.bundle is not None
    assert (rival.bundle / "network.keras").read_text() == "first"
    assert judge.kept == ["photos.csv number 1"]


def test_a_second_registration_adds_nothing(client: Any, make_bundle: MakeBundle, reports: Reports) -> None:
    judge = Judge()
    _register(make_bundle("first"), reports, judge)
    second = make_bundle("second")
    made = _register(second, reports, judge)
    before = client.get_model_version("tintype", "2")
    judge.verdict = "fail"
    assert _register(second, reports, judge) == made
    after = client.get_model_version("tintype", "2")
    assert (len(judge.asked), after.tags, after.description) == (2, before.tags, before.description)


@pytest.mark.parametrize("changed", ["card_sha256", "limits_sha256"])
def test_other_photos_or_other_limits_are_another_comparison(
    client: Any, make_bundle: MakeBundle, reports: Reports, changed: str
) -> None:
    judge = Judge()
    _register(make_bundle("first"), reports, judge)
    second = make_bundle("second")
    _register(second, reports, judge)
    setattr(judge, changed, "2" * 64)
    judge.verdict, judge.reasons = "fail", ("Too pale.",)
    assert _register(second, reports, judge).verdict == "fail"
    version = client.get_model_version("tintype", "2")
    assert (version.tags["verdict"], version.tags["verdict_reasons"]) == ("fail", "Too pale.")
    assert version.description.count("**Verdict:") == 1
    assert version.description.count("| all gray | 23.90 |") == 1


def test_another_champion_is_another_comparison(
    client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    judge = Judge()
    for name in ("first", "second"):
        _register(make_bundle(name), reports, judge)
    third = make_bundle("third")
    _register(third, reports, judge)
    client.set_registered_model_alias("tintype", "champion", "2")
    _register(third, reports, judge)
    assert client.get_model_version("tintype", "3").tags["compared_with"] == "2"
    assert judge.asked[-1].name == "version 2"  # type: ignore[union-attr]


def test_a_new_evaluation_leaves_the_comparison_where_it_is(
    client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    judge = Judge()
    _register(make_bundle("first"), reports, judge)
    second = make_bundle("second")
    _register(second, reports, judge)
    path = reports[1] / "metrics.json"
    path.write_text(path.read_text().replace("24.1", "25.0"))
    _register(second, reports, judge)
    description = client.get_model_version("tintype", "2").description
    assert description.startswith("**Verdict: pass**")
    assert "25.00" in description
    assert "24.10" not in description
    assert len(judge.asked) == 2


def test_the_champion_keeps_what_it_was_promoted_on(
    client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    judge = Judge()
    _register(make_bundle("first"), reports, judge)
    second = make_bundle("second")
    _register(second, reports, judge)
    client.set_registered_model_alias("tintype", "champion", "2")
    assert _register(second, reports, judge).verdict == "pass"
    assert client.get_model_version("tintype", "2").tags["compared_with"] == "1"


def test_the_champion_itself_is_not_compared(client: Any, make_bundle: MakeBundle, reports: Reports) -> None:
    first = make_bundle("first")
    register(first, *reports, PARAMS, "sample")  # before there was a gate
    judge = Judge()
    assert _register(first, reports, judge).verdict == "not compared"
    version = client.get_model_version("tintype", "1")
    assert version.tags["verdict_reasons"] == "It is the champion itself."
    assert version.description.startswith("**Verdict: not compared**\n\n- It is the champion itself.")
    assert judge.asked == []


def test_a_champion_whose_files_are_gone_is_reported_as_such(
    client: Any, make_bundle: MakeBundle, reports: Reports, project: Path
) -> None:
    judge = Judge()
    _register(make_bundle("first"), reports, judge)
    for file in (project / ".mlflow/artifacts").rglob("network.keras"):
        file.unlink()
    _register(make_bundle("second"), reports, judge)
    rival = judge.asked[-1]
    assert rival is not None
    assert rival.bundle is None
    assert "network.keras" in rival.missing
    assert rival.report is not None


def test_a_comparison_that_was_cut_off_is_made_by_the_next(
    client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    judge = Judge()
    _register(make_bundle("first"), reports, judge)
    second = make_bundle("second")
    _register(second, reports, judge)
    for tag in ("comparison_of", "metric_card"):
        client.delete_model_version_tag("tintype", "2", tag)
    _register(second, reports, judge)
    assert client.get_model_version("tintype", "2").tags["metric_card"] == "c" * 64
    assert len(judge.asked) == 3


def test_a_table_that_no_database_would_take_is_a_link(
    client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    judge = Judge(markdown="| a table |\n" * 500)
    _register(make_bundle("first"), reports, judge)
    _register(make_bundle("second"), reports, judge)
    description = client.get_model_version("tintype", "2").description
    assert len(description) <= 5000
    assert "/comparison/table.md)" in description


def test_the_registration_says_its_verdict(make_bundle: MakeBundle, reports: Reports, project: Path) -> None:
    made = _register(make_bundle("first"), reports, Judge(verdict="not compared"))
    assert json.loads(json.dumps(made.describe()))["verdict"] == "not compared"
