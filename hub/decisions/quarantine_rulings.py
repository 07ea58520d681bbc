"""Dropping what is in quarantine: a person says that it is not wanted, and why; it can be put back as it was.

What is dropped is named by what it is, not by its number, which another thing may bear later.
"""

import hashlib
from collections import Counter
from collections.abc import Collection

import msgspec
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.decisions import rulings
from hub.decisions.rulings import Decided, Order, Queue, Ruling
from hub.repair.redriving import Attempt, Redriven
from hub.staff.administration import Actor
from protocol.errors import BadValue
from protocol.wording import Text
from replication import quarantine
from replication.acceptance import SpoiltEvent
from replication.quarantine import Quarantined

NAMED_MAX = 100
"""Things that one line of the audit log names; the counts are of all."""

_SEAL_BYTES = 8

_taken = msgspec.json.Decoder(Quarantined)


def seal_of(one: Quarantined) -> str:
    """Return the name of something in quarantine that nothing else bears."""
    digest = hashlib.blake2b(one.content, digest_size=_SEAL_BYTES).hexdigest()
    return f"{one.site}/{one.epoch}/{one.seq}/{one.fault}/{digest}"


def drop(connection: Connection, actor: Actor, number: int, seal: str, note: str, now_ms: int) -> bool:
    """Take something out of quarantine for good; False if it is gone already, or another thing has its number.

    Raises:
        BadValue: no reason is given.

    """
    if not note:
        raise BadValue(
            Text(zh="没有写明理由。", en="no reason is given"),
            Text(zh="请写明为何不需要这项内容，留作凭据。", en="Say why it is not wanted: it stays on record."),
        )
    for one in quarantine.named(connection, [number]):
        if seal_of(one) == seal:
            order = Order(
                queue=Queue.QUARANTINE,
                site=one.site,
                object=seal,
                verdict=Decided.DROPPED,
                note=note,
                taken=msgspec.json.encode(one),
            )
            rulings.rule(connection, actor, order, now_ms)
            quarantine.release(connection, one)
            return True
    return False


def note_retry(connection: Connection, actor: Actor, attempts: Collection[Attempt], now_ms: int) -> None:
    """Write down what somebody had tried again, and what came of it."""
    counts = Counter(one.outcome for one in attempts)
    entry = AuditEntry(
        who=actor.who,
        action=Action.REDRIVEN,
        object=" ".join(f"{one.site}#{one.id}" for one in list(attempts)[:NAMED_MAX]),
        origin=actor.origin,
        detail=", ".join(f"{one.value} {counts[one]}" for one in Redriven),
    )
    audit.append(connection, entry, now_ms)


def put_back(connection: Connection, ruling: Ruling, now_ms: int) -> None:
    """Set aside again what was dropped."""
    if ruling.taken is None:
        return
    one = _taken.decode(ruling.taken)
    spoilt = SpoiltEvent(seq=one.seq, fault=one.fault, reason=one.reason, hint=one.hint, content=one.content)
    quarantine.set_aside(connection, one.site, one.epoch, spoilt, now_ms)
