"""Whether a record is what a query means, and why: read from the record itself, without an index.

Hits are explained by this, live answers checked, and what an index finds only coarsely is told apart. The rules are
those of the index (``protocol.index_rows``): words stand in one of its columns, or in one field if the query names one;
codes and numbers are also compared as wholes; a year among words is a year of the record or stands in its text. Most
words are two or more Han characters, and hundreds of sites have twenty hits explained at the same moment, so those are
looked for in the folded text, where they stand exactly where their pairs stand together in the index.
"""

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from protocol.analysis import HAN, fold, index_terms, phrases
from protocol.calls import Match
from protocol.expressions import Column
from protocol.index_rows import indexed_fields
from protocol.marks import YEARS_MARKED_MAX, year_marks
from protocol.plans import READ_FIELDS, Readings
from protocol.query_dates import Period
from protocol.query_fields import TEXT_FIELDS, Field
from protocol.query_tree import Dated, Either, Every, Filter, Node, Not, Query, Word, leaves
from protocol.readings import Reading
from protocol.records import Record
from protocol.vocabularies import AccessStatus, Level
from protocol.whole_codes import code_mark, doc_no_mark
from protocol.wording import Text
from protocol.written_numbers import code_beginning, whole_marks

COLUMN_FIELDS: Final[Mapping[Column, tuple[str, ...]]] = {
    Column.TITLE: ("title",),
    Column.PARTIES: ("responsible_parties",),
    Column.CODES: ("ref_code", "doc_no", "aliases"),
    Column.REST: ("date", "scope", "note"),
}
"""The fields of each text column, in the order in which they stand there."""

LITERAL: Final = "literal"
VARIANT: Final = "variant"
WHOLE: Final = "whole"
DATED: Final = "dated"


class Subject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a record that may be what a query means."""

    fields: Mapping[str, str]
    """Its texts by field (``index_rows.indexed_fields``), several values of one field as lines."""
    earliest: datetime.date | None = None
    latest: datetime.date | None = None
    site: str = ""
    site_name: str = ""
    fonds_no: str = ""
    livelihood_kind: str = ""
    access_status: str = AccessStatus.UNREVIEWED
    level: str = Level.ITEM


def subject_of(
    record: Record, *, site: str = "", site_name: str = "", access_status: AccessStatus | None = None
) -> Subject:
    """Return a record as a subject; site and access status where others are true than the record says."""
    return Subject(
        fields=indexed_fields(record),
        earliest=record.date_earliest,
        latest=record.date_latest,
        site=site or record.repository_id,
        site_name=site_name,
        fonds_no=record.fonds_no,
        livelihood_kind=record.livelihood_kind,
        access_status=access_status or record.access_status,
        level=record.level,
    )


class Matcher:
    """One query, ready to be compared with any number of records."""

    def __init__(self, query: Query, readings: Readings = lambda _: ()) -> None:
        self._words = [
            _WordTest(word, readings if _is_read(word) else _unread)
            for word in leaves(query.parts)
            if isinstance(word, Word)
        ]
        self._dates = [leaf for leaf in leaves(query.parts) if isinstance(leaf, Dated)]
        words = iter(self._words)
        self._tests = [_test(part, words) for part in query.parts]
        self._written = [_WordTest(_as_word(dated), _unread) for dated in self._dates if dated.is_written_too]

    def satisfies(self, subject: Subject) -> bool:
        """Tell whether a record is what the query means, in any reading."""
        facts = Facts(subject)
        return all(test(facts) for test in self._tests)

    def why(self, subject: Subject) -> tuple[Match, ...]:
        """Return in which fields of a record the words stand and how, typed words before their other readings."""
        facts = Facts(subject)
        found: dict[tuple[str, str, Text | None], list[str]] = {}
        for word in (*self._words, *self._written):
            for field, how, text, note in word.places(facts):
                found.setdefault((field, how, note), []).append(text)
        for dated in self._dates:
            if _is_of(dated, facts):
                found.setdefault(("date", DATED, None), []).append(dated.text)
        return tuple(
            [
                Match(field=field, how=how, word=" ".join(dict.fromkeys(texts)), note=note)
                for (field, how, note), texts in found.items()
            ]
        )

    def judge(self, subject: Subject) -> tuple[Match, ...] | None:
        """Return why a record is what the query means, None if it is not."""
        return self.why(subject) if self.satisfies(subject) else None


class _Text:
    """A text with its folded form and its terms, each made when it is first asked for."""

    __slots__ = ("_folded", "_terms", "has_gaps", "value")

    def __init__(self, value: str) -> None:
        self.value = value
        self._folded: str | None = None
        self._terms: str | None = None
        self.has_gaps = False

    @property
    def folded(self) -> str:
        if self._folded is None:
            self._folded = folded = fold(self.value)
            self.has_gaps = " " in folded or "·" in folded or "." in folded
        return self._folded

    @property
    def terms(self) -> str:
        if self._terms is None:
            self._terms = f" {index_terms(self.value)} "
        return self._terms


class Facts:
    """A subject while it is compared: its columns, terms and marks, each made when it is first asked for."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._fields: dict[str, _Text] = {}
        self._columns: dict[Column, _Text] = {}
        self._marks: dict[str, str] | None = None

    def field(self, name: str) -> _Text:
        """Return one field of the record, empty if it has none."""
        text = self._fields.get(name)
        if text is None:
            text = self._fields[name] = _Text(self.subject.fields.get(name, ""))
        return text

    def column(self, column: Column) -> _Text:
        """Return what stands in a text column of the index."""
        text = self._columns.get(column)
        if text is None:
            names = COLUMN_FIELDS[column]
            if len(names) == 1:
                text = self.field(names[0])
            else:
                text = _Text("\n".join([value for name in names if (value := self.subject.fields.get(name))]))
            self._columns[column] = text
        return text

    @property
    def wholes(self) -> dict[str, str]:
        """The marks of the codes and numbers, and the field of each."""
        if self._marks is None:
            fields = self.subject.fields
            codes = [("ref_code", fields.get("ref_code", ""))]
            codes += [("aliases", alias) for alias in fields.get("aliases", "").split("\n")]
            self._marks = {code_mark(code): field for field, code in reversed(codes) if code}
            if number := fields.get("doc_no"):
                self._marks[doc_no_mark(number)] = "doc_no"
        return self._marks

    @property
    def years(self) -> tuple[int, int] | None:
        """The first and the last year that the record is of."""
        earliest, latest = self.subject.earliest, self.subject.latest
        latest = latest or earliest
        return ((earliest or latest).year, latest.year) if latest is not None else None

    @property
    def marks(self) -> str:
        """The marks of every index, separated by blanks."""
        years = year_marks(*self.years) if self.years else []
        return " ".join((*years, *self.wholes))


