"""The values of one row by field: labels and invisible characters removed, identity numbers masked, faults noticed.

An ordinary row passes one regular expression and is taken as it is; only a row with something odd in it is looked at
cell by cell.
"""

import re
from typing import Final

from node.catalogues.cells import SEPARATOR
from node.catalogues.columns import Columns
from node.catalogues.fields import Field, meaning_of
from node.catalogues.rows import DITTO_MARKS
from protocol.findings import Finding, Severity, finding
from protocol.identity_numbers import is_identity_number, mask_identity_numbers
from protocol.limits import FIELD_CHARS_MAX, TITLE_CHARS_MAX

SHOWN_CHARS: Final = 40
"""Characters of an overlong value that its finding shows."""

_CONTROLS: Final = "\x00-\x08\x0b\x0c\x0e-\x1e\x7f-\x84\x86-\x9f"
_CONTROL: Final = re.compile(f"[{_CONTROLS}]")
_ODD: Final = re.compile(
    f"[{_CONTROLS}:：#\ue000-\uf8ff\ufffd\U000f0000-\U0010ffff]|_x00|锟斤拷|同[上前]|[〃仝″“”\"〞＂々]|''|[0-9０-９]{{14}}"
)
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
_NEEDED: Final = frozenset((Field.TITLE, Field.VOLUME_TITLE, Field.REF_CODE))


class Given:
    """What one row gives; lives while the row is described."""

    __slots__ = ("changed", "findings", "identities", "persons", "values")

    def __init__(self, cells: tuple[str, ...], columns: Columns) -> None:
        values: dict[Field, str] = {}
        self.persons: list[str] = []
        self.identities: list[str] = []
        self.findings: list[Finding] = []
        self.changed: list[int] = []
        """Columns whose text does not stand in the record as it stands in the sheet."""
        for field, index in columns.fields:
            text = cells[index].strip()
            if not text:
                continue
            if field is Field.PERSON:
                self.persons.append(text)
            elif field is Field.IDENTITY:
                self.identities.append(text)
            else:
                values[field] = text
        self.values = values
        joined = SEPARATOR.join(values.values())
        if _ODD.search(joined):
            self._clean(columns)
        if len(joined) > FIELD_CHARS_MAX:
            self._check_lengths()
        if self.persons:
            self.persons = [name for name in self.persons if name not in DITTO_MARKS]

    def get(self, field: Field) -> str:
        """The value of a field, empty if the row gives none."""
        return self.values.get(field, "")

    def notice(self, code: str, field: Field, severity: Severity | None = None) -> None:
        """Remember what was noticed in a field."""
        self.findings.append(finding(code, field=field.value, value=self.values.get(field, ""), severity=severity))

    def _clean(self, columns: Columns) -> None:
        for field, given in list(self.values.items()):
            text = _ESCAPED.sub(_unescaped, given) if "_x" in given else given
            if _CONTROL.search(text):
                text = _CONTROL.sub("", text)
                self.notice("control_characters", field)
            if text in _FORMULA_ERRORS:
                text = ""
                self.notice("cell_formula_error", field)
            elif text in DITTO_MARKS:
                text = ""
                self.notice("ditto_without_previous", field, None if field in _NEEDED else Severity.WARNING)
            elif ":" in text or "：" in text:
                text = _without_label(field, text)
            text = self._masked(field, text)
            if _GARBLED.search(text):
                self.notice("text_garbled", field)
            if _PRIVATE.search(text):
                self.notice("private_use_characters", field)
            if text == given:
                continue
            self.values[field] = text
            self.changed.append(next(index for mapped, index in columns.fields if mapped is field))

    def _masked(self, field: Field, text: str) -> str:
        """Mask identity numbers; a code is masked only if it is one from end to end, because its digits look alike."""
        if field in _CODES and not is_identity_number(text):
            return text
        masked, count = mask_identity_numbers(text)
        if count:
            self.values[field] = masked
            self.notice("id_number_masked", field)
        elif _LONG_NUMBER.fullmatch(text):
            self.notice("number_precision_lost", field)
        return masked

    def _check_lengths(self) -> None:
        for field, text in self.values.items():
            limit = TITLE_CHARS_MAX if field in _TITLES else FIELD_CHARS_MAX
            if len(text) > limit:
                shown = f"{text[:SHOWN_CHARS]}…({len(text)})"
                self.findings.append(finding("value_too_long", field=field.value, value=shown))


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
