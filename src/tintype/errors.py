"""The errors that a person reads."""

from __future__ import annotations

from pathlib import Path


class TintypeError(Exception):
    """An error whose message is for the person at the keyboard.

    The message is one or more whole sentences: what was expected, what came, what to do. Stages and commands print
    it without a traceback and exit with 1.
    """


class UsageError(TintypeError):
    """A command that cannot be meant as it was written. The command line exits with 2."""


def first_line(error: BaseException) -> str:
    """The first line of what an error says, without a full stop, or its kind where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def install_command(extra: str) -> str:
    """The command that installs the packages of an extra beside the tintype that runs.

    Parameters
    ----------
    extra : str
        Such as ``"heif"``; pyproject.toml lists them.

    Returns
    -------
    str
        A target of the Makefile in a clone, else a call of pip.
    """
    project = Path(__file__).resolve().parents[2]
    if (project / "Makefile").is_file() and (project / "pyproject.toml").is_file():
        return f"make extras EXTRA={extra}"
    return f'pip install "tintype[{extra}]"'


def missing_package(user: str, package: str | None, extra: str) -> TintypeError:
    """An error that says which package is missing and how to get it.

    Parameters
    ----------
    user : str
        What needs it, as the beginning of a sentence: ``"The registry"``.
    package : str or None
        The name of the package or module, as `ModuleNotFoundError.name` has it.
    extra : str
        The extra it belongs to.
    """
    return TintypeError(f"{user} needs the package {package}: run `{install_command(extra)}`.")
