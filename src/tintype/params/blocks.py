"""The blocks of params.yaml, frozen and strict, one for each stage.

Every key is required and every unknown key is refused, so that params.yaml is complete and a typing mistake costs a
second, not a training run. The names, ranges and units here are the contract; `conf/` holds the presets from which DVC
composes params.yaml.

A network and a loss have a class each, distinguished by `name`. Code that treats them by name ends its `match` with
`assert_never`, so that mypy refuses a class here which has no branch there.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Block(BaseModel):
    """A mapping of params.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FetchParams(Block):
    """Where the photos come from."""

    source: Literal["sample", "directory", "kaggle"]
    directory: str  # a folder of photos; DVC watches it for changes
    kaggle_dataset: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w-]*/[A-Za-z0-9][\w.-]*$")]
    kaggle_version: Annotated[int, Field(ge=1)] | None  # null: the newest
    photos_per_class: Annotated[int, Field(ge=1)] | None  # null: all
    photos: Annotated[int, Field(ge=1)] | None  # null: all


class WeightsParams(Block):
    """The backbone and where its weights come from."""

    backbone: str  # efficientnet_lite0, inception_resnet_v2 or the path of a Keras model file
    origin: Literal["embedded", "imagenet", "file", "random"]
    file: str | None  # for origin `file`
    url: str  # for origin `imagenet`
    checksum: Annotated[str, Field(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")]
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)]  # for origin `random`


class ValidateParams(Block):
    """Which photos may teach, and how they are split."""

    min_side: Annotated[int, Field(ge=1)]  # pixels
    min_chroma: Annotated[float, Field(ge=0, le=128)]  # mean C* of a photo, in Lab units
    min_hash_distance: Annotated[int, Field(ge=0, le=64)]  # bits; closer photos are duplicates
    max_rejected_share: Annotated[float, Field(ge=0, le=1)]
    max_class_share: Annotated[float, Field(gt=0, le=1)]  # of photos in one folder, where there are several
    bucket_digits: Annotated[int, Field(ge=1, le=4)]  # hex digits; 1 gives 16 buckets, 2 gives 256
    validation_share: Annotated[float, Field(gt=0, lt=0.5)]
    test_share: Annotated[float, Field(gt=0, lt=0.5)]
    split_seed: Annotated[int, Field(ge=0)]


class CropsParams(Block):
    """The pieces of a training photo that become rows of tensors."""

    per_photo: Annotated[int, Field(ge=1, le=64)]  # 1: the whole photo only
    min_side_share: Annotated[float, Field(gt=0, le=1)]  # smallest crop, as a share of the short side


class LabParams(Block):
    """The Lab tensors."""

    size: Annotated[int, Field(ge=32, le=1024, multiple_of=8)]  # pixels; side of the square
    workers: Annotated[int, Field(ge=0)]  # 0: one for each core


class EmbedParams(Block):
    """The embeddings."""

    batch_size: Annotated[int, Field(ge=1, le=1024)]  # photos
    # of the computation; auto: the faster on this processor
    precision: Literal["auto", "float32", "bfloat16"]


class ClusterParams(Block):
    """Where lab and embed work. The tensors are the same bytes everywhere, so no stage depends on it."""

    engine: Literal["local", "ray"]
    address: str | None  # of a Ray cluster, host:port; null: RAY_ADDRESS, else one is started on this machine


Head = Literal["tanh", "classes"]
Needs = Literal["embedding", "maps", "embedding and maps"]
"""What a network needs of the backbone; `tintype.models.network.Needs`, as bundles write it down."""


class FusionParams(Block):
    """The original report's network (`tintype.models.fusion`)."""

    name: Literal["fusion"]
    width: Annotated[float, Field(gt=0, le=4)]  # multiplies every layer's channels; 1 is the report's
    head: Head
    skips: bool  # the decoder sees finer maps too
    half: bool  # weights are kept in half precision

    @property
    def needs(self) -> Needs:
        """The vector that the stage `embed` computes beforehand."""
        return "embedding"


class PyramidParams(Block):
    """A decoder over the backbone's maps (`tintype.models.pyramid`)."""

    name: Literal["pyramid"]
    width: Annotated[float, Field(gt=0, le=4)]  # multiplies every layer's channels
    head: Head
    # pixels; side at which the backbone looks; null: at the photo as it is
    view: Annotated[int, Field(ge=64, le=2048, multiple_of=32)] | None
    skips: bool  # the decoder sees finer maps too
    embedding: bool  # the backbone's vector beside its maps
    # blocks in which every place of the coarsest map looks at all others
    attention: Annotated[int, Field(ge=0, le=12)]
    frozen: bool  # the backbone's own weights stay as they are
    dropout: Annotated[float, Field(ge=0, lt=1)]
    half: bool  # weights are kept in half precision

    @property
    def needs(self) -> Needs:
        """The maps, which are computed inside the network, and the vector where it is asked for."""
        return "embedding and maps" if self.embedding else "maps"


