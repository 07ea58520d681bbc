"""A record as it is compared with a query: its texts, columns and marks, each made when it is first asked for."""

import datetime
from collections.abc import Mapping
from typing import Final

import msgspec

from protocol.analysis import fold, index_terms
from protocol.expressions import Column
from protocol.index_rows import IndexRow, indexed_fields
from protocol.marks import year_marks
from protocol.records import Record
from protocol.vocabularies import AccessStatus, Level
from protocol.whole_codes import code_mark, doc_no_mark

COLUMN_FIELDS: Final[Mapping[Column, tuple[str, ...]]] = {
    Column.TITLE: ("title",),
    Column.PARTIES: ("responsible_parties",),
    Column.CODES: ("ref_code", "doc_no", "aliases"),
    Column.REST: ("date", "scope", "note"),
}
"""The fields of each text column, in the order in which they stand there."""


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


class RecordText:
    """A text with its folded form and its terms, each made when it is first asked for."""

    __slots__ = ("_folded", "_terms", "has_gaps", "value")

    def __init__(self, value: str) -> None:
        self.value = value
        self._folded: str | None = None
        self._terms: str | None = None
        self.has_gaps = False

    @property
    def folded(self) -> str:
        """The text as it is compared; ``has_gaps`` then tells whether a name in it may be closed up."""
        if self._folded is None:
            self._folded = folded = fold(self.value)
            self.has_gaps = " " in folded or "·" in folded or "." in folded
        return self._folded

    @property
    def terms(self) -> str:
        """Its terms with a blank around each."""
        if self._terms is None:
            self._terms = f" {index_terms(self.value)} "
        return self._terms


class Facts:
    """A subject while it is compared: its columns, terms and marks, each made when it is first asked for."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._fields: dict[str, RecordText] = {}
        self._columns: dict[Column, RecordText] = {}
        self._marks: dict[str, str] | None = None

    def field(self, name: str) -> RecordText:
        """Return one field of the record, empty if it has none."""
        text = self._fields.get(name)
        if text is None:
            text = self._fields[name] = RecordText(self.subject.fields.get(name, ""))
        return text

    def column(self, column: Column) -> RecordText:
        """Return what stands in a text column of the index."""
        text = self._columns.get(column)
        if text is None:
            names = COLUMN_FIELDS[column]
            if len(names) == 1:
                text = self.field(names[0])
            else:
                text = RecordText("\n".join([value for name in names if (value := self.subject.fields.get(name))]))
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
    def row(self) -> IndexRow:
        """The record as the index holds it, with the marks that every index has."""
        years = year_marks(*self.years) if self.years else []
        title, parties, codes, rest = (self.column(column).terms[1:-1] for column in COLUMN_FIELDS)
        return title, parties, codes, rest, " ".join((*years, *self.wholes))
