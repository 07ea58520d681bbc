"""What a row is: its code taken apart, its level, its title, its numbers, its date."""

import re
from typing import Final

import msgspec

from node.catalogues.columns import Columns
from node.catalogues.context import DescriptionContext
from node.catalogues.fields import Field
from node.catalogues.particulars import Given
from node.catalogues.statements import Statement
from protocol.dates import DateSpan, contradicts_year, parse_date
from protocol.document_numbers import fold_doc_no
from protocol.findings import RejectedValue, Severity
from protocol.records import Alias
from protocol.reference_codes import Dialect, ReferenceCode, fold_code, parse_code
from protocol.retention import RetentionKind, parse_retention
from protocol.vocabularies import LIVELIHOOD_KINDS, Level

_NO_CODE: Final = ReferenceCode(folded="", as_given="", dialect=Dialect.UNKNOWN)
_WRAPPED_HAN: Final = re.compile("(?<=[\u2e80-\uffef])[^\\S ]*[\r\n\u2028\u2029]\\s*(?=[\u2e80-\uffef])")
_WRAPPED: Final = re.compile("\\s*[\r\n\t\x0b\x0c\x85\u2028\u2029]\\s*")
_SUPPLIED: Final = re.compile(r"[\[［]\s*([^\[\]［］]+?)\s*[\]］]")
_OF_ITEMS: Final = (Field.PAGE_NO, Field.DOC_NO)
_DATES: Final = (Field.DATE, Field.DATE_FROM, Field.DATE_TO)


def identify(given: Given, said: Statement, columns: Columns, context: DescriptionContext) -> None:
    """Add to what the other cells of the row said which record it is; what the code says wins over columns."""
    values = given.values
    _say_title(given, said, columns, context)
    code = _read_code(given, said, columns, context)
    if code.folded:
        _say_code(code, said)
    if values.archive_code or values.office_code or values.old_code:
        said["aliases"] = _aliases(given)
    if values.item_no:
        said.setdefault("item_no", values.item_no)
    if values.page_no:
        said["page_no"] = code.page_no or values.page_no
    if "retention" not in said:
        _say_retention(given, said, columns, code)
    if values.doc_no:
        doc_no, noticed = fold_doc_no(values.doc_no)
        said["doc_no"], said["doc_no_as_given"] = doc_no, values.doc_no
        given.notice_all(noticed, Field.DOC_NO)
    if values.scope:
        said["scope"] = values.scope
    _say_date(given, said, columns)


def _read_code(given: Given, said: Statement, columns: Columns, context: DescriptionContext) -> ReferenceCode:
    """Return the row's code taken apart; one that cannot stand is noticed, and has its row rejected."""
    text = given.values.ref_code
    if not text:
        if Field.REF_CODE in columns.present:
            given.notice("ref_code_missing", Field.REF_CODE, Severity.WARNING)
        return _composed(given, said, columns)
    if columns.codes_may_be_serials and text.isdigit():
        return ReferenceCode(folded=text, as_given=text, dialect=Dialect.UNKNOWN)
    try:
        code = parse_code(given.verbatim_code, context.profiles)
    except RejectedValue as error:
        is_absent = error.finding == "ref_code_missing"
        given.notice(error.finding, Field.REF_CODE, Severity.WARNING if is_absent else None)
        return _NO_CODE
    for noticed in code.findings:
        if noticed != "fonds_missing_in_code" or not (context.fonds_no or said.get("fonds_no")):
            given.notice(noticed, Field.REF_CODE)
    return code


def _composed(given: Given, said: Statement, columns: Columns) -> ReferenceCode:
    """Put a code of DA/T 13-94 together where a list has its parts in columns; nothing was given as a whole."""
    fonds, catalogue, volume = said.get("fonds_no"), said.get("catalogue_no"), said.get("volume_no")
    item = given.values.item_no
    if not (fonds and catalogue and volume) or not (item or _may_name_volumes(said, columns)):
        return _NO_CODE
    parts = (fonds, catalogue, volume, item)
    return ReferenceCode(folded=fold_code("-".join(filter(None, parts))), as_given="", dialect=Dialect.DAT13_1994)


def _may_name_volumes(said: Statement, columns: Columns) -> bool:
    """Tell whether rows without numbers of their own can be volumes: the code of a volume is no code for its items.

    A list of what lies in a volume states the volume above its header, or tells page and document number of each row.
    """
    is_of_items = Field.VOLUME_NO in columns.preamble or not columns.present.isdisjoint(_OF_ITEMS)
    return not (is_of_items and said.get("level", columns.level) is Level.ITEM)


