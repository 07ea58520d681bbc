"""Why a record was found: the fields of a hit in which the words of a query stand, and how.

``protocol.analysis.explain`` says it for any query. Most queries are words of two or more Han characters, and hundreds
of sites explain twenty hits each at the same moment, so those are explained here by looking for the folded word in the
folded field, which is the same for such words: their pairs stand together exactly where the characters do.
"""

import re
from typing import Final

import msgspec

from protocol.analysis import HAN, MatchKind, explain, fold
from protocol.calls import Match
from protocol.index_rows import IndexedPart, indexed_fields
from protocol.limits import QUERY_CHARS_MAX

_HAN_WORD: Final = re.compile(f"[{HAN}]{{2,}}")


_parts = msgspec.json.Decoder(IndexedPart)


class Explainer:
    """Explains the hits of one query."""

    def __init__(self, query: str) -> None:
        self._query = query[:QUERY_CHARS_MAX]
        words = self._query.split()
        folded = [fold(word) for word in words]
        is_plain = bool(words) and all(_HAN_WORD.fullmatch(word) for word in folded)
        self._words = list(zip(words, folded, strict=True)) if is_plain else []

    def matches(self, body: bytes) -> tuple[Match, ...]:
        """Return the fields of a record in which words of the query are found, and how."""
        if not self._query:
            return ()
        fields = indexed_fields(_parts.decode(body))
        # A name that is padded with blanks (王　伟) is found too, but not as a part of its field.
        found = (self._words and self._plainly(fields)) or explain(self._query, fields)
        return tuple(Match(field=field, how=how.value) for field, how in found)

    def _plainly(self, fields: dict[str, str]) -> list[tuple[str, MatchKind]]:
        found = []
        for field, value in fields.items():
            if value.isascii():
                continue
            literal = [word in value for word, _ in self._words]
            if all(literal):
                found.append((field, MatchKind.LITERAL))
                continue
            folded = fold(value)
            held = [is_literal for (_, word), is_literal in zip(self._words, literal, strict=True) if word in folded]
            if held:
                found.append((field, MatchKind.LITERAL if all(held) else MatchKind.VARIANT))
        return found
