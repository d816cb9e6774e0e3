"""The command `tintype`.

Commands import what they need when they run, so that `tintype --help` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tintype.cli.monitor import monitor

app = typer.Typer(
    name="tintype",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(monitor)


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
Quality = Annotated[int, typer.Option("--quality", min=1, max=100, help="Of JPEG, WebP and AVIF.")]
Metadata = Annotated[
    Literal["keep", "no-gps", "strip"],
    typer.Option("--metadata", help="What results take over of EXIF and XMP, the place among it."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there already.")]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="models:/NAME@ALIAS or models:/NAME/VERSION of the registry, a bundle's folder, or starter.",
        show_default="the registry's champion, else the starter",
    ),
]
ModelName = Annotated[str, typer.Option("--name", metavar="NAME", help="Of the registered model.")]
Reason = Annotated[
    str,
    typer.Option("--reason", "-r", metavar="TEXT", help="Why, for the history.", show_default=False),
]


def main() -> None:
    """Entry point of the installed command."""
    app()


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"tintype {version('tintype')}")
        raise typer.Exit


@app.callback()
def tintype(
    version: Annotated[
        bool,
        typer.Option("--version", help="Say which version this is.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Turn black-and-white photographs into colour."""


@app.command()
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
        float, typer.Option("--saturation", "-s", min=0, max=2, help="Factor on the colours; 0 is gray.")
    ] = 1.0,
    file_format: Annotated[
        Literal["jpeg", "png", "tiff", "webp", "avif"] | None,
        typer.Option("--format", "-f", help="Of the results.", show_default="the photo's own"),
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
            help="Leave gray what the model is less sure of than this; 0 leaves nothing.",
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
    force: Force = False,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave out photos whose result is there already.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", "-n", help="Only say what would be done, and estimate time and memory."),
    ] = False,
    max_megapixels: Annotated[
        float, typer.Option("--max-megapixels", min=0.001, help="Refuse larger photos.")
    ] = 200,
    max_megabytes: Annotated[
        float, typer.Option("--max-megabytes", min=0.001, help="Refuse larger files.")
    ] = 2000,
) -> None:
    """Colour photos at their full size; each keeps its own lightness.

    Below a folder all photos are taken, and OUT gets the same tree. A photo that fails is named, the others go on.
    OUT/tintype-manifest.jsonl keeps what became of each photo: the same command again does only what is not done yet.

    Exit code: 0 all were coloured, 1 some failed or have a result of another model or other options, 2 nothing was
    begun because the command cannot be meant so, 130 stopped by Ctrl+C.
    """
    from tintype.cli.collection.plan import Options, limits_of
    from tintype.cli.colorize import run

    options = Options(
        saturation=saturation,
        file_format=file_format,
        quality=quality,
        metadata=metadata,
        compare=compare,
        layer=layer,
        abstain=abstain,
        confidence=confidence,
        limits=limits_of(max_megapixels, max_megabytes),
        force=force,
        skip_existing=skip_existing,
    )
    raise typer.Exit(run(photos, output, model, options, dry_run=dry_run))


@app.command()
def serve(
    model: Model = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", help="Port to listen on.", min=1, max=65535)] = 3000,
    workers: Annotated[
        int | None,
        typer.Option("--workers", help="Processes that answer.", min=1, show_default="one"),
    ] = None,
    backend: Annotated[
        Literal["openvino", "tensorflow"] | None,
        typer.Option("--backend", help="What computes the network.", show_default="the service's own"),
    ] = None,
    follow: Annotated[
        str | None,
        typer.Option(
            "--follow",
            metavar="ALIAS",
            envvar="TINTYPE_FOLLOW",
            help="Instead of --model: serve what models:/NAME@ALIAS names, and take over what it is moved to while "
            "running, without losing a request.",
            show_default="the version stays",
        ),
    ] = None,
    every: Annotated[
        float,
        typer.Option(
            "--every", metavar="SECONDS", min=0.1, help="With --follow: between two looks at the registry."
        ),
    ] = 10.0,
) -> None:
    """Serve a model: the page at /, the interface at /colorize. Ends by Ctrl+C or SIGTERM, after what it accepted."""
    from tintype.cli.serve import run

    raise typer.Exit(run(model, host, port, workers, backend, follow, every))


@app.command()
def package(
    model: Model = None,
    alias: Annotated[
        str | None,
        typer.Option(
            "--alias",
            metavar="ALIAS",
            help="Pack the version that has this alias, such as champion, instead of --model.",
            show_default=False,
        ),
    ] = None,
    variant: Annotated[
        Literal["cpu", "gpu"], typer.Option("--variant", help="The machine that it will serve on.")
    ] = "cpu",
) -> None:
    """Pack a model with its lineage and pinned requirements as a Bento. Run it in the project's folder."""
    from tintype.cli.package import run

    raise typer.Exit(run(model, alias, variant))


