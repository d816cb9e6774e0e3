"""What scans of old photos look like, planted into the lightness of clean crops.

One small file for each thing that happened to an old photo, in the order in which it happened: the plate saw
(`emulsion`) through its lens (`lens`), its silver lies in grains (`grain`), the print paled (`fade`), was handled
(`wear`), was scanned and stored (`jpeg`). `recipe` says how often and how much, `ageing` does it to a batch,
and `picture` draws it: `python -m tintype.training.scans data/sample data/legacy docs/pictures/scans.jpg`.
"""

from tintype.training.scans.ageing import as_scans
from tintype.training.scans.recipe import ScanParams

__all__ = ["ScanParams", "as_scans"]
