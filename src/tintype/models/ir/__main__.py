"""Add an IR to a bundle: `python -m tintype.models.ir FOLDER`."""

import argparse
import sys
from pathlib import Path

from tintype.errors import TintypeError
from tintype.models.bundle import add_ir


def main() -> None:
    """Write the IR, check it and say how far it is from the Keras network."""
    parser = argparse.ArgumentParser(
        prog="python -m tintype.models.ir",
        description="Write the IR of a bundle's networks into its folder, checked against Keras. The bundle's digest "
        "becomes another, so a registered version keeps being served without one: register the folder anew.",
    )
    parser.add_argument("bundle", type=Path, help="the bundle's folder")
    bundle = parser.parse_args().bundle
    try:
        ir = add_ir(bundle).ir
    except TintypeError as error:
        sys.exit(f"error: {error}")
    if ir is not None:
        sys.stdout.write(
            f"{bundle} has an IR, at most {ir.max_difference:g} Lab units from the Keras network.\n"
        )


if __name__ == "__main__":
    main()
