"""The keeper's decision; with an approval, in the same transaction, the signature of the site's key."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node import consigning
from node.certifying import orders
from node.certifying.orders import OrderState, SiteOrder
from node.certifying.page_files import FoundPages
from node.keeper import audit
from node.keeper.audit import Action, NodeAuditEntry, Outcome, ReadDetail, Told
from protocol.certificates import (
    CertificateContents,
    CertificateKind,
    CertificateStatement,
    CertifiedPage,
    StatedFact,
    contents_digest,
    encode_contents,
    encode_statement,
    signed_message,
)
from protocol.consignments import ConsignedFile, Consignment
from protocol.copies import (
    COPY_DECIDED,
    FACT_CHARS_MAX,
    NOTE_CHARS_MAX,
    REFUSALS,
    CopyDecided,
    Handler,
    Product,
    Refusal,
)
from protocol.county_time import day_of
from protocol.errors import BadValue
from protocol.records import Record
from protocol.wording import Count, Text
from replication import letters
from replication.keys import Identity
from replication.letters import HUB_PEER


class Keeper(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides at this site."""

    site: str
    who: str
    """Account of the person at this machine: stays here, and is not told to the county."""
    origin: str = "command"


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What the keeper states of an asked fact."""

    said: str
    page: int | None = None


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """What the keeper approves."""

    pages: FoundPages | None = None
    """Of a certified copy."""
    facts: Mapping[int, Fact] = {}
    """Of a statement, by the number of the asked fact, from 1."""
    source: str = ""
    note: str = ""


def approve(
    connection: Connection, copy_id: UUID, approval: Approval, keeper: Keeper, identity: Identity, now_ms: int
) -> SiteOrder:
    """Approve an order: sign its statement, offer its pages, tell the window.

    Raises:
        BadValue: the order does not wait, the record is not listed, or what is approved is not what was asked.

    """
    order = _waiting(connection, copy_id)
    record, _ = orders.record_of(connection, order)
    is_deputy = order.asked.holder != keeper.site
    if record is None and not is_deputy:
        raise BadValue(
            Text(zh="本站目录中这条档案已撤下或不予公开。", en="this record is withdrawn or withheld here"),
            Text(zh="请以 restricted 或 not_the_record 为由拒绝。", en="Refuse it as restricted or not_the_record."),
        )
    contents = encode_contents(_contents(order, record, approval))
    statement = encode_statement(
        _statement(order, contents, approval, identity.public_key, now_ms, is_deputy=is_deputy)
    )
    decision = CopyDecided(
        copy_id=copy_id,
        approved=True,
        note=_note(approval.note),
        statement=statement,
        signature=identity.sign(signed_message(statement)),
        signer=identity.public_key,
        contents=contents,
        consignment=_offered(connection, order, approval, now_ms),
        decided_at_ms=now_ms,
    )
    return _decided(connection, decision, keeper, now_ms)


def refuse(
    connection: Connection, copy_id: UUID, refusal: Refusal, note: str, keeper: Keeper, now_ms: int
) -> SiteOrder:
    """Refuse an order, and tell the window why.

    Raises:
        BadValue: the order does not wait, or "other" is given without a word.

    """
    _waiting(connection, copy_id)
    if refusal is Refusal.OTHER and not note.strip():
        raise BadValue(
            Text(zh="未写明原因。", en="the reason is not said"),
            Text(zh="请用 --note 写明。", en="Say it with --note."),
        )
    decision = CopyDecided(copy_id=copy_id, approved=False, refusal=refusal, note=_note(note), decided_at_ms=now_ms)
    return _decided(connection, decision, keeper, now_ms)


def _waiting(connection: Connection, copy_id: UUID) -> SiteOrder:
    order = orders.look_up(connection, copy_id)
    if order is None or order.state is not OrderState.WAITING:
        stands = orders.STATES[order.state] if order is not None else Text(zh="不存在", en="unknown")
        raise BadValue(
            Text(zh=f"这件申请{stands.zh}，不能再审批。", en=f"this order is {stands.en}: there is nothing to decide"),
            Text(zh="danglian-node requests list 列出待办。", en="danglian-node requests list shows what waits."),
        )
    return order


def _contents(order: SiteOrder, record: Record | None, approval: Approval) -> CertificateContents:
    title = record.title if record is not None else order.asked.title
    if order.asked.product is Product.STATEMENT:
        return CertificateContents(
            title=title, facts=_facts(order, approval), source=_text(approval.source, "出处 source")
        )
    if approval.pages is None or not approval.pages.pages:
        raise BadValue(
            Text(zh="没有页面，不能出具复制件。", en="there are no pages to certify"),
            Text(zh="请先扫描，或以 no_pages 为由拒绝。", en="Scan them first, or refuse the order as no_pages."),
        )
    return CertificateContents(
        title=title,
        pages=tuple(
            CertifiedPage(number=one.number, file=one.path, sha256=one.sha256, size_bytes=one.size_bytes)
            for one in approval.pages.pages
        ),
        page_count=record.page_count if record is not None else order.asked.page_count,
    )


def _facts(order: SiteOrder, approval: Approval) -> tuple[StatedFact, ...]:
    asked = order.asked.facts
    if set(approval.facts) != set(range(1, len(asked) + 1)):
        raise BadValue(
            Text(
                zh=f"所询事项共 {len(asked)} 项，每项都须答复，且只答所询。",
                en=f"{Count(len(asked)):fact is|facts are} asked: each needs an answer, and nothing else is answered",
            ),
            Text(
                zh="档案未记载的写“该件未记载”，例如 --fact 2=该件未记载。",
                en='What the record does not say is answered so: --fact "2=not stated in the record".',
            ),
        )
    return tuple(
        StatedFact(
            asked=name,
            said=_text(approval.facts[number].said, f"第{number}项 fact {number}"),
            page=approval.facts[number].page,
        )
        for number, name in enumerate(asked, start=1)
    )


def _statement(
    order: SiteOrder, contents: str, approval: Approval, signer: str, now_ms: int, *, is_deputy: bool
) -> CertificateStatement:
    asked = order.asked
    is_copy = asked.product is Product.CERTIFIED_COPY
    return CertificateStatement(
        serial=asked.serial,
        kind=CertificateKind.CERTIFIED_COPY if is_copy else CertificateKind.STATEMENT,
        holder=asked.holder,
        holder_name=asked.holder_name,
        signer=signer,
        handler=Handler.DEPUTY if is_deputy else Handler.KEEPER,
        date=day_of(now_ms),
        request_id=asked.request_id,
        contents=contents_digest(contents),
        pages=len(approval.pages.pages) if is_copy and approval.pages is not None else 0,
        record_id=asked.record_id,
        ref_code=asked.ref_code,
        replaces=asked.replaces,
    )


def _offered(connection: Connection, order: SiteOrder, approval: Approval, now_ms: int) -> Consignment | None:
    if order.asked.product is not Product.CERTIFIED_COPY or approval.pages is None:
        return None
    found = approval.pages
    files = tuple(ConsignedFile(path=one.path, size_bytes=one.size_bytes, sha256=one.sha256) for one in found.pages)
    consignment = Consignment(consignment_id=order.copy_id, files=files)
    # Somebody stands at the window and waits for it.
    consigning.offer(connection, order.copy_id, files, found.root, now_ms, any_hour=True)
    return consignment


def _decided(connection: Connection, decision: CopyDecided, keeper: Keeper, now_ms: int) -> SiteOrder:
    orders.decide(connection, decision, keeper.who, now_ms)
    _log(connection, decision, keeper, now_ms)
    letters.write(connection, HUB_PEER, kind=COPY_DECIDED, topic=decision.copy_id, body=decision, now_ms=now_ms)
    known = orders.look_up(connection, decision.copy_id)
    if known is None:
        message = "the order is gone in the transaction that decided it"
        raise RuntimeError(message)
    return known


def _log(connection: Connection, decision: CopyDecided, keeper: Keeper, now_ms: int) -> None:
    """Write who decided, under which case, in the site's own log."""
    order = orders.look_up(connection, decision.copy_id)
    if order is None:
        return
    asked = order.asked
    detail = ReadDetail(
        case_ref=asked.case_no,
        purpose=asked.purpose,
        requester=asked.requester,
        total=1,
        withheld=0 if decision.approved else 1,
        told=(Told(record_id=asked.record_id, treatment=asked.product.value),) if decision.approved else (),
        reason=None if decision.refusal is None else REFUSALS[decision.refusal],
    )
    entry = NodeAuditEntry(
        who=f"keeper:{keeper.who}",
        action=Action.COPY_DECIDED,
        request_id=str(asked.request_id),
        outcome=Outcome.DONE if decision.approved else Outcome.REFUSED,
        origin=keeper.origin,
        detail=detail,
    )
    audit.append(connection, entry, now_ms)


def _note(note: str) -> str:
    if len(note) > NOTE_CHARS_MAX:
        raise BadValue(
            Text(zh="说明过长。", en="the note is too long"),
            Text(zh=f"至多 {NOTE_CHARS_MAX} 字。", en=f"At most {NOTE_CHARS_MAX} characters."),
        )
    return note.strip()


def _text(text: str, name: str) -> str:
    if not text.strip() or len(text) > FACT_CHARS_MAX:
        zh, en = name.split(" ", 1)
        raise BadValue(
            Text(zh=f"{zh}为空或过长。", en=f"the {en} is empty or too long"),
            Text(zh=f"1–{FACT_CHARS_MAX} 字。", en=f"1 to {FACT_CHARS_MAX} characters."),
        )
    return text.strip()
