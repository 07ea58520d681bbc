"""Volumes in the unified catalogue: where a record lies, and what lies in it, as its owner says.

Only the owner links (promise 1): the hub shows the ids that it was told, each within the records of that one site. A
volume that is not in the catalogue, or not yet, is said to be so.
"""

from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Select, func, select

from hub.catalogue import STORED_COLUMNS, Stored, readable, stored_from
from hub.tables import entry
from protocol.errors import BadValue
from protocol.records import Record
from protocol.reference_codes import code_sort_key
from protocol.vocabularies import AccessStatus, Level, Secrecy

CONTENTS_SHOWN_MAX: Final = 50
"""Records of a volume that are shown; more are counted."""

CONTENTS_SORTED_MAX: Final = 5_000
"""Records of a volume that are put in the order of their codes: more than any volume of paper holds."""


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """The volume that a record lies in."""

    record_id: UUID
    ref_code: str = ""
    title: str = ""
    is_listed: bool = False
    """False if the hub does not hold it, or holds but its tombstone."""
    access_status: AccessStatus = AccessStatus.UNREVIEWED


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """One record that lies in a volume."""

    record_id: UUID
    ref_code: str
    level: Level
    title: str
    date: str
    access_status: AccessStatus
    secrecy: Secrecy


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in a record: how much, and the first of it in the order of the codes."""

    total: int = 0
    first: tuple[Content, ...] = ()


def volume_of(connection: Connection, site: str, record: Record) -> Volume | None:
    """Return the volume that a site says its record lies in; None if it says nothing."""
    if record.parent_id is None:
        return None
    statement = select(*STORED_COLUMNS).where(entry.c.record_id == record.parent_id.bytes, entry.c.site == site)
    row = connection.execute(statement).one_or_none()
    if row is None:
        return Volume(record_id=record.parent_id)
    stored = stored_from(tuple(row))
    volume = _readable(stored)
    return Volume(
        record_id=record.parent_id,
        ref_code=stored.ref_code,
        title=volume.title if volume is not None else "",
        is_listed=volume is not None,
        access_status=stored.held.access_status,
    )


def contents_of(connection: Connection, site: str, record_id: UUID) -> Contents:
    """Return what a site says lies in a record."""
    total: int = connection.execute(count_statement(site, record_id)).scalar_one()
    if not total:
        return Contents()
    codes = connection.execute(codes_statement(site, record_id)).all()
    first = sorted(codes, key=lambda row: (code_sort_key(row.ref_code), row.docid))[:CONTENTS_SHOWN_MAX]
    rows = connection.execute(select(*STORED_COLUMNS).where(entry.c.docid.in_([row.docid for row in first])))
    stored = {one.docid: one for one in (stored_from(tuple(row)) for row in rows)}
    shown = (_content(stored[row.docid]) for row in first)
    return Contents(total=total, first=tuple(content for content in shown if content is not None))


def count_statement(site: str, record_id: UUID) -> Select[int]:
    """How many records of a site lie in one."""
    return select(func.count()).where(
        entry.c.site == site, entry.c.parent_id == str(record_id), entry.c.body.is_not(None)
    )


def codes_statement(site: str, record_id: UUID) -> Select[int, str]:
    """Numbers and codes of the records of a site that lie in one, as many as are put in order."""
    return (
        select(entry.c.docid, entry.c.ref_code)
        .where(entry.c.site == site, entry.c.parent_id == str(record_id), entry.c.body.is_not(None))
        .limit(CONTENTS_SORTED_MAX)
    )


def _content(stored: Stored) -> Content | None:
    record = _readable(stored)
    if record is None:
        return None
    return Content(
        record_id=record.record_id,
        ref_code=record.ref_code,
        level=record.level,
        title=record.title,
        date=record.date_raw,
        access_status=record.access_status,
        secrecy=record.secrecy,
    )


def _readable(stored: Stored) -> Record | None:
    try:
        return readable(stored)
    except BadValue:
        return None
