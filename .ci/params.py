"""Write params.yaml from conf/, byte for byte as DVC does it: `python .ci/params.py PRESET`."""

from __future__ import annotations

import sys
from pathlib import Path

from dvc.utils.hydra import compose_and_dump

PROJECT = Path(__file__).resolve().parent.parent


def compose(destination: Path, *overrides: str) -> None:
    """Write what `dvc exp run -S OVERRIDE ...` would run with."""
    compose_and_dump(
        destination, str(PROJECT / "conf"), None, "config", str(PROJECT / "conf"), list(overrides)
    )


if __name__ == "__main__":
    compose(PROJECT / "params.yaml", *(f"preset={preset}" for preset in sys.argv[1:]))
