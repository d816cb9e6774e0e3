"""Every parameter is known and possible. DVC stage `params`, before all others.

DVC deletes the outputs of a stage before it runs it: a typing mistake found only by the stage itself would cost them.
"""

from pathlib import Path

from tintype.params import Params
from tintype.stages.entrypoint import declared, run_stage


def main(params: Params, verdict: Path) -> None:
    """Say that the parameters, which `run_stage` has checked, are in order."""
    from tintype.files.atomic import write_json
    from tintype.training.start import refuse_another_network, start_bundle

    start = start_bundle(params.train.start, declared("train").get("deps"))
    if start is not None:
        refuse_another_network(params.network, start)
    # The values are not named: other parameters must not make the stages after this one run again.
    write_json(verdict, {"success": True})


if __name__ == "__main__":
    run_stage(main)
