"""Orders for copies at the window: asked of the holder, decided there, drawn, made, sealed, issued.

    asked ──► approved ──► drawing ──► ready ──► signed ──► issued
      │ └───► refused         │          └────────────────►
      └───► withdrawn         └───► failed

- ``asked``: the holder's keeper has the order, or gets it when the site is back.
- ``approved``: the holder has signed the certificate statement; ``drawing``: its pages are on their way.
- ``ready``: the PDF is made and bears the holder's signed statement; ``signed``: the holder has sealed the PDF as well.
  Both can be issued, see ``hub.window.certificates``.
- ``refused``, ``failed`` and ``withdrawn`` end an order; its serial is void, and a new order may be made.

Every change is a line of the order's history, written in the transaction that makes it.
"""

from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, func, insert, select, update

from hub import audit
from hub.audit import Action, AuditEntry
from hub.catalogue import readable, rows_of, stored_from
from hub.membership import keyring
from hub.window import serials
from hub.window.applicants import said
from hub.window.copy_orders import NOBODY, OPEN, STATES, UNSEALED, CopyOrder, CopyRoutes, CopyState, CopyStep, CopyWish
from hub.window.copy_tables import copy_order, copy_step
from hub.window.serials import SerialWish
from protocol.certificates import CertificateKind
from protocol.copies import (
    COPY_ASKED,
    COPY_FACTS_MAX,
    COPY_PAGES_MAX,
    COPY_WITHDRAWN,
    FACT_CHARS_MAX,
    NOTE_CHARS_MAX,
    REFUSALS,
    WAYS_ON,
    CopyAsked,
    CopyDecided,
    CopyWithdrawn,
    Product,
    Refusal,
    SealGiven,
)
from protocol.errors import BadValue, Refused
from protocol.records import Record
from protocol.sites import parse_site
from protocol.wording import Text
from replication import letters


def ask(connection: Connection, wish: CopyWish, routes: CopyRoutes, who: str, now_ms: int) -> CopyOrder:
    """Send an order to the holder; the same wish again is the same order.

    Raises:
        BadValue: the wish makes no sense, names a page that the record has not, or nobody can decide about it.
        Refused: the catalogue has no such record.

    """
    known = look_up(connection, wish.copy_id)
    if known is not None:
        return known
    site, record = _record(connection, wish)
    _check(wish, record)
    holder = record.custodian or site
    keeper = _keeper(connection, holder, routes)
    serial_wish = SerialWish(
        county=routes.county,
        kind=CertificateKind(wish.product.value),
        holder=holder,
        request_id=wish.request_id,
        copy_id=wish.copy_id,
        replaces=wish.replaces,
    )
    asked = _asked(connection, wish, record, holder, now_ms)
    asked = msgspec.structs.replace(asked, serial=serials.take(connection, serial_wish, who, now_ms))
    _insert(connection, asked, keeper, who, now_ms)
    letters.write(connection, keeper, kind=COPY_ASKED, topic=asked.copy_id, body=asked, now_ms=now_ms)
    _log(connection, asked, Action.COPY_ORDERED, who, now_ms)
    return found(connection, asked.copy_id)


def _log(connection: Connection, asked: CopyAsked, action: Action, who: str, now_ms: int) -> None:
    """Write who asked which holder for which record, under which request."""
    detail = f"{asked.product.value} {asked.record_id} {asked.holder} {asked.serial}"
    entry = AuditEntry(who=who, action=action, object=f"request:{asked.request_id}", detail=detail)
    audit.append(connection, entry, now_ms)


def _asked(connection: Connection, wish: CopyWish, record: Record, holder: str, now_ms: int) -> CopyAsked:
    return CopyAsked(
        copy_id=wish.copy_id,
        request_id=wish.request_id,
        record_id=wish.record_id,
        holder=holder,
        holder_name=keyring.expected_name(connection, parse_site(holder)) or holder,
        product=wish.product,
        serial="",
        purpose=wish.purpose,
        case_no=wish.case_no,
        requester=wish.requester,
        ref_code=record.ref_code or record.ref_code_as_given,
        title=record.title,
        page_count=record.page_count,
        pages=tuple(sorted(set(wish.pages))),
        facts=tuple(said(one, FACT_CHARS_MAX) for one in wish.facts),
        basis=wish.basis,
        replaces=wish.replaces,
        asked_at_ms=now_ms,
    )


