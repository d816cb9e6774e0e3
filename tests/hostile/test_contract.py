"""Schemathesis reads the service's own OpenAPI and tries what it allows, and what it does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

HOOKS = Path(__file__).with_name("contract_hooks.py")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)


def test_the_service_keeps_to_its_contract(server: Any, tmp_path: Path) -> None:
    report, before = tmp_path / "report.json", photos_coloured(server)
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            f"{server.url}/docs.json",
            "--phases=examples,coverage,fuzzing",
            f"--checks={','.join(CHECKS)}",
            "--max-examples=40",
            "--generation-deterministic",
            "--request-timeout=20",
            "--suppress-health-check=all",
            "--no-color",
            "--report=json",
            f"--report-json-path={report}",
        ],
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert json.loads(report.read_text())

    assert photos_coloured(server) - before >= 10, "a contract that only ever sees refusals is not tested"


def photos_coloured(server: Any) -> float:
    metrics = httpx.get(f"{server.url}/metrics", trust_env=False).text
    served = [line for line in metrics.splitlines() if line.startswith('tintype_photos_total{outcome="ok"')]
    return float(served[0].split()[-1]) if served else 0.0


def test_every_error_of_the_contract_is_known(server: Any, corpus: ModuleType) -> None:
    document = httpx.get(f"{server.url}/docs.json", trust_env=False).json()
    told = set(document["paths"]["/colorize"]["post"]["responses"])
    assert {"200", "400", "413", "415", "422", "503"} <= told
    assert "500" not in told
