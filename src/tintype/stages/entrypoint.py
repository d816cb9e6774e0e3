"""How a stage starts and ends: parameters and paths in, a sentence out.

Parameters are checked before anything else is imported or done, so a typing mistake costs a second. DVC reads them
once more when a stage has ended, and records what it finds: a stage whose parameters have changed meanwhile fails.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tintype.errors import TintypeError
from tintype.files.lock import held_alone
from tintype.params import PARAMS_FILE, ParamsError, check_params, read_params
from tintype.stages.causes import refuse_small_limit, sentence_of
from tintype.stages.stopping import end, was_told

PIPELINE_FILE = Path("dvc.yaml")
CHECKPOINTS = Path(".checkpoints")  # and locks: outside DVC's outputs, which go before a stage starts
LOCK_SECONDS = 12.0  # to wait for one of the same stage that is about to end: see `tintype.stages.stopping`


def run_stage(main: Callable[..., Callable[[], None] | None]) -> None:
    """Call `main(params, *paths)` with the command line's paths; exit with 1 and a sentence on an expected error.

    Parameters
    ----------
    main : callable
        Takes the checked `Params` and one `Path` for each argument that dvc.yaml gives. Where its annotation is
        `Path | str`, the address of a folder in an object store is accepted as well and passed on as it is. What it
        returns is called when the parameters are known to hold still: it throws away what a rerun would go on from.
    """
    # Arrow's own pool keeps 21 MB of memory after a manifest of 20,000 rows, the system's keeps 8.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # Matplotlib would keep its list of fonts in the home folder, Keras its settings.
    for name, folder in (("MPLCONFIGDIR", ".cache/matplotlib"), ("KERAS_HOME", ".cache/keras")):
        os.environ.setdefault(name, str(Path(folder).absolute()))
    try:
        begun, stage = read_params(), Path(sys.argv[0]).stem
        params, places = check_params(begun), _places(main, sys.argv[1:])
        refuse_small_limit(stage)
        with held_alone(CHECKPOINTS, stage, LOCK_SECONDS):
            tidy_up = main(params, *places)
            refuse_changed_params(stage, begun)
            if tidy_up:
                tidy_up()
    except BaseException as error:
        if was_told() or isinstance(error, (KeyboardInterrupt, SystemExit)):
            end()
        sentence = sentence_of(error)
        if sentence is None:
            raise
        sys.exit(f"error: {sentence}")


def refuse_changed_params(stage: str, begun: dict[str, Any]) -> None:
    """Fail where params.yaml no longer says what a stage worked by, as DVC would record what it says now.

    Parameters
    ----------
    stage : str
        Its name in dvc.yaml, which lists its parameters.
    begun : dict
        What params.yaml said when the stage began.

    Raises
    ------
    ParamsError
        With each value before and now.
    """
    now = read_params()
    keys = [key for key in declared(stage).get("params", []) if isinstance(key, str)] or [*begun, *now]
    before, after = ({key: _value(content, key) for key in keys} for content in (begun, now))
    changes = [
        f"{key} was {old}, is {new}"
        for key in before
        for key, old, new in _differences(key, before[key], after[key])
    ]
    if changes:
        raise ParamsError(
            f"{PARAMS_FILE} changed while {stage} ran: {'; '.join(changes)}. Run `dvc repro` again, which makes it by "
            "the new values."
        )


def declared(stage: str) -> dict[str, Any]:
    """What dvc.yaml says of a stage; nothing where there is no such file, or no such stage in it."""
    try:
        pipeline = YAML(typ="safe").load(PIPELINE_FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return dict(pipeline["stages"].get(stage, {}))


def _value(content: Any, key: str) -> Any:
    for part in key.split("."):
        content = content.get(part) if isinstance(content, dict) else None
    return content


def _differences(key: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for part in {**old, **new}:
            yield from _differences(f"{key}.{part}", old.get(part), new.get(part))
    elif old != new:
        yield key, old, new


def _places(main: Callable[..., Any], arguments: list[str]) -> list[Path | str]:
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
