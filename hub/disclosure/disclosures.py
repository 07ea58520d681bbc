"""What harvesters are told: which entries are open, since when, and which were open once and are no more.

An entry is public while it has a body, is open and bears no mark of secrecy. The table ``disclosure`` remembers every
entry that ever was, with the moment of its latest change, for ever. It is brought up to date behind the applying of
events, so that no import pays for it; who reads it looks at the entry as it is now as well, so that what was closed a
moment ago is told as deleted already.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, and_, func, or_, select, tuple_

from hub.catalogue import with_access
from hub.disclosure.disclosure_tables import disclosed_site, disclosure
from hub.tables import entry
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.records import Record
from protocol.vocabularies import AccessStatus, Secrecy
from replication.dialects import upsert
from replication.tables import watermark

FONDS_MAX: Final = 2_000
"""Fonds of one site that are told as sets."""

_fonds = msgspec.json.Decoder(tuple[str, ...])


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a site's entries are."""

    site: str
    epoch: str
    position: int


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as far as it matters here."""

    record_id: bytes
    fonds_no: str
    digest: int
    is_public: bool


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What harvesters were told of an entry."""

    record_id: bytes
    fonds_no: str
    digest: int
    is_deleted: bool


class Place(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page of a harvest ended."""

    stamp_s: int
    site: str
    record_id: bytes


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """One entry for harvesters."""

    site: str
    record_id: UUID
    fonds_no: str
    stamp_s: int
    record: Record | None
    """None if it was open once and is no more."""

    @property
    def place(self) -> Place:
        """Where it stands in the order of a harvest."""
        return Place(stamp_s=self.stamp_s, site=self.site, record_id=self.record_id.bytes)


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which of them; empty values do not narrow."""

    site: str = ""
    fonds_no: str | None = None
    from_s: int | None = None
    until_s: int | None = None


def is_public(access_status: str, secrecy: str) -> bool:
    """Tell whether everybody may see an entry."""
    return access_status == AccessStatus.OPEN.value and secrecy == Secrecy.NONE.value


def changed(seen: Sequence[Seen], told: Sequence[Told]) -> list[Told]:
    """Return what is to be told anew of some entries; pure."""
    known = {one.record_id: one for one in told}
    news = []
    for one in seen:
        before = known.get(one.record_id)
        now = Told(record_id=one.record_id, fonds_no=one.fonds_no, digest=one.digest, is_deleted=not one.is_public)
        if before is None and not one.is_public:
            continue
        if before is not None and before.is_deleted and now.is_deleted:
            continue
        if before != now:
            news.append(now)
    return news


# In the database


def moved_sites(connection: Connection, stale_ms: int) -> list[Mark]:
    """Return the sites whose entries moved since they were gone through, or were gone through before a moment."""
    statement = (
        select(watermark.c.site, watermark.c.epoch, watermark.c.position)
        .join(disclosed_site, disclosed_site.c.site == watermark.c.site, isouter=True)
        .where(
            or_(
                disclosed_site.c.site.is_(None),
                disclosed_site.c.epoch != watermark.c.epoch,
                disclosed_site.c.position != watermark.c.position,
                disclosed_site.c.compared_at_ms < stale_ms,
            )
        )
        .order_by(watermark.c.site)
    )
    return [Mark(site=row.site, epoch=row.epoch, position=row.position) for row in connection.execute(statement)]


def entries_behind(connection: Connection, site: str, place: tuple[str, bytes] | None, limit: int) -> list[Seen]:
    """Return the next entries of a site that have a body, along the index of its tallies."""
    key = (entry.c.fonds_no, entry.c.record_id)
    statement = (
        select(*key, entry.c.digest, entry.c.access_status, entry.c.secrecy)
        .where(entry.c.site == site, entry.c.body.is_not(None))
        .order_by(*key)
        .limit(limit)
    )
    if place is not None:
        statement = statement.where(tuple_(*key) > tuple_(*place))
    return [
        Seen(
            record_id=row.record_id,
            fonds_no=row.fonds_no,
            digest=row.digest,
            is_public=is_public(row.access_status, row.secrecy),
        )
        for row in connection.execute(statement)
    ]


def told_of(connection: Connection, site: str, record_ids: Sequence[bytes]) -> list[Told]:
    """Return what harvesters were told of some entries."""
    statement = select(disclosure).where(disclosure.c.site == site, disclosure.c.record_id.in_(record_ids))
    return [
        Told(record_id=row.record_id, fonds_no=row.fonds_no, digest=row.digest, is_deleted=bool(row.is_deleted))
        for row in connection.execute(statement)
    ]


def gone_behind(connection: Connection, site: str, after: bytes, limit: int) -> tuple[list[Told], bytes | None]:
    """Return which of the next told entries are gone from the catalogue, and where this step ended; None at the end."""
    held = and_(entry.c.record_id == disclosure.c.record_id, entry.c.site == site, entry.c.body.is_not(None))
    statement = (
        select(disclosure, entry.c.docid)
        .join(entry, held, isouter=True)
        .where(disclosure.c.site == site, disclosure.c.record_id > after)
        .order_by(disclosure.c.record_id)
        .limit(limit)
    )
    rows = connection.execute(statement).all()
    gone = [
        Told(record_id=row.record_id, fonds_no=row.fonds_no, digest=row.digest, is_deleted=True)
        for row in rows
        if row.docid is None and not row.is_deleted
    ]
    return gone, rows[-1].record_id if len(rows) == limit else None


def tell(connection: Connection, site: str, news: Sequence[Told], now_ms: int) -> None:
    """Note what harvesters are told from now on."""
    rows = [
        {**msgspec.structs.asdict(one), "is_deleted": int(one.is_deleted), "site": site, "stamp_s": now_ms // 1000}
        for one in news
    ]
    if rows:
        statement = upsert(disclosure)
        changes = {name: statement.excluded[name] for name in ("fonds_no", "digest", "is_deleted", "stamp_s")}
        keys = [disclosure.c.site, disclosure.c.record_id]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), rows)


