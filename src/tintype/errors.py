"""The errors that a person reads."""

from __future__ import annotations


class TintypeError(Exception):
    """An error whose message is for the person at the keyboard.

    The message is one or more whole sentences: what was expected, what came, what to do. The doors
    (`tintype.stages`, `tintype.cli`) print it without a traceback and exit with 1.
    """
