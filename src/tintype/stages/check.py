"""What must be true of the tensors before anything learns from them. DVC stage `check`."""

from pathlib import Path

from tintype.params import Params
from tintype.stages.entrypoint import run_stage


def main(params: Params, lab: Path | str, embeddings: Path | str, report: Path) -> None:
    """Check all shards against the expectations; the result is numbers and a page."""
    from tintype.data.tensors.local import local_files
    from tintype.data.tensors.shards import refuse_other_parameters
    from tintype.data.validation.tensors import check_tensors

    lab_files, embedding_files = local_files(lab), local_files(embeddings)
    refuse_other_parameters("lab", lab_files, params.crops, size=params.lab.size)
    refuse_other_parameters("embed", embedding_files, params.crops)
    check_tensors(lab_files, embedding_files, params.lab.size, report)


if __name__ == "__main__":
    run_stage(main)
