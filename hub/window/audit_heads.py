"""The sites' audit logs as the county keeps them honest, and the county's as the sites do: heads, asked for and told.

Every site is told the head of the county's log once a day, and asked what its own log has at places whose heads were
kept. Heads come besides with each answer to a lookup. A log that has changed cannot say what it said; where it does
not, a line is kept here that nobody can explain away.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Connection, Insert, Select, bindparam, delete, insert, or_, select, update

from hub import audit
from hub.looking import look_for_ever
from hub.membership import keyring
from hub.staff.account_tables import audit_line
from hub.window.lookup_tables import audit_contradiction, audit_doubt, audit_exchange, site_audit_head
from protocol.audit_chain import AuditHead, contradicted
from protocol.audit_letters import AUDIT_HEAD, PLACES_ASKED_MAX, AuditHeadTold
from protocol.letters import Letter, body_of
from replication import letters
from replication.database import Database
from replication.dialects import upsert
from replication.letters import LetterHandler

EXCHANGE_EVERY_MS: Final = 24 * 3600 * 1000
"""Milliseconds between two exchanges of heads with a site."""

SILENCE_MS: Final = 30 * EXCHANGE_EVERY_MS
"""Milliseconds before a site is written to again that has not answered."""

LOOK_EVERY_S: Final = 300.0
"""Seconds between looks with whom an exchange is due."""

SITES_AT_ONCE: Final = 50
"""Sites that one look writes to."""

NAMESPACE: Final = UUID("6f1f5f3e-0a50-4b67-9a35-0d6f2e6f7c11")
"""Makes the topic of the exchange with a site."""

log = structlog.get_logger(__name__)


class Contradiction(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a site's log is not what it was when the county kept its head."""

    site: str
    seq: int
    kept_digest: str
    said_digest: str
    """Empty where the log ends before it."""
    found_at_ms: int


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the county's own log that a site was told otherwise."""

    site: str
    """Which says so."""
    seq: int
    kept_digest: str
    """What the site was told then."""
    found_at_ms: int


class KeptHead(msgspec.Struct, frozen=True, kw_only=True):
    """The furthest head that is kept of a site."""

    site: str
    seq: int
    digest: str
    heard_at_ms: int


def keep(connection: Connection, site: str, head: AuditHead, asked_at_ms: int, now_ms: int) -> None:
    """Keep a head of a site's log; one that contradicts another is noted."""
    keep_all(connection, {site: head}, asked_at_ms, now_ms)


def keep_all(connection: Connection, heads: Mapping[str, AuditHead], asked_at_ms: int, now_ms: int) -> None:
    """Keep a head of the log of each of some sites; what contradicts another is noted.

    Answers overtake each other: that a log ends before a line is said only of lines that were known when the question
    was put, so that the site cannot have given the head before it wrote them.

    Args:
        connection: of the transaction.
        heads: by site.
        asked_at_ms: when the sites were asked for what brings the heads.
        now_ms: the hub's clock.

    """
    fresh = []
    for site, head in heads.items():
        if head.seq <= 0:
            continue
        # Of the heads before it nothing is known now.
        behind = connection.execute(_kept_behind(), {"of_site": site, "from_seq": head.seq, "before": asked_at_ms})
        kept = {row.seq: row.digest for row in behind}
        if head.seq not in kept:
            fresh.append({"site": site, "seq": head.seq, "digest": head.digest, "heard_at_ms": now_ms})
        if contradicted(kept, {}, head):
            _judge(connection, site, {}, head, asked_at_ms, now_ms)
    if fresh:
        connection.execute(_keeping(), fresh)


@cache
def _kept_behind() -> Select[int, str]:
    """The heads of a site at a line, and those behind it that were known before a moment."""
    of_site, seq = site_audit_head.c.site == bindparam("of_site"), site_audit_head.c.seq
    behind = (seq > bindparam("from_seq")) & (site_audit_head.c.heard_at_ms < bindparam("before"))
    return select(seq, site_audit_head.c.digest).where(of_site, or_(seq == bindparam("from_seq"), behind))


@cache
def _keeping() -> Insert:
    return insert(site_audit_head)


def kept_heads(connection: Connection) -> list[KeptHead]:
    """Return the furthest head of every site."""
    found: dict[str, KeptHead] = {}
    for row in connection.execute(select(site_audit_head).order_by(site_audit_head.c.site, site_audit_head.c.seq)):
        found[row.site] = msgspec.convert(row, KeptHead, from_attributes=True)
    return list(found.values())


def contradictions(connection: Connection, site: str = "") -> list[Contradiction]:
    """Return where logs are not what they were; of one site or of all."""
    statement = select(audit_contradiction).order_by(audit_contradiction.c.site, audit_contradiction.c.seq)
    if site:
        statement = statement.where(audit_contradiction.c.site == site)
    return [msgspec.convert(row, Contradiction, from_attributes=True) for row in connection.execute(statement)]


def doubts(connection: Connection) -> list[Doubt]:
    """Return where sites say that the county's log is not what they were told."""
    statement = select(audit_doubt).order_by(audit_doubt.c.seq, audit_doubt.c.site)
    return [msgspec.convert(row, Doubt, from_attributes=True) for row in connection.execute(statement)]


def _note_doubts(connection: Connection, site: str, told: Sequence[AuditHead], now_ms: int) -> None:
    known = set(connection.scalars(select(audit_doubt.c.seq).where(audit_doubt.c.site == site)))
    for one in told:
        if one.seq not in known and one.seq > 0:
            known.add(one.seq)
            values = {"site": site, "seq": one.seq, "kept_digest": one.digest, "found_at_ms": now_ms}
            connection.execute(insert(audit_doubt).values(**values))
            log.error("audit_log_doubted", site=site, line=one.seq)


