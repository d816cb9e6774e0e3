"""What is compared: the files of conf/recipe, and what the study does with each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Literal

PROJECT = Path(__file__).resolve().parents[2]
CONF = PROJECT / "conf"
PRESET = "study"
SEEDS = (1, 2, 3)
DEFAULT = "default"
_COMPOSING = Lock()  # Hydra has one state a process, and the study has several workers

Kind = Literal["experiment", "faulty", "decoding", "baseline"]
"""experiment: a training as a DVC experiment. faulty: one by hand, on embeddings that the pipeline's checks refuse.
decoding: no training, the bundle of the default with another decoding. baseline: a method that knows nothing."""


@dataclass(frozen=True)
class Recipe:
    """One row of the study."""

    name: str
    kind: Kind = "experiment"

    @property
    def question(self) -> str:
        """What it asks, from its file's comment."""
        if self.name in _WITHOUT_FILE:
            return _WITHOUT_FILE[self.name]
        lines = (CONF / "recipe" / f"{self.name}.yaml").read_text(encoding="utf-8").splitlines()[2:]
        comment = lines[
            : next((at for at, line in enumerate(lines) if not line.startswith("# ")), len(lines))
        ]
        return " ".join(line.removeprefix("# ") for line in comment)

    @property
    def seeds(self) -> tuple[int, ...]:
        """One training for each; baselines need none."""
        return (0,) if self.kind == "baseline" else SEEDS

    def overrides(self, seed: int) -> list[str]:
        """What is said to Hydra on top of the preset."""
        file = [] if self.name in _WITHOUT_FILE else [f"recipe={self.name}"]
        return [f"preset={PRESET}", *file, f"train.seed={seed}"]


_WITHOUT_FILE = {
    "bilinear": "What do colours that follow the photo's own edges give over interpolated ones?",
    "all-gray": "No colours at all.",
    "mean-ab": "The training photos' mean colour everywhere.",
}

# In the order in which they run: what the page cannot do without comes first, so that a study that is cut short says
# something. What decodes the default again comes after it.
RECIPES = (
    Recipe("default"),
    Recipe("paper"),
    Recipe("all-gray", "baseline"),
    Recipe("mean-ab", "baseline"),
    Recipe("paper-converged"),
    Recipe("tanh-huber"),
    Recipe("no-skips"),
    Recipe("rebalanced"),
    Recipe("embedding"),
    Recipe("no-ema"),
    Recipe("no-flip"),
    Recipe("gan"),
    Recipe("scans"),
    Recipe("temperature-1", "decoding"),
    Recipe("no-gain", "decoding"),
    Recipe("no-smoothing", "decoding"),
    Recipe("no-contrast", "decoding"),
    Recipe("bilinear", "decoding"),
    Recipe("paper-input-fault", "faulty"),
    Recipe("fusion-skips-classes"),
    Recipe("view-128"),
    Recipe("perceptual"),
    Recipe("fine-tuned"),
)


def recipes_named(names: Sequence[str]) -> list[Recipe]:
    """The recipes of these names, in the study's order; all of them for no names."""
    known = {recipe.name: recipe for recipe in RECIPES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"Expected recipes among {', '.join(known)}. Received: {', '.join(unknown)}.")
    return [recipe for recipe in RECIPES if not names or recipe.name in names]


def compose(project: Path, overrides: Sequence[str], destination: Path) -> dict[str, Any]:
    """Write params.yaml as `dvc exp run -S OVERRIDE ...` does in a project's folder, and give its content."""
    from dvc.utils.hydra import compose_and_dump
    from ruamel.yaml import YAML

    with _COMPOSING:
        compose_and_dump(
            destination, str(project / "conf"), None, "config", str(project / "conf"), list(overrides)
        )
    content: dict[str, Any] = YAML(typ="safe").load(destination.read_text(encoding="utf-8"))
    return content
