"""What docs/scale.md is measured with: the stream makes what the stages make, and peaks of memory are seen."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest
from benchmarks.memory.peak import CommandError, peak_of
from benchmarks.memory.photos import make_photos
from benchmarks.memory.project import STAGES, command_of
from benchmarks.scale import streamed, today

from tintype.data.tensors.plan import plan_shards
from tintype.data.validation.duplicates import drop_duplicates
from tintype.data.validation.inspection import Facts, inspect_photo
from tintype.data.validation.manifest import read_manifest
from tintype.params import Params


def test_a_stream_of_buckets_makes_the_manifest_that_the_stage_makes(tmp_path: Path, params: Params) -> None:
    rows = 1500
    (tmp_path / "streamed").mkdir()
    streamed.deal(rows, tmp_path / "streamed", params)
    assert streamed.sort(rows, tmp_path / "streamed", params)["rows"] == rows
    today.manifest(rows, tmp_path / "today", params)
    whole = read_manifest(tmp_path / "today")
    pd.testing.assert_frame_equal(read_manifest(tmp_path / "streamed"), whole)

    counted = streamed.count(rows, tmp_path / "streamed", params)
    assert counted["broken"] == 0
    assert counted["splits"] == whole["split"].value_counts().to_dict()
    listed = streamed.listing(rows, tmp_path / "streamed", params)
    plans = plan_shards(whole, params.crops)
    assert (listed["shards"], listed["photos"]) == (len(plans), rows)


def test_rules_find_what_breaks_them(tmp_path: Path, params: Params) -> None:
    today.manifest(1000, tmp_path, params)
    strict = params.model_copy(update={"validate_": params.validate_.model_copy(update={"min_side": 500})})
    manifest = read_manifest(tmp_path)
    small = int((manifest["width"] < 500).sum() + (manifest["height"] < 500).sum())
    assert streamed.count(1000, tmp_path, strict)["broken"] == small > 0


def test_photos_made_of_crops_are_no_duplicates(sample: Path, tmp_path: Path) -> None:
    make_photos(sorted(sample.glob("*.jpg"))[:6], tmp_path, 150)
    names = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.jpg")]
    facts = [one for one in (inspect_photo(tmp_path, name) for name in names) if isinstance(one, Facts)]
    kept, rejected = drop_duplicates(facts, 8)
    assert (len(kept), rejected) == (150, [])


def test_every_stage_has_a_command_without_gaps() -> None:
    for stage in STAGES:
        command = command_of(stage)
        assert f"tintype.stages.{stage} " in command
        assert "${" not in command


def test_the_peak_of_a_grandchild_is_seen(tmp_path: Path) -> None:
    hold = "import time; held = bytearray(b'1') * 120_000_000; time.sleep(0.4)"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    (tmp_path / "start.py").write_text(start)
    peak = peak_of(f"{sys.executable} start.py", tmp_path, {})
    assert peak.all_mb > peak.own_mb > 120
    assert peak.largest_mb > 120
    with pytest.raises(CommandError, match="no such stage"):
        peak_of("echo no such stage; exit 3", tmp_path, {})
