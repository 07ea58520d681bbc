"""What a row is: its code taken apart, its level, its title."""

import functools
import re
from typing import Final, TypedDict

from node.catalogues.columns import Columns
from node.catalogues.context import DescriptionContext
from node.catalogues.fields import Field
from node.catalogues.given import Given
from node.catalogues.livelihood import kind_of_cell
from node.catalogues.pages import parse_page_count
from protocol.document_numbers import fold_doc_no
from protocol.findings import RejectedValue, Severity
from protocol.records import Alias
from protocol.reference_codes import Dialect, ReferenceCode, fold_code, parse_code
from protocol.vocabularies import LIVELIHOOD_KINDS, Level, parse_level

YEAR_CACHE_ENTRIES: Final = 1_024
"""Entries kept of years already read."""

_NO_CODE: Final = ReferenceCode(folded="", as_given="", dialect=Dialect.UNKNOWN)
_WRAPPED_HAN: Final = re.compile("(?<=[\u2e80-\uffef])[^\\S ]*[\r\n\u2028\u2029]\\s*(?=[\u2e80-\uffef])")
_WRAPPED: Final = re.compile("\\s*[\r\n\t\x0b\x0c\x85\u2028\u2029]\\s*")
_SUPPLIED: Final = re.compile(r"[\[［]\s*([^\[\]［］]+?)\s*[\]］]")
_YEAR: Final = re.compile(r"(?<![0-9])(?:1[5-9]|20)[0-9]{2}(?![0-9])")
_OTHER_CODES: Final = (
    (Field.ARCHIVE_CODE, "archive"),
    (Field.OFFICE_CODE, "office"),
    (Field.OLD_CODE, "former"),
)


class Identification(TypedDict):
    """The fields of a record that say which one it is."""

    level: Level
    title: str
    title_is_supplied: bool
    ref_code: str
    ref_code_as_given: str
    code_profile: str
    aliases: tuple[Alias, ...]
    fonds_no: str
    category_code: str
    sub_codes: tuple[str, ...]
    filing_year: int | None
    org_or_subject: str
    catalogue_no: str
    project_no: str
    volume_no: str
    item_no: str
    page_no: str


def identify(given: Given, code: ReferenceCode, columns: Columns, context: DescriptionContext) -> Identification:
    """Return what the row says that it is; parts of the code win over columns of the same name."""
    get = given.get
    title, is_supplied, level = _title(given, columns)
    if get(Field.LEVEL):
        level, noticed = parse_level(get(Field.LEVEL))
        given.notice_all(noticed, Field.LEVEL)
    return {
        "level": level,
        "title": title,
        "title_is_supplied": is_supplied,
        "ref_code": code.folded,
        "ref_code_as_given": code.as_given,
        "code_profile": code.profile,
        "aliases": _aliases(given),
        "fonds_no": code.fonds_no or get(Field.FONDS_NO) or context.fonds_no,
        "category_code": code.category_code or get(Field.CATEGORY_CODE),
        "sub_codes": code.sub_codes,
        "filing_year": _year(get(Field.FILING_YEAR)) or code.filing_year,
        "org_or_subject": code.org_or_subject or get(Field.ORG_OR_SUBJECT),
        "catalogue_no": code.catalogue_no or get(Field.CATALOGUE_NO),
        "project_no": code.project_no or get(Field.PROJECT_NO),
        "volume_no": code.volume_no or get(Field.VOLUME_NO),
        "item_no": code.item_no or get(Field.ITEM_NO),
        "page_no": code.page_no or get(Field.PAGE_NO) or parse_page_count(get(Field.PAGE_COUNT)).page_no,
    }


def read_code(given: Given, columns: Columns, context: DescriptionContext) -> ReferenceCode:
    """Return the row's code taken apart; one that cannot stand is noticed, and has its row rejected."""
    text = given.get(Field.REF_CODE)
    if not text:
        if columns.has(Field.REF_CODE):
            given.notice("ref_code_missing", Field.REF_CODE, Severity.WARNING)
        return _composed(given)
    if columns.codes_may_be_serials and text.isdigit():
        return ReferenceCode(folded=text, as_given=text, dialect=Dialect.UNKNOWN)
    try:
        code = parse_code(given.verbatim(Field.REF_CODE), context.profiles)
    except RejectedValue as error:
        is_absent = error.finding == "ref_code_missing"
        given.notice(error.finding, Field.REF_CODE, Severity.WARNING if is_absent else None)
        return _NO_CODE
    for noticed in code.findings:
        if noticed != "fonds_missing_in_code" or not (context.fonds_no or given.get(Field.FONDS_NO)):
            given.notice(noticed, Field.REF_CODE)
    return code


def _composed(given: Given) -> ReferenceCode:
    """Put a code of DA/T 13-94 together where a list has its parts in columns; nothing was given as a whole."""
    fonds, catalogue, volume = given.get(Field.FONDS_NO), given.get(Field.CATALOGUE_NO), given.get(Field.VOLUME_NO)
    if not (fonds and catalogue and volume):
        return _NO_CODE
    parts = (fonds, catalogue, volume, given.get(Field.ITEM_NO))
    return ReferenceCode(folded=fold_code("-".join(filter(None, parts))), as_given="", dialect=Dialect.DAT13_1994)


def _title(given: Given, columns: Columns) -> tuple[str, bool, Level]:
    text, field, level = given.get(Field.TITLE), Field.TITLE, columns.level
    if not text and (text := given.get(Field.VOLUME_TITLE)):
        field, level = Field.VOLUME_TITLE, Level.VOLUME
    if not text:
        return _stand_in(given, columns), True, level
    title = text
    if not text.isprintable():
        title = _WRAPPED.sub(" ", _WRAPPED_HAN.sub("", text))
    supplied = _SUPPLIED.fullmatch(title) if title[0] in "[［" else None
    if supplied is not None:
        title = supplied[1]
    if title is not text or field is Field.VOLUME_TITLE:
        given.keep(field)
    return title, supplied is not None, level


def _stand_in(given: Given, columns: Columns) -> str:
    """Supply a title where a whole list has none: the document number, or the kind of records; never a name."""
    if not columns.has(Field.TITLE) and not columns.has(Field.VOLUME_TITLE):
        doc_no, _ = fold_doc_no(given.get(Field.DOC_NO))
        if doc_no:
            return doc_no
        kind = kind_of_cell(given.get(Field.LIVELIHOOD_KIND)) or given.default_kind
        if kind in LIVELIHOOD_KINDS:
            return LIVELIHOOD_KINDS[kind].zh
    given.notice("title_missing", Field.TITLE)
    return ""
