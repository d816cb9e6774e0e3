"""What must hold of the tensors before anything learns from them. DVC stage `check`."""

from pathlib import Path

from tintype.params import Params
from tintype.stages.door import enter


def main(params: Params, lab: Path, embeddings: Path, report: Path) -> None:
    """Hold all shards against the expectations, in numbers and as data docs."""
    from tintype.data.validation.tensors import check_tensors

    lab_shards, embedding_shards = sorted(lab.glob("*/*.npy")), sorted(embeddings.glob("*/*.npy"))
    check_tensors(lab_shards, embedding_shards, params.lab.size, report)


if __name__ == "__main__":
    enter(main)
