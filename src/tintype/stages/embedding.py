"""A backbone at work on shards: where the stage `embed` joins `tintype.models` and `tintype.data`."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tintype.data.tensors.embed import make_embeddings
from tintype.data.tensors.engine import Work, check_on_node
from tintype.data.tensors.lab import PhotoCounts
from tintype.data.tensors.plan import ShardPlan
from tintype.errors import TintypeError
from tintype.files.objects import Folder
from tintype.models.backbone.embedder import Embedder, choice_for, load_embedder
from tintype.models.openvino import Precision
from tintype.params import CropsParams, EmbedParams


@dataclass(frozen=True)
class Embedding:
    """What is to be embedded, with what, and where to; can be sent to another machine.

    Attributes
    ----------
    photos, backbone : Path
        Folders: absolute paths.
    folder : Path or ObjectFolder
        The shards' folder.
    crops, embed : CropsParams, EmbedParams
        The stage's parameters.
    """

    photos: Path
    backbone: Path
    folder: Folder
    crops: CropsParams
    embed: EmbedParams

    def here(self, plans: Sequence[ShardPlan]) -> PhotoCounts:
        """Bring all shards up to date on this machine."""
        embedder = load_embedder(self.backbone, self.embed.precision, self.embed.batch_size)
        return self._make(plans, embedder, prune=True)

    def worker(self, chosen: tuple[Precision, str | None], cpus: int) -> Work:
        """Load the backbone once; the function returned makes the shards that it is given.

        Parameters
        ----------
        chosen : pair
            From `choice_for` on the machine that began the work: all must compute alike, or their bytes would differ.
        cpus : int
            How many the worker may use.

        Raises
        ------
        TintypeError
            If this node lacks a folder or cannot compute as the others do.
        """
        check_on_node(self.photos, self.folder)
        precision, reason = chosen
        _, reason_here = choice_for(self.backbone, precision)
        if (reason is None) != (reason_here is None):
            raise TintypeError(
                f"Expected all machines to embed on the same backend. {_backend(reason, 'This machine')} "
                f"{_backend(reason_here, f'The node {socket.gethostname()}')} Install the same packages everywhere, or "
                "set KERAS_BACKEND=tensorflow here, which all nodes then follow."
            )
        embedder = load_embedder(self.backbone, precision, self.embed.batch_size, cpus)
        return lambda plans: self._make(plans, embedder, prune=False)

    def _make(self, plans: Sequence[ShardPlan], embedder: Embedder, *, prune: bool) -> PhotoCounts:
        spec = embedder.backbone.spec
        return make_embeddings(
            plans,
            self.photos,
            self.folder,
            self.crops,
            embed=embedder.embed,
            input_size=spec.input_size,
            embedding_size=spec.embedding_size,
            backbone_sha256=spec.sha256,
            precision=embedder.precision,
            batch_size=self.embed.batch_size,
            at_once=embedder.at_once,
            prune=prune,
        )


def chosen_sentence(chosen: tuple[Precision, str | None]) -> str:
    """A choice in a few words."""
    precision, reason = chosen
    return f"on OpenVINO in {precision}" if reason is None else f"on Keras in {precision}, {reason}"


def _backend(reason: str | None, who: str) -> str:
    return f"{who} uses OpenVINO." if reason is None else f"{who} uses Keras, {reason}."
