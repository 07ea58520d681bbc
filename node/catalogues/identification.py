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
    values = given.values
    title, is_supplied, level = _title(given, columns, context)
    if values.level:
        level, noticed = parse_level(values.level)
        given.notice_all(noticed, Field.LEVEL)
    return {
        "level": level,
        "title": title,
        "title_is_supplied": is_supplied,
        "ref_code": code.folded,
        "ref_code_as_given": code.as_given,
        "code_profile": code.profile,
        "aliases": _aliases(given),
        "fonds_no": code.fonds_no or values.fonds_no or context.fonds_no,
        "category_code": code.category_code or values.category_code,
        "sub_codes": code.sub_codes,
        "filing_year": _year(values.filing_year) or code.filing_year,
        "org_or_subject": code.org_or_subject or values.org_or_subject,
        "catalogue_no": code.catalogue_no or values.catalogue_no,
        "project_no": code.project_no or values.project_no,
        "volume_no": code.volume_no or values.volume_no,
        "item_no": code.item_no or values.item_no,
        "page_no": code.page_no or values.page_no or parse_page_count(values.page_count).page_no,
    }


def read_code(given: Given, columns: Columns, context: DescriptionContext) -> ReferenceCode:
    """Return the row's code taken apart; one that cannot stand is noticed, and has its row rejected."""
    text = given.values.ref_code
    if not text:
        if Field.REF_CODE in columns.present:
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
        if noticed != "fonds_missing_in_code" or not (context.fonds_no or given.values.fonds_no):
            given.notice(noticed, Field.REF_CODE)
    return code


def _composed(given: Given) -> ReferenceCode:
    """Put a code of DA/T 13-94 together where a list has its parts in columns; nothing was given as a whole."""
    fonds, catalogue, volume = given.values.fonds_no, given.values.catalogue_no, given.values.volume_no
    if not (fonds and catalogue and volume):
        return _NO_CODE
    parts = (fonds, catalogue, volume, given.values.item_no)
    return ReferenceCode(folded=fold_code("-".join(filter(None, parts))), as_given="", dialect=Dialect.DAT13_1994)


def _title(given: Given, columns: Columns, context: DescriptionContext) -> tuple[str, bool, Level]:
    """Return the title, whether it was supplied by the archivist, and the level that it is the title of."""
    text, field, level = given.values.title, Field.TITLE, columns.level
    if not text and given.values.volume_title:
        text, field, level = given.values.volume_title, Field.VOLUME_TITLE, Level.VOLUME
    if not text:
        return _stand_in(given, columns, context), True, level
    title = text if text.isprintable() else _WRAPPED.sub(" ", _WRAPPED_HAN.sub("", text))
    supplied = _SUPPLIED.fullmatch(title) if title[0] in "[［" else None
    if supplied is not None:
        title = supplied[1]
    if title is not text:
        given.keep(field)
    return title, supplied is not None, level


def _stand_in(given: Given, columns: Columns, context: DescriptionContext) -> str:
    """Supply a title where a whole list has none: the document number, or the kind of records; never a name."""
    if columns.present.isdisjoint((Field.TITLE, Field.VOLUME_TITLE)):
        doc_no, _ = fold_doc_no(given.values.doc_no)
        if doc_no:
            return doc_no
        kind = kind_of_cell(given.values.livelihood_kind) or context.livelihood_kind
        if kind in LIVELIHOOD_KINDS:
            return LIVELIHOOD_KINDS[kind].zh
    given.notice("title_missing", Field.TITLE)
    return ""


def _aliases(given: Given) -> tuple[Alias, ...]:
    values = given.values
    if not (values.archive_code or values.office_code or values.old_code):
        return ()
    codes = (("archive", values.archive_code), ("office", values.office_code), ("former", values.old_code))
    return tuple(Alias(code=code, scheme=scheme) for scheme, code in codes if code)


@functools.lru_cache(maxsize=YEAR_CACHE_ENTRIES)
def _year(text: str) -> int | None:
    found = _YEAR.search(text)
    return int(found[0]) if found else None