NetworkParams = Annotated[FusionParams | PyramidParams, Field(discriminator="name")]


class MseParams(Block):
    """Mean squared error of ab."""

    needs_head: ClassVar[Head] = "tanh"
    name: Literal["mse"]


class HuberParams(Block):
    """Huber loss of ab: a square near the truth, a straight line beyond."""

    needs_head: ClassVar[Head] = "tanh"
    name: Literal["huber"]
    delta: Annotated[float, Field(gt=0, le=1)]  # where it turns, in units of the network's output, -1..1


class ClassesParams(Block):
    """Cross entropy of the classes of ab."""

    needs_head: ClassVar[Head] = "classes"
    name: Literal["classes"]
    rebalance: Annotated[float, Field(ge=0, le=1)]  # 1 weighs a colour by its rarity, 0 all alike


LossParams = Annotated[MseParams | HuberParams | ClassesParams, Field(discriminator="name")]


class TrainParams(Block):
    """How the network is fitted."""

    strategy: Literal["single", "data_parallel"]  # data_parallel: on `workers` of a Ray cluster
    workers: Annotated[int, Field(ge=1, le=1024)]  # data_parallel: processes that share every batch
    # bundle whose weights the network begins with: `starter`, or a folder among the stage's deps; null: fresh ones
    start: str | None
    epochs: Annotated[int, Field(ge=1, le=100_000)]
    batch_size: Annotated[int, Field(ge=1, le=4096)]  # crops
    loss: LossParams
    perceptual: Annotated[float, Field(ge=0, le=100)]  # weight of the backbone's features' distance; 0: none
    scans: Annotated[float, Field(ge=0, le=1)]  # strength of the damage of old photos, applied to L; 0: none
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


class AdversarialParams(Block):
    """What a critic teaches the network after it is fitted."""

    steps: Annotated[int, Field(ge=0, le=100_000)]  # of network and critic in turn; 0: no such stage
    critic_steps: Annotated[int, Field(ge=0, le=100_000)]  # of the critic alone, before
    weight: Annotated[float, Field(gt=0, le=100)]  # of the critic's part beside the loss
    learning_rate: Annotated[float, Field(gt=0, le=1)]  # of the network
    check_every: Annotated[int, Field(ge=1)]  # steps between two looks at validation photos
    patience: Annotated[int, Field(ge=1)]  # looks without a gain, then it stops


class DecodeParams(Block):
    """How colours are made of what the network says; fitted on validation photos."""

    # classes: of the annealed mean; null: what fits best
    temperature: Annotated[float, Field(gt=0, le=2)] | None
    # aimed at, times the truth's; null: as the network says
    colourfulness: Annotated[float, Field(gt=0, le=2)] | None
    smoothing: Annotated[float, Field(ge=0, le=100)]  # of colours where lightness does not change; 0: none
    # of strong colours to faint ones; null: what fits best at that colourfulness
    contrast: Annotated[float, Field(ge=0, le=3)] | None


class EvaluateParams(Block):
    """How the network is judged."""

    side: Annotated[int, Field(ge=32, le=4096)]  # pixels; long side at which photos are compared
    grid_photos: Annotated[int, Field(ge=1, le=100)]
    custom_photos: str  # a folder of photos of your own, coloured for the second grid
    without: list[str]  # names of folders whose photos are not judged


class RegisterParams(Block):
    """What the registry calls the result."""

    model_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")]
    experiment: Annotated[str, Field(min_length=1)]


class Params(Block):
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
        loss, head = self.train.loss, self.network.head
        if loss.needs_head != head:
            raise ValueError(
                f"train.loss is {loss.name} and network.head is {head}. Expected the head {loss.needs_head} for this "
                "loss, or another loss."
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
        if self.train.scans > 0 and self.network.needs != "maps":
            raise ValueError(
                f"train.scans is {self.train.scans:g}, but the network {self.network.name} takes the backbone's "
                "embedding, and embeddings are made of clean photos. Expected 0, or the network pyramid with embedding "
                "false."
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
