"""Statements of the unified catalogue: what is stored of a record, how it is written, how sets are summed up.

Hot statements are plain SQL run with tuples in batches; the others are Core expressions. Nothing here decides: that is
``merge``. Rows leave this module as values.
"""

from collections.abc import Collection, Sequence
from operator import itemgetter
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Select, select, tuple_, update

from hub.merge import BEFORE_ALL, Held, Origin, Place, Provenance
from hub.preparation import RECORD_COLUMNS, entry_row
from hub.tables import baseline, catalogue_state, entry, history, site_epoch
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.index_rows import IndexRow
from protocol.index_rows import with_access as under_access
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from replication.dialects import among, upsert
from replication.digests import Tally
from replication.tables import tally_columns

SERIALS_A_YEAR = 10**9
"""Docids of one year: the year times this, plus a serial."""

DESCRIBED_COLUMNS = ("docid", "site", "epoch", *RECORD_COLUMNS)
"""The columns of a row that says nothing but what one event described."""

ENTRY_COLUMNS = (*DESCRIBED_COLUMNS, "withdrawn", "provenance")
"""The columns of a whole row in the order in which tuples are written."""

REWRITTEN_COLUMNS = tuple(name for name in ENTRY_COLUMNS if name not in ("docid", "record_id", "site"))
"""The columns of a whole row that keeps its docid: indexes that nothing but its identity stands in are left alone."""

rewritten = itemgetter(*map(ENTRY_COLUMNS.index, REWRITTEN_COLUMNS), 0)
"""The values of ``REWRITTEN_COLUMNS`` and the docid of a whole row."""

MOVED_COLUMNS = ("epoch", "seq", "at_ms", "access_status", "provenance")
"""The columns of a row that says what it said before, but later."""

