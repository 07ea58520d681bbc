"""Disposing of the personal data of requests that are over: who asked, on which papers, for whom, and in which words.

What is left of a request is its number, who of which kind asked for what purpose, its states with their days and rules:
statistics survive, persons do not. Certificates that were issued have a register of their own, and their papers a term
of their own (``paper_disposal``). Nothing goes that is open, under hold, has a copy under way, or belongs to a
mediation case whose file is still kept.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from hub import audit
from hub.audit import Action, AuditEntry
from hub.staff.administration import Actor
from hub.window import amendments, cases, copies, ledger
from hub.window.applicants import NumberNote, said
from hub.window.copy_orders import OPEN
from hub.window.disposal_table import DisposalRules
from hub.window.lookup_tables import lookup, lookup_hit, lookup_site
from hub.window.mediation import DisputeKinds, kept
from hub.window.requests import TEXT_CHARS_MAX, Content, Request
from hub.window.states import ENDED
from hub.window.tables import (
    lookup_request,
    request_disposal,
    request_history,
    request_hold,
    research,
    research_line,
    research_part,
)
from protocol.county_time import day_of
from protocol.errors import BadValue
from protocol.retention import RetentionKind
from protocol.wording import Text

BATCH_REQUESTS: Final = 200
"""Ended requests that are looked at in one transaction: some thousand rows, well under a second."""

CASE_RULE: Final = "case"
"""Stands for the retention of a mediation file, where that decides."""


class Disposable(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose personal data are due."""

    request_id: UUID
    number: str
    rule: str
    """Row of the table, or ``case``."""
    ended_on: datetime.date
    kept_until: datetime.date


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Why the personal data of a request are kept beyond their term."""

    number: str
    because: str
    held_by: str
    held_at_ms: int


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at ended requests found."""

    due: tuple[Disposable, ...]
    reached: str
    """Where the look ended and the next one goes on; empty if nothing is left behind it."""


def due(
    connection: Connection, rules: DisposalRules, kinds: DisputeKinds, today: datetime.date, after: str = ""
) -> Batch:
    """Look at the next ended requests behind a number, and return those whose personal data are due."""
    gone = select(request_disposal.c.request_id)
    held = select(request_hold.c.request_id)
    statement = (
        select(lookup_request.c.request_id, lookup_request.c.number)
        .where(
            lookup_request.c.number > after,
            lookup_request.c.state.in_([state.value for state in ENDED]),
            lookup_request.c.request_id.not_in(gone),
            lookup_request.c.request_id.not_in(held),
        )
        .order_by(lookup_request.c.number)
        .limit(BATCH_REQUESTS)
    )
    rows = connection.execute(statement).all()
    judged = [
        _judged(connection, ledger.present(connection, UUID(bytes=row.request_id)), rules, kinds, today) for row in rows
    ]
    return Batch(
        due=tuple(one for one in judged if one is not None),
        reached=rows[-1].number if len(rows) == BATCH_REQUESTS else "",
    )


def every(look: Callable[[str], Batch]) -> list[Disposable]:
    """Look on until nothing is left, and return all that was due; ``look`` is told where the one before ended."""
    batch = look("")
    found = [*batch.due]
    while batch.reached:
        batch = look(batch.reached)
        found += batch.due
    return found


def _judged(
    connection: Connection, one: Request, rules: DisposalRules, kinds: DisputeKinds, today: datetime.date
) -> Disposable | None:
    judged = term_of(connection, one, (rules, kinds), _personal)
    return None if judged is None or today <= judged.kept_until else judged


def _personal(rules: DisposalRules, one: Request) -> tuple[str, int | None]:
    rule = rules.of(one.content.applicant.requester, one.content.purpose)
    if rule is None or rule.retention.kind is not RetentionKind.YEARS:
        return "", None
    return rule.id, rule.retention.years


def term_of(
    connection: Connection,
    one: Request,
    tables: tuple[DisposalRules, DisputeKinds],
    years_of: Callable[[DisposalRules, Request], tuple[str, int | None]],
) -> Disposable | None:
    """Return by which rule, and until when, something of a request is kept.

    Args:
        connection: of the store.
        one: the request.
        tables: of retention, and of kinds of disputes: a request of a case follows its file.
        years_of: of the others, the rule and the years after that in which the request ended; None for ever.

    Returns:
        None if it is kept for ever, open, or has a copy under way.

    """
    # The column may be behind; the history is the truth.
    if one.standing.state not in ENDED:
        return None
    if any(order.state in OPEN for order in copies.of_request(connection, one.request_id)):
        return None
    rules, kinds = tables
    ended_on = day_of(one.standing.since_ms)
    case = None if one.case_id is None else cases.found(connection, one.case_id)
    if case is not None:
        rule, until = CASE_RULE, kept(case, kinds).until
    else:
        rule, years = years_of(rules, one)
        year = datetime.MAXYEAR + 1 if years is None else ended_on.year + years
        until = datetime.date(year, 12, 31) if year <= datetime.MAXYEAR else None
    if until is None:
        return None
    return Disposable(request_id=one.request_id, number=one.number, rule=rule, ended_on=ended_on, kept_until=until)


def dispose(connection: Connection, actor: Actor, found: Sequence[Disposable], now_ms: int) -> int:
    """Remove the personal data of requests, with one line in the audit log; return of how many."""
    if not found:
        return 0
    for one in found:
        _clear(connection, ledger.present(connection, one.request_id))
        values = {"request_id": one.request_id.bytes, "rule": one.rule, "disposed_at_ms": now_ms}
        connection.execute(insert(request_disposal).values(**values))
    note_disposal(connection, actor, Action.REQUESTS_DISPOSED, found, now_ms)
    return len(found)


