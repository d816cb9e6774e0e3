"""Photos from the sample, a folder of the user's own or Kaggle. DVC stage `fetch`."""

from pathlib import Path

from tintype.params import Params
from tintype.stages.entrypoint import run_stage


def main(params: Params, directory: Path, raw: Path) -> None:
    """Fill `raw` with the photos of the source; `directory` is the folder of those that have one."""
    from tintype.data.sources.fetch import fetch  # after the parameters are checked

    fetch(params.fetch, directory, raw)


if __name__ == "__main__":
    run_stage(main)
