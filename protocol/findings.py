"""What was noticed while reading a catalogue: one registry of codes, with the words and the remedy of each.

The reject file, the status page and the documents take their words from here, so they say the same thing.
A reader of one value (``parse_date``, ``parse_code`` ...) returns codes; the catalogue reader turns a code into a
``Finding`` when it knows the field and the row.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from protocol.errors import BadValue
from protocol.file_findings import FILE_FINDINGS
from protocol.row_findings import ROW_FINDINGS
from protocol.value_findings import VALUE_FINDINGS
from protocol.wording import Text


class Severity(StrEnum):
    """What a finding does to its row or file."""

    WARNING = "warning"
    """The row is taken; somebody should look at it."""
    REJECT = "reject"
    """The row (or the file) is set aside with its reason."""


class FindingRule(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the registry: what is wrong (``reason``) and what the site's keeper can do (``remedy``)."""

    code: str
    severity: Severity
    reason: Text
    remedy: Text


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing noticed in one field; ``value`` is what stood there, may hold personal data and stays at the site."""

    code: str
    field: str
    value: str
    severity: Severity
    text: Text

    @property
    def remedy(self) -> Text:
        """What the site's keeper can do about it."""
        return rule(self.code).remedy


def _registry(rows: Iterable[tuple[str, str, str, str, str, str]]) -> Iterator[tuple[str, FindingRule]]:
    for code, severity, reason_zh, reason_en, remedy_zh, remedy_en in rows:
        yield (
            code,
            FindingRule(
                code=code,
                severity=Severity(severity),
                reason=Text(zh=reason_zh, en=reason_en),
                remedy=Text(zh=remedy_zh, en=remedy_en),
            ),
        )


RULES: Final[Mapping[str, FindingRule]] = MappingProxyType(
    dict(_registry((*ROW_FINDINGS, *VALUE_FINDINGS, *FILE_FINDINGS)))
)
"""Every finding code with its rule, rows first, in the order in which the documents list them."""

UNLISTED: Final = FindingRule(
    code="unlisted",
    severity=Severity.WARNING,
    reason=Text(zh="对方版本较新，此项说明本机不认识。", en="A newer partner noticed something unknown here."),
    remedy=Text(zh="升级本机程序后再看。", en="Upgrade this program, then look again."),
)


def rule(code: str) -> FindingRule:
    """Return the rule of ``code``; a code that a newer partner sent reads as ``UNLISTED``."""
    return RULES.get(code, UNLISTED)


def finding(code: str, *, field: str, value: str, severity: Severity | None = None) -> Finding:
    """Return the finding ``code`` for a field of a row; ``severity`` overrides the registry's.

    Raises KeyError for a code that the registry does not have: a finding without words helps nobody.
    """
    known = RULES[code]
    return Finding(code=code, field=field, value=value, severity=severity or known.severity, text=known.reason)


class RejectedValue(BadValue):
    """A value that no row can carry; ``finding`` is its code in the registry, the caller rejects the row with it."""

    def __init__(self, code: str) -> None:
        known = RULES[code]
        super().__init__(known.reason, known.remedy)
        self.finding = code
