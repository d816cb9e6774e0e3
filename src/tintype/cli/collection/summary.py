"""What a run has done, in a few lines."""

from __future__ import annotations

from pathlib import Path

from tintype.cli.collection.resume import Decision, stale_lines
from tintype.cli.collection.run import PhotoResult
from tintype.cli.console import counted, print_error, print_line
from tintype.imaging.finding import Found
from tintype.imaging.merge import Receipt


class Summary:
    """Results, counted as they come.

    Parameters
    ----------
    total : int
        Photos that were to be coloured.

    Attributes
    ----------
    coloured, replaced, bordered, kept, failed : int
        Photos; of those that were coloured, how many had colours of their own and how many a border. Those that are
        kept have their own colours still.
    """

    def __init__(self, total: int) -> None:
        self.coloured = self.replaced = self.bordered = self.kept = self.failed = 0
        self._total = total
        self._mean_sum = 0.0
        self._worst: tuple[Receipt, Path] | None = None

    @property
    def answered(self) -> int:
        """Photos of which the result is known."""
        return self.coloured + self.kept + self.failed

    def add(self, result: PhotoResult) -> None:
        """Count a photo in, and say what must be said of it at once."""
        source = result.job.source
        for note in result.notes:
            print_error(f"note: {source}: {note}")
        if result.receipt is None:
            self.failed += 1
            print_error(f"failed: {source}: {result.reason}")
            return
        if result.receipt.own_colours == "kept":
            self.kept += 1
            return
        self.coloured += 1
        self.bordered += result.receipt.inside is not None
        self.replaced += result.receipt.own_colours == "replaced"
        self._mean_sum += result.receipt.mean_dl
        if self._worst is None or result.receipt.mean_dl > self._worst[0].mean_dl:
            self._worst = result.receipt, source

    def say(self, output: Path, seconds: float) -> None:
        """Sum up on stdout."""
        photos = "photo" if self._total == 1 else "photos"
        print_line(
            f"Coloured {self.coloured:,} of {self._total:,} {photos} into {output} "
            f"in {seconds:.1f} s ({self.coloured / max(seconds, 1e-9):.1f} photos/s)."
        )
        self._say_lightness()
        if self.kept:
            print_line(f"{counted(self.kept, 'photo')} left unchanged, in the colours that the file has.")
        if self.bordered:
            print_line(
                f"{counted(self.bordered, 'photo')} with a border, which stays gray (--no-borders: coloured too)."
            )
        if self.replaced:
            print_line(
                f"{counted(self.replaced, 'photo')} had colours already: --keep-colour leaves such photos as they are."
            )

    def _say_lightness(self) -> None:
        if self._worst is None:
            return
        receipt, source = self._worst
        if self.coloured == 1:
            print_line(f"lightness kept: mean |dL*| {receipt.mean_dl:.2f}, max {receipt.max_dl:.1f}")
            return
        print_line(
            f"lightness kept: mean |dL*| {self._mean_sum / self.coloured:.2f}; "
            f"worst: {source}, mean {receipt.mean_dl:.2f}, max {receipt.max_dl:.1f}"
        )


def say_left_out(decision: Decision) -> None:
    """Account for the photos that were not to be coloured."""
    if decision.done:
        was = "was" if len(decision.done) == 1 else "were"
        print_line(
            f"{counted(len(decision.done), 'photo')} {was} coloured before, from the same file, by the same model and "
            "with the same options."
        )
    if decision.existing:
        print_line(f"{counted(len(decision.existing), 'photo')} left out: the result is there already.")
    for line in stale_lines(decision):
        print_error(line)


def say_found(found: Found) -> None:
    """Account for what else lies in the folders."""
    if found.strangers:
        print_line(f"{counted(found.strangers, 'file is', 'files are')} no photos by name.")
    if found.hidden:
        print_line(f"{counted(found.hidden, 'hidden file or folder', 'hidden files or folders')} left out.")
    for link in found.links:
        print_error(
            f"note: {link}: Is a link to a folder, which is not followed. Name it to colour its photos."
        )
    for folder in found.unreadable:
        print_error(f"failed: {folder}: Expected a folder that can be read. Change its permissions.")
