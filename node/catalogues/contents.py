"""What a row says about its record: makers, number, date, extent; who may see it; whom it is about."""

import datetime
from typing import TypedDict

import msgspec

from node.catalogues.columns import Columns
from node.catalogues.context import DescriptionContext
from node.catalogues.fields import Field
from node.catalogues.given import Given
from node.catalogues.livelihood import kind_of_cell, kind_of_title
from node.catalogues.pages import parse_page_count
from node.catalogues.parties import parse_parties
from node.catalogues.persons import person_keys
from protocol.dates import DateSpan, contradicts_year, parse_date
from protocol.document_numbers import fold_doc_no
from protocol.retention import Retention, RetentionKind, parse_retention
from protocol.vocabularies import (
    AccessStatus,
    Disclosure,
    Form,
    Secrecy,
    parse_access_status,
    parse_disclosure,
    parse_form,
    parse_secrecy,
)


class Content(TypedDict):
    """The fields of a record that describe what it is."""

    retention: Retention | None
    retention_as_given: str
    responsible_parties: tuple[str, ...]
    doc_no: str
    doc_no_as_given: str
    date_raw: str
    date_edtf: str
    date_earliest: datetime.date | None
    date_latest: datetime.date | None
    page_count: int | None
    extent: str
    carrier: str
    form: Form | None
    scope: str
    note: str


class Access(TypedDict):
    """The fields of a record that say who may see it, whose it is and whom it is about."""

    secrecy: Secrecy
    access_status: AccessStatus
    access_reason: str
    reviewed_on: datetime.date | None
    review_by: datetime.date | None
    disclosure: Disclosure | None
    owner: str
    custodian: str
    releaser: str
    livelihood_kind: str
    person_keys: tuple[str, ...]


def read_content(given: Given, columns: Columns, *, filing_year: int | None, retention_code: str) -> Content:
    """Return what the row says about the record; ``retention_code`` from its code stands in for an empty cell."""
    values, notice_all = given.values, given.notice_all
    parties, noticed = parse_parties(values.responsible_parties)
    notice_all(noticed, Field.RESPONSIBLE)
    if len(parties) > 1:
        given.keep(Field.RESPONSIBLE)
    if not parties and Field.RESPONSIBLE in columns.present:
        given.notice("responsible_missing", Field.RESPONSIBLE)
    doc_no, noticed = fold_doc_no(values.doc_no)
    notice_all(noticed, Field.DOC_NO)
    span = _date(given, columns, filing_year)
    pages = parse_page_count(values.page_count)
    notice_all(pages.findings, Field.PAGE_COUNT)
    if values.page_count != str(pages.count or ""):
        given.keep(Field.PAGE_COUNT)
    form, noticed = parse_form(values.form)
    notice_all(noticed, Field.FORM)
    return {
        "retention": _retention(given, columns, retention_code),
        "retention_as_given": values.retention,
        "responsible_parties": parties,
        "doc_no": doc_no,
        "doc_no_as_given": values.doc_no,
        "date_raw": span.raw,
        "date_edtf": span.edtf,
        "date_earliest": span.earliest,
        "date_latest": span.latest,
        "page_count": pages.count,
        "extent": values.extent,
        "carrier": values.carrier,
        "form": form,
        "scope": values.scope,
        "note": values.note,
    }


def read_access(given: Given, title: str, context: DescriptionContext) -> Access:
    """Return what the row and its folder say about access, ownership and persons."""
    values, notice_all = given.values, given.notice_all
    secrecy, noticed = parse_secrecy(values.secrecy)
    notice_all(noticed, Field.SECRECY)
    status, noticed = parse_access_status(values.access_status)
    notice_all(noticed, Field.ACCESS_STATUS)
    disclosure, noticed = parse_disclosure(values.disclosure)
    notice_all(noticed, Field.DISCLOSURE)
    keys: tuple[str, ...] = ()
    if given.persons or given.identities:
        persons = person_keys(given.persons, given.identities, context.county_key)
        keys = persons.keys
        notice_all(persons.findings, Field.IDENTITY)
    return {
        "secrecy": secrecy,
        "access_status": status,
        "access_reason": values.access_reason,
        "reviewed_on": _day(values.reviewed_on),
        "review_by": _day(values.review_by),
        "disclosure": disclosure,
        "owner": context.owner,
        "custodian": context.custodian,
        "releaser": context.releaser,
        "livelihood_kind": (kind_of_cell(values.livelihood_kind) or context.livelihood_kind or kind_of_title(title)),
        "person_keys": keys,
    }


def _date(given: Given, columns: Columns, filing_year: int | None) -> DateSpan:
    """Read the date; where there is none, or one in foreign words, the ends of the range in columns of their own."""
    text, first, last = given.values.date, given.values.date_from, given.values.date_to
    ends = f"{first}至{last}" if first and last and first != last else first or last
    if not text and not ends:
        if not columns.present.isdisjoint((Field.DATE, Field.DATE_FROM, Field.DATE_TO)):
            given.notice("date_missing", Field.DATE)
        return DateSpan(raw="")
    span = parse_date(text or ends)
    if ends and text and span.earliest is None:
        by_ends = parse_date(ends)
        span = msgspec.structs.replace(by_ends, raw=text) if by_ends.earliest is not None else span
    given.notice_all(span.findings, Field.DATE)
    if filing_year is not None and contradicts_year(span, filing_year):
        given.notice("date_contradicts_year", Field.DATE)
    return span


def _retention(given: Given, columns: Columns, retention_code: str) -> Retention | None:
    text = given.values.retention or retention_code
    if not text:
        if Field.RETENTION in columns.present:
            given.notice("retention_missing", Field.RETENTION)
        return None
    retention = parse_retention(text)
    if retention.kind is RetentionKind.UNKNOWN:
        given.notice("retention_unreadable", Field.RETENTION)
    return retention


def _day(text: str) -> datetime.date | None:
    """Read a day of the archive's own work; one that is not exact stays in the site's own copy of the cell."""
    if not text:
        return None
    span = parse_date(text)
    return span.earliest if span.earliest == span.latest else None
