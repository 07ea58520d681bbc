"""The mediation case 调解案件 that requests belong to: what its file must hold, and how long it is kept.

The file belongs to the mediating body; the window links requests to it and keeps its list. No name of a party is kept
here: a case is its number, its kind, its place and its outcome, so that disputes can be counted without naming anybody.
"""

import datetime
from collections.abc import Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from hub.window.applicants import NAME_CHARS_MAX, said
from hub.window.requests import CASE_CHARS_MAX, TEXT_CHARS_MAX
from protocol.errors import BadValue
from protocol.retention import Retention, RetentionKind
from protocol.wording import Count, Text

PARTIES_MAX: Final = 500
"""Parties of one case: a whole village group."""

PAGES_MAX: Final = 10_000
"""Pages of one document of a file."""


class Source(StrEnum):
    """How a case came to the mediating body 案件来源."""

    APPLIED = "applied"
    TAKEN_UP = "taken_up"
    TRANSFERRED = "transferred"
    ENTRUSTED = "entrusted"
    ASSIGNED = "assigned"


SOURCES: Final = {
    Source.APPLIED: Text(zh="当事人申请", en="on application"),
    Source.TAKEN_UP: Text(zh="主动调解", en="taken up"),
    Source.TRANSFERRED: Text(zh="移交", en="transferred"),
    Source.ENTRUSTED: Text(zh="委托", en="entrusted"),
    Source.ASSIGNED: Text(zh="指定", en="assigned"),
}


class Result(StrEnum):
    """What came of the mediation 调解结果."""

    PENDING = "pending"
    AGREED = "agreed"
    AGREED_ORALLY = "agreed_orally"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    REFERRED = "referred"
    """To a court, an arbitration, another body."""


RESULTS: Final = {
    Result.PENDING: Text(zh="调解中", en="pending"),
    Result.AGREED: Text(zh="达成书面协议", en="agreed in writing"),
    Result.AGREED_ORALLY: Text(zh="达成口头协议", en="agreed orally"),
    Result.FAILED: Text(zh="调解不成", en="failed"),
    Result.WITHDRAWN: Text(zh="当事人撤回", en="withdrawn"),
    Result.REFERRED: Text(zh="转其他途径", en="referred elsewhere"),
}

AGREED: Final = frozenset((Result.AGREED, Result.AGREED_ORALLY))


class Item(StrEnum):
    """What a file holds, in the order in which it is bound."""

    APPLICATION = "application"
    RIGHTS_NOTICE = "rights_notice"
    IDENTITY = "identity"
    AUTHORISATION = "authorisation"
    INQUIRY = "inquiry"
    EVIDENCE = "evidence"
    RECORD = "record"
    AGREEMENT = "agreement"
    PERFORMANCE = "performance"
    RETURN_VISIT = "return_visit"
    COURT_CONFIRMATION = "court_confirmation"
    FILE_NOTE = "file_note"
    BACK_COVER = "back_cover"


ITEMS: Final = {
    Item.APPLICATION: Text(zh="申请书或受理登记表", en="application or register of acceptance"),
    Item.RIGHTS_NOTICE: Text(zh="权利义务告知书", en="notice of rights and duties"),
    Item.IDENTITY: Text(zh="身份证明", en="proof of identity"),
    Item.AUTHORISATION: Text(zh="授权委托书", en="letter of authorisation"),
    Item.INQUIRY: Text(zh="调查记录", en="record of inquiry"),
    Item.EVIDENCE: Text(zh="证据材料", en="evidence"),
    Item.RECORD: Text(zh="调解记录", en="record of mediation"),
    Item.AGREEMENT: Text(zh="调解协议书或口头协议登记表", en="agreement, or register of an oral one"),
    Item.PERFORMANCE: Text(zh="履行凭证", en="proof of performance"),
    Item.RETURN_VISIT: Text(zh="回访记录", en="record of a return visit"),
    Item.COURT_CONFIRMATION: Text(zh="司法确认材料", en="judicial confirmation"),
    Item.FILE_NOTE: Text(zh="卷宗情况说明", en="note on the file"),
    Item.BACK_COVER: Text(zh="封底", en="back cover"),
}

