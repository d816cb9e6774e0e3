"""`python -m tintype.training.scans PHOTOS SCANS OUT.jpg`: what the effects look like."""

import sys
from pathlib import Path

from tintype.training.scans.picture import draw

if __name__ == "__main__":
    draw(*map(Path, sys.argv[1:]))
