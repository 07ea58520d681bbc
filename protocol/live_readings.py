"""The readings that travel with a question, so that a site needs no tables of places, names and equal words. Pure."""

from collections.abc import Sequence
from typing import Final

from protocol.calls import WordReading
from protocol.readings import Reading, ReadingKind
from protocol.wording import Text

_KINDS: Final = frozenset(kind.value for kind in ReadingKind)


def readings_of(told: Sequence[WordReading], word: str) -> tuple[Reading, ...]:
    """Return what a question says that a word may also be read as; kinds of a later version are left out."""
    return tuple(
        Reading(text=one.text, kind=ReadingKind(one.kind), note=Text(zh=one.zh, en=one.en))
        for one in told
        if one.word == word and one.kind in _KINDS
    )
