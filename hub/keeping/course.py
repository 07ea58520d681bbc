"""The course of long work on files: it says how far it has come, and ends when it is told to.

The work runs in a thread, where nothing can be cancelled from outside; so it reports at every step, and the report
raises once somebody has said stop.
"""

import threading
from collections.abc import Callable
from enum import StrEnum


class Stage(StrEnum):
    """What is being done."""

    COPY = "copy"
    """Pages of the database are copied."""
    SUM = "sum"
    """Digests are taken of what was written."""
    READ_BACK = "read_back"
    """Files are read back and compared with their digests."""
    EXAMINE = "examine"
    """The database of a backup is examined; how long that takes is not known beforehand."""
    PUT_BACK = "put_back"
    """Files are put where a hub wants them."""


Tell = Callable[[Stage, int, int], None]
"""Told of a stage, how much of it is done, and its whole; both in the stage's own measure, the whole 0 if unknown."""


class Stopped(Exception):
    """The work ended early because somebody said so; nothing half-done is left under a final name."""


class Course:
    """Reports and stops; made once for each piece of work."""

    def __init__(self, tell: Tell = lambda _stage, _done, _total: None) -> None:
        self._tell = tell
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Have the work end at its next step; may be called from any thread."""
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has said stop."""
        return self._stopped.is_set()

    def at(self, stage: Stage, done: int, total: int) -> None:
        """Report a step.

        Raises:
            Stopped: the work is to end here.

        """
        if self._stopped.is_set():
            raise Stopped
        self._tell(stage, done, total)

    def rest(self, seconds: float) -> None:
        """Leave the disk to others for a while, unless the work is to end."""
        if seconds > 0:
            self._stopped.wait(seconds)