def note_disposal(
    connection: Connection, actor: Actor, action: Action, found: Sequence[Disposable], now_ms: int
) -> None:
    """Write into the audit log of how many requests something was removed, and by which rows of the table."""
    counts, numbers = Counter(one.rule for one in found), [one.number for one in found]
    entry = AuditEntry(
        who=actor.who,
        action=action,
        object=f"{len(found)} requests",
        origin=actor.origin,
        detail=f"{min(numbers)} to {max(numbers)}; "
        + ", ".join(f"{rule}: {count}" for rule, count in sorted(counts.items())),
    )
    audit.append(connection, entry, now_ms)


def _clear(connection: Connection, one: Request) -> None:
    of_request = lookup_request.c.request_id == one.request_id.bytes
    content = cleared(one.content)
    ledger.rewrite(connection, one.request_id, content, content)
    # The digest of what was given would betray a name that somebody guesses.
    connection.execute(update(lookup_request).where(of_request).values(given_digest="", identity_key=""))
    by_person = (request_history.c.request_id == one.request_id.bytes) & (request_history.c.rule == "")
    connection.execute(update(request_history).where(by_person).values(reason=""))
    amendments.forget(connection, one.request_id)
    asked = list(connection.scalars(select(lookup.c.lookup_id).where(lookup.c.request_id == str(one.request_id))))
    for table in (lookup_hit, lookup_site, lookup):
        connection.execute(delete(table).where(table.c.lookup_id.in_(asked)))
    connection.execute(delete(research_line).where(research_line.c.request_id == one.request_id.bytes))
    connection.execute(update(research).where(research.c.request_id == one.request_id.bytes).values(title=""))
    # Which site's holdings were gone through stays; a title or a note may name who was looked for.
    of_part = research_part.c.request_id == one.request_id.bytes
    connection.execute(update(research_part).where(of_part).values(title="", note=""))


def cleared(content: Content) -> Content:
    """Return what is left of a content: what kind of person asked for what kind of thing, on which kinds of papers."""
    who = content.applicant
    evidence = tuple(
        msgspec.structs.replace(one, number_shown="", number_key="", number_note=NumberNote.NONE, note="")
        for one in who.evidence
    )
    questions = tuple(msgspec.structs.replace(one, text="", persons=(), person_keys=()) for one in content.questions)
    return msgspec.structs.replace(
        content,
        applicant=msgspec.structs.replace(who, name="", phone="", on_behalf_of="", evidence=evidence),
        purpose_note="",
        questions=questions,
    )


def hold(connection: Connection, actor: Actor, number: str, because: str, now_ms: int) -> None:
    """Keep the personal data of a request beyond their term, for example while a court asks for them.

    Raises:
        BadValue: there is no such request, its data are gone, it is held already, or no reason or too long a one is
            given.

    """
    one, because = _numbered(connection, number), said(because, TEXT_CHARS_MAX)
    number = one.number
    if not because:
        raise BadValue(
            Text(zh="没有写明暂缓清除的理由。", en="why it is held is not said"),
            Text(zh="请用 --because 写明。", en="Say it with --because."),
        )
    if ledger.disposed_at_ms(connection, one.request_id) is not None:
        raise BadValue(
            Text(zh=f"{number} 的个人信息已清除。", en=f"the personal data of {number} are gone already"),
            Text(zh="无法恢复；备份按其自身期限保留。", en="They cannot be put back; backups go by their own terms."),
        )
    if any(known.number == number for known in holds(connection)):
        raise BadValue(
            Text(zh=f"{number} 已在暂缓清除之列。", en=f"{number} is held already"),
            Text(zh="用 danglian-hub disposal holds 查看。", en="See danglian-hub disposal holds."),
        )
    values = {"request_id": one.request_id.bytes, "because": because, "held_by": actor.who, "held_at_ms": now_ms}
    connection.execute(insert(request_hold).values(**values))
    _note(connection, actor, number, "held", now_ms)


def release(connection: Connection, actor: Actor, number: str, now_ms: int) -> None:
    """End the hold of a request; its personal data go when their term is over.

    Raises:
        BadValue: there is no such request, or it is not held.

    """
    one = _numbered(connection, number)
    number = one.number
    ended = connection.execute(delete(request_hold).where(request_hold.c.request_id == one.request_id.bytes))
    if not ended.rowcount:
        raise BadValue(
            Text(zh=f"{number} 没有暂缓清除。", en=f"{number} is not held"),
            Text(zh="用 danglian-hub disposal holds 查看。", en="See danglian-hub disposal holds."),
        )
    _note(connection, actor, number, "released", now_ms)


def holds(connection: Connection) -> list[Hold]:
    """Return what is held, in the order of numbers."""
    statement = (
        select(lookup_request.c.number, request_hold.c.because, request_hold.c.held_by, request_hold.c.held_at_ms)
        .join(request_hold, request_hold.c.request_id == lookup_request.c.request_id)
        .order_by(lookup_request.c.number)
    )
    return [
        Hold(number=row.number, because=row.because, held_by=row.held_by, held_at_ms=row.held_at_ms)
        for row in connection.execute(statement)
    ]


def _numbered(connection: Connection, number: str) -> Request:
    one = ledger.by_number(connection, number)
    if one is None:
        raise BadValue(
            Text(zh=f"没有登记号为 {number} 的申请。", en=f"there is no request {number}"),
            Text(zh="danglian-hub request 列出全部申请。", en="danglian-hub request lists them."),
        )
    return one


def _note(connection: Connection, actor: Actor, number: str, detail: str, now_ms: int) -> None:
    entry = AuditEntry(
        who=actor.who,
        action=Action.REQUEST_HELD,
        object=f"request {number}",
        origin=actor.origin,
        detail=detail,
    )
    audit.append(connection, entry, now_ms)
