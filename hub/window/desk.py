"""What is done with requests at the window, each in one transaction with its line in the audit log.

Screens, commands and the parts that ask the sites call these functions within ``Database.write``. A line of the log
says who took which step on which number; names, questions and reasons stay in the request.

    draft(connection, actor, draft, county_key, now_ms)        a draft; sending the same one again changes nothing
    take(connection, actor, request_id, Step.SUBMIT, now_ms)   any step of ``states.TABLE``
    shown(connection, actor, request_id, now_ms)               the request with its history; that it was read is noted
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry, Outcome
from hub.staff.administration import Actor
from hub.staff.roles import Permission
from hub.window import access_book, amendments, identity, ledger
from hub.window.amendments import Correction, Scope, corrected, scope_of, with_papers
from hub.window.contents import content_of
from hub.window.requests import (
    TEXT_CHARS_MAX,
    Content,
    Draft,
    Move,
    Request,
    digest_of,
    first_line,
    fold,
    is_repeated,
    only_adds_papers,
    possible,
    stepped,
)
from hub.window.states import STATES, STEPS, TABLE, Duty, State, Step
from protocol.county_time import day_of
from protocol.errors import Refused
from protocol.wording import Text

LISTED_MAX: Final = 200
"""Requests in one list."""

JUST_SHOWN_MS: Final = 30_000
"""Milliseconds for which the page that was shown stands for the stream that it opens."""

REASON_CHARS_MAX: Final = TEXT_CHARS_MAX
"""Characters of the reason of a step."""

RULE_CHARS_MAX: Final = 200
"""Characters of the rules by which a step was decided."""

PERMISSIONS: Final = {Duty.CLERK: Permission.WORK_REQUESTS, Duty.REVIEWER: Permission.APPROVE_ACCESS}
"""What whoever takes a step must be allowed; screens ask for it, for an ``Actor`` has no roles."""

_REFUSALS: Final = frozenset((Step.REFUSE, Step.DENY))
_DECISIONS: Final = frozenset((Step.APPROVE, Step.DENY))


class NextStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that may be done next, in words."""

    step: Step
    words: Text


def draft(connection: Connection, actor: Actor, asked: Draft, county_key: bytes, now_ms: int) -> Request:
    """Write a draft down and return it; the same draft sent again is the same request, and nothing is written.

    Raises:
        BadValue: something in it is missing or wrong.
        Refused: the id is that of a request with another content.

    """
    given = content_of(asked, county_key)
    known = ledger.found(connection, asked.request_id)
    if known is not None:
        if ledger.given_digest(connection, asked.request_id) != digest_of(given):
            raise Refused(
                Text(
                    zh=f"申请 {known.number} 已登记，内容与这次不同。",
                    en=f"{known.number} is on the register with another content",
                ),
                Text(
                    zh="要修改请打开该申请；另一件事请新建申请。",
                    en="Open it to change it; for something else begin a new request.",
                ),
            )
        return known
    number = ledger.next_number(connection, day_of(now_ms))
    history = (first_line(actor.who, now_ms),)
    request = Request(
        request_id=asked.request_id,
        number=number,
        content=msgspec.structs.replace(given, case_ref=given.case_ref or number),
        history=history,
        standing=fold(history),
    )
    ledger.add(connection, request, given)
    _tell(connection, actor, request, history[0].step, now_ms)
    return request


def correct(
    connection: Connection,
    actor: Actor,
    request_id: UUID,
    correction: Correction,
    county_key: bytes,
    now_ms: int,
    *,
    expected_seq: int | None = None,
) -> Request:
    """Put right who asks, why and on which papers, as far as that may still be changed; the same again changes nothing.

    Raises:
        BadValue: there is no such request, or something in the correction is missing or wrong.
        Refused: nothing may be changed any more, or somebody was faster.

    """
    known = ledger.present(connection, request_id)
    make = with_papers if scope_of(known.standing) is Scope.PAPERS else corrected
    content = make(known, correction, county_key)
    if content == known.content:
        return known
    _check_fresh(known, expected_seq)
    return _amended(connection, actor, known, (content, content), now_ms)


def _amended(
    connection: Connection, actor: Actor, known: Request, changed: tuple[Content, Content], now_ms: int
) -> Request:
    """Write an amendment down: its line, what was said before and after, and the content that is given out from now."""
    content, given = changed
    if scope_of(known.standing) is Scope.PAPERS and not only_adds_papers(known.content, content):
        raise Refused(
            Text(zh="身份核验后只能补充材料。", en="after the identity was checked only papers may be added"),
            Text(zh="要改申请人、目的或问题，请新建申请。", en="To change anything else begin a new request."),
        )
    after = moved(connection, actor, known, Move(step=Step.AMEND, who=actor.who, at_ms=now_ms))
    amendments.keep(connection, known.request_id, after.standing.seq, known.content, content)
    ledger.rewrite(connection, known.request_id, content, given)
    return msgspec.structs.replace(after, content=content)


def take(
    connection: Connection,
    actor: Actor,
    request_id: UUID,
    step: Step,
    now_ms: int,
    *,
    reason: str = "",
    days: int = 0,
    expected_seq: int | None = None,
) -> Request:
    """Take a step of ``states.TABLE`` and return the request after it.

    A step that was just taken by the same person for the same reason, and is not allowed again, changes nothing: the
    button was pressed twice, or the answer to the first press was lost.

    Args:
        connection: of the transaction.
        actor: who takes it.
        request_id: of the request.
        step: which; not ``DRAFT``, ``AMEND`` or ``LINK_CASE``, which have functions of their own.
        now_ms: moment of the step.
        reason: needed by some steps (``states.TABLE``); the applicant may read it.
        days: working days of ``EXTEND``.
        expected_seq: number of the history's last line on the screen; if it is another, somebody was faster.

    Raises:
        BadValue: there is no such request, or a reason or days are missing.
        Refused: the step is not allowed now, or not to this person, or somebody was faster.

    """
    known = _kept(connection, request_id, step)
    move = Move(step=step, who=actor.who, at_ms=now_ms, reason=reason, days=days)
    if step not in possible(known.standing) and is_repeated(known.history, move):
        return known
    _check_fresh(known, expected_seq)
    if step is Step.CHECK_IDENTITY:
        _check_papers(known, now_ms)
    return moved(connection, actor, known, move)


