"""The values of one row by field: labels and invisible characters removed, identity numbers masked, faults noticed.

An ordinary row passes a few quick tests and is taken as it is; only a row with something odd in it is looked at cell by
cell.
"""

import functools
import operator
import re
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from node.catalogues.cells import SEPARATOR
from node.catalogues.columns import Columns
from node.catalogues.fields import Field, meaning_of
from node.catalogues.rows import DITTO_MARKS
from protocol.findings import Finding, Severity, finding
from protocol.identity_numbers import is_identity_number, mask_identity_numbers
from protocol.limits import FIELD_CHARS_MAX, TITLE_CHARS_MAX

SHOWN_CHARS: Final = 40
"""Characters of an overlong value that its finding shows."""

PLANS_KEPT: Final = 64
"""Mappings whose plan is kept: the sheets of the file being read, and of a few before."""

_CONTROLS: Final = "\x00-\x08\x0b\x0c\x0e-\x1e\x7f-\x84\x86-\x9f"
_CONTROL: Final = re.compile(f"[{_CONTROLS}]")
# One class of characters and three short patterns: together four times faster than one pattern with alternatives.
_ODD: Final = re.compile(f"[{_CONTROLS}:：#\ue000-\uf8ff\ufffd〃仝″“”\x22〞＂々０-９]")
_ODD_WORDS: Final = ("同上", "同前", "_x00", "锟斤拷", "''")
_LONG_DIGITS: Final = re.compile("[0-9]{14}")
_APART_DIGITS: Final = re.compile("[ -][0-9]{8}")
_LABELLED: Final = re.compile(r"\s*([^\s:：]{2,12}(?:\s[^\s:：]{1,4})?)\s*[:：]\s*(.*)", re.DOTALL)
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_PRIVATE: Final = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
_GARBLED: Final = re.compile("\ufffd|锟斤拷")
_FORMULA_ERRORS: Final = frozenset(
    ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)
_LONG_NUMBER: Final = re.compile(r"[1-9][0-9]{14}0+")
_DATES: Final = frozenset((Field.DATE, Field.DATE_FROM, Field.DATE_TO))
_CODES: Final = frozenset((Field.REF_CODE, Field.ARCHIVE_CODE, Field.OFFICE_CODE, Field.OLD_CODE))
_TITLES: Final = frozenset((Field.TITLE, Field.VOLUME_TITLE))
_NEEDED: Final = frozenset((*_TITLES, Field.REF_CODE))


class Values(NamedTuple):
    """One text for each field of `Field` that one column holds; empty if the row gives none."""

    ref_code: str
    archive_code: str
    office_code: str
    old_code: str
    fonds_no: str
    category_code: str
    catalogue_no: str
    project_no: str
    volume_no: str
    item_no: str
    page_no: str
    page_count: str
    filing_year: str
    retention: str
    org_or_subject: str
    title: str
    volume_title: str
    responsible_parties: str
    doc_no: str
    date: str
    date_from: str
    date_to: str
    secrecy: str
    access_status: str
    access_reason: str
    reviewed_on: str
    review_by: str
    disclosure: str
    extent: str
    carrier: str
    form: str
    scope: str
    note: str
    livelihood_kind: str
    level: str


class _Plan(msgspec.Struct, frozen=True):
    """Where the values of a mapping's rows stand."""

    pick: Callable[[list[str]], tuple[str, ...]]
    """Takes the values, in the order of `Values`, out of a row to which an empty cell was added."""
    persons: tuple[int, ...]
    identities: tuple[int, ...]


@functools.lru_cache(maxsize=PLANS_KEPT)
def _plan(columns: Columns) -> _Plan:
    places = {field.value: index for field, index in reversed(columns.fields)}
    return _Plan(
        pick=operator.itemgetter(*(places.get(name, -1) for name in Values._fields)),
        persons=tuple(index for field, index in columns.fields if field is Field.PERSON),
        identities=tuple(index for field, index in columns.fields if field is Field.IDENTITY),
    )