@app.command()
def watch(
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.1, help="Between two looks at the registry.")
    ] = 10.0,
    once: Annotated[bool, typer.Option("--once", help="Look once, do what is to be done, and end.")] = False,
    deploy: Annotated[
        str | None,
        typer.Option(
            "--deploy",
            metavar="COMMAND",
            help="Run for each new champion's Bento, without a shell. {bento} and {version} are replaced; so are they "
            "in TINTYPE_BENTO and TINTYPE_VERSION.",
            show_default="it is only packed",
        ),
    ] = None,
    deploy_timeout: Annotated[
        float, typer.Option("--deploy-timeout", metavar="SECONDS", min=1, help="That the command may take.")
    ] = 600.0,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="FILE",
            help="For what the deploy command says.",
            show_default="watch-deploy.log in ~/.local/state/tintype",
        ),
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try again what failed the last time.")] = False,
    variant: Annotated[
        Literal["cpu", "gpu"], typer.Option("--variant", help="The machine that it will serve on.")
    ] = "cpu",
) -> None:
    """Pack and deploy whichever version becomes the champion. Run it in the project's folder.

    What was done stands in the registry, as tags of the version: packaged, deployed_at, deploy_error. One promotion is
    packed and deployed once, however often this is started; what failed waits for --retry or another promotion.

    Exit code: 0 told to stop, or with --once all is done; 1 with --once: it could not be done; 2 the command cannot be
    meant so.
    """
    from tintype.cli.watch import WatchOptions, run

    options = WatchOptions(
        every=every,
        once=once,
        retry=retry,
        variant=variant,
        deploy=deploy,
        deploy_seconds=deploy_timeout,
        log=log,
    )
    raise typer.Exit(run(options))


@app.command()
def promote(
    version: Annotated[
        str,
        typer.Argument(
            metavar="VERSION",
            help="A number, an alias such as challenger, or models:/NAME/VERSION.",
            show_default=False,
        ),
    ],
    force: Annotated[
        str | None,
        typer.Option(
            "--force",
            metavar="REASON",
            help="Why it shall be champion though its verdict is fail; kept with it.",
            show_default=False,
        ),
    ] = None,
    reason: Reason = "",
    name: ModelName = "tintype",
) -> None:
    """Make a version of the registry the champion, if its files are whole and its verdict is not fail.

    It does what moving the alias in MLflow's pages does, and writes it into the history.

    Exit code: 0 it is the champion, 1 it was refused.
    """
    from tintype.cli.promote import run

    raise typer.Exit(run(version, name, force, reason))


@app.command()
def rollback(reason: Reason = "", name: ModelName = "tintype") -> None:
    """Make the champion before this one the champion again. A second rollback goes further back.

    Exit code: 0 it is, 1 there was none before, or its files are not whole.
    """
    from tintype.cli.promote import run_back

    raise typer.Exit(run_back(name, reason))


@app.command()
def history(
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON, for programs.")] = False,
    name: ModelName = "tintype",
) -> None:
    """List who was champion when, the newest first. What was moved in MLflow's pages is noticed by this."""
    from tintype.cli.history import run

    raise typer.Exit(run(name, as_json=as_json))


@app.command()
def adapt(
    photos: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Of your own colour photos.", show_default=False)
    ],
    model: Model = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="BUNDLE", help="Folder for the new bundle.")
    ] = Path("models/adapted"),
    epochs: Annotated[
        int, typer.Option("--epochs", min=1, max=1000, help="Times that the photos are gone through.")
    ] = 4,
    force: Force = False,
) -> None:
    """Fit a model further on colour photos of your own, and say whether it helped.

    A fifth of the photos is held out: a card in BUNDLE compares before and after on them. Nothing is registered.

    Exit code: 0 there is a new bundle, better or not; 1 there is none, 2 the command cannot be meant so, 130 stopped by
    Ctrl+C.
    """
    from tintype.cli.adapt import run

    raise typer.Exit(run(photos, output, model, epochs, force=force))


@app.command()
def trace(
    photo: Annotated[
        Path, typer.Argument(metavar="PHOTO", help="A coloured photo, or a colour layer.", show_default=False)
    ],
    original: Annotated[
        Path | None,
        typer.Option("--original", metavar="FILE", help="Check that it was made from this file."),
    ] = None,
    photos: Annotated[
        bool,
        typer.Option("--photos", help="List all photos that the model was made with, not only the first."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON, for programs.")] = False,
) -> None:
    """Say where a photo's colours come from: the model's version, run, commit, dvc.lock, manifest and photos.

    Exit code: 0 the photo says it, whatever of the way back can be reached from here; 1 it does not, or it was not
    made from the file of --original.
    """
    from tintype.cli.trace import run

    raise typer.Exit(run(photo, original, all_photos=photos, as_json=as_json))


@app.command()
def strip(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A coloured photo.", show_default=False)],
    output: OutputFile,
    quality: Quality = 95,
    force: Force = False,
) -> None:
    """Take the colours out again: the photo's lightness alone, at the same size and depth.

    Exit code: 0 written, 1 a file cannot be read or written, 2 the command cannot be meant so.
    """
    from tintype.cli.strip import run

    raise typer.Exit(run(photo, output, quality=quality, force=force))


@app.command()
def apply(
    master: Annotated[
        Path,
        typer.Argument(metavar="MASTER", help="The photo that the layer was made from.", show_default=False),
    ],
    layer: Annotated[
        Path,
        typer.Argument(
            metavar="LAYER", help="Its colours, by `tintype colorize --layer`.", show_default=False
        ),
    ],
    output: OutputFile,
    quality: Quality = 95,
    metadata: Metadata = "keep",
    any_master: Annotated[
        bool,
        typer.Option("--any-master", help="Take another file than the layer's own, such as a better scan."),
    ] = False,
    force: Force = False,
) -> None:
    """Join an untouched photo and its colour layer: the same pixels as from colouring it.

    Exit code: 0 written, 1 a file cannot be read or written or is another one, 2 the command cannot be meant so.
    """
    from tintype.cli.apply import run

    code = run(master, layer, output, quality=quality, metadata=metadata, any_master=any_master, force=force)
    raise typer.Exit(code)
