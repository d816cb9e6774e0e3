"""How a stage is entered: arguments in, sentences out.

Parameters are checked before anything else is imported or done, so a typing mistake costs a second.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tintype.errors import TintypeError
from tintype.params import Params, load_params


def enter(main: Callable[..., None]) -> None:
    """Call `main(params, *paths)` with the command line's paths; exit with 1 and a sentence on an expected error.

    Parameters
    ----------
    main : callable
        Takes the checked `Params` and one `Path` for each argument that dvc.yaml gives.
    """
    try:
        params: Params = load_params()
        main(params, *map(Path, sys.argv[1:]))
    except TintypeError as error:
        sys.exit(f"error: {error}")


def say(sentence: str) -> None:
    """Tell the person at the keyboard how a stage ended."""
    sys.stdout.write(f"{sentence}\n")
