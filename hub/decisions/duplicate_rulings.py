"""The queue of alike records: the catalogue walked from its newest entries, and what persons decide about pairs.

Alike records are found, never stored (``hub.decisions.duplicates``), so the queue is a walk with a place to go on from.
Nothing is merged: two records that describe the same thing both stay, each with its owner, and a reader sees them
together.
"""

import time
from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import Connection, select

from hub import audit
from hub.audit import Action, AuditEntry
from hub.catalogue import STORED_COLUMNS, readable, stored_from
from hub.decisions import duplicates, rulings
from hub.decisions.duplicates import Alike, Entry
from hub.decisions.rulings import Decided, Order, Queue, Ruling
from hub.staff.administration import Actor
from hub.tables import entry
from protocol.errors import BadValue
from protocol.wording import Text

LOOKED_AT_ONCE = 100
"""Entries for which alike ones are sought at once."""

WALK_S_MAX = 0.08
"""Seconds that one page of the walk may look on: all of them are computing, in which no other page gets on."""

PAIRS_OF_ONE_MAX = 20
"""Records shown beside one; a notice that everybody filed has more."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A record and one that is like it, about which nobody has decided."""

    one: Entry
    other: Alike

    @property
    def object(self) -> str:
        """The name of the pair, whichever of the two is seen first."""
        return object_of(self.one.record.record_id, self.other.record.record_id)


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the queue."""

    pairs: tuple[Pair, ...]
    looked_at: int
    """Entries that were looked at."""
    before: int | None
    """Where the next page begins; None at the end of the catalogue."""


def object_of(one: UUID, other: UUID) -> str:
    """Return the name of a pair."""
    return "/".join(sorted((str(one), str(other))))


def walk(
    connection: Connection, before: int | None, pairs_max: int, clock: Callable[[], float] = time.perf_counter
) -> Walk:
    """Return undecided pairs from a place of the catalogue on, the newest entries first."""
    pairs: dict[str, Pair] = {}
    looked_at, ends_at = 0, clock() + WALK_S_MAX
    while True:
        lot = _lot(connection, before)
        if not lot:
            return Walk(pairs=tuple(pairs.values()), looked_at=looked_at, before=None)
        likenesses = duplicates.likeness_of(connection, [one for _, one in lot if one is not None])
        for docid, one in lot:
            before, looked_at = docid, looked_at + 1
            if one is not None and one.key in likenesses:
                pairs |= {pair.object: pair for pair in _undecided(connection, one) if pair.object not in pairs}
            if len(pairs) >= pairs_max:
                return Walk(pairs=tuple(pairs.values()), looked_at=looked_at, before=before)
        if clock() >= ends_at:
            return Walk(pairs=tuple(pairs.values()), looked_at=looked_at, before=before)


def _lot(connection: Connection, before: int | None) -> list[tuple[int, Entry | None]]:
    statement = select(*STORED_COLUMNS).where(entry.c.body.is_not(None)).order_by(entry.c.docid.desc())
    if before is not None:
        statement = statement.where(entry.c.docid < before)
    return [_entry(row) for row in connection.execute(statement.limit(LOOKED_AT_ONCE))]


def _entry(row: Sequence[object]) -> tuple[int, Entry | None]:
    stored = stored_from(row)
    try:
        record = readable(stored)
    except BadValue:
        # What the disk has spoilt is found by the nightly check, not here.
        record = None
    return stored.docid, None if record is None else Entry(site=stored.site, record=record)


def _undecided(connection: Connection, one: Entry) -> list[Pair]:
    found = [Pair(one=one, other=other) for other in duplicates.alike_to(connection, one) if not other.apart]
    decided = rulings.standing(connection, Queue.DUPLICATE, [pair.object for pair in found])
    return [pair for pair in found if pair.object not in decided][:PAIRS_OF_ONE_MAX]


def decide(connection: Connection, actor: Actor, ids: tuple[UUID, UUID], verdict: Decided, now_ms: int) -> bool:
    """Write down that two records are the same thing or different ones; False if that stands already.

    Raises:
        BadValue: one record is named twice.
        Refused: the opposite stands.

    """
    one, other = ids
    if one == other:
        raise BadValue(Text(zh="不能把条目与它自己比较。", en="a record cannot be compared with itself"))
    order = Order(queue=Queue.DUPLICATE, site="", object=object_of(one, other), verdict=verdict)
    is_new = rulings.rule(connection, actor, order, now_ms)
    if verdict is Decided.APART:
        duplicates.set_apart(connection, one, other, actor.who, now_ms)
    return is_new


def tell_apart(connection: Connection, actor: Actor, one: UUID, other: UUID, now_ms: int, by: str = "") -> bool:
    """Note that two records are different things, without a queue; False if that stands already.

    ``by`` is whom the decision names; the audit log names who acted, whatever name was given.

    Raises:
        BadValue: a record cannot be set apart from itself.

    """
    is_new = duplicates.set_apart(connection, one, other, by or actor.who, now_ms)
    return is_new and _told(connection, actor, Action.TOLD_APART, one, other, now_ms)


def bring_together(connection: Connection, actor: Actor, one: UUID, other: UUID, now_ms: int, by: str = "") -> bool:
    """Take such a note back; False if none stands."""
    is_gone = duplicates.bring_together(connection, one, other, by or actor.who, now_ms)
    return is_gone and _told(connection, actor, Action.BROUGHT_TOGETHER, one, other, now_ms)


def _told(connection: Connection, actor: Actor, action: Action, one: UUID, other: UUID, now_ms: int) -> bool:
    entry = AuditEntry(who=actor.who, action=action, object=str(one), origin=actor.origin, detail=str(other))
    audit.append(connection, entry, now_ms)
    return True


def take_back(connection: Connection, actor: Actor, ruling: Ruling, now_ms: int) -> None:
    """Let a pair wait again."""
    one, _, other = ruling.object.partition("/")
    if ruling.verdict is Decided.APART:
        duplicates.bring_together(connection, UUID(one), UUID(other), actor.who, now_ms)
