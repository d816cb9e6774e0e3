"""What differs between the Bento for CPUs and the one for GPUs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """A kind of machine to serve on.

    Attributes
    ----------
    name : str
        Part of the Bento's tag.
    extras : tuple of str
        Of pyproject.toml.
    backend : str
        Keras' backend.
    """

    name: str
    extras: tuple[str, ...]
    backend: str


CPU = Variant("cpu", ("serve",), "openvino")
GPU = Variant("gpu", ("serve", "gpu"), "tensorflow")
VARIANTS = {variant.name: variant for variant in (CPU, GPU)}
