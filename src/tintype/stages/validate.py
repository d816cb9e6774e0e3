"""Manifest, quarantine and the expectations that decide. DVC stage `validate`."""

from __future__ import annotations

from pathlib import Path

from tintype.params import Params
from tintype.stages.entrypoint import log, run_stage


def main(params: Params, raw: Path, manifest: Path, report: Path) -> None:
    """Check the photos in `raw`; write the manifest and the report."""
    from tintype.data.validation.splits import bucket_advice
    from tintype.data.validation.validate import validate

    validated = validate(raw, manifest, report, params.validate_)
    if advice := bucket_advice(validated.accepted, params.validate_.bucket_digits):
        log(f"validate: {advice}")
    log(f"validate: {validated.summary}")


if __name__ == "__main__":
    run_stage(main)