def _judge(
    connection: Connection, site: str, shown: dict[int, str], head: AuditHead, asked_at_ms: int, now_ms: int
) -> None:
    # Of the other heads that are kept nothing is known now.
    behind = connection.execute(_kept_behind(), {"of_site": site, "from_seq": head.seq, "before": asked_at_ms})
    kept = {row.seq: row.digest for row in behind}
    mine = (site_audit_head.c.site == site) & (site_audit_head.c.seq.in_(shown))
    kept |= {row.seq: row.digest for row in connection.execute(select(site_audit_head).where(mine))}
    known = {one.seq for one in contradictions(connection, site)}
    for seq in contradicted(kept, shown, head):
        if seq not in known:
            said = head.digest if seq == head.seq else shown.get(seq, "")
            values = {"site": site, "seq": seq, "kept_digest": kept[seq], "said_digest": said, "found_at_ms": now_ms}
            connection.execute(insert(audit_contradiction).values(**values))
            log.error("audit_log_contradicts", site=site, line=seq)


def digests_at(connection: Connection, places: Sequence[int]) -> tuple[AuditHead, ...]:
    """Return what the county's log has at some places; a place without a line is missing."""
    statement = select(audit_line.c.seq, audit_line.c.digest).where(audit_line.c.seq.in_(places))
    rows = connection.execute(statement.order_by(audit_line.c.seq))
    return tuple(AuditHead(seq=row.seq, digest=row.digest) for row in rows)


def head_letter_handler(clock_ms: Callable[[], int]) -> LetterHandler:
    """Return what takes a site's word about its log, and answers what it asked about the county's."""

    def take(connection: Connection, peer: str, letter: Letter) -> None:
        told, now_ms = body_of(letter, AuditHeadTold), clock_ms()
        mine = select(audit_exchange.c.told_at_ms).where(audit_exchange.c.site == peer)
        asked_at_ms = connection.execute(mine).scalar_one_or_none() or 0
        _judge(connection, peer, {one.seq: one.digest for one in told.digests}, told.head, asked_at_ms, now_ms)
        keep(connection, peer, told.head, asked_at_ms, now_ms)
        _note_doubts(connection, peer, told.contradicted[:PLACES_ASKED_MAX], now_ms)
        # What it asks about our log goes with the next exchange: an answer to each answer would never end.
        asked = msgspec.json.encode(told.places[:PLACES_ASKED_MAX]).decode()
        values = {"heard_at_ms": now_ms, "places": asked}
        connection.execute(update(audit_exchange).where(audit_exchange.c.site == peer).values(values))

    return take


def due(connection: Connection, now_ms: int) -> list[str]:
    """Return the expected sites with whom no heads were exchanged for a while, at most ``SITES_AT_ONCE``.

    A site that has not answered yet is not written to again before ``SILENCE_MS``: its letter waits for it.
    """
    rows = {row.site: row for row in connection.execute(select(audit_exchange))}

    def is_due(site: str) -> bool:
        row = rows.get(site)
        if row is None:
            return True
        has_answered = row.heard_at_ms is not None and row.heard_at_ms >= row.told_at_ms
        return bool(now_ms - row.told_at_ms >= (EXCHANGE_EVERY_MS if has_answered else SILENCE_MS))

    return [one.site for one in keyring.expected_sites(connection) if is_due(one.site)][:SITES_AT_ONCE]


def tell(connection: Connection, site: str, now_ms: int) -> None:
    """Write to a site how the county's log stands, what it asked about it, and ask about the site's.

    The heads that it is asked about are those that stay: each says what all lines before it were, so that fifty of them
    say no less than the thousands that answers bring.
    """
    row = connection.execute(select(audit_exchange).where(audit_exchange.c.site == site)).one_or_none()
    asked = msgspec.json.decode(row.places, type=tuple[int, ...]) if row is not None else ()
    statement = select(site_audit_head.c.seq).where(site_audit_head.c.site == site)
    kept = list(connection.scalars(statement.order_by(site_audit_head.c.seq.desc())))
    step = max(1, -(-len(kept) // PLACES_ASKED_MAX))
    places = tuple(sorted(kept[::step][:PLACES_ASKED_MAX]))
    connection.execute(
        delete(site_audit_head).where(site_audit_head.c.site == site, site_audit_head.c.seq.not_in(places))
    )
    body = AuditHeadTold(
        head=audit.LOG.head(connection),
        places=places,
        digests=digests_at(connection, asked),
    )
    topic = uuid.uuid5(NAMESPACE, site)
    letters.settle(connection, topic)
    letters.write(connection, site, kind=AUDIT_HEAD, topic=topic, body=body, now_ms=now_ms)
    values = {"told_at_ms": now_ms}
    noted = upsert(audit_exchange).values(site=site, heard_at_ms=None, places="[]", **values)
    connection.execute(noted.on_conflict_do_update(index_elements=[audit_exchange.c.site], set_=values))


class HeadExchange:
    """Writes to the sites whose turn it is; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        clock_ms: Callable[[], int],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock_ms = clock_ms
        self._sleep = sleep

    async def run(self) -> None:
        """Look, for ever."""
        await look_for_ever(self.look, LOOK_EVERY_S, "audit_heads_postponed", sleep=self._sleep)

    async def look(self) -> int:
        """Write to the sites whose turn it is; return how many."""
        now_ms = self._clock_ms()

        def step(connection: Connection) -> int:
            sites = due(connection, now_ms)
            for site in sites:
                tell(connection, site, now_ms)
            return len(sites)

        return await self._database.write(step)
