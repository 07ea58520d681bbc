"""A table of the county as a running hub uses it: a new version is taken over within seconds, without a restart."""

from collections.abc import Callable
from typing import Generic, TypeVar

from hub.vocabulary.word_tables import LOOK_AGAIN_S, WordTable

T = TypeVar("T")


class InForce(Generic[T]):
    """The newest version of a table, with its number."""

    def __init__(self, table: WordTable[T], monotonic: Callable[[], float]) -> None:
        self._table = table
        self._monotonic = monotonic
        self._looked_at: float | None = None
        self._held: tuple[int, T] | None = None

    def current(self) -> tuple[int, T]:
        """Return number and content; call it in a thread, for now and then it reads files."""
        now = self._monotonic()
        if self._held is None or self._looked_at is None or now >= self._looked_at + LOOK_AGAIN_S:
            if self._held is None or self._table.newest() != self._held[0]:
                self._held = self._table.in_force()
            self._looked_at = now
        return self._held
