"""How long a search may take: every statement of one search shares one budget, and a search that was cut says so."""

import time
from collections.abc import Callable
from typing import Final

SEARCH_BUDGET_S: Final = 2.0
"""Seconds that one search of the index may take: what the screen waits for an answer of the sites."""


class Cut(Exception):
    """The budget is spent; caught where what was found so far becomes the answer."""


class TimeBudget:
    """The time that is left for one search."""

    def __init__(self, budget_s: float = SEARCH_BUDGET_S, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._ends_s = clock() + budget_s
        self.was_cut = False
        """Whether something was left out because the time was over."""

    @property
    def left_s(self) -> float:
        """Seconds that are left, 0 once it is over."""
        return max(0.0, self._ends_s - self._clock())

    @property
    def is_spent(self) -> bool:
        """Whether the time is over."""
        return self.left_s <= 0.0