_ALWAYS: Final = frozenset((Item.APPLICATION, Item.RIGHTS_NOTICE, Item.IDENTITY, Item.RECORD, Item.BACK_COVER))


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A mediation case."""

    case_id: UUID
    case_no: str
    """Number of the mediating body, such as ``(2026)某人调字第12号``."""
    body: str
    """The mediating body, which owns the file."""
    kind: str
    """Kind of dispute: an id of the county's table (``dispute_table``)."""
    place: str = ""
    """Village or township; no address."""
    source: Source = Source.APPLIED
    result: Result = Result.PENDING
    cause: str = ""
    law_used: str = ""
    party_count: int = 2
    opened_on: datetime.date
    closed_on: datetime.date | None = None


class CaseDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One document of a file."""

    document_id: UUID
    item: Item
    pages: int
    copies: int = 1
    """Of an agreement: one for each party and one that is kept."""
    note: str = ""
    request_id: UUID | None = None
    """The request by which the archive supplied it."""


class FileLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list of a file."""

    item: Item
    is_needed: bool
    documents: tuple[CaseDocument, ...]
    fault: Text | None = None
    """What is wrong; None if all is well."""


class FileList(msgspec.Struct, frozen=True, kw_only=True):
    """The list of a file, in the order in which it is bound."""

    lines: tuple[FileLine, ...]
    pages: int

    @property
    def missing(self) -> tuple[Item, ...]:
        """What must be there and is not."""
        return tuple(line.item for line in self.lines if line.is_needed and not line.documents)

    @property
    def is_complete(self) -> bool:
        """True if nothing is missing or wrong."""
        return all(line.fault is None for line in self.lines)


class DisputeKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of dispute 纠纷类型 with the retention of its files, from the county's table."""

    id: str
    name: Text
    retention: Retention
    basis: str = ""


class DisputeKinds(msgspec.Struct, frozen=True, kw_only=True):
    """The county's table."""

    kinds: tuple[DisputeKind, ...]

    def of(self, kind: str) -> DisputeKind | None:
        """Return the kind of an id; None if the table does not have it any more."""
        return next((one for one in self.kinds if one.id == kind), None)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """How long a file is kept."""

    retention: Retention
    until: datetime.date | None
    """Last day; None for ever, or while the case is open or the table does not say in years."""
    words: Text


def checked(case: Case, kinds: DisputeKinds) -> Case:
    """Return a case as it may be kept: texts trimmed, identity numbers masked.

    Raises:
        BadValue: the number, the body or the kind is missing or unknown, or the days contradict each other.

    """
    made = msgspec.structs.replace(
        case,
        case_no=said(case.case_no, CASE_CHARS_MAX),
        body=said(case.body, NAME_CHARS_MAX),
        place=said(case.place, NAME_CHARS_MAX),
        cause=said(case.cause, TEXT_CHARS_MAX),
        law_used=said(case.law_used, TEXT_CHARS_MAX),
    )
    if not made.case_no or not made.body:
        raise BadValue(
            Text(zh="没有填写案号或调解组织。", en="the case number or the mediating body is missing"),
            Text(
                zh="例如：(2026)某人调字第12号，某镇人民调解委员会。",
                en="For example: (2026)某人调字第12号 of a township's committee.",
            ),
        )
    if kinds.of(made.kind) is None:
        known_zh, known_en = "、".join(one.name.zh for one in kinds.kinds), ", ".join(one.id for one in kinds.kinds)
        raise BadValue(
            Text(zh="没有这种纠纷类型。", en="there is no such kind of dispute"),
            Text(zh=f"现有：{known_zh}。", en=f"There are: {known_en}."),
        )
    _check_course(made)
    return made


