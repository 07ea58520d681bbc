"""Proposals of the county for records of this site: taken from letters, decided by the keeper, answered by letter.

The commands only write a decision down; the daemon carries an acceptance out between two imports (``node.correcting``),
so that no import that is under way writes over it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from node.proposal_tables import proposal
from protocol.errors import BadValue, Refused
from protocol.letters import Letter, body_of
from protocol.limits import PROPOSAL_REASON_CHARS_MAX
from protocol.proposals import (
    CHANGE_PROPOSED,
    PROPOSAL_DECIDED,
    PROPOSAL_WITHDRAWN,
    ChangeProposed,
    Decision,
    ProposalDecided,
    ProposalWithdrawn,
    ProposedField,
    ProposedValue,
)
from protocol.wording import Text
from replication import letters
from replication.letters import HUB_PEER, Handlers

WAITING_MAX: Final = 2_000
"""Proposals that wait at a site; more are refused by letter: nobody decides so many."""

NOTHING: Final = Text(zh="", en="")
_FULL: Final = Text(
    zh=f"该站已有 {WAITING_MAX} 项建议等待处理。", en=f"{WAITING_MAX} proposals wait at this site already"
)


_values = msgspec.json.Decoder(tuple[ProposedValue, ...])


class ProposalState(StrEnum):
    """How far a proposal is."""

    WAITING = "waiting"
    ACCEPT_ASKED = "accept_asked"
    """The keeper accepted it, and the daemon has still to write it."""
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """The county took it back."""
    VOID = "void"
    """It could not be carried out."""


OPEN: Final = (ProposalState.WAITING.value, ProposalState.ACCEPT_ASKED.value)


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as it is stored."""

    number: int
    """By which the keeper names it."""
    proposal_id: UUID
    record_id: UUID
    record_seq: int
    values: tuple[ProposedValue, ...]
    reason: str
    proposed_by: str
    proposed_at_ms: int
    heard_at_ms: int
    state: ProposalState
    because: Text = NOTHING
    decided_by: str = ""
    decided_at_ms: int = 0


def handlers(clock_ms: Callable[[], int]) -> Handlers:
    """Return what acts on the county's letters about proposals."""

    def proposed(connection: Connection, _peer: str, letter: Letter) -> None:
        take(connection, letter.topic, body_of(letter, ChangeProposed), clock_ms())

    def withdrawn(connection: Connection, _peer: str, letter: Letter) -> None:
        take_back(connection, letter.topic, body_of(letter, ProposalWithdrawn), clock_ms())

    return {CHANGE_PROPOSED: proposed, PROPOSAL_WITHDRAWN: withdrawn}


def take(connection: Connection, proposal_id: UUID, said: ChangeProposed, now_ms: int) -> None:
    """Take a proposal; one that is known already, or was taken back before it came, changes nothing."""
    if _by_id(connection, proposal_id) is not None:
        return
    waiting = connection.scalar(select(func.count()).select_from(proposal).where(proposal.c.state.in_(OPEN))) or 0
    connection.execute(
        insert(proposal).values(
            proposal_id=str(proposal_id),
            record_id=said.record_id.bytes,
            record_seq=said.seq,
            proposed=msgspec.json.encode(said.values).decode(),
            reason=said.reason[:PROPOSAL_REASON_CHARS_MAX],
            proposed_by=said.proposed_by,
            proposed_at_ms=said.proposed_at_ms,
            heard_at_ms=now_ms,
            state=ProposalState.WAITING.value,
            because_zh="",
            because_en="",
            decided_by="",
            decided_at_ms=0,
        )
    )
    made = _by_id(connection, proposal_id)
    if made is not None and waiting >= WAITING_MAX:
        settle(connection, made, ProposalState.VOID, _FULL, "", now_ms)


def take_back(connection: Connection, proposal_id: UUID, said: ProposalWithdrawn, now_ms: int) -> None:
    """Note that the county does not propose this any more; what was decided stands, and was told."""
    connection.execute(
        update(proposal)
        .where(proposal.c.proposal_id == str(proposal_id), proposal.c.state == ProposalState.WAITING.value)
        .values(state=ProposalState.WITHDRAWN.value, decided_by=said.withdrawn_by, decided_at_ms=now_ms)
    )


# Reading


def listed(connection: Connection, *, with_past: bool) -> list[Proposal]:
    """Return the proposals that wait, oldest first; with the past: all."""
    statement = select(proposal).order_by(proposal.c.number)
    if not with_past:
        statement = statement.where(proposal.c.state.in_(OPEN))
    return [_proposal(row) for row in connection.execute(statement)]


def count_waiting(connection: Connection) -> int:
    """Return how many proposals nobody has decided."""
    waiting = proposal.c.state == ProposalState.WAITING.value
    return connection.scalar(select(func.count()).select_from(proposal).where(waiting)) or 0


