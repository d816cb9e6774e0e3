"""Train the recipe of a finished pipeline on a machine that gets one file and this repository, and bring it home.

    python -m experiments.gpu pack build/gpu.zip
    python -m experiments.gpu train build/gpu.zip build/gpu --minutes 8 --epochs 50 --width 2 --batch-size 256
    python -m experiments.gpu home build/gpu.zip build/gpu models/gpu

The first runs in the project after `dvc repro`, and so does the last, whose bundle `tintype colorize --model` takes.
The second runs on the GPU machine, with Keras on JAX, `KERAS_BACKEND=jax`, `PYTHONPATH=src`, and these packages there:
`pip install "jax[cuda12]" keras numpy opencv-python-headless pillow pydantic filelock ruamel.yaml tqdm`. It needs no
TensorFlow, MLflow or DVC.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tintype.errors import TintypeError

LIMIT_MIB = 60


def main() -> None:
    """One of the three steps."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = parser.add_subparsers(dest="step", required=True)
    pack = steps.add_parser(
        "pack", help="training and validation photos, backbone and parameters as one file"
    )
    pack.add_argument("packed", type=Path)
    pack.add_argument("--project", type=Path, default=Path(), help="folder of params.yaml, data and models")
    pack.add_argument("--size", type=int, default=128, help="pixels; side of a photo (default: 128)")
    pack.add_argument("--mib", type=float, default=LIMIT_MIB, help=f"at most (default: {LIMIT_MIB})")
    train = steps.add_parser("train", help="on the GPU machine: the packed file alone and this repository")
    train.add_argument("packed", type=Path)
    train.add_argument("output", type=Path, help="folder for what comes home")
    train.add_argument("--minutes", type=float, default=10.0, help="of training, at most (default: 10)")
    train.add_argument("--epochs", type=int, help="otherwise the recipe's, as with those below")
    train.add_argument("--width", type=float, help="of the network")
    train.add_argument("--batch-size", type=int)
    train.add_argument("--learning-rate", type=float)
    home = steps.add_parser("home", help="the weights become a bundle")
    home.add_argument("packed", type=Path)
    home.add_argument("output", type=Path, help="the folder that `train` wrote")
    home.add_argument("bundle", type=Path)
    arguments = vars(parser.parse_args())
    try:
        _run(arguments.pop("step"), arguments)
    except TintypeError as error:
        sys.exit(f"error: {error}")


def _run(step: str, arguments: dict[str, object]) -> None:
    # Each where it is used: the GPU machine has not all that the project needs.
    if step == "pack":
        from experiments.gpu.packed import pack

        print(pack(**arguments))  # type: ignore[arg-type]
    elif step == "train":
        from experiments.gpu.train import train

        print(train(**arguments))  # type: ignore[arg-type]
    else:
        from experiments.gpu.home import home

        print(home(**arguments))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