def linked(connection: Connection, actor: Actor, known: Request, case_id: UUID, now_ms: int) -> Request:
    """Write down that a request belongs to a mediation case; ``cases.link`` makes sure that there is one."""
    changed = moved(connection, actor, known, Move(step=Step.LINK_CASE, who=actor.who, at_ms=now_ms))
    ledger.link(connection, known.request_id, case_id)
    return msgspec.structs.replace(changed, case_id=case_id)


def shown(connection: Connection, actor: Actor, request_id: UUID, now_ms: int) -> Request:
    """Return a request with its history, and write down who read it.

    Raises:
        BadValue: there is none.

    """
    known = ledger.present(connection, request_id)
    audit.append(connection, _reading(actor, known), now_ms)
    return known


def was_just_shown(connection: Connection, actor: Actor, known: Request, now_ms: int) -> bool:
    """Tell whether this person was shown a request a moment ago, from where they are now."""
    return audit.says(connection, _reading(actor, known), since_ms=now_ms - JUST_SHOWN_MS)


def _reading(actor: Actor, known: Request) -> AuditEntry:
    return AuditEntry(who=actor.who, action=Action.REQUEST_READ, object=f"request {known.number}", origin=actor.origin)


def listed(
    connection: Connection,
    *,
    states: Collection[State] = (),
    worked_by: str = "",
    before: str = "",
    is_oldest_first: bool = False,
    limit: int = LISTED_MAX,
) -> list[Request]:
    """Return requests as ``ledger.listed``; screens show of persons no more than ``Applicant.name_masked``."""
    return ledger.listed(
        connection,
        states=states,
        worked_by=worked_by,
        before=before,
        is_oldest_first=is_oldest_first,
        limit=min(limit, LISTED_MAX),
    )


def next_steps(request: Request) -> tuple[NextStep, ...]:
    """Return what may be done next, in words."""
    return tuple(NextStep(step=step, words=STEPS[step]) for step in possible(request.standing))


def permission_for(step: Step) -> Permission:
    """Return what somebody must be allowed to take a step."""
    allowed = TABLE.get(step)
    return PERMISSIONS[Duty.CLERK if allowed is None else allowed.duty]


def in_words(request: Request) -> Text:
    """Return where a request stands, in one sentence with the reason, if there is one."""
    standing, last = request.standing, request.history[-1]
    state = STATES[standing.state]
    why = standing.paused_for or (last.reason if last.state is standing.state else "")
    if standing.paused_for:
        return Text(zh=f"{state.zh}（已暂停：{why}）", en=f"{state.en} (the clock stands: {why})")
    return Text(zh=f"{state.zh}：{why}", en=f"{state.en}: {why}") if why else state


def moved(connection: Connection, actor: Actor, known: Request, move: Move) -> Request:
    """Take a step of a request as it was just read; ``take`` is for everybody who has only its id.

    Raises:
        BadValue: a reason or days are missing.
        Refused: the step is not allowed now, or not to this person.

    """
    line = stepped(known.standing, move)
    ledger.add_line(connection, known.request_id, line)
    if line.step in _DECISIONS and not line.rule:
        approved = line.step is Step.APPROVE
        access_book.settle(connection, known.request_id, actor.who, move.at_ms, is_approved=approved)
    history = (*known.history, line)
    changed = msgspec.structs.replace(known, history=history, standing=fold(history))
    _tell(connection, actor, changed, line.step, move.at_ms)
    return changed


def _kept(connection: Connection, request_id: UUID, step: Step) -> Request:
    """Return a request; one whose personal data are gone is not opened again."""
    known = ledger.present(connection, request_id)
    if step is Step.REOPEN and ledger.disposed_at_ms(connection, request_id) is not None:
        raise Refused(
            Text(zh=f"{known.number} 的个人信息已按期清除。", en=f"personal data of {known.number} were disposed of"),
            Text(zh="请另登记一份申请。", en="Take down another request."),
        )
    return known


def _check_fresh(known: Request, expected_seq: int | None) -> None:
    if expected_seq is not None and expected_seq != known.standing.seq:
        raise Refused(
            Text(zh=f"申请 {known.number} 已有新的办理。", en=f"{known.number} was worked on in the meantime"),
            Text(zh="请刷新后再办理。", en="Load it again, then go on."),
        )


def _check_papers(known: Request, now_ms: int) -> None:
    fault = identity.fault_of(known.content.applicant, day_of(now_ms))
    if fault is not None:
        raise Refused(
            fault,
            Text(zh="请补登材料后再核验，或要求申请人补充。", en="Record the paper and check again, or ask for it."),
        )


def _tell(connection: Connection, actor: Actor, request: Request, step: Step, now_ms: int) -> None:
    """Write the audit line of a step: its reason may name persons and stays in the request."""
    last = request.history[-1]
    entry = AuditEntry(
        who=actor.who,
        action=Action.REQUEST_STEPPED,
        object=f"request {request.number}",
        outcome=Outcome.REFUSED if step in _REFUSALS else Outcome.DONE,
        origin=actor.origin,
        detail=f"{step.value} -> {last.state.value}" + (f" by {last.rule}" if last.rule else ""),
    )
    audit.append(connection, entry, now_ms)
