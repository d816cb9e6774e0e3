"""A version in the registry, compared with the champion. DVC stage `register`."""

from pathlib import Path

from tintype.params import Params
from tintype.stages.entrypoint import log, run_stage


def main(
    params: Params,
    raw: Path,
    manifest: Path,
    bundle: Path,
    train_report: Path,
    evaluation: Path,
    report: Path,
) -> None:
    """Register the bundle with its lineage, its evaluation and the gate's verdict, after the starter where need be."""
    from tintype.evaluation.comparison import Comparison
    from tintype.evaluation.metric_card import MOST
    from tintype.evaluation.photos import photos_of_split
    from tintype.files.atomic import write_json
    from tintype.registry.register import register, register_starter

    starter = register_starter(params.register_)
    if starter is not None:
        log(f"register: {starter.model_uri}, the starter, is the champion to beat.")
    comparison = Comparison(
        bundle, photos_of_split(raw, manifest, most=MOST, without=params.evaluate.without)
    )
    made = register(
        bundle,
        train_report,
        evaluation,
        params.register_,
        params.preset,
        compare=comparison,
    )
    write_json(report, made.describe())
    aliases = f" ({', '.join(made.aliases)})" if made.aliases else ""
    log(f"register: {made.model_uri}{aliases}, verdict: {made.verdict}. {made.verdict_reasons}")
    if made.verdict == "fail":
        log(
            f"register: The alias challenger is not moved to it. To see what it does: --model {made.model_uri}."
        )
    log("register: See it with `make mlflow`.")


if __name__ == "__main__":
    run_stage(main)
