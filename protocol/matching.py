"""Whether a record is what a query means, and why: read from the record itself, without an index.

Hits are explained by this, live answers checked, and what an index finds only coarsely is told apart. The rules are
those of the index (``protocol.index_rows``): words stand in one of its columns, or in one field if the query names one;
codes and numbers are also compared as wholes; a year among words is a year of the record or stands in its text. Most
words are two or more Han characters, and hundreds of sites have twenty hits explained at the same moment, so those are
looked for in the folded text, where they stand exactly where their pairs stand together in the index.
"""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from protocol.analysis import HAN, fold, phrases
from protocol.calls import Match
from protocol.expressions import Column
from protocol.marks import YEARS_MARKED_MAX
from protocol.plans import Readings, StageName, is_readable, plan, usable_readings
from protocol.query_fields import TEXT_FIELDS, Field
from protocol.query_tree import Dated, Either, Every, Filter, Node, Not, Query, Word
from protocol.readings import Reading
from protocol.record_facts import COLUMN_FIELDS, Facts, RecordText, Subject
from protocol.row_matching import holds
from protocol.spellings import spellings
from protocol.wording import Text
from protocol.written_numbers import code_beginning, other_ends, whole_marks

LITERAL: Final = "literal"
VARIANT: Final = "variant"
WHOLE: Final = "whole"
BEGINNING: Final = "beginning"
DATED: Final = "dated"

_HAN_WORD: Final = re.compile(f"[{HAN}]{{2,}}")
_Test = Callable[[Facts], bool]


class Place(NamedTuple):
    """One place where a word is found."""

    field: str
    how: str
    text: str
    note: Text | None = None


class Matcher:
    """One query, ready to be compared with any number of records."""

    def __init__(self, query: Query, readings: Readings = lambda _: ()) -> None:
        self._plan = functools.cache(lambda: plan(query, readings))
        self._read = usable_readings(query, readings)
        self._words: list[_WordTest] = []
        self._dates: list[Dated] = []
        self._tests = [self._test(part, is_wanted=True) for part in query.parts]

    def satisfies(self, subject: Subject) -> bool:
        """Tell whether a record is what the query means, in any reading."""
        facts = Facts(subject)
        return all(test(facts) for test in self._tests)

    def why(self, subject: Subject) -> tuple[Match, ...]:
        """Return in which fields of a record the words stand and how, typed words before their other readings."""
        return self._why(Facts(subject))

    def judge(self, subject: Subject) -> tuple[Match, ...] | None:
        """Return why a record is what the query means, None if it is not."""
        facts = Facts(subject)
        return self._why(facts) if all(test(facts) for test in self._tests) else None

    def stage(self, subject: Subject) -> StageName | None:
        """Return the first stage of the query's plan that finds a record; None if none does."""
        row = Facts(subject).row
        return next((stage.name for stage in self._plan().stages if holds(stage.expression, row)), None)

    def _why(self, facts: Facts) -> tuple[Match, ...]:
        places: dict[tuple[str, str, Text | None], list[str]] = {}
        for word in self._words:
            for place in word.places(facts):
                places.setdefault((place.field, place.how, place.note), []).append(place.text)
        for dated in self._dates:
            if _is_of(dated, facts):
                places.setdefault(("date", DATED, None), []).append(dated.text)
        return tuple(
            [
                Match(field=field, how=how, word=" ".join(dict.fromkeys(texts)), note=note)
                for (field, how, note), texts in places.items()
            ]
        )

    def _test(self, node: Node, *, is_wanted: bool) -> _Test:
        """Return what tells whether a part of the query holds; what is wanted can also be a reason."""
        match node:
            case Word():
                return self._word(node, is_wanted=is_wanted).is_met
            case Dated():
                if is_wanted:
                    self._dates.append(node)
                if not node.is_written_too:
                    return functools.partial(_is_of, node)
                written = self._word(Word(text=node.text, start=node.start, end=node.end), is_wanted=is_wanted)
                return lambda facts: _is_of(node, facts) or written.is_met(facts)
            case Filter():
                return functools.partial(_passes, node)
            case Not():
                unwanted = self._test(node.part, is_wanted=False)
                return lambda facts: not unwanted(facts)
            case Either():
                either = [self._test(part, is_wanted=is_wanted) for part in node.parts]
                return lambda facts: any(test(facts) for test in either)
            case Every():
                every = [self._test(part, is_wanted=is_wanted) for part in node.parts]
                return lambda facts: all(test(facts) for test in every)

    def _word(self, word: Word, *, is_wanted: bool) -> "_WordTest":
        test = _WordTest(word, self._read.get(word.text, ()) if is_wanted and is_readable(word) else ())
        if is_wanted:
            self._words.append(test)
        return test


