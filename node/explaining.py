"""Why a record was found: the fields of a hit in which the words of a question stand, and how.

``protocol.matching`` says it of any record; here its texts are read from the stored bytes, and only those, which takes
half the time.
"""

import datetime

import msgspec

from protocol.calls import Match, Search
from protocol.index_rows import IndexedPart, indexed_fields
from protocol.matching import Matcher
from protocol.record_facts import Subject
from protocol.search_calls import query_of, readings_of


class _Part(IndexedPart, frozen=True, kw_only=True):
    """What of a record can be a reason."""

    date_earliest: datetime.date | None = None
    date_latest: datetime.date | None = None


_parts = msgspec.json.Decoder(_Part)


class Explainer:
    """Explains the hits of one question."""

    def __init__(self, question: Search) -> None:
        query = query_of(question)
        self._matcher = Matcher(query, readings_of(question)) if query.parts else None

    def matches(self, body: bytes) -> tuple[Match, ...]:
        """Return the fields of a record in which words of the question are found, and how."""
        if self._matcher is None:
            return ()
        part = _parts.decode(body)
        return self._matcher.why(
            Subject(fields=indexed_fields(part), earliest=part.date_earliest, latest=part.date_latest)
        )
