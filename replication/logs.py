"""Logs: structured facts, one JSON object a line, without names of persons, identity numbers or queries (promise 8).

What libraries say through ``logging`` comes out in the same form, from warnings up.
"""

import logging
import sys
from typing import TextIO

import structlog


def configure_logs(*, level: str = "info", stream: TextIO | None = None, pretty: bool | None = None) -> None:
    """Send facts of ``level`` and above to ``stream`` (default: standard error).

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        stream: where to write.
        pretty: readable lines for people; by default when the stream is a terminal.

    """
    target = sys.stderr if stream is None else stream
    for_people = target.isatty() if pretty is None else pretty
    last: structlog.typing.Processor
    last = structlog.dev.ConsoleRenderer() if for_people else structlog.processors.JSONRenderer(ensure_ascii=False)
    common: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*common, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        # Standard error is looked up for each fact: whoever runs several programs in one process may exchange it.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr if stream is None else stream),
    )
    foreign = logging.StreamHandler(target)
    foreign.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *common],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    foreign.addFilter(_tells_something)
    logging.basicConfig(handlers=[foreign], level=logging.WARNING, force=True)


def _tells_something(entry: logging.LogRecord) -> bool:
    """Leave out what asyncio says whenever a TLS connection of the broker's client closes: it is harmless."""
    return not (entry.name == "asyncio" and "eof_received" in str(entry.msg))