class Given:
    """What one row gives and what is noticed about it; lives while the row is described."""

    __slots__ = ("_cells", "_columns", "_kept", "findings", "identities", "persons", "values")

    def __init__(self, cells: tuple[str, ...], columns: Columns) -> None:
        plan = _plan(columns)
        texts = [cell.strip() for cell in cells]
        texts.append("")
        picked = plan.pick(texts)
        self._cells = cells
        self._columns = columns
        self._kept: list[int] = []
        self.values = Values._make(picked)
        self.persons = [texts[index] for index in plan.persons if texts[index]] if plan.persons else []
        self.identities = [texts[index] for index in plan.identities if texts[index]] if plan.identities else []
        self.findings: list[Finding] = []
        joined = SEPARATOR.join(picked)
        if (
            _ODD.search(joined)
            or _LONG_DIGITS.search(joined)
            or _APART_DIGITS.search(joined)
            or any(word in joined for word in _ODD_WORDS)
        ):
            self._clean()
        if len(joined) > FIELD_CHARS_MAX:
            self._check_lengths()

    def verbatim(self, field: Field) -> str:
        """The value of a field with the blanks around it, unless something had to be removed from it."""
        text = self._text(field)
        column = self._columns.column(field)
        cell = text if column is None else self._cells[column]
        return cell if cell.strip() == text else text

    def notice(self, code: str, field: Field, severity: Severity | None = None) -> None:
        """Remember what was noticed in a field."""
        self.findings.append(finding(code, field=field.value, value=self._text(field), severity=severity))

    def notice_all(self, codes: tuple[str, ...], field: Field) -> None:
        """Remember everything that the reader of a value noticed."""
        for code in codes:
            self.notice(code, field)

    def keep(self, field: Field) -> None:
        """Keep the cell of a field beside the record, because the record does not hold it word for word."""
        column = self._columns.column(field)
        if column is not None and column < len(self._columns.headers):
            self._kept.append(column)

    def raw(self) -> tuple[tuple[str, str], ...]:
        """Header and text of the cells that the record does not hold word for word, identity numbers masked."""
        cells, columns = self._cells, self._columns
        kept = [(header, cells[column]) for header, column in columns.kept if cells[column]]
        if self._kept:
            kept += [(columns.headers[column], cells[column]) for column in dict.fromkeys(self._kept)]
        if len(cells) > columns.width:
            kept += [("", cell) for cell in cells[columns.width :] if cell]
        return tuple([(header, mask_identity_numbers(text)[0]) for header, text in kept])

    def _text(self, field: Field) -> str:
        text: str = getattr(self.values, field.value, "")
        return text

    def _clean(self) -> None:
        for name, given in zip(Values._fields, self.values, strict=True):
            if not given:
                continue
            field = Field(name)
            text = self._cleaned(field, given)
            if text != given:
                self.values = self.values._replace(**{name: text})
                self.keep(field)

    def _cleaned(self, field: Field, given: str) -> str:
        text = _ESCAPED.sub(_unescaped, given) if "_x" in given else given
        if _CONTROL.search(text):
            text = _CONTROL.sub("", text)
            self.notice("control_characters", field)
        if text in _FORMULA_ERRORS:
            self.notice("cell_formula_error", field)
            return ""
        if text in DITTO_MARKS:
            self.notice("ditto_without_previous", field, None if field in _NEEDED else Severity.WARNING)
            return ""
        if ":" in text or "：" in text:
            text = _without_label(field, text)
        if _GARBLED.search(text):
            self.notice("text_garbled", field)
        if _PRIVATE.search(text):
            self.notice("private_use_characters", field)
        return self._masked(field, text)

    def _masked(self, field: Field, text: str) -> str:
        """Mask identity numbers; a code is masked only if it is one from end to end, because its digits look alike."""
        if field in _CODES and not is_identity_number(text):
            return text
        masked, count = mask_identity_numbers(text)
        if count:
            self.findings.append(finding("id_number_masked", field=field.value, value=masked))
        elif _LONG_NUMBER.fullmatch(text):
            self.notice("number_precision_lost", field)
        return masked

    def _check_lengths(self) -> None:
        for name, text in zip(Values._fields, self.values, strict=True):
            field = Field(name)
            if len(text) > (TITLE_CHARS_MAX if field in _TITLES else FIELD_CHARS_MAX):
                shown = f"{text[:SHOWN_CHARS]}…({len(text)})"
                self.findings.append(finding("value_too_long", field=name, value=shown))


def _without_label(field: Field, text: str) -> str:
    """Remove a label that only repeats the column's name: ``成文日期 ：2023年6月14日`` under a date's header."""
    match = _LABELLED.fullmatch(text)
    meaning = meaning_of(match[1]) if match is not None else None
    if match is None or meaning is None:
        return text
    is_same = meaning.field is field or {meaning.field, field} <= _DATES or {meaning.field, field} <= _TITLES
    return match[2].strip() if is_same else text


def _unescaped(match: re.Match[str]) -> str:
    """Workbooks write characters that XML forbids as _x000D_."""
    return chr(int(match[1], 16))
