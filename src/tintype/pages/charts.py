"""Charts as SVG for pages, drawn by matplotlib in the colours of page.css, so that they follow light and dark."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

# Colours to draw with, by their names in page.css, which replace them in the SVG.
COLOURS = {
    "now": "#0b6fb3",
    "spread": "#a9cce6",
    "usual": "#b0493c",
    "band": "#eee7da",
    "soft": "#6a645a",
    "line": "#e3ded4",
    "gray": "#9a958c",
    "toned": "#c8a467",
}
_STYLE = {
    "axes.edgecolor": COLOURS["line"],
    "axes.labelcolor": COLOURS["soft"],
    "axes.prop_cycle": f"cycler('color', ['{COLOURS['now']}'])",
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 8,
    "svg.fonttype": "none",  # text stays text: sharp, and found by the browser's search
    "svg.hashsalt": "tintype",  # the same data give the same bytes
    "text.color": COLOURS["soft"],
    "xtick.color": COLOURS["soft"],
    "ytick.color": COLOURS["soft"],
    "ytick.left": False,
}


def chart(
    draw: Callable[..., Any], label: str, *, rows: int = 1, width: float = 4.0, height: float = 1.5
) -> str:
    """A chart as an SVG element.

    Parameters
    ----------
    draw : callable
        Takes the axes, or a row of them below each other, and draws.
    label : str
        What a screen reader says.
    rows : int
        Of axes.
    width, height : float
        In inches, at the page's natural size; it scales with the page.

    Returns
    -------
    Markup
        The same bytes for the same drawing.
    """
    import matplotlib
    from markupsafe import Markup, escape
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(*figure.subplots(rows, squeeze=False)[:, 0])
        figure.patch.set_alpha(0)
        for axes in figure.axes:
            axes.patch.set_alpha(0)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].rstrip()
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    return Markup(svg.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1))


def histogram(values: ArrayLike, label: str, *, limit: float | None = None, bins: int = 24) -> str:
    """How often values occur; `limit` is drawn as a line."""
    import numpy as np

    def draw(axes: Axes) -> None:
        defined = np.asarray(values, dtype=float)
        defined = defined[np.isfinite(defined)]
        axes.hist(defined, bins=bins)
        if limit is not None:
            axes.axvline(limit, color=COLOURS["usual"], lw=1.2)
        axes.locator_params(axis="y", integer=True, nbins=4)
        axes.margins(x=0.01)

    return chart(draw, label)


def bars(counts: Mapping[str, int], label: str) -> str:
    """A bar for each name, with its number."""

    def draw(axes: Axes) -> None:
        drawn = axes.barh(list(counts), list(counts.values()), height=0.7)
        axes.bar_label(drawn, fmt="{:,.0f}", padding=3)
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)

    return chart(draw, label, height=max(0.45 + 0.21 * len(counts), 0.8))
