"""What scans of old photos look like, planted into the lightness of clean crops.

`effects` has what happens to an old photo, `recipe` how often and how much, and does it to a batch;
`python -m tintype.training.scans data/sample data/legacy docs/pictures/scans.jpg` draws it.
"""

from tintype.training.scans.recipe import ScanParams, as_scans

__all__ = ["ScanParams", "as_scans"]
