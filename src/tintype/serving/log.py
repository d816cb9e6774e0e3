"""The log's lines."""

from __future__ import annotations

import logging


class _OneLine(logging.Filter):
    """Paths come from clients and are logged as they are: a line break in one would forge a line of the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = ascii(record.getMessage())[1:-1], None
        return True


def keep_lines_whole() -> None:
    """Let each request have one line in the access log, whatever it asked for. Queries are not logged at all."""
    logger = logging.getLogger("bentoml.access")
    if not any(isinstance(known, _OneLine) for known in logger.filters):
        logger.addFilter(_OneLine())
