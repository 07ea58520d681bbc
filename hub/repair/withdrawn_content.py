"""What is left of a withdrawn record's content: a fingerprint, told to a site's replaced computer (promises 7, 14).

An old sheet in that computer's folder may still list the record. By its code alone such a row cannot be told from a new
record that was given a free code; by what it says it can. The fingerprint is 64 bits of everything that was said, and
nothing can be read back from it.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

from hub.catalogue import Stored
from hub.merge import Held
from hub.preparation import Description
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.events import WithdrawalCause
from protocol.fingerprints import content_key
from protocol.holdings import HeldStone
from protocol.vocabularies import Level

NO_DECISIONS = (WithdrawalCause.NOT_IN_BASELINE.value, WithdrawalCause.NOT_HELD.value)
"""Causes behind which nobody stands who wanted the record withdrawn: a sheet that lists it is right."""

metadata = MetaData()

withdrawn_content = Table(
    "withdrawn_content",
    metadata,
    Column("site", Text, nullable=False),
    Column("record_id", LargeBinary, nullable=False),
    Column("content_key", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "record_id"),
)

_KEEP = (
    "INSERT INTO withdrawn_content (site, record_id, content_key, version) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (site, record_id) DO UPDATE SET content_key = excluded.content_key, version = excluded.version"
)
_FORGET = "DELETE FROM withdrawn_content WHERE site = ? AND record_id = ?"
_TIDY = (
    "DELETE FROM withdrawn_content WHERE site = ? AND NOT EXISTS (SELECT 1 FROM entry WHERE"
    " entry.site = withdrawn_content.site AND entry.record_id = withdrawn_content.record_id"
    " AND entry.withdrawn IS NOT NULL)"
)
_PAGE = (
    "SELECT entry.record_id, entry.withdrawn, kept.content_key, kept.version, entry.fonds_no, entry.ref_code,"
    " entry.level FROM withdrawn_content AS kept JOIN entry ON entry.site = kept.site"
    " AND entry.record_id = kept.record_id WHERE kept.site = ? AND kept.record_id > ? AND entry.body IS NULL"
    " AND entry.withdrawn IS NOT NULL AND entry.withdrawn NOT IN (?, ?) ORDER BY kept.record_id LIMIT ?"
)


class Slot(Protocol):
    """One record as a batch of events has changed it (``hub.application``)."""

    stored: Stored | None
    """As it stands in the catalogue; None if it does not."""
    held: Held | None
    """As it will stand."""
    latest: Description | None
    """The batch's last description of it."""


def note(connection: Connection, site: str, slots: Mapping[bytes, Slot]) -> None:
    """Keep the fingerprints of records that are being withdrawn, and forget those of records that are back."""
    gone = [row for record_id, slot in slots.items() if (row := _left_of(site, record_id, slot)) is not None]
    if gone:
        connection.exec_driver_sql(_KEEP, gone)
    back = [(site, record_id) for record_id, slot in slots.items() if _is_back(slot)]
    if back:
        connection.exec_driver_sql(_FORGET, back)


def _is_back(slot: Slot) -> bool:
    was_withdrawn = slot.stored is not None and slot.stored.held.withdrawn is not None
    return was_withdrawn and slot.held is not None and slot.held.withdrawn is None


def _left_of(site: str, record_id: bytes, slot: Slot) -> tuple[str, bytes, int, int] | None:
    """Return what is kept of a record that is being withdrawn; None for another, and for one that cannot be read."""
    if slot.held is None or slot.held.withdrawn is None:
        return None
    before = slot.stored.held.body if slot.stored is not None else None
    body = slot.latest.body if slot.latest is not None else before
    if body is None:
        return None
    try:
        record = decode_record(body)
    except BadValue:
        return None
    return site, record_id, content_key(record), record.version


def tidy(connection: Connection, site: str) -> None:
    """Forget those whose tombstones are gone."""
    connection.exec_driver_sql(_TIDY, (site,))


def page_of(connection: Connection, site: str, after: bytes, limit: int) -> Sequence[HeldStone]:
    """Return the next withdrawn records of a site after an id, at most ``limit``, that somebody wanted withdrawn."""
    return [
        HeldStone(
            record_id=UUID(bytes=bytes(record_id)),
            cause=cause,
            content_key=key,
            version=version,
            fonds_no=fonds_no,
            ref_code=ref_code,
            level=Level(level),
        )
        for record_id, cause, key, version, fonds_no, ref_code, level in connection.exec_driver_sql(
            _PAGE, (site, after, *NO_DECISIONS, limit)
        )
    ]
