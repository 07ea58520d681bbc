"""Building the search index anew while the old one goes on answering.

A new version of the rules that cut the terms (``protocol.analysis``) makes every stored term obsolete. The new index
grows beside the old one, some thousand entries in a transaction, and takes its place in one: killed in the middle, it
goes on where it was; searches never wait. Meanwhile, what changes is written to the new index as far as it has come;
the old one learns only of new entries, because terms that another version cut cannot be taken out again. So a search
looks at the entries themselves, and says that its total is not exact.
"""

import asyncio
from collections.abc import Iterable, Mapping

import msgspec
import structlog
from sqlalchemy import Connection, select, update

from hub.catalogue import with_access
from hub.preparation import entry_row
from hub.storage.text_index import NEXT, PRESENT, index_of
from hub.tables import catalogue_state, entry
from protocol.analysis import ANALYSIS_VERSION
from protocol.codec import decode_record
from protocol.errors import BadValue, Retryable
from protocol.index_rows import IndexRow
from protocol.vocabularies import AccessStatus
from replication.database import Database
from replication.dialects import rows_of
from replication.precedence import GoOn, in_lots, undisturbed

TERMS_VERSION = 2
"""Version of the choice and order of fields, marks and keys in ``preparation.entry_rows``."""

INDEX_VERSION = ANALYSIS_VERSION * 100 + TERMS_VERSION
"""Version of the terms in the index; another version's index is built anew."""

AT_ONCE_ROWS = 10_000
"""Entries up to which an index is built anew in the transaction that finds it old: about a second."""

STEP_ROWS = 2_000
"""Entries indexed in one transaction beside the hub's work: about a fifth of a second for whoever waits to write."""

PAUSE_S = 0.05
"""Seconds between two steps, in which frames and signs of life are written."""

TELL_EVERY_STEPS = 50
"""Steps between two words about the progress: a hundred thousand entries."""

log = structlog.get_logger(__name__)


class IndexState(msgspec.Struct, frozen=True, kw_only=True):
    """Which rules made the index, and how far its successor has come."""

    index_version: int
    building_version: int
    """0: nothing is being built."""
    built_to: int
    """Docid up to which the successor is built."""
    built_rows: int
    building_rows: int
    """Entries there were when the building began."""

    @property
    def is_building(self) -> bool:
        """True while a successor grows."""
        return self.building_version != 0


def index_state(connection: Connection) -> IndexState:
    """Return the state of the search index."""
    sql = "SELECT index_version, building_version, built_to, built_rows, building_rows FROM catalogue_state"
    (row,) = rows_of(connection, sql)
    return IndexState(
        index_version=row[0], building_version=row[1], built_to=row[2], built_rows=row[3], building_rows=row[4]
    )


# What the writers of the catalogue call


def refresh_index(connection: Connection) -> int:
    """See to an index that another version of the rules made: a small one at once, a large one by ``Reindexer``.

    Returns the rows indexed at once.
    """
    state = index_state(connection)
    is_current = state.index_version == INDEX_VERSION and not state.is_building
    if is_current or state.building_version == INDEX_VERSION:
        return 0
    counted = "SELECT count(*) FROM (SELECT 1 FROM entry WHERE body IS NOT NULL LIMIT ?) AS held"
    if connection.exec_driver_sql(counted, (AT_ONCE_ROWS + 1,)).scalar_one() > AT_ONCE_ROWS:
        begin(connection)
        return 0
    index = index_of(connection)
    index.clear(connection)
    last, done = -1, 0
    while part := _part_after(connection, last, STEP_ROWS):
        index.write(connection, PRESENT, (), part.terms)
        last, done = part.last, done + len(part.terms)
    _finish(connection)
    return done


