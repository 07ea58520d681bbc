"""Proposals of change: staff say what a record should say otherwise, and its owner decides (promise 1).

The hub writes no record: it writes a letter beside the proposal, and notes what the owner answers. What the owner
accepted comes back as an event like any other change. While it waits a proposal can be taken back.
"""

import uuid
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from hub import audit
from hub.audit import Action, AuditEntry
from hub.audit import Outcome as Done
from hub.catalogue import readable, stored_of
from hub.decisions.proposal_tables import proposal
from hub.staff.administration import Actor
from protocol.errors import BadValue, Refused
from protocol.limits import PROPOSAL_REASON_CHARS_MAX
from protocol.proposals import (
    CHANGE_PROPOSED,
    FIELD_WORDS,
    PROPOSAL_WITHDRAWN,
    ChangeProposed,
    ProposalWithdrawn,
    ProposedField,
    ProposedValue,
    check_value,
    said_of,
)
from protocol.records import Record
from protocol.wording import Text
from replication import letters
from replication.tables import letter_out

WAITING_A_SITE_MAX: Final = 500
"""Proposals that wait for one site's keeper: more than a village decides in a year."""

_values = msgspec.json.Decoder(tuple[ProposedValue, ...])


class ProposalState(StrEnum):
    """How far a proposal is."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    VOID = "void"


STATES: Final[Mapping[ProposalState, Text]] = {
    ProposalState.WAITING: Text(zh="等待所有者决定", en="waits for the owner"),
    ProposalState.ACCEPTED: Text(zh="已采纳", en="accepted"),
    ProposalState.REFUSED: Text(zh="未采纳", en="refused"),
    ProposalState.WITHDRAWN: Text(zh="已撤回", en="taken back"),
    ProposalState.VOID: Text(zh="无法写入", en="could not be written"),
}


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as it is stored."""

    number: int
    proposal_id: UUID
    site: str
    record_id: UUID
    fields: tuple[str, ...]
    values: tuple[ProposedValue, ...]
    """Empty once it does not wait any more."""
    reason: str
    proposed_by: str
    proposed_at_ms: int
    state: ProposalState
    decided_by: str
    decided_at_ms: int | None
    because: Text
    dropped: str
    """A ``protocol.proposals.Dropped`` if the owner's sheet has overtaken what was accepted."""

    @property
    def words(self) -> tuple[Text, ...]:
        """The fields in words."""
        return tuple(FIELD_WORDS.get(field, Text(zh=field, en=field)) for field in self.fields)


# Proposing


