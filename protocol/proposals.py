"""Proposals of change: what the county would write otherwise in a record, sent to the owner, who decides (promise 1).

They travel as letters. ``change_proposed`` and ``proposal_withdrawn`` go to the site, ``proposal_decided`` and
``correction_dropped`` come back; the topic of all four is the id of the proposal. A value is said as a catalogue's
cell would say it, and the owner's node reads it as it reads cells.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

import msgspec

from protocol.dates import parse_date
from protocol.errors import BadValue
from protocol.limits import PROPOSED_VALUE_CHARS_MAX
from protocol.records import Record
from protocol.retention import RetentionKind, parse_retention
from protocol.wording import Text

CHANGE_PROPOSED: Final = "change_proposed"
PROPOSAL_WITHDRAWN: Final = "proposal_withdrawn"
PROPOSAL_DECIDED: Final = "proposal_decided"
CORRECTION_DROPPED: Final = "correction_dropped"
"""The kinds of letters."""


class ProposedField(StrEnum):
    """Fields for which another value can be proposed.

    What a record is found by (its code, level and volume) is not among them, nor what its holder alone decides
    (secrecy, access).
    """

    TITLE = "title"
    RESPONSIBLE = "responsible_parties"
    DATE = "date"
    DOC_NO = "doc_no"
    RETENTION = "retention"
    PAGE_COUNT = "page_count"
    SCOPE = "scope"
    NOTE = "note"


FIELD_WORDS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        ProposedField.TITLE: Text(zh="题名", en="title"),
        ProposedField.RESPONSIBLE: Text(zh="责任者", en="responsible parties"),
        ProposedField.DATE: Text(zh="日期", en="date"),
        ProposedField.DOC_NO: Text(zh="文号", en="document number"),
        ProposedField.RETENTION: Text(zh="保管期限", en="retention"),
        ProposedField.PAGE_COUNT: Text(zh="页数", en="pages"),
        ProposedField.SCOPE: Text(zh="提要", en="scope and content"),
        ProposedField.NOTE: Text(zh="附注", en="note"),
    }
)


class Decision(StrEnum):
    """What became of a proposal at its owner."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    VOID = "void"
    """The record is no longer published, or cannot be written so: nobody decided."""


class Dropped(StrEnum):
    """Why a value that was taken over does not stand beside the sheet any more."""

    SHEET_AGREES = "sheet_agrees"
    SHEET_CHANGED = "sheet_changed"


class ProposedValue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another value for one field."""

    field: str
    """A ``ProposedField``; a site that does not know it leaves the decision to a later version."""
    old: str = ""
    """What the county's copy said when it was proposed."""
    new: str = ""
    """Empty proposes to say nothing."""


class ChangeProposed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of ``change_proposed``."""

    record_id: UUID
    seq: int = 0
    """Position of the record's last event in the county's copy, for display."""
    values: tuple[ProposedValue, ...]
    reason: str
    proposed_by: str
    """Who proposes, as people of the county know them."""
    proposed_at_ms: int = 0


class ProposalWithdrawn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of ``proposal_withdrawn``: it need not be decided any more; what was decided stands."""

    withdrawn_by: str = ""


class ProposalDecided(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of ``proposal_decided``."""

    decision: str
    """A ``Decision``."""
    reason_zh: str = ""
    reason_en: str = ""
    """Why, for a person; a keeper writes one text, which stands in both."""
    decided_by: str = ""
    decided_at_ms: int = 0


class CorrectionDropped(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of ``correction_dropped``: the owner's sheet now speaks for this field itself."""

    field: str
    because: str
    """A ``Dropped``."""


def said_of(record: Record, field: ProposedField) -> str:
    """Return what a record says in a field, as a cell would say it."""
    return _SAID[field](record)


_SAID: Final[Mapping[ProposedField, Callable[[Record], str]]] = {
    ProposedField.TITLE: lambda one: f"[{one.title}]" if one.title_is_supplied else one.title,
    ProposedField.RESPONSIBLE: lambda one: "；".join(one.responsible_parties),
    ProposedField.DATE: lambda one: one.date_raw or one.date_edtf,
    ProposedField.DOC_NO: lambda one: one.doc_no_as_given or one.doc_no,
    ProposedField.RETENTION: lambda one: one.retention_as_given or (one.retention.text if one.retention else ""),
    ProposedField.PAGE_COUNT: lambda one: "" if one.page_count is None else str(one.page_count),
    ProposedField.SCOPE: lambda one: one.scope,
    ProposedField.NOTE: lambda one: one.note,
}


def check_value(field: ProposedField, text: str) -> None:
    """Check that a value can stand in a field.

    Raises:
        BadValue: it is too long, missing where one is needed, or cannot be understood.

    """
    name = FIELD_WORDS[field]
    if len(text) > PROPOSED_VALUE_CHARS_MAX:
        raise BadValue(
            Text(
                zh=f"“{name.zh}”超过 {PROPOSED_VALUE_CHARS_MAX} 字。",
                en=f"the {name.en} has more than {PROPOSED_VALUE_CHARS_MAX} characters",
            ),
            Text(zh="请缩短。", en="Shorten it."),
        )
    if not text:
        if field is ProposedField.TITLE:
            raise BadValue(
                Text(zh="题名不能为空。", en="a title is needed"),
                Text(zh="请写出题名；自拟的加方括号。", en="Write one; one that you supply goes in square brackets."),
            )
        return
    if not _IS_READABLE[field](text):
        raise BadValue(
            Text(zh=f"“{name.zh}”无法识别。", en=f"the {name.en} cannot be understood"),
            Text(
                zh="日期如 1986-03-05，期限如 永久、30年，页数为数字。",
                en="Dates like 1986-03-05, periods like 永久 or 30年, pages as a number.",
            ),
        )


_IS_READABLE: Final[Mapping[ProposedField, Callable[[str], bool]]] = {
    ProposedField.TITLE: lambda _: True,
    ProposedField.RESPONSIBLE: lambda _: True,
    ProposedField.DATE: lambda text: parse_date(text).earliest is not None,
    ProposedField.DOC_NO: lambda _: True,
    ProposedField.RETENTION: lambda text: parse_retention(text).kind is not RetentionKind.UNKNOWN,
    ProposedField.PAGE_COUNT: lambda text: text.isascii() and text.isdecimal() and len(text) <= PAGE_DIGITS_MAX,
    ProposedField.SCOPE: lambda _: True,
    ProposedField.NOTE: lambda _: True,
}

PAGE_DIGITS_MAX: Final = 6
"""Digits of a number of pages."""