def withdraw(connection: Connection, copy_id: UUID, who: str, note: str, now_ms: int) -> CopyOrder:
    """Take an order back that is not made yet; its serial is void.

    Raises:
        BadValue: there is no such order, or it is made or ended already.

    """
    order, note = found(connection, copy_id), said(note, NOTE_CHARS_MAX)
    if order.state not in OPEN:
        stands = STATES[order.state]
        raise BadValue(
            Text(zh=f"此单已是“{stands.zh}”，不能撤回。", en=f"this order is {stands.en}: it cannot be withdrawn"),
            Text(zh="已制成的请撤销证明。", en="Revoke the certificate of one that is made."),
        )
    move(connection, copy_id, CopyState.WITHDRAWN, who, now_ms, note=note)
    serials.void(connection, order.asked.serial, note or STATES[CopyState.WITHDRAWN].zh, now_ms)
    body = CopyWithdrawn(copy_id=copy_id, note=note)
    letters.write(connection, order.keeper, kind=COPY_WITHDRAWN, topic=copy_id, body=body, now_ms=now_ms)
    _log(connection, order.asked, Action.COPY_WITHDRAWN, who, now_ms)
    return found(connection, copy_id)


def refuse(connection: Connection, order: CopyOrder, decision: CopyDecided, now_ms: int) -> None:
    """Note a keeper's refusal."""
    refusal = decision.refusal or Refusal.OTHER
    said = REFUSALS[refusal]
    reason = Text(zh=f"{said.zh}（{decision.note}）", en=f"{said.en} ({decision.note})") if decision.note else said
    _decide(connection, order, decision)
    move(connection, order.copy_id, CopyState.REFUSED, order.keeper, now_ms, reason=reason, hint=WAYS_ON[refusal])
    serials.void(connection, order.asked.serial, reason.zh, now_ms)


def approve(connection: Connection, order: CopyOrder, decision: CopyDecided, now_ms: int) -> None:
    """Note a keeper's approval, which somebody has checked."""
    _decide(connection, order, decision)
    move(connection, order.copy_id, CopyState.APPROVED, order.keeper, now_ms, note=decision.note)


def fail(connection: Connection, copy_id: UUID, reason: Text, hint: Text, now_ms: int) -> None:
    """End an order that cannot be made; its serial is void, and its holder is not told of it again.

    One that ended meanwhile stays as it is.
    """
    order = found(connection, copy_id)
    if order.state not in OPEN:
        return
    letters.settle(connection, copy_id)
    move(connection, copy_id, CopyState.FAILED, "hub", now_ms, reason=reason, hint=hint)
    serials.void(connection, order.asked.serial, reason.zh, now_ms)


def move(
    connection: Connection,
    copy_id: UUID,
    state: CopyState,
    who: str,
    now_ms: int,
    *,
    note: str = "",
    reason: Text = NOBODY,
    hint: Text = NOBODY,
) -> None:
    """Bring an order into a state, with a line of its history."""
    connection.execute(
        update(copy_order)
        .where(copy_order.c.copy_id == str(copy_id))
        .values(
            state=state.value,
            reason_zh=reason.zh,
            reason_en=reason.en,
            hint_zh=hint.zh,
            hint_en=hint.en,
            changed_at_ms=now_ms,
        )
    )
    _note(connection, copy_id, CopyStep(at_ms=now_ms, state=state, who=who, note=note or reason.zh))


def note_seal(connection: Connection, copy_id: UUID, given: SealGiven, now_ms: int) -> None:
    """Keep the holder's answer to the question for its seal, until the PDF bears it."""
    connection.execute(
        update(copy_order)
        .where(copy_order.c.copy_id == str(copy_id))
        .values(seal=msgspec.json.encode(given), changed_at_ms=now_ms)
    )


