"""The README's picture of historical photographs, by the starter: `python .ci/pictures.py`."""

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "src"))

from tintype.colorize import Colorizer  # noqa: E402
from tintype.formats.photo import read_photo, write_photo  # noqa: E402
from tintype.imaging.grid import draw_grid  # noqa: E402
from tintype.measures.metrics import reduced  # noqa: E402
from tintype.models.starter import starter_bundle  # noqa: E402

PHOTOS = {
    "dust-bowl-home": "a house in the Dust Bowl",
    "nagasaki-boats": "boats at Nagasaki",
    "black-canyon": "Black Canyon",
    "march-pastoral": "a March pastoral",
}
SIDE = 512
DESTINATION = PROJECT / "docs/pictures/legacy.jpg"


def main() -> None:
    """Scan and colours side by side."""
    colorizer = Colorizer.load(starter_bundle())
    scans = [read_photo(PROJECT / f"data/legacy/{name}.jpg").rgb8 for name in PHOTOS]
    rows = [[reduced(scan, SIDE), reduced(colorizer.colorize(scan), SIDE)] for scan in scans]
    grid = draw_grid(rows, headings=["scan", "in colour"], captions=list(PHOTOS.values()))
    write_photo(DESTINATION, grid, quality=85)


if __name__ == "__main__":
    main()
