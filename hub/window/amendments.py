"""Correcting a request that was taken down wrongly: what may still be changed, and what it said before.

Until the identity was checked everything about who asks and why may be put right. Afterwards only papers are added, so
that nobody's checked request becomes a stranger's, and no holder's log names another purpose than it was asked under:
then a new request is the honest way. What it said before and after stands beside the line of the history.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, delete, insert, select

from hub.window.applicants import (
    DOCUMENTS,
    PAPERS,
    PAPERS_MAX,
    REQUESTERS,
    WITH_CASE,
    ApplicantGiven,
    Evidence,
    Paper,
    kept,
    said,
)
from hub.window.contents import check_purpose
from hub.window.requests import CASE_CHARS_MAX, PURPOSES, TEXT_CHARS_MAX, USES, Content, Purpose, Request, Standing, Use
from hub.window.states import TABLE, State, Step
from hub.window.tables import request_amendment
from protocol.errors import BadValue
from protocol.wording import Text

NOTHING: Final = Text(zh="（无）", en="(none)")


class Scope(StrEnum):
    """How much of a request may be changed now."""

    NOTHING = "nothing"
    PAPERS = "papers"
    """More papers, and nothing else."""
    ALL = "all"
    """Who asks and why, and on which papers."""


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A request's first page as it should have been; never stored or logged as it is."""

    applicant: ApplicantGiven
    """Its papers are those that are added; an identity takes the place of the one that is kept."""
    kept_papers: tuple[int, ...] = ()
    """Places of the papers that stay, among those that are kept, from 0."""
    purpose: Purpose
    purpose_note: str = ""
    case_ref: str = ""
    uses: tuple[Use, ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was said otherwise before."""

    what: Text
    before: Text
    after: Text


def scope_of(standing: Standing) -> Scope:
    """Return how much of a request that stands so may be changed."""
    if standing.state not in TABLE[Step.AMEND].origins:
        return Scope.NOTHING
    is_checked = State.IDENTITY_CHECKED in standing.past or standing.state is State.IDENTITY_CHECKED
    return Scope.PAPERS if is_checked else Scope.ALL


def corrected(known: Request, correction: Correction, county_key: bytes) -> Content:
    """Return what a request says after a correction of who asks and why.

    Raises:
        BadValue: something that is needed is missing, or cannot be right; says which and what to do.

    """
    content, typed = known.content, kept(correction.applicant, county_key)
    is_retyped = any(one.kind is Paper.IDENTITY for one in typed.evidence)
    stays = [
        one
        for place, one in enumerate(content.applicant.evidence)
        if place in correction.kept_papers and not (is_retyped and one.kind is Paper.IDENTITY)
    ]
    case_ref = said(correction.case_ref, CASE_CHARS_MAX) if typed.requester in WITH_CASE else ""
    note = said(correction.purpose_note, TEXT_CHARS_MAX)
    check_purpose(typed.requester, correction.purpose, case_ref, note)
    return msgspec.structs.replace(
        content,
        applicant=msgspec.structs.replace(typed, evidence=_together(stays, typed.evidence)),
        purpose=correction.purpose,
        purpose_note=note,
        # Who has no case of their own is asked for under the number in the register.
        case_ref=case_ref or known.number,
        uses=tuple(use for use in Use if use in correction.uses) or content.uses,
    )


def with_papers(known: Request, correction: Correction, county_key: bytes) -> Content:
    """Return a request's content with the papers that a correction adds, and nothing else of it.

    Raises:
        BadValue: a number that is none, or more papers than a request may have.

    """
    before = known.content.applicant
    evidence = _together(before.evidence, kept(correction.applicant, county_key).evidence)
    return msgspec.structs.replace(known.content, applicant=msgspec.structs.replace(before, evidence=evidence))


def _together(stays: Sequence[Evidence], added: Sequence[Evidence]) -> tuple[Evidence, ...]:
    evidence = (*stays, *(one for one in added if one not in stays))
    if len(evidence) > PAPERS_MAX:
        raise BadValue(
            Text(zh=f"证明材料超过 {PAPERS_MAX} 份。", en=f"there are more than {PAPERS_MAX} papers"),
            Text(zh="请只登记决定所需的材料。", en="Record those that the decision needs."),
        )
    return evidence


def keep(connection: Connection, request_id: UUID, seq: int, before: Content, after: Content) -> None:
    """Write down what a request said before and after the line of this number."""
    values = {
        "request_id": request_id.bytes,
        "seq": seq,
        "content_before": msgspec.json.encode(before).decode(),
        "content_after": msgspec.json.encode(after).decode(),
    }
    connection.execute(insert(request_amendment).values(values))


def of_request(connection: Connection, request_id: UUID) -> dict[int, tuple[Change, ...]]:
    """Return what each amendment changed, by the number of its line in the history."""
    statement = select(request_amendment).where(request_amendment.c.request_id == request_id.bytes)
    return {
        row.seq: changes(
            msgspec.json.decode(row.content_before, type=Content), msgspec.json.decode(row.content_after, type=Content)
        )
        for row in connection.execute(statement)
    }


def forget(connection: Connection, request_id: UUID) -> None:
    """Remove what amendments said; their lines in the history stay."""
    connection.execute(delete(request_amendment).where(request_amendment.c.request_id == request_id.bytes))


def changes(before: Content, after: Content) -> tuple[Change, ...]:
    """Return what differs between two contents, in words."""
    pairs = zip(_parts(before), _parts(after), strict=True)
    return tuple(
        Change(what=what, before=first, after=second) for (what, first), (_, second) in pairs if first != second
    )


def _parts(content: Content) -> list[tuple[Text, Text]]:
    who = content.applicant
    questions = "；".join(" ".join(filter(None, (one.text, *one.persons, one.place))) for one in content.questions)
    return [
        (Text(zh="申请身份", en="asking as"), REQUESTERS[who.requester]),
        (Text(zh="申请人", en="applicant"), _plain(who.name)),
        (Text(zh="单位", en="organ"), _plain(who.organ)),
        (Text(zh="电话", en="telephone"), _plain(who.phone)),
        (Text(zh="代谁申请", en="on behalf of"), _plain(who.on_behalf_of)),
        (Text(zh="证明材料", en="papers shown"), _joined([_paper(one) for one in who.evidence])),
        (Text(zh="目的", en="purpose"), PURPOSES[content.purpose]),
        (Text(zh="用途说明", en="purpose in words"), _plain(content.purpose_note)),
        (Text(zh="案号", en="case number"), _plain(content.case_ref)),
        (Text(zh="要得到", en="wanted"), _joined([USES[use] for use in content.uses])),
        (Text(zh="问题", en="questions"), _plain(questions)),
    ]


def _plain(text: str) -> Text:
    return Text(zh=text, en=text) if text else NOTHING


def _joined(parts: Sequence[Text]) -> Text:
    return Text(zh="、".join(one.zh for one in parts), en=", ".join(one.en for one in parts)) if parts else NOTHING


def _paper(one: Evidence) -> Text:
    name = DOCUMENTS[one.document] if one.kind is Paper.IDENTITY else PAPERS[one.kind]
    until = f" ~{one.valid_until}" if one.valid_until else ""
    number = f" {one.number_shown}" if one.number_shown else ""
    return Text(zh=f"{name.zh}{number}{until}", en=f"{name.en}{number}{until}")
