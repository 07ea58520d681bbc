"""A search as it travels: what an asker puts into the call, and what a site reads out of it.

The whole query travels as typed, with the other readings of its words, so that a site needs no tables. For sites of
before version 1.2 its plain words travel too; what those find is more than the query means, or less under other names,
and the asker checks it (``protocol.matching``).
"""

from collections.abc import Sequence

import msgspec

from protocol.analysis import query_words
from protocol.calls import Search, WordReading
from protocol.errors import BadQuery
from protocol.limits import QUESTION_BYTES_MAX, SEARCH_READINGS_MAX
from protocol.plans import Readings, usable_readings
from protocol.queries import parse
from protocol.query_tree import Query, Word
from protocol.readings import Reading, ReadingKind
from protocol.wording import Text

SPARE_BYTES = 1024
"""Bytes of a question left for what the connection adds to it."""


def with_language(call: Search, query: Query, readings: Readings = lambda _: ()) -> Search:
    """Return a call that asks a query: as typed, with its readings, and in plain words for older sites.

    Readings that do not fit into a question are left out, the last of each word first.
    """
    call = msgspec.structs.replace(call, query=query.plain_words, language=query.text)
    told = _told(query, readings)[:SEARCH_READINGS_MAX]
    while told and len(msgspec.json.encode(asked := msgspec.structs.replace(call, readings=tuple(told)))) > (
        QUESTION_BYTES_MAX - SPARE_BYTES
    ):
        told = told[: len(told) // 2]
    return asked if told else call


def _told(query: Query, readings: Readings) -> list[WordReading]:
    """The readings of all words, the first of each word before the second of any."""
    found = [[_of_word(word, one) for one in those] for word, those in usable_readings(query, readings).items()]
    deepest = max(map(len, found), default=0)
    return [those[rank] for rank in range(deepest) for those in found if rank < len(those)]


def _of_word(word: str, reading: Reading) -> WordReading:
    return WordReading(word=word, text=reading.text, kind=reading.kind.value, zh=reading.note.zh, en=reading.note.en)


def query_of(call: Search) -> Query:
    """Return what a call asks; never raises.

    Without a query of the language, or with one that only a later version understands, its plain words count, in which
    no sign means anything but quotation marks.
    """
    if call.language:
        try:
            return parse(call.language)
        except BadQuery:
            pass
    words = [
        Word(text=text, start=start, end=start + len(text), is_quoted=True) for start, text in query_words(call.query)
    ]
    return Query(text=call.query, parts=tuple(words))


def readings_of(call: Search) -> Readings:
    """Return the readings that travel with a call; kinds of later versions are left out."""
    kinds = frozenset(kind.value for kind in ReadingKind)
    found: dict[str, list[Reading]] = {}
    for one in call.readings[:SEARCH_READINGS_MAX]:
        if one.kind in kinds:
            note = Text(zh=one.zh, en=one.en)
            found.setdefault(one.word, []).append(Reading(text=one.text, kind=ReadingKind(one.kind), note=note))

    def of(word: str) -> Sequence[Reading]:
        return found.get(word, ())

    return of
