"""How rare the terms of one question are: each is asked of the index once, whatever stage comes to it."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection

from hub.catalogue import SERIALS_A_YEAR
from hub.storage.text_index import index_of

REACH_ENTRIES: Final = 200
"""Entries back to which one looks to see how rare a term is."""


class Rarity:
    """What is known of the terms of one question."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._index = index_of(connection)
        self._reach: dict[str, int] = {}
        self._further: dict[tuple[str, int], int] = {}
        self.matters = self._index.reach(connection, (), 0) is not None
        """False where the index finds out by itself."""

    def of(self, terms: Collection[str]) -> Mapping[str, int]:
        """Return how far the newest entries with each term reach back, as a docid: lower for a rarer term."""
        unknown = [term for term in dict.fromkeys(terms) if term not in self._reach]
        if unknown:
            told = self._index.reach(self._connection, unknown, REACH_ENTRIES) or ()
            self._reach.update(zip(unknown, told, strict=True))
        return self._reach

    def is_commoner(self, term: str, other: str, times: int) -> bool:
        """Tell whether one term is so many times as common as another, as far as its newest entries show."""
        return self._newest(term, times * REACH_ENTRIES) > self.of((other,))[other]

    def is_few(self, terms: Collection[str], entries: int) -> bool:
        """Tell whether it is known that no more than so many entries have all of some terms: the rarest ends before.

        A year is a seventieth of a catalogue. Where even the newest entries of the rarest term are of one year with
        those of the commonest, it has ten thousand and more, so its list is not walked to see that.
        """
        if not self.matters or len(terms) < 2:
            return False
        reach = self.of(terms)
        rarest, commonest = (choose(terms, key=reach.__getitem__) for choose in (min, max))
        if reach[rarest] // SERIALS_A_YEAR >= reach[commonest] // SERIALS_A_YEAR > 0:
            return False
        return not reach[rarest] or not self._newest(rarest, entries)

    def _newest(self, term: str, entries: int) -> int:
        if (term, entries) not in self._further:
            (reach,) = self._index.reach(self._connection, (term,), entries) or (0,)
            self._further[term, entries] = reach
        return self._further[term, entries]