_HAN_WORD: Final = re.compile(f"[{HAN}]{{2,}}")
_Place = tuple[str, str, str, Text | None]


class _Needle:
    """One text to look for."""

    __slots__ = ("_folded", "_phrases", "text")

    def __init__(self, text: str, *, is_open: bool = False) -> None:
        self.text = text
        folded = fold(text)
        self._folded = folded if _HAN_WORD.fullmatch(folded) else ""
        self._phrases = [
            f" {' '.join(one.terms)}" if one.is_prefix or is_open else f" {' '.join(one.terms)} "
            for one in phrases(text)
        ]

    def stands_in(self, text: _Text) -> bool:
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

    def __init__(self, word: Word, readings: Readings) -> None:
        self._fields = TEXT_FIELDS[word.field] if word.field else ()
        self._typed = _Needle(word.text, is_open=word.is_open)
        self._wholes = whole_marks(word.text, word.field)
        self._beginning = code_beginning(word.text, word.field)
        self._open = _Needle(word.text, is_open=True) if self._beginning else None
        self._read: list[tuple[_Needle, Reading]] = [
            (_Needle(reading.text), reading) for reading in readings(word.text) if phrases(reading.text)
        ]

    def is_met(self, facts: Facts) -> bool:
        """Tell whether the word is found in a record, in any reading."""
        texts = self._texts(facts)
        typed = self._typed
        return (
            any(typed.stands_in(text) for text in texts)
            or ((self._wholes or self._beginning) and self._is_whole(facts))
            or any(needle.stands_in(text) for needle, _ in self._read for text in texts)
        )

    def places(self, facts: Facts) -> list[_Place]:
        """Return where it is found: field, how, what stands there, why it was looked for."""
        found: list[_Place] = []
        typed = self._typed
        for field in self._fields or facts.subject.fields:
            text = facts.field(field)
            if typed.stands_in(text):
                found.append((field, LITERAL if typed.text in text.value else VARIANT, typed.text, None))
        for mark, field in facts.wholes.items() if self._wholes or self._beginning else ():
            is_whole = mark in self._wholes or (self._beginning and mark.startswith(self._beginning))
            if is_whole and all(place[0] != field for place in found):
                found.append((field, WHOLE, typed.text, None))
        for needle, reading in self._read:
            found += [
                (field, reading.kind.value, needle.text, reading.note)
                for field in self._fields or facts.subject.fields
                if needle.stands_in(facts.field(field))
            ]
        return found

    def _texts(self, facts: Facts) -> Sequence[_Text]:
        if self._fields:
            return [facts.field(field) for field in self._fields]
        return [facts.column(column) for column in COLUMN_FIELDS]

    def _is_whole(self, facts: Facts) -> bool:
        wholes = facts.wholes
        if any(mark in wholes for mark in self._wholes):
            return True
        if not self._beginning or self._open is None:
            return False
        codes = [facts.field(field) for field in self._fields] or [facts.column(Column.CODES)]
        return any(mark.startswith(self._beginning) for mark in wholes) or any(map(self._open.stands_in, codes))


def _test(node: Node, words: "Iterator[_WordTest]") -> Callable[[Facts], bool]:
    raise NotImplementedError
