"""How rare the terms of one question are: each is asked of the index once, whatever stage comes to it."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from hub.storage.text_index import index_of


class Rarity:
    """What is known of the terms of one question."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._index = index_of(connection)
        self._reach: dict[str, int] = {}
        self.matters = self._index.reach(connection, ()) is not None
        """False where the index finds out by itself."""

    def of(self, terms: Collection[str]) -> Mapping[str, int]:
        """Return how far the newest entries with each term reach back, as a docid: lower for a rarer term."""
        unknown = [term for term in dict.fromkeys(terms) if term not in self._reach]
        if unknown:
            told = self._index.reach(self._connection, unknown) or ()
            self._reach.update(zip(unknown, told, strict=True))
        return self._reach

    def is_commoner(self, term: str, other: str, times: int) -> bool:
        """Tell whether one term is so many times as common as another, as far as its newest entries show."""
        (reach,) = self._index.reach(self._connection, (term,), times) or (0,)
        return reach > self.of((other,))[other]
