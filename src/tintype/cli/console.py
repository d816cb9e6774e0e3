"""What the command says, clear of the progress bar."""

from __future__ import annotations

import sys

from tqdm import tqdm


def print_line(text: str) -> None:
    """A line on stdout, clear of the progress bar."""
    tqdm.write(_printable(text, sys.stdout.encoding), file=sys.stdout)


def print_error(text: str) -> None:
    """A line on stderr, clear of the progress bar."""
    tqdm.write(_printable(text, sys.stderr.encoding), file=sys.stderr)


def _printable(text: str, encoding: str | None) -> str:
    """File names may be no text at all, and text may be more than a terminal takes."""
    encoding = encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def counted(number: int, one: str, many: str = "") -> str:
    """``1 photo``, ``2,000 photos``; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