def note_compared(connection: Connection, mark: Mark, fonds: Sequence[str], now_ms: int) -> None:
    """Note that a site's entries were gone through, and which fonds have public ones."""
    before = connection.execute(select(disclosed_site.c.fonds).where(disclosed_site.c.site == mark.site)).scalar()
    known = _fonds.decode(before) if before else ()
    values = {
        "site": mark.site,
        "epoch": mark.epoch,
        "position": mark.position,
        "fonds": msgspec.json.encode(sorted({*known, *fonds})[:FONDS_MAX]).decode(),
        "compared_at_ms": now_ms,
    }
    statement = upsert(disclosed_site).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=[disclosed_site.c.site], set_=values))


def fonds_by_site(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Return the fonds of each site that have, or had, public entries."""
    rows = connection.execute(select(disclosed_site.c.site, disclosed_site.c.fonds).order_by(disclosed_site.c.site))
    return {row.site: fonds for row in rows if (fonds := _fonds.decode(row.fonds))}


def earliest_s(connection: Connection) -> int | None:
    """Return the earliest moment of all; None where there is nothing yet."""
    found: int | None = connection.execute(select(func.min(disclosure.c.stamp_s))).scalar()
    return found


def page(connection: Connection, selection: Selection, behind: Place | None, limit: int) -> list[Disclosure]:
    """Return the next entries of a harvest, the earliest changed first."""
    statement = _joined().order_by(*_ORDER).limit(limit)
    if selection.site:
        statement = statement.where(disclosure.c.site == selection.site)
    if selection.fonds_no is not None:
        statement = statement.where(disclosure.c.fonds_no == selection.fonds_no)
    if selection.from_s is not None:
        statement = statement.where(disclosure.c.stamp_s >= selection.from_s)
    if selection.until_s is not None:
        statement = statement.where(disclosure.c.stamp_s <= selection.until_s)
    if behind is not None:
        statement = statement.where(tuple_(*_ORDER) > tuple_(behind.stamp_s, behind.site, behind.record_id))
    return [_disclosure(row) for row in connection.execute(statement)]


def one(connection: Connection, site: str, record_id: UUID) -> Disclosure | None:
    """Return one entry; None for one that never was public."""
    statement = _joined().where(disclosure.c.site == site, disclosure.c.record_id == record_id.bytes)
    row = connection.execute(statement).one_or_none()
    return None if row is None else _disclosure(row)


_ORDER = (disclosure.c.stamp_s, disclosure.c.site, disclosure.c.record_id)


def _joined() -> Select[*tuple[object, ...]]:
    held = and_(entry.c.record_id == disclosure.c.record_id, entry.c.site == disclosure.c.site)
    return select(
        *(disclosure.c.site, disclosure.c.record_id, disclosure.c.fonds_no, disclosure.c.stamp_s),
        *(disclosure.c.is_deleted, entry.c.access_status, entry.c.secrecy, entry.c.body),
    ).join(entry, held, isouter=True)


def _disclosure(row: Row[*tuple[object, ...]]) -> Disclosure:
    record = None
    if not row.is_deleted and row.body is not None and is_public(row.access_status, row.secrecy):
        try:
            record = with_access(decode_record(row.body), AccessStatus.OPEN)
        except BadValue:
            # Spoilt on the disk: the nightly check repairs it, and it is told anew then.
            record = None
    return Disclosure(
        site=row.site,
        record_id=UUID(bytes=row.record_id),
        fonds_no=row.fonds_no,
        stamp_s=row.stamp_s,
        record=record,
    )
