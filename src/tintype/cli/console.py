"""What the command says, clear of the progress bar."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def print_line(text: str) -> None:
    """A line on stdout, clear of the progress bar."""
    from tqdm import tqdm

    tqdm.write(_printable(text, sys.stdout.encoding), file=sys.stdout)


def print_error(text: str) -> None:
    """A line on stderr, clear of the progress bar."""
    from tqdm import tqdm

    tqdm.write(_printable(text, sys.stderr.encoding), file=sys.stderr)


def print_note(text: str) -> None:
    """A line on stderr that begins with ``note:``."""
    print_error(f"note: {text}")


def _printable(text: str, encoding: str | None) -> str:
    """File names may be no text at all, and text may be more than a terminal takes."""
    encoding = encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def progress(total: int) -> tqdm[Any]:
    """A bar with rate and time left; at a terminal only.

    Returns
    -------
    tqdm
        To be used in a `with` block.
    """
    from tqdm import tqdm

    try:
        sized = os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError):  # no terminal, or no file
        sized = True
    # On a terminal that does not know its size, as in a container, tqdm would find no room for a bar.
    size = {"dynamic_ncols": True} if sized else {"ncols": 80, "nrows": 20}
    return tqdm(total=total, unit=" photos", disable=None, **size)


def counted(number: int, one: str, many: str = "") -> str:
    """``1 photo``, ``2,000 photos``; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
