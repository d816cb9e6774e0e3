"""What must be true of tensors: statistics of shards, and expectations on those.

The statistics are cheap, a few rows of each Lab shard and one pass or two over the embeddings, all memory-mapped. Only
the checks import Great Expectations.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tintype.data.validation.checkpoint import check
from tintype.data.validation.report import Chart, write_report
from tintype.data.validation.rules import Rule, Table
from tintype.errors import TintypeError
from tintype.files.atomic import write_json
from tintype.pages.charts import histogram

SAMPLED_ROWS = 32  # of each Lab shard, evenly spaced
# Where sRGB lies in Lab, in bytes as the shards keep it: a* from -86.2 to 98.3, b* from -107.9 to 94.5.
A_RANGE, B_RANGE = (41, 227), (20, 223)
MIN_COLOUR = 1.0  # mean C*, in Lab units
# Median distance of embeddings from their mean, as a share of the mean's length. Measured on 20 photos: 2.2
# for trained weights, 0.28 and 0.41 for random ones, 0.007 to 0.14 where a backbone got its input at the wrong scale.
MIN_SPREAD = 0.15


class TensorError(TintypeError):
    """Tensors are not fit to train on."""


def check_tensors(lab: Sequence[Path], embeddings: Sequence[Path], size: int, report: Path) -> None:
    """Check Lab shards and embeddings against what is expected of them.

    Parameters
    ----------
    lab, embeddings : sequence of Path
        The `.npy` files.
    size : int
        Pixels; side of the square that each Lab row is.
    report : Path
        Folder for verdict.json and the page in `docs`; both are written before a failure is raised.

    Raises
    ------
    TensorError
        With every expectation that does not hold, in words.
    """
    lab_facts, embedding_facts = lab_statistics(lab), embedding_statistics(embeddings)
    findings = check([lab_table(lab_facts, size), embedding_table(embedding_facts)])
    failed = [finding.sentence for finding in findings if finding.received is not None]
    verdict = {
        "rows": int(lab_facts["rows"].sum()),
        "mean_chroma": round(float(lab_facts["mean_chroma"].mean()), 3),
        "embedding_spread": round(float(embedding_facts["spread"].median()), 4),
        "expectations": len(findings),
        "failures": len(failed),
        "success": not failed,
        "failed": failed,
    }
    write_json(report / "verdict.json", verdict)
    write_report(
        report / "docs",
        "Tensors",
        "Crops as Lab tensors, and the backbone's embeddings of them, before anything learns from them.",
        {
            "rows": f"{verdict['rows']:,}",
            "shards": str(len(lab_facts)),
            "mean chroma": f"{verdict['mean_chroma']:.1f}",
            "spread of embeddings": f"{verdict['embedding_spread']:.2f}",
        },
        findings,
        [
            Chart(
                "Chroma",
                "Mean distance from gray (C*) of each shard; the mean over all must be right of the line",
                histogram(lab_facts.get("mean_chroma", ()), "Shards by mean chroma", limit=MIN_COLOUR),
            ),
            Chart(
                "Embeddings",
                "Distance of each from the mean of all, as a share of its length; the median must be right of the line",
                histogram(embedding_facts["spread"], "Embeddings by spread", limit=MIN_SPREAD),
            ),
            Chart(
                "Rows of shards",
                "A shard has the crops of a bucket's photos in one split",
                histogram(lab_facts["rows"], "Shards by rows"),
            ),
        ],
    )
    if failed:
        introduction = f"The tensors are not fit to train on: {len(failed)} expectations failed."
        raise TensorError("\n  - ".join([introduction, *failed]) + f"\nSee {report / 'docs' / 'index.html'}.")


def lab_table(statistics: pd.DataFrame, size: int) -> Table:
    """What is expected of `lab_statistics` for rows of `size` pixels a side."""
    return Table("lab", statistics, "shard", _lab_rules(size))


def embedding_table(statistics: pd.DataFrame) -> Table:
    """What is expected of `embedding_statistics`."""
    return Table("embeddings", statistics, "row", _embedding_rules())


def lab_statistics(shards: Sequence[Path]) -> pd.DataFrame:
    """A row of facts about each Lab shard.

    Parameters
    ----------
    shards : sequence of Path
        `.npy` files of shape (n, H, W, 3), uint8: L*255/100, a+128, b+128.

    Returns
    -------
    DataFrame
        shard (split/bucket), dtype, shape (of one row, such as "128x128x3"), rows; and of a sample of rows the
        least and greatest byte of each plane (l_low, l_high, a_low, ...) and mean_chroma in Lab units.
    """
    return pd.DataFrame([_lab_facts(shard) for shard in shards])


def _lab_facts(shard: Path) -> dict[str, object]:
    tensor = np.load(shard, mmap_mode="r")
    facts: dict[str, object] = {
        "shard": _name(shard),
        "dtype": tensor.dtype.name,
        "shape": "x".join(map(str, tensor.shape[1:])),
        "rows": len(tensor),
    }
    if tensor.ndim != 4 or tensor.shape[-1] != 3 or not len(tensor):
        return facts
    sample = np.asarray(tensor[:: -(-len(tensor) // SAMPLED_ROWS)])
    for plane, letter in enumerate("lab"):
        facts[f"{letter}_low"] = float(sample[..., plane].min())
        facts[f"{letter}_high"] = float(sample[..., plane].max())
    facts["mean_chroma"] = float(
        np.hypot(*(sample[..., plane].astype(np.float32) - 128 for plane in (1, 2))).mean()
    )
    return facts


def _lab_rules(size: int) -> list[Rule]:
    shape = f"{size}x{size}x3"
    outside = "A byte outside of what sRGB can be means swapped planes or another encoding."
    return [
        Rule(
            "ExpectColumnValuesToBeInSet",
            "bytes (uint8)",
            "The input path reads shards as bytes, whatever they are.",
            {"column": "dtype", "value_set": ["uint8"]},
        ),
        Rule(
            "ExpectColumnValuesToBeInSet",
            f"rows of shape {shape}",
            "The network takes no other.",
            {"column": "shape", "value_set": [shape]},
        ),
        Rule(
            "ExpectColumnValuesToBeBetween",
            "at least one row in every shard",
            "An empty shard is one whose photos were lost.",
            {"column": "rows", "min_value": 1},
        ),
        Rule(
            "ExpectColumnValuesToNotBeNull",
            "statistics for every shard",
            "A shard whose statistics cannot be taken has another shape altogether.",
            {"column": "mean_chroma"},
        ),
        *(
            Rule(
                "ExpectColumnValuesToBeBetween",
                f"{plane}_{end} from {low} to {high}",
                outside,
                {"column": f"{plane}_{end}", "min_value": low, "max_value": high},
            )
            for plane, (low, high) in (("a", A_RANGE), ("b", B_RANGE))
            for end in ("low", "high")
        ),
        Rule(
            "ExpectColumnPairValuesAToBeGreaterThanB",
            "lightness to vary within every shard",
            "Without contrast there is nothing to see.",
            {"column_A": "l_high", "column_B": "l_low"},
        ),
        Rule(
            "ExpectColumnMeanToBeBetween",
            f"a mean chroma of at least {MIN_COLOUR:g} over all shards",
            "Tensors without colour teach gray.",
            {"column": "mean_chroma", "min_value": MIN_COLOUR},
        ),
    ]


def embedding_statistics(shards: Sequence[Path]) -> pd.DataFrame:
    """A row of facts about each embedding.

    Parameters
    ----------
    shards : sequence of Path
        `.npy` files of shape (n, E), floats; E the same in all.

    Returns
    -------
    DataFrame
        shard (split/bucket), row, unusable (number of NaN and infinite values), length (Euclidean), and spread: the
        distance from the mean of all embeddings as a share of the mean's length.
    """
    tensors = {_name(shard): np.load(shard, mmap_mode="r") for shard in shards}
    count = sum(map(len, tensors.values()))
    mean = sum(_finite(tensor).sum(axis=0, dtype=np.float64) for tensor in tensors.values()) / max(count, 1)
    tables = [_embedding_facts(name, tensor, mean) for name, tensor in tensors.items()]
    return pd.concat(tables, ignore_index=True)


def _embedding_facts(name: str, tensor: NDArray[np.floating], mean: NDArray[np.float64]) -> pd.DataFrame:
    vectors = _finite(tensor)
    away = np.linalg.norm(vectors - mean, axis=1)
    return pd.DataFrame(
        {
            "shard": name,
            "row": [f"{name} row {row}" for row in range(len(tensor))],
            "unusable": (~np.isfinite(tensor)).sum(axis=1),
            "length": np.linalg.norm(vectors, axis=1),
            "spread": away / max(float(np.linalg.norm(mean)), 1e-12),
        }
    )


def _finite(tensor: NDArray[np.floating]) -> NDArray[np.float32]:
    """The tensor with zeros for what is no number, so that one bad value does not hide the others."""
    return np.nan_to_num(tensor.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _embedding_rules() -> list[Rule]:
    return [
        Rule(
            "ExpectColumnValuesToBeBetween",
            "no NaN and no infinite value",
            "One such value makes the loss NaN and ends the training.",
            {"column": "unusable", "max_value": 0},
        ),
        Rule(
            "ExpectColumnValuesToBeBetween",
            "every embedding to be other than zero",
            "A zero vector says nothing of its photo.",
            {"column": "length", "min_value": 0, "strict_min": True},
        ),
        Rule(
            "ExpectColumnMedianToBeBetween",
            f"embeddings to differ between photos, with a median distance of at least {MIN_SPREAD:g} "
            "from their mean as a share of its length",
            "Nearly equal embeddings mean that the backbone gets its input at the wrong scale.",
            {"column": "spread", "min_value": MIN_SPREAD},
        ),
    ]


def _name(shard: Path) -> str:
    return f"{shard.parent.name}/{shard.stem}"
