"""A hub's catalogue in a file, filled by the real sink from fictitious frames."""

from pathlib import Path

from sqlalchemy import Connection

from hub.application import Application
from hub.catalogue import Stored, rows_of, stored_from
from hub.searching.search import Query, search
from hub.storage.reindexing import refresh_index
from hub.tables import catalogue_state
from protocol.events import Event
from protocol.sites import Site
from replication.acceptance import AcceptedFrame, whole
from replication.database import Database
from replication.dialects import is_postgres
from replication.migrations import REPLICATION
from tests.catalogue import VILLAGE, accepted, record_id

MIGRATIONS = [REPLICATION, ("hub", Path(__file__).parents[1] / "hub" / "migrations")]


class Hub:
    """A catalogue in a file, and the sink that fills it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.application = Application(lambda: 1_790_000_000_000)

    async def apply(self, *frames: AcceptedFrame) -> None:
        for frame in frames:
            frame.prepared = whole(self.application.preparing(frame))
        await self.database.write(lambda connection: self.application.apply(connection, frames))

    async def tell(self, *events: Event, site: Site = VILLAGE, epoch: str = "e1") -> None:
        await self.apply(accepted(events, site, epoch))

    async def stored(self, number: int) -> list[Stored]:
        def step(connection: Connection) -> list[Stored]:
            return [stored_from(tuple(row)) for row in connection.execute(rows_of(record_id(number)))]

        return await self.database.read(step)

    async def one(self, number: int) -> Stored:
        (found,) = await self.stored(number)
        return found

    async def titles(self, words: str) -> list[str]:
        page = await self.database.read(lambda connection: search(connection, Query(words=words, limit=100)))
        assert page.total == len(page.hits)
        return [hit.record.title for hit in page.hits]

    async def titles_without_total(self, words: str) -> list[str]:
        """As ``titles``, while the index is being rebuilt and no total is exact."""
        page = await self.database.read(lambda connection: search(connection, Query(words=words, limit=100)))
        assert not page.exact
        return [hit.record.title for hit in page.hits]

    async def index(self) -> list[tuple[object, ...]]:
        """Every term with its places: what the index really holds."""

        def step(connection: Connection) -> list[tuple[object, ...]]:
            if is_postgres(connection):
                places = (
                    "SELECT search.rowid, one.lexeme, one.positions FROM search, unnest(terms) AS one ORDER BY 1, 2"
                )
                return [(docid, term, tuple(at or ())) for docid, term, at in connection.exec_driver_sql(places)]
            connection.exec_driver_sql("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, search, instance)")
            try:
                return [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM terms ORDER BY 2, 1, 4")]
            finally:
                connection.exec_driver_sql("DROP TABLE temp.terms")

        return await self.database.write(step)

    async def rebuilt_index(self) -> list[tuple[object, ...]]:
        def step(connection: Connection) -> int:
            connection.execute(catalogue_state.update().values(index_version=-1))
            return refresh_index(connection)

        await self.database.write(step)
        return await self.index()
