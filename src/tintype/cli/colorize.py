"""`tintype colorize`: photos in colour, from files to files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tintype.cli.arguments import Force, Metadata, Model, Quality


def colorize(
    photos: Annotated[
        list[Path],
        typer.Argument(metavar="PHOTO", help="Photos, or folders of photos.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="A folder; for one photo also a file name, whose suffix chooses the format.",
            show_default=False,
        ),
    ],
    model: Model = None,
    saturation: Annotated[
        float,
        typer.Option(
            "--saturation", "-s", metavar="FACTOR", min=0, max=2, help="Factor on the colours; 0 is gray."
        ),
    ] = 1.0,
    file_format: Annotated[
        Literal["jpeg", "png", "tiff", "webp", "avif"] | None,
        typer.Option("--format", "-f", help="Format of the results.", show_default="the photo's own"),
    ] = None,
    quality: Quality = 95,
    metadata: Metadata = "keep",
    compare: Annotated[
        bool, typer.Option("--compare", help="Write NAME.compare.jpg too: before and after, side by side.")
    ] = False,
    layer: Annotated[
        bool,
        typer.Option("--layer", help="Write only the colours, as NAME.layer.png, for `tintype apply`."),
    ] = False,
    abstain: Annotated[
        float,
        typer.Option(
            "--abstain",
            metavar="T",
            min=0,
            max=1,
            help="Leave gray what the model is less sure of than this, 0 to 1; 0 leaves nothing.",
        ),
    ] = 0.0,
    confidence: Annotated[
        bool,
        typer.Option(
            "--confidence",
            help="Write NAME.confidence.png too, at the photo's size: from black, where the model is not sure of its "
            "colours (0), to white, where it is (1).",
        ),
    ] = False,
    keep_colour: Annotated[
        bool,
        typer.Option(
            "--keep-colour",
            help="Leave photos that have colours of their own as they are. Sepia and other toning are none.",
        ),
    ] = False,
    borders: Annotated[
        bool,
        typer.Option(
            help="Look for a border or mount, which becomes gray; the picture inside is coloured as without it."
        ),
    ] = True,
    force: Force = False,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave out photos whose result is there already.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", "-n", help="Only say what would be done, and estimate time and memory."),
    ] = False,
    max_megapixels: Annotated[
        float, typer.Option("--max-megapixels", metavar="NUMBER", min=0.001, help="Refuse larger photos.")
    ] = 200,
    max_megabytes: Annotated[
        float, typer.Option("--max-megabytes", metavar="NUMBER", min=0.001, help="Refuse larger files.")
    ] = 2000,
) -> None:
    """Colour photos at their full size; each keeps its own lightness.

    Below a folder all photos are taken, and OUT gets the same tree. A photo that fails is named, the others go on.
    OUT/tintype-manifest.jsonl keeps what became of each photo: the same command again does only what is not done yet.

    Exit code: 0 all were coloured, 1 some failed or have a result of another model or other options, 2 wrong usage,
    and nothing was begun, 130 stopped by Ctrl+C.
    """
    from tintype.cli.collection.command import run
    from tintype.cli.collection.plan import Options, limits_of

    options = Options(
        saturation=saturation,
        file_format=file_format,
        quality=quality,
        metadata=metadata,
        compare=compare,
        layer=layer,
        keep_colour=keep_colour,
        borders=borders,
        abstain=abstain,
        confidence=confidence,
        limits=limits_of(max_megapixels, max_megabytes),
        force=force,
        skip_existing=skip_existing,
    )
    raise typer.Exit(run(photos, output, model, options, dry_run=dry_run))
