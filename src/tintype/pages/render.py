"""A Jinja2 template beside its module becomes a page; `base.html.j2` here gives all of them head and style sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def render(template: Path, **content: Any) -> str:
    """The page.

    Parameters
    ----------
    template : Path
        Its file, which extends `base.html.j2`.
    content
        What the template names; a name that is not given is an error.

    Returns
    -------
    str
        HTML that is whole in itself.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([template.parent, _HERE]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"counted": counted}
    return environment.get_template(template.name).render(content) + "\n"


def counted(number: int, word: str) -> str:
    """A number with its noun: "1 photo", "2,000 photos"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
