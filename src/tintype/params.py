"""params.yaml as frozen, strict blocks, one for each stage.

Every key is required and every unknown key is refused, so that params.yaml says all there is to say
and a typing mistake costs a second, not a training run. The names, ranges and units here are the
contract; `conf/` holds the presets from which DVC composes params.yaml.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tintype.errors import TintypeError

PARAMS_FILE = Path("params.yaml")


class ParamsError(TintypeError):
    """params.yaml cannot be used as it is."""


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FetchParams(_Block):
    """Where the photos come from."""

    source: Literal["sample", "directory", "kaggle"]
    directory: str  # a folder of photos; DVC watches it for changes
    kaggle_dataset: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w-]*/[A-Za-z0-9][\w.-]*$")]
    kaggle_version: Annotated[int, Field(ge=1)] | None  # null: the newest
    photos_per_class: Annotated[int, Field(ge=1)] | None  # null: all
    photos: Annotated[int, Field(ge=1)] | None  # null: all


class WeightsParams(_Block):
    """The backbone and where its weights come from."""

    backbone: str  # efficientnet_lite0, inception_resnet_v2 or the path of a Keras model file
    origin: Literal["embedded", "imagenet", "file", "random"]
    file: str | None  # for origin `file`
    url: str  # for origin `imagenet`
    checksum: Annotated[str, Field(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")]
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)]  # for origin `random`


class ValidateParams(_Block):
    """Which photos may teach, and how they are dealt out."""

    min_side: Annotated[int, Field(ge=1)]  # pixels
    min_chroma: Annotated[float, Field(ge=0, le=128)]  # mean C* of a photo, in Lab units
    min_hash_distance: Annotated[int, Field(ge=0, le=64)]  # bits; closer photos are duplicates
    max_rejected_share: Annotated[float, Field(ge=0, le=1)]
    max_class_share: Annotated[float, Field(gt=0, le=1)]  # of photos in one folder, where there are several
    bucket_digits: Annotated[int, Field(ge=1, le=4)]  # hex digits; 1 gives 16 buckets, 2 gives 256
    validation_share: Annotated[float, Field(gt=0, lt=0.5)]
    test_share: Annotated[float, Field(gt=0, lt=0.5)]
    split_seed: Annotated[int, Field(ge=0)]


class CropsParams(_Block):
    """The pieces of a training photo that become rows of tensors."""

    per_photo: Annotated[int, Field(ge=1, le=64)]  # 1: the whole photo only
    min_side_share: Annotated[float, Field(gt=0, le=1)]  # smallest crop, as a share of the short side


class LabParams(_Block):
    """The Lab tensors."""

    size: Annotated[int, Field(ge=32, le=1024, multiple_of=8)]  # pixels; side of the square
    workers: Annotated[int, Field(ge=0)]  # 0: one for each core


class EmbedParams(_Block):
    """The embeddings."""

    batch_size: Annotated[int, Field(ge=1, le=1024)]  # photos
    precision: Literal[
        "auto", "float32", "bfloat16"
    ]  # of the computation; auto: the faster on this processor


class ClusterParams(_Block):
    """Where lab and embed work. The tensors are the same bytes everywhere, so no stage depends on it."""

    engine: Literal["local", "ray"]
    address: str | None  # of a Ray cluster, host:port; null: RAY_ADDRESS, else one is started on this machine


class NetworkParams(_Block):
    """The network."""

    name: Literal["fusion", "pyramid"]
    width: Annotated[float, Field(gt=0, le=4)]  # multiplies every layer's channels; 1 is the report's
    head: Literal["tanh", "classes"]
    view: (
        Annotated[int, Field(ge=64, le=2048, multiple_of=32)] | None
    )  # pixels; pyramid: side at which the backbone looks
    skips: bool  # the decoder sees finer maps too
    embedding: bool  # pyramid: the backbone's vector beside its maps; fusion always has it
    frozen: bool  # pyramid: the backbone's own weights stay as they are
    dropout: Annotated[float, Field(ge=0, lt=1)]  # pyramid only
    half: bool  # weights are kept in half precision

    @model_validator(mode="after")
    def _fusion_is_made_of_the_embedding(self) -> Self:
        if self.name == "fusion" and not self.embedding:
            raise ValueError(
                "network.embedding is false, but the network fusion is made of it. Expected true."
            )
        return self


class TrainParams(_Block):
    """How the network is fitted."""

    strategy: Literal["single", "data_parallel"]  # data_parallel: on `workers` of a Ray cluster
    workers: Annotated[int, Field(ge=1, le=1024)]  # data_parallel: processes that share every batch
    epochs: Annotated[int, Field(ge=1, le=100_000)]
    batch_size: Annotated[int, Field(ge=1, le=4096)]  # crops
    loss: Literal["mse", "huber", "classes"]  # classes: cross entropy, for that head and no other
    huber_delta: Annotated[float, Field(gt=0, le=1)]  # in units of the network's output, -1..1
    rebalance: Annotated[float, Field(ge=0, le=1)]  # classes: 1 weighs a colour by its rarity, 0 all alike
    perceptual: Annotated[
        float, Field(ge=0, le=100)
    ]  # weight of the distance of the backbone's features; 0: none
    scans: Annotated[float, Field(ge=0, le=1)]  # strength of what old photos suffer, done to L; 0: none
    optimizer: Literal["rmsprop", "adam", "adamw"]
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    schedule: Literal["constant", "cosine"]
    warmup_share: Annotated[float, Field(ge=0, lt=1)]  # of all steps
    weight_decay: Annotated[float, Field(ge=0, lt=1)]  # adamw only
    mixed_precision: bool  # bfloat16 computations, float32 weights
    flip: bool  # mirror half of the crops
    ema_momentum: Annotated[float, Field(ge=0, lt=1)]  # 0: no moving average of the weights
    patience: Annotated[int, Field(ge=1)] | None  # epochs without a better validation loss; null: never stop
    grid_every: Annotated[int, Field(ge=1)]  # epochs between two picture grids
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)]


class AdversarialParams(_Block):
    """What a critic teaches the network after it is fitted."""

    steps: Annotated[int, Field(ge=0, le=100_000)]  # of network and critic in turn; 0: no such stage
    critic_steps: Annotated[int, Field(ge=0, le=100_000)]  # of the critic alone, before
    weight: Annotated[float, Field(gt=0, le=100)]  # of the critic's word beside the loss
    learning_rate: Annotated[float, Field(gt=0, le=1)]  # of the network
    check_every: Annotated[int, Field(ge=1)]  # steps between two looks at validation photos
    patience: Annotated[int, Field(ge=1)]  # looks without a gain, then it stops


class DecodeParams(_Block):
    """How colours are made of what the network says; fitted on validation photos."""

    temperature: (
        Annotated[float, Field(gt=0, le=2)] | None
    )  # classes: of the annealed mean; null: what fits best
    colourfulness: (
        Annotated[float, Field(gt=0, le=2)] | None
    )  # aimed at, times the truth's; null: as the network says
    smoothing: Annotated[float, Field(ge=0, le=100)]  # of colours where lightness does not change; 0: none


class EvaluateParams(_Block):
    """How the network is judged."""

    side: Annotated[int, Field(ge=32, le=4096)]  # pixels; long side at which photos are compared
    grid_photos: Annotated[int, Field(ge=1, le=100)]
    custom_photos: str  # a folder of photos of your own, coloured for the second grid


class RegisterParams(_Block):
    """What the registry calls the result."""

    model_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")]
    experiment: Annotated[str, Field(min_length=1)]


class Params(_Block):
    """All of params.yaml."""

    preset: str
    fetch: FetchParams
    weights: WeightsParams
    validate_: ValidateParams = Field(alias="validate")  # `validate` is a name of pydantic's own
    crops: CropsParams
    lab: LabParams
    embed: EmbedParams
    cluster: ClusterParams
    network: NetworkParams
    train: TrainParams
    adversarial: AdversarialParams
    decode: DecodeParams
    evaluate: EvaluateParams
    register_: RegisterParams = Field(alias="register")

    @model_validator(mode="after")
    def _loss_fits_the_head(self) -> Self:
        if (self.network.head == "classes") != (self.train.loss == "classes"):
            raise ValueError(
                f"train.loss is {self.train.loss} and network.head is {self.network.head}. Expected classes for both, "
                "or mse or huber with tanh."
            )
        return self

    @model_validator(mode="after")
    def _workers_get_equal_pieces(self) -> Self:
        train = self.train
        if train.strategy == "data_parallel" and train.batch_size % train.workers:
            raise ValueError(
                f"train.batch_size is {train.batch_size} and train.workers is {train.workers}. Expected a batch that "
                "can be cut into as many equal pieces."
            )
        return self

    @model_validator(mode="after")
    def _scans_are_seen_by_all_parts(self) -> Self:
        if self.train.scans > 0 and (self.network.name == "fusion" or self.network.embedding):
            raise ValueError(
                f"train.scans is {self.train.scans:g}, but network.embedding is true, and embeddings are made of clean "
                "photos. Expected 0, or the network pyramid without embedding."
            )
        return self

    @model_validator(mode="after")
    def _training_gets_a_share(self) -> Self:
        rest = 1 - self.validate_.validation_share - self.validate_.test_share
        if rest < 0.2:
            raise ValueError(
                "validate.validation_share and validate.test_share leave "
                f"{rest:.0%} of the photos to train on. Expected at least 20%."
            )
        return self


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
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        lines = [_sentence(problem) for problem in error.errors()]
        raise ParamsError("\n".join(f"{path}: {line}" for line in lines)) from None


def _sentence(problem: Any) -> str:
    """One problem as found by pydantic, in words."""
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location)
    kind = problem["type"]
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(location[-1], _keys_of(location[:-1]), n=1)
        hint = (
            f" Did you mean {near[0]!r}?"
            if near
            else f" Known keys: {', '.join(sorted(_keys_of(location[:-1])))}."
        )
        return f"there is no parameter {key} (value {problem['input']!r}).{hint}"
    if kind == "missing":
        return f"the parameter {key} is missing. Expected {_allowed(location)}."
    return f"{key} is {problem['input']!r}. Expected {_allowed(location)}."


def _block_of(location: list[str]) -> type[BaseModel]:
    block: type[BaseModel] = Params
    for part in location:
        block = _field_of(block, part).annotation
    return block


def _field_of(block: type[BaseModel], key: str) -> Any:
    return next(field for name, field in block.model_fields.items() if key in (name, field.alias))


def _keys_of(location: list[str]) -> list[str]:
    return [field.alias or name for name, field in _block_of(location).model_fields.items()]


def _allowed(location: list[str]) -> str:
    """What the field at `location` takes, in words with its range."""
    # A union such as `int | None` adds its member's name to pydantic's location.
    path = location[:2]
    field = _field_of(_block_of(path[:-1]), path[-1])
    return _describe(field.annotation, field.metadata)


_TYPE_NAMES = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    type(None): "null",
}
_BOUNDS = {Ge: ("from", "ge"), Gt: ("above", "gt"), Le: ("to", "le"), Lt: ("below", "lt")}


def _describe(annotation: Any, metadata: list[Any]) -> str:
    if annotation in _TYPE_NAMES:
        return " ".join([_TYPE_NAMES[annotation], *_constraints(metadata)])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a block with the keys " + ", ".join(f.alias or n for n, f in annotation.model_fields.items())
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
