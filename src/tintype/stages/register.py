"""A version in the registry. DVC stage `register`."""

from pathlib import Path

from tintype.params import Params
from tintype.stages.door import enter, say


def main(params: Params, bundle: Path, train_report: Path, evaluation: Path, report: Path) -> None:
    """Register the bundle with its lineage and its evaluation, after the starter where there is no version yet."""
    from tintype.evaluation.summary import metrics_table
    from tintype.files.atomic import write_json
    from tintype.registry.spool import send_unsent
    from tintype.registry.starter import register_starter
    from tintype.registry.versions import register

    if sent := send_unsent():
        say(f"register: MLflow was away, and has now been told what it missed of {sent} run(s).")
    starter = register_starter(params.register_, metrics_table)
    if starter is not None:
        say(f"register: {starter.model_uri}, the starter, is the champion to beat.")
    made = register(bundle, train_report, evaluation, params.register_, params.preset, metrics_table)
    write_json(report, made.describe())
    say(f"register: {made.model_uri} ({', '.join(made.aliases)}). See it with `make mlflow`.")


if __name__ == "__main__":
    enter(main)
