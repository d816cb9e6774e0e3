"""Reading params.yaml, and what is wrong with it in sentences: the key, its value, what is allowed, what to do."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, NamedTuple, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tintype.errors import TintypeError
from tintype.params.blocks import Params

PARAMS_FILE = Path("params.yaml")
_TYPE_NAMES = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    type(None): "null",
}
_BOUNDS = {Ge: ("from", "ge"), Gt: ("above", "gt"), Le: ("to", "le"), Lt: ("below", "lt")}


class ParamsError(TintypeError):
    """params.yaml cannot be used as it is."""


def load_params(path: Path = PARAMS_FILE) -> Params:
    """Read and check params.yaml.

    Parameters
    ----------
    path : Path
        The file to read.

    Returns
    -------
    Params
        All blocks, frozen.

    Raises
    ------
    ParamsError
        If the file is missing or not YAML, a key is unknown or missing, or a value has the wrong
        type or is out of range. The message names each key, its value and what is allowed.
    """
    return check_params(read_params(path), path)


def read_params(path: Path = PARAMS_FILE) -> dict[str, Any]:
    """What params.yaml says, right or wrong.

    Raises
    ------
    ParamsError
        If the file is missing, not YAML, or has no blocks.
    """
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(
            f"Expected parameters in {path}, but there is no such file. Run from the project's root."
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ParamsError(f"Expected blocks of parameters in {path}. Received: {content!r}.")
    return content


def check_params(content: dict[str, Any], path: Path = PARAMS_FILE) -> Params:
    """The blocks of what `read_params` gave; see `load_params`."""
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        lines = [_sentence(problem) for problem in error.errors()]
        raise ParamsError("\n".join(f"{path}: {line}" for line in lines)) from None


class _Location(NamedTuple):
    """Where pydantic found a problem.

    Attributes
    ----------
    key : str
        As a person writes it, with points.
    field : FieldInfo or None
        What is said of it in a block; None for a key that no block has.
    block : type of BaseModel
        Which the key is in.
    others : list of type of BaseModel
        Which that block might be by another name.
    """

    key: str
    field: Any
    block: type[BaseModel]
    others: list[type[BaseModel]]


def _place(location: tuple[Any, ...]) -> _Location:
    """Follow a location from block to block.

    Of a block that comes by several names pydantic adds the name to the location, and of a union such as `int | None`
    the type: neither is a key.
    """
    parts = [str(part) for part in location]
    keys: list[str] = []
    block: type[BaseModel] = Params
    others: list[type[BaseModel]] = []
    field = None
    while parts:
        if field is not None and not (members := _blocks(field.annotation)):
            break  # what follows is a member of a union
        if field is not None:
            others = members
            block = others[0] if len(others) == 1 else _named(others, parts.pop(0))
        if not parts:
            break
        keys.append(parts.pop(0))
        field = next(
            (one for name, one in block.model_fields.items() if keys[-1] == (one.alias or name)), None
        )
        if field is None:
            break
    return _Location(".".join(keys), field, block, others)


def _sentence(problem: Any) -> str:
    """One problem as found by pydantic, in words."""
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    place = _place(problem["loc"])
    value = problem["input"]
    if problem["type"] == "union_tag_invalid":
        return f"{place.key}.name is {value['name']!r}. Expected {_names(_blocks(place.field.annotation))}."
    if problem["type"] == "union_tag_not_found":
        names = _names(_blocks(place.field.annotation))
        return f"the parameter {place.key}.name is missing. Expected {names}."
    if problem["type"] == "invalid_key":  # not text
        return f"there is no parameter {place.key}{_cure(place)}"
    if problem["type"] == "extra_forbidden":
        return f"there is no parameter {place.key} (value {value!r}){_cure(place)}"
    expected = _describe(place.field.annotation, place.field.metadata)
    if problem["type"] == "missing":
        return f"the parameter {place.key} is missing. Expected {expected}.{_leftover(place)}"
    blocks = _blocks(place.field.annotation)
    if len(blocks) > 1 and value in map(_name, blocks):
        return f"{place.key} is {value!r}. Expected {expected}.{_choose(place.key, value)}"
    return f"{place.key} is {value!r}. Expected {expected}."


def _cure(place: _Location) -> str:
    """What to do about a key that is not known."""
    (parent, _, key), known = place.key.rpartition("."), _keys(place.block)
    if any(key in _keys(other) for other in place.others):
        return f" where {parent}.name is {_name(place.block)}.{_leftover(place)}"
    near = difflib.get_close_matches(key, known, n=1)
    return f". Did you mean {near[0]!r}?" if near else f". Known keys: {', '.join(sorted(known))}."


def _leftover(place: _Location) -> str:
    """What to do where a block has got another name, but not the keys that belong to it."""
    return _choose(place.key.rpartition(".")[0], _name(place.block)) if len(place.others) > 1 else ""


def _choose(key: str, name: str) -> str:
    return f" Choose by `-S {key.replace('.', '/')}={name}`, which brings all keys of {name} and no others."


def _blocks(annotation: Any) -> list[type[BaseModel]]:
    """The blocks that a field may hold."""
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [
        member
        for member in get_args(annotation)
        if isinstance(member, type) and issubclass(member, BaseModel)
    ]


def _keys(block: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in block.model_fields.items()]


def _name(block: type[BaseModel]) -> str:
    """The one value of the key `name`."""
    return str(get_args(block.model_fields["name"].annotation)[0])


def _named(blocks: list[type[BaseModel]], name: str) -> type[BaseModel]:
    return next(block for block in blocks if _name(block) == name)


def _names(blocks: list[type[BaseModel]]) -> str:
    return f"one of {', '.join(map(_name, blocks))}"


def _describe(annotation: Any, metadata: list[Any]) -> str:
    """What a field takes, in words with its range."""
    if annotation in _TYPE_NAMES:
        return " ".join([_TYPE_NAMES[annotation], *_constraints(metadata)])
    if len(blocks := _blocks(annotation)) > 1:
        return f"a block whose key `name` is {_names(blocks)}"
    if blocks:
        return f"a block with the keys {', '.join(_keys(blocks[0]))}"
    arguments = get_args(annotation)
    if hasattr(annotation, "__metadata__"):  # Annotated inside a union
        return _describe(arguments[0], _flatten(annotation.__metadata__))
    if all(isinstance(argument, str) for argument in arguments):  # Literal
        return "one of " + ", ".join(arguments)
    return " or ".join(_describe(argument, metadata) for argument in arguments)


def _flatten(metadata: tuple[Any, ...]) -> list[Any]:
    """Constraints inside pydantic's FieldInfo objects, and the bare ones."""
    return [part for item in metadata for part in getattr(item, "metadata", [item])]


def _constraints(metadata: list[Any]) -> list[str]:
    words = []
    for item in metadata:
        for kind, (word, attribute) in _BOUNDS.items():
            if isinstance(item, kind):
                words.append(f"{word} {getattr(item, attribute)}")
        if getattr(item, "multiple_of", None) is not None:
            words.append(f"and a multiple of {item.multiple_of}")
        if getattr(item, "pattern", None):
            words.append(f"of the form {item.pattern}")
        if getattr(item, "min_length", None):
            words.append("that is not empty")
    return words
