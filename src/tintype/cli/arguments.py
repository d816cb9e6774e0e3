"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

OutputFile = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="A file, whose suffix chooses the format, or a folder.",
        show_default=False,
    ),
]
Quality = Annotated[
    int, typer.Option("--quality", metavar="NUMBER", min=1, max=100, help="Quality of JPEG, WebP and AVIF.")
]
Metadata = Annotated[
    Literal["keep", "no-gps", "strip"],
    typer.Option("--metadata", help="What results take over of EXIF and XMP; the place is part of it."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there already.")]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="models:/NAME@ALIAS or models:/NAME/VERSION of the registry, a bundle's folder, or starter.",
        show_default="the registry's champion, else the starter",
    ),
]
ModelName = Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the registered model.")]
Reason = Annotated[
    str,
    typer.Option("--reason", "-r", metavar="TEXT", help="Why, for the history.", show_default=False),
]
Variant = Annotated[
    Literal["cpu", "gpu"], typer.Option("--variant", help="What it will serve on: a CPU or a GPU.")
]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON, for programs.")]
