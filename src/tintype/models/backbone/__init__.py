"""The backbone: a pretrained classifier that tells the network what a gray photo shows."""

from tintype.models.backbone.embedder import Backbone
from tintype.models.backbone.spec import BackboneError, BackboneSpec

__all__ = ["Backbone", "BackboneError", "BackboneSpec"]