def _say_code(code: ReferenceCode, said: Statement) -> None:
    said["ref_code"], said["ref_code_as_given"] = code.folded, code.as_given
    if code.profile:
        said["code_profile"] = code.profile
    if code.fonds_no:
        said["fonds_no"] = code.fonds_no
    if code.category_code:
        said["category_code"] = code.category_code
    if code.sub_codes:
        said["sub_codes"] = code.sub_codes
    if code.filing_year:
        said.setdefault("filing_year", code.filing_year)
    if code.org_or_subject:
        said["org_or_subject"] = code.org_or_subject
    _say_numbers(code, said)


def _say_numbers(code: ReferenceCode, said: Statement) -> None:
    if code.catalogue_no:
        said["catalogue_no"] = code.catalogue_no
    if code.project_no:
        said["project_no"] = code.project_no
    if code.volume_no:
        said["volume_no"] = code.volume_no
    if code.item_no:
        said["item_no"] = code.item_no
    if code.page_no:
        said["page_no"] = code.page_no


def _say_title(given: Given, said: Statement, columns: Columns, context: DescriptionContext) -> None:
    """Say the title, whether it was supplied by the archivist, and the level that it is the title of."""
    text, field, level = given.values.title, Field.TITLE, columns.level
    if not text and given.values.volume_title:
        text, field, level = given.values.volume_title, Field.VOLUME_TITLE, Level.VOLUME
    said.setdefault("level", level)
    if not text:
        said["title"], said["title_is_supplied"] = _stand_in(given, said, columns, context), True
        return
    title = text if text.isprintable() else _WRAPPED.sub(" ", _WRAPPED_HAN.sub("", text))
    supplied = _SUPPLIED.fullmatch(title) if title[0] in "[［" else None
    if supplied is not None:
        title = supplied[1]
        said["title_is_supplied"] = True
    if title is not text:
        given.keep(field)
    said["title"] = title


def _stand_in(given: Given, said: Statement, columns: Columns, context: DescriptionContext) -> str:
    """Supply a title where a whole list has none: the document number, or the kind of records; never a name."""
    if columns.present.isdisjoint((Field.TITLE, Field.VOLUME_TITLE)):
        doc_no, _ = fold_doc_no(given.values.doc_no)
        if doc_no:
            return doc_no
        kind = said.get("livelihood_kind") or context.livelihood_kind
        if kind in LIVELIHOOD_KINDS:
            return LIVELIHOOD_KINDS[kind].zh
    given.notice("title_missing", Field.TITLE)
    return ""


def _aliases(given: Given) -> tuple[Alias, ...]:
    values = given.values
    codes = (("archive", values.archive_code), ("office", values.office_code), ("former", values.old_code))
    return tuple(Alias(code=code, scheme=scheme) for scheme, code in codes if code)


def _say_retention(given: Given, said: Statement, columns: Columns, code: ReferenceCode) -> None:
    """Take the period from the code where no cell gives one."""
    if not code.retention_code:
        if Field.RETENTION in columns.present:
            given.notice("retention_missing", Field.RETENTION)
        return
    retention = parse_retention(code.retention_code)
    said["retention"] = retention
    if retention.kind is RetentionKind.UNKNOWN:
        given.notice("retention_unreadable", Field.RETENTION)


def _say_date(given: Given, said: Statement, columns: Columns) -> None:
    span = _date(given, columns)
    if span is None:
        return
    said["date_raw"], said["date_edtf"] = span.raw, span.edtf
    said["date_earliest"], said["date_latest"] = span.earliest, span.latest
    if span.findings:
        given.notice_all(span.findings, Field.DATE)
    filing_year = said.get("filing_year")
    if filing_year is not None and contradicts_year(span, filing_year):
        given.notice("date_contradicts_year", Field.DATE)


def _date(given: Given, columns: Columns) -> DateSpan | None:
    """Read the date; where there is none, or one in foreign words, the ends of the range in columns of their own."""
    text, first, last = given.values.date, given.values.date_from, given.values.date_to
    ends = f"{first}至{last}" if first and last and first != last else first or last
    if not text and not ends:
        if not columns.present.isdisjoint(_DATES):
            given.notice("date_missing", Field.DATE)
        return None
    span = parse_date(text or ends)
    if ends and text and span.earliest is None:
        by_ends = parse_date(ends)
        span = msgspec.structs.replace(by_ends, raw=text) if by_ends.earliest is not None else span
    return span
