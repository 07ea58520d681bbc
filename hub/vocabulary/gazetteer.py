"""The gazetteer: places with their dates and successors, and what a word that names one may also be read as.

A place is one name of one area for as long as it was called so. It becomes another by being renamed, merged, divided,
made a town or a subdistrict, or given another code; it may be abolished with no successor. What a place is read as are
its predecessors and successors, through any number of steps up to ``STEPS_MAX``, in both directions: today's name finds
yesterday's record and the other way round. Not its siblings: of a town that was divided each part finds the town, not
the other parts. So if a word finds another by the gazetteer, that one finds the word.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from hub.vocabulary.passages import Passage, Passages
from hub.vocabulary.place_forms import LARGE_KINDS, PlaceName, rule_forms, ruled
from protocol.analysis import fold
from protocol.readings import Reading, ReadingKind
from protocol.wording import Text

STEPS_MAX: Final = 8
"""Steps from a place to a predecessor or successor: a township has changed that often since 1900."""

RELATIVES_MAX: Final = 32
"""Predecessors and successors of one place, the nearest first."""

PLACE_READINGS_MAX: Final = 12
"""Readings of one word by the gazetteer."""


class ChangeKind(StrEnum):
    """How a place ended."""

    RENAMED = "renamed"
    MERGED = "merged"
    DIVIDED = "divided"
    CONVERTED = "converted"
    """It became another kind of place: a township a subdistrict."""
    RECODED = "recoded"
    ABOLISHED = "abolished"


CHANGE_WORDS: Final = {
    ChangeKind.RENAMED: Text(zh="更名为", en="was renamed"),
    ChangeKind.MERGED: Text(zh="并入", en="was merged into"),
    ChangeKind.DIVIDED: Text(zh="拆分，其一为", en="was divided, one part is"),
    ChangeKind.CONVERTED: Text(zh="改设为", en="became"),
    ChangeKind.RECODED: Text(zh="换了代码，仍为", en="was given another code and is still"),
    ChangeKind.ABOLISHED: Text(zh="撤销，划入", en="was abolished and given to"),
}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    written: str
    """The name as the table has it."""
    name: PlaceName
    """The same, folded and taken apart."""
    code: str = ""
    valid_from: str = ""
    """EDTF; empty where nobody knows or it does not matter."""
    valid_to: str = ""
    change: ChangeKind | None = None
    successors: tuple[int, ...] = ()
    """Places of the gazetteer by their number."""
    aliases: tuple[str, ...] = ()
    """Other ways to write it, folded."""
    source: str = ""
    line: int = 0


class Gazetteer:
    """Places that know each other; made whole and never changed, so that any thread may read it."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = tuple(places)
        self._predecessors: dict[int, list[int]] = {}
        for number, place in enumerate(self.places):
            for successor in place.successors:
                self._predecessors.setdefault(successor, []).append(number)
        self._named: dict[str, list[int]] = {}
        self._short: dict[str, list[int]] = {}
        for number, place in enumerate(self.places):
            for text in dict.fromkeys(_names(place)):
                self._named.setdefault(text, []).append(number)
            if place.name.short:
                self._short.setdefault(place.name.short, []).append(number)
        self._passages = Passages([*self._named, *self._short])

    def names(self, word: str) -> bool:
        """Tell whether a folded word is the name of a place, with or without its generic part."""
        return word in self._named or word in self._short

    def readings(self, word: str) -> tuple[Reading, ...]:
        """Return the readings of a folded word that is, or contains, the name of a place; facts before rules."""
        passages = list(self._passages.found(word))
        found = [
            (rank, passage, text, note) for passage in passages for rank, text, note in self._others(word, passage)
        ]
        found += [
            (_RULE, passage, form.text, form.note)
            for passage, forms in ruled(word)
            if not any(known.start < passage.end and passage.start < known.end for known in passages)
            for form in forms
        ]
        readings: dict[str, Reading] = {}
        for _, passage, text, note in sorted(found, key=lambda one: one[0]):
            other = passage.replaced(word, text)
            # What contains the word is found by the word itself.
            if word not in other and other not in readings:
                readings[other] = Reading(text=other, kind=ReadingKind.PLACE, note=note)
        return tuple(readings.values())[:PLACE_READINGS_MAX]

    def relatives(self, number: int) -> Mapping[int, Text]:
        """Return the predecessors and successors of a place, the nearest first, each with the way to it."""
        stem = self.places[number].name.stem
        found: dict[int, Text] = {}
        steps: list[tuple[int, bool, Text | None]] = [(number, True, None), (number, False, None)]
        for _ in range(STEPS_MAX):
            steps = [
                (other, forth, _joined(way, link))
                for place, forth, way in steps
                for other, link in self._next(place, forth=forth)
                if other not in found
            ]
            # Of the parts of a place, the one that kept its name is meant most often.
            for other, _, way in sorted(steps, key=lambda step: self.places[step[0]].name.stem != stem):
                if way is not None:
                    found.setdefault(other, way)
        return dict(list(found.items())[:RELATIVES_MAX])

    def _next(self, number: int, *, forth: bool) -> Iterator[tuple[int, Text]]:
        place = self.places[number]
        if forth:
            yield from ((other, link_words(place, self.places[other])) for other in place.successors)
        else:
            for other in self._predecessors.get(number, ()):
                yield other, link_words(self.places[other], place)

    def _others(self, word: str, passage: Passage) -> Iterator[tuple[int, str, Text]]:
        """Yield rank, text and reason of what may stand in the place of a known name."""
        for number in self._named.get(passage.text, ()):
            yield from self._of_place(number, passage.text)
        if passage.text in self._named:
            return
        is_whole = passage.text == word
        for number in self._short.get(passage.text, ()):
            if not is_whole and self.places[number].name.kind not in LARGE_KINDS:
                continue
            for rank, other, note in self._of_relatives(number):
                yield rank, other.name.proper, note
                if not is_whole and other.name.short:
                    yield rank, other.name.short, note

    def _of_place(self, number: int, called: str) -> Iterator[tuple[int, str, Text]]:
        place = self.places[number]
        forms = rule_forms(place.name)
        by_rule = next((form.note for form in forms if form.text == called), None)
        known = Text(zh=f"{place.written}的又称", en=f"another name of {place.written}")
        yield _ALIAS, place.name.proper, by_rule or known
        yield from ((_ALIAS, text, known) for text in place.aliases)
        yield from ((_RULE, form.text, form.note) for form in forms)
        for rank, other, note in self._of_relatives(number):
            yield rank, other.name.proper, note
            yield from ((rank + _ALIAS_OF_RELATIVE, text, note) for text in other.aliases)
            yield from ((rank + _RULE, form.text, _joined(note, form.note)) for form in rule_forms(other.name))

    def _of_relatives(self, number: int) -> Iterator[tuple[int, Place, Text]]:
        for rank, (other, note) in enumerate(self.relatives(number).items()):
            yield rank, self.places[other], note


_ALIAS: Final = 0
_ALIAS_OF_RELATIVE: Final = RELATIVES_MAX
_RULE: Final = 2 * RELATIVES_MAX


def link_words(place: Place, successor: Place) -> Text:
    """Say what became of a place: 皈山乡 2014 年改设为孝源街道."""
    words = CHANGE_WORDS[place.change or ChangeKind.MERGED]
    year = place.valid_to[:4]
    return Text(
        zh=f"{place.written}{f' {year} 年' if year else ''}{words.zh}{successor.written}",
        en=f"{place.written} {words.en} {successor.written}{f' in {year}' if year else ''}",
    )


def _names(place: Place) -> Iterator[str]:
    """The folded words that name a place: as written, as texts have it, by rule, and its aliases."""
    yield fold(place.written)
    yield place.name.proper
    yield from (form.text for form in rule_forms(place.name))
    yield from place.aliases


def _joined(way: Text | None, link: Text) -> Text:
    return link if way is None else Text(zh=f"{way.zh}；{link.zh}", en=f"{way.en}; {link.en}")