def sealed(connection: Connection, copy_id: UUID) -> None:
    """Note that the PDF bears the seal."""
    connection.execute(update(copy_order).where(copy_order.c.copy_id == str(copy_id)).values(seal=None))


def unsealed(connection: Connection, copy_id: UUID, reason: Text) -> None:
    """Note why the PDF bears no seal; it can be issued all the same."""
    connection.execute(
        update(copy_order)
        .where(copy_order.c.copy_id == str(copy_id))
        .values(seal=None, reason_zh=reason.zh, reason_en=reason.en, hint_zh=UNSEALED.zh, hint_en=UNSEALED.en)
    )


def remark(connection: Connection, copy_id: UUID, reason: Text, hint: Text) -> None:
    """Note what keeps an order waiting at the hub, until it goes on."""
    connection.execute(
        update(copy_order)
        .where(copy_order.c.copy_id == str(copy_id))
        .values(reason_zh=reason.zh, reason_en=reason.en, hint_zh=hint.zh, hint_en=hint.en)
    )


def progress(connection: Connection, copy_id: UUID, done_bytes: int, total_bytes: int) -> None:
    """Note how far the pages have come."""
    connection.execute(
        update(copy_order)
        .where(copy_order.c.copy_id == str(copy_id))
        .values(done_bytes=done_bytes, total_bytes=total_bytes)
    )


def found(connection: Connection, copy_id: UUID) -> CopyOrder:
    """Return one order.

    Raises:
        BadValue: there is none of this id.

    """
    order = look_up(connection, copy_id)
    if order is None:
        raise BadValue(
            Text(zh="没有这张调取单。", en="there is no such order"),
            Text(zh="请从申请页面重新打开。", en="Open it again from the request."),
        )
    return order


def look_up(connection: Connection, copy_id: UUID) -> CopyOrder | None:
    """Return one order, None if there is none of this id."""
    row = connection.execute(select(copy_order).where(copy_order.c.copy_id == str(copy_id))).one_or_none()
    return None if row is None else _order(row)


def of_request(connection: Connection, request_id: UUID) -> list[CopyOrder]:
    """Return the orders of one request, in the order of their asking."""
    statement = select(copy_order).where(copy_order.c.request_id == str(request_id))
    return [_order(row) for row in connection.execute(statement.order_by(copy_order.c.asked_at_ms))]


def in_state(connection: Connection, *states: CopyState, with_seal: bool = False) -> list[CopyOrder]:
    """Return the orders in these states, the oldest first; if asked so, only those whose seal has come."""
    statement = state_statement(*states)
    if with_seal:
        statement = statement.where(copy_order.c.seal.is_not(None))
    return [_order(row) for row in connection.execute(statement)]


def state_statement(*states: CopyState) -> Select[*tuple[object, ...]]:
    """Select the orders in these states, the oldest first."""
    named = [one.value for one in states]
    return select(copy_order).where(copy_order.c.state.in_(named)).order_by(copy_order.c.asked_at_ms)


def _record(connection: Connection, wish: CopyWish) -> tuple[str, Record]:
    rows = [stored_from(row) for row in connection.execute(rows_of(wish.record_id))]
    held = [(one.site, readable(one)) for one in rows if not wish.site or one.site == wish.site]
    for site, record in held:
        if record is not None:
            return site, record
    raise Refused(
        Text(zh="目录中没有这条档案，或已撤下。", en="the catalogue has no such record, or it was withdrawn"),
        Text(zh="请重新查档。", en="Search again."),
    )


def _keeper(connection: Connection, holder: str, routes: CopyRoutes) -> str:
    keeper = routes.deputies.get(holder, holder)
    if not keyring.nodes(connection, site=parse_site(keeper)):
        raise BadValue(
            Text(zh=f"{keeper} 没有已登记的节点，无人可审批。", en=f"{keeper} has no enrolled node: nobody can decide"),
            Text(
                zh="请登记该站，或在 hub.toml 的 [certificates] deputies 中指定代办乡镇。",
                en="Enrol the site, or name a deputy for it under [certificates] deputies in hub.toml.",
            ),
        )
    return keeper


