"""Courtesy: an import gives way to those who ask, so that a large sheet does not keep a person at the window waiting.

While a question is being answered the importing thread stands still between two rows; but never for longer than it has
worked since it last gave way, so that an import goes on at half its speed at least, however many ask.

An answer is written down before it leaves, and so waits for the transaction under way. For some seconds after a
question, when the next is likely, an import stores little at once.
"""

import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import TypeVar

GIVE_WAY_S = 0.05
"""Seconds for which an import stands still at most: twice what an answer takes on a busy village PC."""

EXPECTED_S = 10.0
"""Seconds after a question in which the next is expected: somebody who looks through hits and asks again."""

ROWS_BESIDE_QUESTIONS = 600
"""Rows of one transaction meanwhile, two frames of events: some 40 ms instead of 250. With a quarter of them an import
was slower by a third, for its fsyncs, and answers were no quicker."""

Key = TypeVar("Key")
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Courtesy:
    """Knows whether somebody is being answered; shared by the loop that answers and the thread that imports."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._answering = 0
        self._free = threading.Event()
        self._free.set()
        self._again_at = 0.0
        self._expected_until = 0.0

    def extended(
        self, handlers: Mapping[Key, Callable[[Question], Awaitable[Answer]]]
    ) -> dict[Key, Callable[[Question], Awaitable[Answer]]]:
        """Return handlers of questions for which an import gives way."""
        return {key: self._noting(handler) for key, handler in handlers.items()}

    def _noting(self, handler: Callable[[Question], Awaitable[Answer]]) -> Callable[[Question], Awaitable[Answer]]:
        @wraps(handler)
        async def noting(question: Question) -> Answer:
            self._answering += 1
            self._free.clear()
            try:
                return await handler(question)
            finally:
                self._answering -= 1
                self._expected_until = self._monotonic() + EXPECTED_S
                if not self._answering:
                    self._free.set()

        return noting

    def at_once(self, rows: int) -> int:
        """Return how many rows to store in one transaction of so many that could be."""
        is_asked = not self._free.is_set() or self._monotonic() < self._expected_until
        return min(rows, ROWS_BESIDE_QUESTIONS) if is_asked else rows

    def give_way(self) -> None:
        """Stand still while somebody is being answered; called by the importing thread before each row."""
        if self._free.is_set():
            return
        begun = self._monotonic()
        if begun < self._again_at:
            return
        self._free.wait(GIVE_WAY_S)
        ended = self._monotonic()
        self._again_at = ended + (ended - begun)
