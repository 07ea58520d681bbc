"""What a word may also be read as: by the county's tables, by the ways people write names, and by their sound."""

from collections.abc import Iterator
from typing import Final

from hub.vocabulary.gazetteer import Gazetteer
from hub.vocabulary.homophones import homophones
from hub.vocabulary.person_names import PersonName, name_forms, person_name
from hub.vocabulary.synonyms import Synonyms
from protocol.analysis import fold
from protocol.readings import READINGS_MAX, Homophones, Reading, ReadingKind
from protocol.wording import Text

WORD_CHARS_MAX: Final = 40
"""Characters of a word that is read otherwise: longer ones are titles, and nobody means all their readings."""


PAIRED_PLACES_MAX: Final = 4
"""Readings by place to which the equal words are applied as well."""


class Readings:
    """The readings by one state of the tables; never changed, so that any thread may ask."""

    def __init__(self, gazetteer: Gazetteer, synonyms: Synonyms) -> None:
        self.gazetteer = gazetteer
        self.synonyms = synonyms

    def of(self, word: str) -> tuple[Reading, ...]:
        """Return the other readings of a word as typed, at most ``READINGS_MAX``, the best first.

        Places come before equal words and these before other spellings of a name; last what differs in two respects.
        No reading contains the word: what does is found by the word itself.
        """
        folded = _plain(word)
        if not folded:
            return ()
        name = self._name(folded)
        places = self.gazetteer.readings(folded)
        found = [
            *places,
            *self.synonyms.readings(folded),
            *(name_forms(name) if name else ()),
            *(both for place in places[:PAIRED_PLACES_MAX] for both in self._paired(place) if folded not in both.text),
        ]
        first = {reading.text: reading for reading in reversed(found)}
        return tuple(reading for reading in found if first[reading.text] is reading)[:READINGS_MAX]

    def homophones(self, word: str) -> Homophones | None:
        """Return what sounds like a word, if it looks like a person's name: usual characters for each of its own."""
        folded = _plain(word)
        name = self._name(folded) if folded else None
        return None if name is None else homophones(name)

    def _paired(self, place: Reading) -> Iterator[Reading]:
        """Read a word otherwise in both respects: 孝源街道山林承包 for 皈山乡林地承包."""
        for equal in self.synonyms.readings(place.text):
            note = Text(zh=f"{place.note.zh}；{equal.note.zh}", en=f"{place.note.en}; {equal.note.en}")
            yield Reading(text=equal.text, kind=ReadingKind.PLACE, note=note)

    def _name(self, folded: str) -> PersonName | None:
        """Return a word as a person's name, unless the tables know it as something else."""
        if self.gazetteer.names(folded) or self.synonyms.names(folded):
            return None
        return person_name(folded)


def _plain(word: str) -> str:
    """Return a word folded, without blanks around it; empty if it is too long to be read otherwise."""
    folded = fold(word[: 2 * WORD_CHARS_MAX]).strip() if len(word) <= 2 * WORD_CHARS_MAX else ""
    return folded if len(folded) <= WORD_CHARS_MAX else ""