def _check(wish: CopyWish, record: Record) -> None:
    for name, text in (("目的 purpose", wish.purpose), ("案号 case number", wish.case_no)):
        if not text.strip() or len(text) > NOTE_CHARS_MAX:
            zh, en = name.split(" ", 1)
            raise BadValue(
                Text(zh=f"{zh}未填或过长。", en=f"the {en} is empty or too long"),
                Text(zh="请先在申请中填写。", en="Fill it in on the request."),
            )
    if wish.product is Product.STATEMENT:
        if not 0 < len(wish.facts) <= COPY_FACTS_MAX or any(not 0 < len(one) <= FACT_CHARS_MAX for one in wish.facts):
            raise BadValue(
                Text(zh="档案证明须写明要证明的事项。", en="a statement needs the facts that it shall state"),
                Text(
                    zh=f"1–{COPY_FACTS_MAX} 项，只写要证明的。",
                    en=f"One to {COPY_FACTS_MAX}, and only what is needed.",
                ),
            )
        return
    last = min(record.page_count or COPY_PAGES_MAX, COPY_PAGES_MAX) if not wish.pages else record.page_count
    if len(wish.pages) > COPY_PAGES_MAX or any(one < 1 or (last is not None and one > last) for one in wish.pages):
        raise BadValue(
            Text(zh=f"页号不对：该件共 {record.page_count or '?'} 页。", en="a page that the record has not"),
            Text(
                zh=f"一次最多 {COPY_PAGES_MAX} 页；不写页号即全部。",
                en=f"At most {COPY_PAGES_MAX} pages at once; no number means all.",
            ),
        )


def _insert(connection: Connection, asked: CopyAsked, keeper: str, who: str, now_ms: int) -> None:
    connection.execute(
        insert(copy_order).values(
            copy_id=str(asked.copy_id),
            request_id=str(asked.request_id),
            record_id=str(asked.record_id),
            holder=asked.holder,
            keeper=keeper,
            product=asked.product.value,
            serial=asked.serial,
            state=CopyState.ASKED.value,
            asked=msgspec.json.encode(asked),
            asked_by=who,
            asked_at_ms=now_ms,
            changed_at_ms=now_ms,
        )
    )
    _note(connection, asked.copy_id, CopyStep(at_ms=now_ms, state=CopyState.ASKED, who=who, note=""))


def _decide(connection: Connection, order: CopyOrder, decision: CopyDecided) -> None:
    of_order = copy_order.c.copy_id == str(order.copy_id)
    connection.execute(update(copy_order).where(of_order).values(decision=msgspec.json.encode(decision)))


def _note(connection: Connection, copy_id: UUID, step: CopyStep) -> None:
    of_order = copy_step.c.copy_id == str(copy_id)
    latest = connection.scalar(select(func.max(copy_step.c.step)).where(of_order)) or 0
    connection.execute(
        insert(copy_step).values(
            copy_id=str(copy_id),
            step=latest + 1,
            at_ms=step.at_ms,
            state=step.state.value,
            who=step.who,
            note=step.note,
        )
    )


def _order(row: Row[*tuple[object, ...]]) -> CopyOrder:
    return CopyOrder(
        asked=msgspec.json.decode(row.asked, type=CopyAsked),
        keeper=row.keeper,
        state=CopyState(row.state),
        decision=None if row.decision is None else msgspec.json.decode(row.decision, type=CopyDecided),
        seal=None if row.seal is None else msgspec.json.decode(row.seal, type=SealGiven),
        reason=Text(zh=row.reason_zh, en=row.reason_en),
        hint=Text(zh=row.hint_zh, en=row.hint_en),
        done_bytes=row.done_bytes,
        total_bytes=row.total_bytes,
        asked_by=row.asked_by,
        asked_at_ms=row.asked_at_ms,
        changed_at_ms=row.changed_at_ms,
    )