def _check_course(made: Case) -> None:
    is_closed = made.result is not Result.PENDING
    if is_closed is (made.closed_on is None) or (made.closed_on is not None and made.closed_on < made.opened_on):
        raise BadValue(
            Text(
                zh="结案日期与调解结果不符，或早于受理日期。",
                en="the day of closing does not fit the result or the day of opening",
            ),
            Text(
                zh="有结果的案件才有结案日期，且不早于受理。",
                en="A case with a result has one, not before its opening.",
            ),
        )
    if not 1 <= made.party_count <= PARTIES_MAX:
        raise BadValue(
            Text(zh=f"当事人数应为 1 至 {PARTIES_MAX}。", en=f"a case has 1 to {PARTIES_MAX} parties"),
            Text(zh="请改正。", en="Correct it."),
        )


def checked_document(one: CaseDocument) -> CaseDocument:
    """Return a document as it may be kept.

    Raises:
        BadValue: its pages or copies cannot be.

    """
    if not (0 < one.pages <= PAGES_MAX and 0 < one.copies <= PARTIES_MAX + 1):
        raise BadValue(
            Text(
                zh=f"页数应为 1 至 {PAGES_MAX}，份数至少 1。",
                en=f"a document has 1 to {PAGES_MAX} pages, and one copy at least",
            ),
            Text(zh="请改正。", en="Correct it."),
        )
    return msgspec.structs.replace(one, note=said(one.note, TEXT_CHARS_MAX))


def needed(case: Case) -> frozenset[Item]:
    """Return what the file of a case must hold.

    An agreement is needed where there is one; a case that ended without needs a note that says why.
    """
    if case.result in AGREED:
        return _ALWAYS | {Item.AGREEMENT}
    return _ALWAYS if case.result is Result.PENDING else _ALWAYS | {Item.FILE_NOTE}


def file_list(case: Case, documents: Sequence[CaseDocument]) -> FileList:
    """Return the list of a case's file: what is there, what must be, and what is wrong."""
    must = needed(case)
    by_item = {item: tuple(one for one in documents if one.item is item) for item in Item}
    lines = tuple(
        FileLine(item=item, is_needed=item in must, documents=found, fault=_fault(case, item, found, item in must))
        for item, found in by_item.items()
    )
    return FileList(lines=lines, pages=sum(one.pages for one in documents))


def _fault(case: Case, item: Item, found: Sequence[CaseDocument], is_needed: bool) -> Text | None:  # noqa: FBT001 - private
    if is_needed and not found:
        return Text(zh="缺", en="missing")
    if item is Item.AGREEMENT and found and case.result is Result.AGREED:
        copies, wanted = sum(one.copies for one in found), case.party_count + 1
        if copies < wanted:
            return Text(
                zh=f"协议书 {copies} 份，应有 {wanted} 份（当事人各一，留存一）",
                en=f"{Count(copies):copy|copies} of the agreement, not {wanted} (one for each party, one kept)",
            )
    return None


def kept(case: Case, kinds: DisputeKinds) -> Kept:
    """Return how long the file of a case is kept; its years count from the one after it was closed."""
    kind = kinds.of(case.kind)
    if kind is None:
        unknown = Retention()
        return Kept(
            retention=unknown, until=None, words=_words("期限表中已无此类型", "the table has no such kind any more")
        )
    retention, label = kind.retention, kind.retention.label()
    if case.closed_on is None:
        return Kept(
            retention=retention, until=None, words=_words(f"{label.zh}，结案后起算", f"{label.en}, from its closing")
        )
    if retention.kind is not RetentionKind.YEARS or retention.years is None:
        return Kept(retention=retention, until=None, words=label)
    year = case.closed_on.year + retention.years
    until = datetime.date(year, 12, 31) if year <= datetime.MAXYEAR else None
    return Kept(
        retention=retention,
        until=until,
        words=_words(f"{label.zh}，至 {year} 年底", f"{label.en}, to the end of {year}"),
    )


def _words(zh: str, en: str) -> Text:
    return Text(zh=zh, en=en)
