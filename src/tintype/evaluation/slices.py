"""Kinds of photos that are worth a look of their own: a mean over all hides where it fails."""

from __future__ import annotations

LOW_CHROMA = 15.0  # mean C* of the truth; natural photos have about 18
SQUARE = 1.1  # sides that differ by less than a tenth
LARGE_UPSCALE = 4.0  # photo's long side over the network's


def slices_of(height: int, width: int, chroma: float, network_size: int) -> list[str]:
    """Names of the slices that a photo belongs to.

    Parameters
    ----------
    height, width : int
        The photo's size in pixels.
    chroma : float
        Mean C* of the true photo.
    network_size : int
        Side in pixels of the square that the network sees.

    Returns
    -------
    list of str
        ``low_chroma`` or ``high_chroma``; ``portrait``, ``landscape`` or ``square``; and ``large_upscale``
        where the network's chroma had to be enlarged more than `LARGE_UPSCALE` times.
    """
    names = ["low_chroma" if chroma < LOW_CHROMA else "high_chroma", _shape(height, width)]
    if max(height, width) > LARGE_UPSCALE * network_size:
        names.append("large_upscale")
    return names


def _shape(height: int, width: int) -> str:
    if max(height, width) < SQUARE * min(height, width):
        return "square"
    return "portrait" if height > width else "landscape"
