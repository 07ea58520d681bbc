"""The county's audit log as this site keeps it honest: heads that the hub told, and places where it contradicts them.

The site keeps what it was told and asks again later. A hub that has lost, changed or put in a line behind such a head
cannot say the digest any more (``protocol.audit_letters``), and everybody at the site can see it.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cache

import msgspec
from sqlalchemy import Connection, Insert, Select, bindparam, insert, or_, select

from node.keeper import audit
from node.keeper.tables import county_contradiction, county_head
from protocol.audit_chain import AuditHead, contradicted
from protocol.audit_letters import AUDIT_HEAD, PLACES_ASKED_MAX, AuditHeadTold
from protocol.letters import Letter, body_of
from replication import letters
from replication.letters import LetterHandler


class Contradiction(msgspec.Struct, frozen=True, kw_only=True):
    """One place where the county's log is not what it was."""

    seq: int
    kept_digest: str
    said_digest: str
    """Empty where the county's log ends before it."""
    found_at_ms: int


def keep(connection: Connection, head: AuditHead, told_at_ms: int, now_ms: int) -> None:
    """Keep a head of the county's log; one that contradicts another is noted.

    Questions overtake each other: that the log ends before a line is said only of lines that the county told earlier.

    Args:
        connection: of the transaction.
        head: of the county's log.
        told_at_ms: when the county told it, by its own clock; it is kept beside the head.
        now_ms: the site's clock.

    """
    if head.seq <= 0:
        return
    kept = _kept(connection, (), head.seq, told_at_ms)
    if head.seq not in kept:
        connection.execute(_keeping(), {"seq": head.seq, "digest": head.digest, "heard_at_ms": told_at_ms})
        kept[head.seq] = head.digest
    _judge(connection, kept, {}, head, now_ms)


@cache
def _keeping() -> Insert:
    return insert(county_head)


def latest(connection: Connection) -> tuple[AuditHead, int] | None:
    """Return the furthest head that was heard, and when the county told it; None before the first."""
    row = connection.execute(select(county_head).order_by(county_head.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else (AuditHead(seq=row.seq, digest=row.digest), row.heard_at_ms)


def contradictions(connection: Connection) -> list[Contradiction]:
    """Return where the county's log is not what it was, the first place first."""
    rows = connection.execute(select(county_contradiction).order_by(county_contradiction.c.seq))
    return [msgspec.convert(row, Contradiction, from_attributes=True) for row in rows]


def _kept(connection: Connection, shown: Collection[int], last: int, told_at_ms: int) -> dict[int, str]:
    """Return the kept heads about which something is known now: those shown, and those at or behind the log's end."""
    rows = connection.execute(_heads(), {"last": last, "shown": list(shown), "before": told_at_ms})
    return {row.seq: row.digest for row in rows}


@cache
def _heads() -> Select[int, str]:
    # Made once: every question keeps a head, and making a statement takes longer than asking it.
    shown = county_head.c.seq.in_(bindparam("shown", expanding=True))
    behind = (county_head.c.seq > bindparam("last")) & (county_head.c.heard_at_ms < bindparam("before"))
    at_end = county_head.c.seq == bindparam("last")
    return select(county_head.c.seq, county_head.c.digest).where(or_(at_end, behind, shown))


def places_to_ask(connection: Connection) -> tuple[int, ...]:
    """Return places of the county's log whose digests are asked for: the newest kept, and others spread over all."""
    found = list(connection.scalars(select(county_head.c.seq).order_by(county_head.c.seq.desc())))
    step = max(1, -(-len(found) // PLACES_ASKED_MAX))
    return tuple(sorted(found[::step][:PLACES_ASKED_MAX]))


def _judge(
    connection: Connection, kept: Mapping[int, str], shown: Mapping[int, str], head: AuditHead, now_ms: int
) -> None:
    found = contradicted(kept, shown, head)
    if not found:
        return
    known = set(connection.scalars(select(county_contradiction.c.seq)))
    for seq in found:
        if seq not in known:
            said = head.digest if seq == head.seq else shown.get(seq, "")
            values = {"seq": seq, "kept_digest": kept[seq], "said_digest": said, "found_at_ms": now_ms}
            connection.execute(insert(county_contradiction).values(**values))


def head_letter_handler(clock_ms: Callable[[], int]) -> LetterHandler:
    """Return what takes the letter ``audit_head`` of the county and answers it with the site's own."""

    def take(connection: Connection, peer: str, letter: Letter) -> None:
        told, now_ms = body_of(letter, AuditHeadTold), clock_ms()
        shown = {one.seq: one.digest for one in told.digests}
        kept = _kept(connection, shown, told.head.seq, letter.written_at_ms)
        _judge(connection, kept, shown, told.head, now_ms)
        keep(connection, told.head, letter.written_at_ms, now_ms)
        digests = audit.digests_at(connection, told.places[:PLACES_ASKED_MAX])
        mine = AuditHeadTold(
            head=audit.LOG.head(connection),
            places=places_to_ask(connection),
            digests=tuple(AuditHead(seq=seq, digest=digest) for seq, digest in sorted(digests.items())),
            contradicted=tuple(
                AuditHead(seq=one.seq, digest=one.kept_digest) for one in contradictions(connection)[:PLACES_ASKED_MAX]
            ),
        )
        letters.settle(connection, letter.topic)
        letters.write(connection, peer, kind=AUDIT_HEAD, topic=letter.topic, body=mine, now_ms=now_ms)

    return take
