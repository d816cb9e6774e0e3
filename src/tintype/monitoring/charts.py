"""Charts as SVG, to be laid into a page: colours are the page's classes, so they follow light and dark.

They stretch to the width that they are given; so lines have a width that does not, and words stand beside them in HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 600.0, 120.0  # of the drawing's own units
_GAP = 0.16  # of a bar's room


def stacked_bars(parts: Mapping[str, Sequence[float]], label: str) -> str:
    """A bar for each place, of parts on each other.

    Parameters
    ----------
    parts : mapping of str to sequence of float
        Class of the part -> a number for each bar.
    label : str
        For who does not see it.
    """
    stack = np.array(list(parts.values()), np.float64)
    top = max(float(stack.sum(axis=0).max()), 1.0)
    room = _WIDTH / stack.shape[1]
    bars, base = [], np.zeros(stack.shape[1])
    for name, numbers in zip(parts, stack, strict=True):
        for place, number in enumerate(numbers):
            if number:
                height = _HEIGHT * number / top
                bars.append(_bar(name, place * room, _HEIGHT - base[place] - height, room, height))
                base[place] += height
    return _svg("".join(bars), label)


def tenths(shares: Sequence[float], usual: Sequence[float], label: str) -> str:
    """Shares of photos in each bin of the reference, and what they are there as a line.

    Parameters
    ----------
    shares, usual : sequence of float
        Now and in the reference, a number for each bin.
    label : str
        For who does not see it.
    """
    top = max(*shares, *usual, 0.2) * 1.05
    room = _WIDTH / len(shares)
    bars = [
        _bar("now", place * room, _HEIGHT * (1 - share / top), room, _HEIGHT * share / top)
        for place, share in enumerate(shares)
    ]
    steps = [
        f"{x:.1f},{_HEIGHT * (1 - share / top):.1f}"
        for place, share in enumerate(usual)
        for x in (place * room, (place + 1) * room)
    ]
    return _svg("".join(bars) + f'<polyline class="usual" points="{" ".join(steps)}"/>', label)


def trend(
    low: NDArray[np.float64],
    middle: NDArray[np.float64],
    high: NDArray[np.float64],
    usual: tuple[float, float] | None,
    label: str,
) -> tuple[str, float, float]:
    """A line over days with a band around it, and the band of the reference behind.

    Parameters
    ----------
    low, middle, high : ndarray of shape (days,), float64
        NaN for days without photos.
    usual : tuple of float or None
        Ends of the reference's band.
    label : str
        For who does not see it.

    Returns
    -------
    svg : str
    bottom, top : float
        Values at the chart's edges.
    """
    ends = [*low[~np.isnan(low)], *high[~np.isnan(high)], *(usual or ())]
    bottom, top = (min(ends), max(ends)) if ends else (0.0, 1.0)
    margin = 0.06 * (top - bottom) or 0.5
    bottom, top = max(bottom - margin, 0) if bottom >= 0 else bottom - margin, top + margin
    room = _WIDTH / len(middle)

    def y(value: float) -> float:
        return _HEIGHT * (top - value) / (top - bottom)

    parts = []
    if usual is not None:
        parts.append(_rect("band", 0, y(usual[1]), _WIDTH, y(usual[0]) - y(usual[1])))
    for day in np.flatnonzero(~np.isnan(middle)):
        parts.append(_bar("spread", day * room, y(high[day]), room, max(y(low[day]) - y(high[day]), 1)))
        parts.append(_bar("now", day * room, y(middle[day]) - 1.5, room, 3))
    return _svg("".join(parts), label), bottom, top


def _bar(name: str, x: float, y: float, room: float, height: float) -> str:
    return _rect(name, x + room * _GAP / 2, y, room * (1 - _GAP), height)


def _rect(name: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _svg(content: str, label: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f"{content}</svg>"
    )