def write_index(
    connection: Connection,
    gone: Mapping[int, IndexRow],
    new: Iterable[tuple[int, IndexRow]],
    go_on: GoOn = undisturbed,
) -> None:
    """Take terms out of the full-text index and put others in, in the order of the row ids.

    ``go_on`` is asked every few milliseconds.
    """
    ordered = sorted(new)
    if not gone and not ordered:
        return
    state, index = index_state(connection), index_of(connection)
    if not state.is_building:
        index.write(connection, PRESENT, sorted(gone.items()), ())
        for lot in in_lots(ordered, go_on):
            index.write(connection, PRESENT, (), lot)
        return
    old_terms = [(docid, terms) for docid, terms in sorted(gone.items()) if docid <= state.built_to]
    index.write(connection, NEXT, old_terms, [one for one in ordered if one[0] <= state.built_to])
    index.add_outdated(connection, [one for one in ordered if one[0] not in gone])


# Building beside


def begin(connection: Connection) -> None:
    """Begin to build a successor; what another version began is dropped."""
    index = index_of(connection)
    index.make_next(connection)
    connection.exec_driver_sql(
        "UPDATE catalogue_state SET building_version = ?, built_to = -1, built_rows = 0,"
        " building_rows = (SELECT count(*) FROM entry WHERE body IS NOT NULL)",
        (INDEX_VERSION,),
    )


def build(connection: Connection, rows: int = STEP_ROWS) -> IndexState:
    """Build the next part, or put the finished successor in the old index's place; returns the new state."""
    refresh_index(connection)
    state = index_state(connection)
    if not state.is_building:
        return state
    part = _part_after(connection, state.built_to, rows)
    if part is None:
        index_of(connection).put_next_in_place(connection)
        _finish(connection)
        return index_state(connection)
    index_of(connection).write(connection, NEXT, (), part.terms)
    connection.exec_driver_sql(
        "UPDATE catalogue_state SET built_to = ?, built_rows = built_rows + ?", (part.last, part.rows)
    )
    return index_state(connection)


def _finish(connection: Connection) -> None:
    values = {"index_version": INDEX_VERSION, "building_version": 0, "built_to": -1, "built_rows": 0}
    connection.execute(update(catalogue_state).values({**values, "building_rows": 0}))


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """The next entries of the catalogue, with their terms."""

    last: int
    rows: int
    terms: list[tuple[int, IndexRow]]


def _part_after(connection: Connection, docid: int, limit: int) -> _Part | None:
    statement = (
        select(entry.c.docid, entry.c.site, entry.c.access_status, entry.c.body)
        .where(entry.c.docid > docid, entry.c.body.is_not(None))
        .order_by(entry.c.docid)
        .limit(limit)
    )
    rows = connection.execute(statement).all()
    if not rows:
        return None
    terms = [(row.docid, words) for row in rows if (words := index_row_of(*row)) is not None]
    return _Part(last=rows[-1].docid, rows=len(rows), terms=terms)


def index_row_of(docid: int, site: str, access_status: str, body: bytes | None) -> IndexRow | None:
    """Return what the index holds of an entry; None for one without a body, or with one that cannot be read."""
    if body is None:
        return None
    try:
        return entry_row(site, with_access(decode_record(body), AccessStatus(access_status)))
    except BadValue as error:
        # Bytes that the disk has spoilt are found and repaired by their digest; the others must be found meanwhile.
        log.warning("entry_not_indexed", docid=docid, reason=error.reason.en)
        return None


class Reindexer:
    """Builds the index anew where that is due; ``run`` returns once it is whole."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        """Build step by step until the index is this version's."""
        steps = 0
        while True:
            try:
                state = await self._database.write(build)
            except Retryable as error:
                log.warning("reindexing_paused", reason=error.reason.en)
                await asyncio.sleep(1.0)
                continue
            if not state.is_building:
                if steps:
                    log.info("index_rebuilt")
                return
            if steps % TELL_EVERY_STEPS == 0:
                log.info("index_rebuilding", done=state.built_rows, total=state.building_rows)
            steps += 1
            await asyncio.sleep(PAUSE_S)
