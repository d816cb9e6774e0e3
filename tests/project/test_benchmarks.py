"""The benchmarks run, and say what is read later. No time is held to anything here."""

import argparse
import json
import statistics

from benchmarks import features, results

from tintype.imaging.photo import find_photos


def test_features(backbone_folder, sample, tmp_path):
    arguments = argparse.Namespace(precision="auto", crops=2, recipe_photos=0, rounds=2)
    table = features.measured(backbone_folder, find_photos(sample)[:2], arguments)
    path = results.write("features", {"efficientnet_lite0": table}, "python -m benchmarks.features", tmp_path)
    written = json.loads(path.read_text())
    assert written["machine"]["cores"] > 0
    assert written["table"]["efficientnet_lite0"] == table
    assert table["photos_per_s"].keys() == {"stages", "backbone_alone", "lab", "embed"}
    assert len(table["stages_over_backbone_alone"]["values"]) == 2
    assert "efficientnet" not in results.show(table)
    assert "| photos_per_s.lab |" in results.show(table)


def test_paired_rounds_alternate_and_ratios_are_taken_within_them():
    order = []
    speed = iter([10.0, 5.0, 4.0, 12.0])

    def case(name):
        def measure():
            order.append(name)
            return next(speed)

        return measure

    figures = results.paired({"ours": case("ours"), "theirs": case("theirs")}, 2)
    assert order == ["ours", "theirs", "theirs", "ours"]
    assert figures == {"ours": [10.0, 12.0], "theirs": [5.0, 4.0]}
    assert results.ratio(figures["ours"], figures["theirs"])["values"] == [2.0, 3.0]
    assert results.spread([1.0, 9.0, 3.0])["median"] == statistics.median([1, 9, 3])


def test_a_command_names_no_folder_of_this_machine(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["x", "--folder", str(tmp_path / "photos"), "--rounds", "3"])
    assert (
        results.command_line("benchmarks.features")
        == "python -m benchmarks.features --folder photos --rounds 3"
    )