INSERT_HISTORY = (
    "INSERT INTO history (record_id, site, epoch, seq, at_ms, kind, actor, what)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)

_provenances = msgspec.json.Decoder(Provenance)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the catalogue."""

    docid: int
    site: str
    record_id: bytes
    held: Held
    bucket: int
    level: str
    fonds_no: str
    ref_code: str

    @property
    def year(self) -> int:
        """The year that sorts the row."""
        return self.docid // SERIALS_A_YEAR

    def terms(self) -> IndexRow | None:
        """Return what the index holds of the row, None for a row that is not indexed."""
        try:
            record = readable(self)
        except BadValue:
            # Bytes that the disk has spoilt: nobody knows the words any more that the index was given.
            return None
        return None if record is None else entry_row(self.site, record)

    def terms_under(self, status: AccessStatus) -> list[tuple[IndexRow, IndexRow]]:
        """What the index holds of the row, and what under another access status (promise 7); [] if it is no other."""
        before = self.terms() if status != self.held.access_status else None
        return [] if before is None else [(before, under_access(before, self.held.access_status, status))]


STORED_COLUMNS = (
    *(entry.c.docid, entry.c.site, entry.c.record_id, entry.c.epoch, entry.c.seq, entry.c.at_ms, entry.c.digest),
    *(entry.c.bucket, entry.c.withdrawn, entry.c.access_status, entry.c.level, entry.c.fonds_no, entry.c.ref_code),
    *(entry.c.provenance, entry.c.body),
)
"""The columns that make a ``Stored``."""


def stored_from(row: Sequence[object]) -> Stored:
    """Return the value of a row of ``STORED_COLUMNS``."""
    return _stored(*row)  # type: ignore[arg-type]


def _stored(  # noqa: PLR0913, PLR0917 - the columns of one row
    docid: int,
    site: str,
    record_id: bytes,
    epoch: int,
    seq: int,
    at_ms: int,
    digest: int,
    bucket: int,
    withdrawn: str | None,
    access_status: str,
    level: str,
    fonds_no: str,
    ref_code: str,
    provenance: bytes | None,
    body: bytes | None,
) -> Stored:
    held = Held(
        place=Place(epoch, seq),
        at_ms=at_ms,
        digest=digest,
        body=body,
        access_status=AccessStatus(access_status),
        withdrawn=withdrawn or None,
        provenance=_provenances.decode(provenance) if provenance else None,
    )
    return Stored(
        docid=docid,
        site=site,
        record_id=record_id,
        held=held,
        bucket=bucket,
        level=level,
        fonds_no=fonds_no,
        ref_code=ref_code,
    )


def encode_provenance(provenance: Provenance | None) -> bytes | None:
    """Return provenance as it is stored."""
    return msgspec.json.encode(provenance) if provenance else None


_COLUMNS_SQL = ", ".join(column.name for column in STORED_COLUMNS)


def stored_of(connection: Connection, site: str, record_ids: Sequence[bytes]) -> list[Stored]:
    """Return the rows of some records of one site."""
    if not record_ids:
        return []
    chosen, values = among(connection, record_ids)
    sql = f"SELECT {_COLUMNS_SQL} FROM entry WHERE site = ? AND record_id {chosen}"  # noqa: S608 - marks only
    return [stored_from(row) for row in connection.exec_driver_sql(sql, (site, *values))]


def rows_below(site: str, floor: Place, limit: int) -> Select[*tuple[object, ...]]:
    """The described rows of a site whose place lies below a floor."""
    return (
        select(*STORED_COLUMNS)
        .where(entry.c.site == site, entry.c.body.is_not(None))
        .where(tuple_(entry.c.epoch, entry.c.seq) < tuple_(floor.epoch, floor.seq))
        .limit(limit)
    )


def rows_of(record_id: UUID) -> Select[*tuple[object, ...]]:
    """What every site says about a record id, tombstones included."""
    return select(*STORED_COLUMNS).where(entry.c.record_id == record_id.bytes).order_by(entry.c.site)


def history_of(record_id: bytes, site: str) -> Select[*tuple[object, ...]]:
    """What changed in one site's record after its first description, oldest first."""
    return (
        select(history)
        .where(history.c.record_id == record_id, history.c.site == site)
        .order_by(history.c.epoch, history.c.seq)
    )


def readable(stored: Stored) -> Record | None:
    """Return the record of a row with the access status that holds now, or None for a tombstone."""
    if stored.held.body is None:
        return None
    return with_access(decode_record(stored.held.body), stored.held.access_status)


def with_access(record: Record, status: AccessStatus) -> Record:
    """Return the record under the access status that holds now: a closing may be newer than the description."""
    return record if record.access_status == status else msgspec.structs.replace(record, access_status=status)


# Epochs and baselines


def epoch_ordinals(connection: Connection, epochs: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the hub's numbers for (site, epoch) pairs, giving new epochs the next number of their site."""
    sites = {site for site, _ in epochs}
    known = {
        (row.site, row.epoch): row.ordinal
        for row in connection.execute(select(site_epoch).where(site_epoch.c.site.in_(sites)))
    }
    for site, epoch in epochs:
        if (site, epoch) not in known:
            ordinal = 1 + max((number for (owner, _), number in known.items() if owner == site), default=0)
            connection.execute(upsert(site_epoch).values(site=site, epoch=epoch, ordinal=ordinal))
            known[site, epoch] = ordinal
    return known


def floors(connection: Connection, sites: Collection[str]) -> dict[str, Place]:
    """Return where the last complete baseline of some sites began."""
    found = dict.fromkeys(sites, BEFORE_ALL)
    statement = select(baseline.c.site, baseline.c.epoch, baseline.c.began).where(
        baseline.c.site.in_(sites), baseline.c.ended.is_not(None)
    )
    for site, epoch, began in connection.execute(statement):
        found[site] = max(found[site], Place(epoch, began))
    return found


# Sets


def tally_statement(site: str) -> Select[int, int, int]:
    """The tally of everything that the hub has of a site."""
    return select(*tally_columns(entry.c.digest)).where(entry.c.site == site, entry.c.body.is_not(None))


def fonds_tallies(site: str) -> Select[str, int, int, int]:
    """The tallies of a site, one a fonds."""
    return (
        select(entry.c.fonds_no, *tally_columns(entry.c.digest))
        .where(entry.c.site == site, entry.c.body.is_not(None))
        .group_by(entry.c.fonds_no)
        .order_by(entry.c.fonds_no)
    )


def bucket_tallies(site: str, fonds_no: str) -> Select[int, int, int, int]:
    """The tallies of one fonds of a site, one a bucket."""
    return (
        select(entry.c.bucket, *tally_columns(entry.c.digest))
        .where(entry.c.site == site, entry.c.fonds_no == fonds_no, entry.c.body.is_not(None))
        .group_by(entry.c.bucket)
        .order_by(entry.c.bucket)
    )


def tally_from(row: Sequence[object]) -> Tally:
    """Return the tally of a row whose last three columns are those of ``tally_columns``."""
    count, high, low = row[-3:]
    return Tally(count=count, high=high, low=low)  # type: ignore[arg-type]


# Serials


def next_serial(connection: Connection) -> int:
    """Return the next free serial."""
    serial: int = connection.execute(select(catalogue_state.c.next_serial)).scalar_one()
    return serial


def keep_serial(connection: Connection, serial: int) -> None:
    """Store the next free serial."""
    connection.execute(update(catalogue_state).values(next_serial=serial))


def docid_of(year: int, serial: int) -> int:
    """Return the row id that sorts a record by its year."""
    return year * SERIALS_A_YEAR + serial


def origin_epoch(connection: Connection, site: str, origin: Origin) -> str:
    """Return the site's own name for the epoch of an origin."""
    statement = select(site_epoch.c.epoch).where(site_epoch.c.site == site, site_epoch.c.ordinal == origin.epoch)
    return connection.execute(statement).scalar_one_or_none() or ""