def _is_of(dated: Dated, facts: Facts) -> bool:
    """Tell whether a record is of a date: of whole years among words as the marks of the index say it."""
    if not (dated.is_written_too and dated.period.is_whole_years):
        return dated.period.touches(facts.subject.earliest, facts.subject.latest)
    years = facts.years
    if years is None:
        return False
    (first, last), (earliest, latest) = dated.period.years, years
    if latest - earliest < YEARS_MARKED_MAX:
        return earliest <= last and latest >= first
    return earliest // 10 <= last // 10 and latest // 10 >= first // 10


def _passes(wanted: Filter, facts: Facts) -> bool:
    subject = facts.subject
    match wanted.field:
        case Field.SITE:
            return any(_is_at(value, subject) for value in wanted.values)
        case Field.FONDS:
            return subject.fonds_no in wanted.values
        case Field.KIND:
            return subject.livelihood_kind in wanted.values
        case Field.ACCESS:
            return subject.access_status in wanted.values
        case _:
            return subject.level in wanted.values


def _is_at(value: str, subject: Subject) -> bool:
    if value.endswith("*"):
        return subject.site.startswith(value.rstrip("*"))
    return subject.site == value or (not value[:1].isdigit() and value.casefold() in fold(subject.site_name))


class _Needle:
    """One text to look for."""

    __slots__ = ("_folded", "_phrases", "text")

    def __init__(self, text: str, *, is_open: bool = False) -> None:
        self.text = text
        forms = spellings(text)
        folded = fold(text)
        self._folded = folded if _HAN_WORD.fullmatch(folded) and len(forms) == 1 else ""
        self._phrases = [
            f" {' '.join(one.terms)}" if one.is_prefix or is_open else f" {' '.join(one.terms)} "
            for form in forms
            for one in phrases(form)
        ]

    def stands_in(self, text: RecordText) -> bool:
        """Tell whether the index would find it in a text."""
        if not text.value:
            return False
        if self._folded:
            if self._folded in text.folded:
                return True
            if not text.has_gaps:
                return False
        terms = text.terms
        return any(phrase in terms for phrase in self._phrases)


class _WordTest:
    """A word of the query with all that it may be found by."""

    def __init__(self, word: Word, readings: Sequence[Reading]) -> None:
        self._fields = TEXT_FIELDS[word.field] if word.field else ()
        self._typed = _Needle(word.text, is_open=word.is_open)
        self._wholes = frozenset(whole_marks(word.text, word.field))
        self._beginning = code_beginning(word.text, word.field)
        self._open = _Needle(word.text, is_open=True)
        self._ends = [_Needle(other) for other in other_ends(word.text, word.field)]
        self._read = [(_Needle(reading.text), reading) for reading in readings]

    def is_met(self, facts: Facts) -> bool:
        """Tell whether the word is found in a record, in any reading."""
        texts = self._texts(facts)
        typed = self._typed
        return (
            any(typed.stands_in(text) for text in texts)
            or any(needle.stands_in(text) for needle, _ in self._read for text in texts)
            or bool(self._wholes and not self._wholes.isdisjoint(facts.wholes))
            or bool(self._beginning and self._begins(facts))
            or any(needle.stands_in(code) for needle in self._ends for code in self._codes(facts))
        )

    def places(self, facts: Facts) -> list[Place]:
        """Return where the word and its other readings are found."""
        names = self._fields or facts.subject.fields
        places: list[Place] = []
        typed = self._typed
        for name in names:
            text = facts.field(name)
            if typed.stands_in(text):
                places.append(Place(name, LITERAL if typed.text in text.value else VARIANT, typed.text))
        if self._wholes or self._beginning or self._ends:
            places += self._as_codes(facts, {place.field for place in places})
        places += [
            Place(name, reading.kind.value, needle.text, reading.note)
            for needle, reading in self._read
            for name in names
            if needle.stands_in(facts.field(name))
        ]
        return places

    def _as_codes(self, facts: Facts, told: set[str]) -> list[Place]:
        """The fields in which it is found as a whole code or number, or as the beginning of one."""
        text = self._typed.text
        places = []
        for name in COLUMN_FIELDS[Column.CODES]:
            marks = [mark for mark, field in facts.wholes.items() if field == name]
            if name in told:
                continue
            if not self._wholes.isdisjoint(marks):
                places.append(Place(name, WHOLE, text))
            elif self._beginning and (
                any(mark.startswith(self._beginning) for mark in marks) or self._open.stands_in(facts.field(name))
            ):
                places.append(Place(name, BEGINNING, text))
            elif any(needle.stands_in(facts.field(name)) for needle in self._ends):
                places.append(Place(name, VARIANT, text))
        return places

    def _texts(self, facts: Facts) -> Sequence[RecordText]:
        if self._fields:
            return [facts.field(name) for name in self._fields]
        return [facts.column(column) for column in COLUMN_FIELDS]

    def _begins(self, facts: Facts) -> bool:
        """Tell whether it is the beginning of a code."""
        codes = self._codes(facts)
        return any(mark.startswith(self._beginning) for mark in facts.wholes) or any(map(self._open.stands_in, codes))

    def _codes(self, facts: Facts) -> Sequence[RecordText]:
        return [facts.field(name) for name in self._fields] or [facts.column(Column.CODES)]
