"""Content hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hex digits; the file is streamed, not loaded."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
