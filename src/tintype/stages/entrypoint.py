"""How a stage starts: parameters and paths in, a sentence out.

Parameters are checked before anything else is imported or done, so a typing mistake costs a second.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tintype.errors import TintypeError
from tintype.params import Params, load_params


def run_stage(main: Callable[..., None]) -> None:
    """Call `main(params, *paths)` with the command line's paths; exit with 1 and a sentence on an expected error.

    Parameters
    ----------
    main : callable
        Takes the checked `Params` and one `Path` for each argument that dvc.yaml gives. Where its annotation is
        `Path | str`, the address of a folder in an object store is accepted as well and passed on as it is.
    """
    # Arrow's own pool keeps 21 MB of memory after a manifest of 20,000 rows, the system's keeps 8.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    try:
        params: Params = load_params()
        main(params, *_places(main, sys.argv[1:]))
    except TintypeError as error:
        sys.exit(f"error: {error}")


def _places(main: Callable[..., None], arguments: list[str]) -> list[Path | str]:
    kinds = [
        parameter.annotation for parameter in inspect.signature(main, eval_str=True).parameters.values()
    ][1:]
    for argument, kind in zip(arguments, kinds, strict=False):
        if "://" in argument and kind is Path:
            raise TintypeError(
                f"Expected a folder on a disk here. Received: {argument}. Only the tensors' folders of the stages lab, "
                "embed, check and train may lie in an object store."
            )
    return [argument if "://" in argument else Path(argument) for argument in arguments]


def log(sentence: str) -> None:
    """Tell the person at the keyboard how a stage ended."""
    sys.stdout.write(f"{sentence}\n")
