"""A progress bar of one line for commands that every installation has; nothing where nobody watches."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from protocol.wording import Text
from replication.command_line import language

BAR_CHARS = 30
"""Characters of the bar itself: the line with its words fits a terminal of 80."""

REDRAW_S = 0.1
"""Seconds between two drawings at least."""


class Progress:
    """Counts what is done of ``total`` and draws it on standard error if that is a terminal."""

    def __init__(self, label: Text, total: int, *, is_watched: bool) -> None:
        self._label = label.in_language(language())
        self._total = total
        self._done = 0
        self._is_watched = is_watched
        self._drawn_at = 0.0

    def add(self, more: int) -> None:
        """Note that so much more is done."""
        self._done += more
        now = time.monotonic()
        if self._is_watched and now - self._drawn_at >= REDRAW_S:
            self._drawn_at = now
            self._draw("")

    def reached(self, done: int, _total: int) -> None:
        """Note how much is done by now."""
        self.add(done - self._done)

    def close(self) -> None:
        """Draw the last state and leave the line."""
        if self._is_watched:
            self._draw("\n")

    def _draw(self, end: str) -> None:
        share = min(1.0, self._done / self._total) if self._total else 1.0
        bar = "█" * round(share * BAR_CHARS)
        sys.stderr.write(f"\r{self._label} {bar:<{BAR_CHARS}} {share:4.0%}{end}")
        sys.stderr.flush()


@contextmanager
def progress(label: Text, total: int) -> Iterator[Progress]:
    """Show how far something of ``total`` steps or bytes has come."""
    shown = Progress(label, total, is_watched=sys.stderr.isatty())
    try:
        yield shown
    finally:
        shown.close()