def offered(record: Record) -> dict[ProposedField, str]:
    """Return the fields for which another value can be proposed, each with what the record says now."""
    return {field: said_of(record, field) for field in ProposedField}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody would write otherwise."""

    site: str
    record_id: UUID
    wanted: Mapping[str, str]
    """By field; those that say what is there already are left out."""
    reason: str
    called: str = ""
    """Name of who proposes, for the keeper at the site."""


def propose(connection: Connection, actor: Actor, wish: Wish, now_ms: int) -> Proposal:
    """Write a proposal, and the letter to the owner, in the caller's transaction.

    Raises:
        BadValue: a value cannot stand, nothing is different, or there is no reason.
        Refused: the hub holds no such record, somebody proposes the same field already, or too many wait.

    """
    record, seq = _held(connection, wish.site, wish.record_id)
    values, why = _differing(record, wish.wanted), _reason(wish)
    if not values:
        raise BadValue(
            Text(zh="没有提出任何不同的内容。", en="nothing is different"),
            Text(zh="请改写至少一个字段。", en="Change one field at least."),
        )
    _check_room(connection, wish.site, wish.record_id, {one.field for one in values})
    body = ChangeProposed(
        record_id=wish.record_id,
        seq=seq,
        values=values,
        reason=why,
        proposed_by=f"{wish.called}（{actor.who}）" if wish.called else actor.who,
        proposed_at_ms=now_ms,
    )
    proposal_id = _put(connection, actor, wish.site, body)
    letters.write(connection, wish.site, kind=CHANGE_PROPOSED, topic=proposal_id, body=body, now_ms=now_ms)
    made = _by_id(connection, proposal_id)
    tell(connection, actor, Action.CHANGE_PROPOSED, made, ", ".join(made.fields), now_ms)
    return made


def _reason(wish: Wish) -> str:
    why = wish.reason.strip()
    if not why or len(why) > PROPOSAL_REASON_CHARS_MAX:
        raise BadValue(
            Text(zh="请写明理由。", en="a reason is needed"),
            Text(
                zh=f"例如：原件题名如此；最多 {PROPOSAL_REASON_CHARS_MAX} 字。",
                en=f"Such as: the original says so; {PROPOSAL_REASON_CHARS_MAX} characters at most.",
            ),
        )
    return why


def _put(connection: Connection, actor: Actor, site: str, body: ChangeProposed) -> UUID:
    proposal_id = uuid.uuid4()
    connection.execute(
        insert(proposal).values(
            proposal_id=str(proposal_id),
            site=site,
            record_id=body.record_id.bytes,
            fields=",".join(one.field for one in body.values),
            proposed=msgspec.json.encode(body.values).decode(),
            reason=body.reason,
            proposed_by=actor.who,
            proposed_at_ms=body.proposed_at_ms,
            state=ProposalState.WAITING.value,
            decided_by="",
            because_zh="",
            because_en="",
            dropped="",
        )
    )
    return proposal_id


def _held(connection: Connection, site: str, record_id: UUID) -> tuple[Record, int]:
    stored = next(iter(stored_of(connection, site, [record_id.bytes])), None)
    record = None if stored is None else readable(stored)
    if stored is None or record is None:
        raise Refused(
            Text(zh="县级没有此条目的内容。", en="the hub holds no content of this record"),
            Text(zh="它可能已被所有者撤回。", en="Its owner may have withdrawn it."),
        )
    return record, stored.held.place.seq


def _differing(record: Record, wanted: Mapping[str, str]) -> tuple[ProposedValue, ...]:
    found = []
    for field, said in offered(record).items():
        new = wanted.get(field.value)
        # What a form shows has no line breaks: they alone make no difference.
        if new is None or new.split() == said.split():
            continue
        check_value(field, new)
        found.append(ProposedValue(field=field.value, old=said, new=new))
    return tuple(found)


def _check_room(connection: Connection, site: str, record_id: UUID, fields: Collection[str]) -> None:
    waiting = [one for one in of_record(connection, site, record_id) if one.state is ProposalState.WAITING]
    for one in waiting:
        if not set(one.fields).isdisjoint(fields):
            raise Refused(
                Text(
                    zh=f"{one.proposed_by} 已就同一字段提出建议，尚未决定。",
                    en=f"{one.proposed_by} has proposed the same field, and it waits",
                ),
                Text(zh="请等待所有者决定，或先撤回那一项。", en="Wait for the owner, or take that one back first."),
            )
    if count_waiting(connection, site) >= WAITING_A_SITE_MAX:
        raise Refused(
            Text(zh="该站等待处理的建议过多。", en="too many proposals wait for this site"),
            Text(zh="请先与该站联系。", en="Call the site first."),
        )


def take_back(connection: Connection, actor: Actor, number: int, now_ms: int) -> Proposal | None:
    """Take a proposal back while nobody has decided; returns it as it is then, None if there is none."""
    one = numbered(connection, number)
    if one is None or one.state is not ProposalState.WAITING:
        return one
    settle(connection, one, ProposalState.WITHDRAWN, actor.who, Text(zh="", en=""), now_ms)
    body = ProposalWithdrawn(withdrawn_by=actor.who)
    letters.write(connection, one.site, kind=PROPOSAL_WITHDRAWN, topic=one.proposal_id, body=body, now_ms=now_ms)
    taken = _by_id(connection, one.proposal_id)
    tell(connection, actor, Action.PROPOSAL_WITHDRAWN, taken, "", now_ms)
    return taken


def settle(connection: Connection, one: Proposal, state: ProposalState, who: str, because: Text, at_ms: int) -> None:
    """Note how a proposal ended, and forget its values."""
    connection.execute(
        update(proposal)
        .where(proposal.c.number == one.number)
        .values(
            state=state.value,
            decided_by=who,
            decided_at_ms=at_ms,
            because_zh=because.zh,
            because_en=because.en,
            proposed=None,
        )
    )


# Reading


def waiting(connection: Connection, limit: int, site: str = "") -> list[Proposal]:
    """Return what waits, the oldest first."""
    statement = select(proposal).where(proposal.c.state == ProposalState.WAITING.value).order_by(proposal.c.number)
    if site:
        statement = statement.where(proposal.c.site == site)
    return [_proposal(row) for row in connection.execute(statement.limit(limit))]


def decided(connection: Connection, limit: int) -> list[Proposal]:
    """Return what does not wait any more, the latest first."""
    statement = select(proposal).where(proposal.c.state != ProposalState.WAITING.value)
    ordered = statement.order_by(proposal.c.decided_at_ms.desc(), proposal.c.number.desc())
    return [_proposal(row) for row in connection.execute(ordered.limit(limit))]


def of_record(connection: Connection, site: str, record_id: UUID) -> list[Proposal]:
    """Return the proposals about one record, the latest first."""
    statement = select(proposal).where(proposal.c.record_id == record_id.bytes, proposal.c.site == site)
    return [_proposal(row) for row in connection.execute(statement.order_by(proposal.c.number.desc()))]


def brought(connection: Connection, some: Collection[Proposal]) -> set[UUID]:
    """Return those of some proposals that have reached their sites."""
    topics = [str(one.proposal_id) for one in some]
    taken = select(letter_out.c.topic).where(
        letter_out.c.topic.in_(topics), letter_out.c.kind == CHANGE_PROPOSED, letter_out.c.is_taken == 1
    )
    return {UUID(topic) for topic in connection.scalars(taken)}


def numbered(connection: Connection, number: int) -> Proposal | None:
    """Return one proposal."""
    row = connection.execute(select(proposal).where(proposal.c.number == number)).one_or_none()
    return None if row is None else _proposal(row)


def count_waiting(connection: Connection, site: str = "", limit: int | None = None) -> int:
    """Return how many wait, of one site or of all; ``limit`` at most."""
    some = select(proposal.c.site).where(proposal.c.state == ProposalState.WAITING.value).limit(limit)
    if site:
        some = some.where(proposal.c.site == site)
    return connection.scalar(select(func.count()).select_from(some.subquery())) or 0


def of_id(connection: Connection, proposal_id: UUID) -> Proposal | None:
    """Return the proposal of an id; None if there is none."""
    row = connection.execute(select(proposal).where(proposal.c.proposal_id == str(proposal_id))).one_or_none()
    return None if row is None else _proposal(row)


def _by_id(connection: Connection, proposal_id: UUID) -> Proposal:
    return _proposal(connection.execute(select(proposal).where(proposal.c.proposal_id == str(proposal_id))).one())


def tell(connection: Connection, actor: Actor, action: Action, one: Proposal, detail: str, now_ms: int) -> None:
    """Write into the audit log what was done about a proposal."""
    entry = AuditEntry(
        who=actor.who,
        action=action,
        object=f"{one.site}/{one.record_id} #{one.number}",
        outcome=Done.DONE,
        origin=actor.origin,
        detail=detail,
    )
    audit.append(connection, entry, now_ms)


def _proposal(row: Row[*tuple[Any, ...]]) -> Proposal:
    return Proposal(
        number=row.number,
        proposal_id=UUID(row.proposal_id),
        site=row.site,
        record_id=UUID(bytes=row.record_id),
        fields=tuple(row.fields.split(",")),
        values=_values.decode(row.proposed) if row.proposed else (),
        reason=row.reason,
        proposed_by=row.proposed_by,
        proposed_at_ms=row.proposed_at_ms,
        state=ProposalState(row.state),
        decided_by=row.decided_by,
        decided_at_ms=row.decided_at_ms,
        because=Text(zh=row.because_zh, en=row.because_en),
        dropped=row.dropped,
    )
