"""Logs: structured facts, one JSON object a line, without names of persons, identity numbers or queries (promise 8).

What libraries say through ``logging`` comes out in the same form, from warnings up.
"""

import json
import logging
import sys
import threading
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
    pen = _Pen(stream)
    structlog.configure(
        processors=[*common, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: pen,
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


class _Pen:
    """Writes lines to a stream, or to wherever standard error leads when each is written.

    A line that cannot be written is let go: the log often lies on the disk that is full, and a program that waits for
    room must not end because it cannot say so. The next line that can be written is followed by how many could not.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._unwritten = 0

    def msg(self, line: str) -> None:
        """Write a line."""
        stream = sys.stderr if self._stream is None else self._stream
        with self._lock:
            try:
                print(line, file=stream, flush=True)
                if self._unwritten:
                    fact = {"event": "log_interrupted", "level": "warning", "lines": self._unwritten}
                    print(json.dumps(fact), file=stream, flush=True)
            except OSError:
                self._unwritten += 1
            else:
                self._unwritten = 0

    debug = info = warning = error = critical = msg


def _tells_something(entry: logging.LogRecord) -> bool:
    """Leave out what asyncio says whenever a TLS connection of the broker's client closes: it is harmless."""
    return not (entry.name == "asyncio" and "eof_received" in str(entry.msg))
