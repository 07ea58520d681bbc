"""The text of one cell, cleaned: labels and invisible characters removed, identity numbers masked, faults noticed.

An ordinary cell passes a few quick tests (`is_plain`) and is taken as it is; only one with something odd in it is
looked at closely.
"""

import re
from typing import Final

import msgspec

from node.catalogues.fields import Field, meaning_of
from node.catalogues.rows import DITTO_MARKS
from protocol.findings import Finding, Severity, finding
from protocol.identity_numbers import is_identity_number, mask_identity_numbers
from protocol.limits import FIELD_CHARS_MAX, TITLE_CHARS_MAX

SHOWN_CHARS: Final = 40
"""Characters of an overlong value that its finding shows."""

_CONTROLS: Final = "\x00-\x08\x0b\x0c\x0e-\x1e\x7f-\x84\x86-\x9f"
_CONTROL: Final = re.compile(f"[{_CONTROLS}]")
# One class of characters and three short patterns: together four times faster than one pattern with alternatives.
_ODD: Final = re.compile(f"[{_CONTROLS}:：#\ue000-\uf8ff\ufffd〃仝″“”\x22〞＂々０-９]")
_LONG_DIGITS: Final = re.compile("[0-9]{14}")
_APART_DIGITS: Final = re.compile("[ \u3000\uff0d-][0-9]{8}")
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


class CleanCell(msgspec.Struct, frozen=True):
    """The text of a cell as it is read, and what was noticed on the way."""

    text: str
    findings: tuple[Finding, ...] = ()


def is_plain(text: str) -> bool:
    """Tell quickly that nothing in a cell, or in several joined ones, needs cleaning."""
    return not (
        len(text) > FIELD_CHARS_MAX
        or _ODD.search(text)
        or _LONG_DIGITS.search(text)
        or _APART_DIGITS.search(text)
        or "同上" in text
        or "同前" in text
        or "锟斤拷" in text
        or "_x00" in text
        or "''" in text
    )


def cleaned(field: Field, cell: str) -> CleanCell:
    """Return what a cell says as the value of a field."""
    given = cell.strip()
    if not given or is_plain(given):
        return CleanCell(given)
    noticed: list[Finding] = []
    text = _cleaned(field, given, noticed)
    if len(text) > (TITLE_CHARS_MAX if field in _TITLES else FIELD_CHARS_MAX):
        shown = f"{text[:SHOWN_CHARS]}…({len(text)})"
        noticed.append(finding("value_too_long", field=field.value, value=shown))
    return CleanCell(text, tuple(noticed))


def _cleaned(field: Field, given: str, noticed: list[Finding]) -> str:
    def notice(code: str, severity: Severity | None = None) -> None:
        noticed.append(finding(code, field=field.value, value=given, severity=severity))

    text = _ESCAPED.sub(_unescaped, given) if "_x" in given else given
    if _CONTROL.search(text):
        text = _CONTROL.sub("", text)
        notice("control_characters")
    if text in _FORMULA_ERRORS:
        notice("cell_formula_error")
        return ""
    if text in DITTO_MARKS:
        notice("ditto_without_previous", None if field in _NEEDED else Severity.WARNING)
        return ""
    if ":" in text or "：" in text:
        text = _without_label(field, text)
    if _GARBLED.search(text):
        notice("text_garbled")
    if _PRIVATE.search(text):
        notice("private_use_characters")
    return _masked(field, given, text, noticed)


def _masked(field: Field, given: str, text: str, noticed: list[Finding]) -> str:
    """Mask identity numbers; a code is masked only if it is one from end to end, because its digits look alike."""
    if field in _CODES and not is_identity_number(text):
        return text
    masked, count = mask_identity_numbers(text)
    if count:
        noticed.append(finding("id_number_masked", field=field.value, value=masked))
    elif _LONG_NUMBER.fullmatch(text):
        noticed.append(finding("number_precision_lost", field=field.value, value=given))
    return masked


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