def numbered(connection: Connection, number: int) -> Proposal:
    """Return the proposal of a number.

    Raises:
        BadValue: there is none.

    """
    row = connection.execute(select(proposal).where(proposal.c.number == number)).one_or_none()
    if row is None:
        raise BadValue(
            Text(zh=f"没有编号为 {number} 的修改建议。", en=f"there is no proposal {number}"),
            Text(zh="编号见 danglian-node proposals list --all。", en="See danglian-node proposals list --all."),
        )
    return _proposal(row)


def accept_asked(connection: Connection) -> list[Proposal]:
    """Return what the keeper accepted and the daemon has not written."""
    asked = proposal.c.state == ProposalState.ACCEPT_ASKED.value
    return [_proposal(row) for row in connection.execute(select(proposal).where(asked).order_by(proposal.c.number))]


# Deciding


def accept(connection: Connection, number: int, who: str, because: str, now_ms: int) -> Proposal:
    """Write down that the keeper accepts a proposal.

    Raises:
        BadValue: there is none of this number, or nobody waits for it.
        Refused: it is about a field that this version does not know.

    """
    one = _waiting(connection, number)
    unknown = [value.field for value in one.values if value.field not in tuple(ProposedField)]
    if unknown:
        raise Refused(
            Text(zh=f"本版本不认识字段：{'、'.join(unknown)}。", en=f"unknown fields: {', '.join(unknown)}"),
            Text(zh="请先升级本站程序。", en="Upgrade this site's program first."),
        )
    text = because[:PROPOSAL_REASON_CHARS_MAX]
    return _note(connection, one, ProposalState.ACCEPT_ASKED, Text(zh=text, en=text), who, now_ms)


def refuse(connection: Connection, number: int, who: str, because: str, now_ms: int) -> Proposal:
    """Refuse a proposal with a reason, and tell the county.

    Raises:
        BadValue: there is none of this number, nobody waits for it, or no reason is given.

    """
    text = because.strip()[:PROPOSAL_REASON_CHARS_MAX]
    if not text:
        raise BadValue(
            Text(zh="请写明不采纳的理由。", en="say why it is refused"),
            Text(zh="例如 --because 原件如此", en="For example --because 'the original says so'"),
        )
    return settle(connection, _waiting(connection, number), ProposalState.REFUSED, Text(zh=text, en=text), who, now_ms)


def settle(
    connection: Connection, one: Proposal, state: ProposalState, because: Text, who: str, now_ms: int
) -> Proposal:
    """Note how a proposal ended, and tell the county in the same transaction."""
    settled = _note(connection, one, state, because, who, now_ms)
    decision = {ProposalState.ACCEPTED: Decision.ACCEPTED, ProposalState.REFUSED: Decision.REFUSED}
    body = ProposalDecided(
        decision=decision.get(state, Decision.VOID).value,
        reason_zh=because.zh,
        reason_en=because.en,
        decided_by=who,
        decided_at_ms=now_ms,
    )
    letters.write(connection, HUB_PEER, kind=PROPOSAL_DECIDED, topic=one.proposal_id, body=body, now_ms=now_ms)
    return settled


def _note(
    connection: Connection, one: Proposal, state: ProposalState, because: Text, who: str, now_ms: int
) -> Proposal:
    connection.execute(
        update(proposal)
        .where(proposal.c.number == one.number)
        .values(state=state.value, because_zh=because.zh, because_en=because.en, decided_by=who, decided_at_ms=now_ms)
    )
    return msgspec.structs.replace(one, state=state, because=because, decided_by=who, decided_at_ms=now_ms)


def _waiting(connection: Connection, number: int) -> Proposal:
    one = numbered(connection, number)
    if one.state is not ProposalState.WAITING:
        raise BadValue(
            Text(zh=f"修改建议 {number} 已不在等待。", en=f"proposal {number} does not wait any more"),
            Text(zh="请用 danglian-node proposals show 查看结果。", en="See danglian-node proposals show."),
        )
    return one


def _by_id(connection: Connection, proposal_id: UUID) -> Proposal | None:
    row = connection.execute(select(proposal).where(proposal.c.proposal_id == str(proposal_id))).one_or_none()
    return None if row is None else _proposal(row)


def _proposal(row: Row[*tuple[Any, ...]]) -> Proposal:
    return Proposal(
        number=row.number,
        proposal_id=UUID(row.proposal_id),
        record_id=UUID(bytes=row.record_id),
        record_seq=row.record_seq,
        values=_values.decode(row.proposed),
        reason=row.reason,
        proposed_by=row.proposed_by,
        proposed_at_ms=row.proposed_at_ms,
        heard_at_ms=row.heard_at_ms,
        state=ProposalState(row.state),
        because=Text(zh=row.because_zh, en=row.because_en),
        decided_by=row.decided_by,
        decided_at_ms=row.decided_at_ms,
    )
