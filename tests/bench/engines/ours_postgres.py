"""Our own search on PostgreSQL, in a server of its own: the same catalogue and the same questions as in a file."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from hub.storage import postgres
from replication.database import Database
from tests.bench.engines.ours import Danglian
from tests.bench.engines.rounds import contend
from tests.hubs import MIGRATIONS
from tests.postgres_server import PostgresServer, programs


class DanglianOnPostgres(Danglian):
    """The hub's catalogue in a database."""

    def __init__(self, folder: Path) -> None:
        bin_folder = programs()
        if bin_folder is None:
            message = "PostgreSQL is not installed"
            raise SystemExit(message)
        self._server = PostgresServer(bin_folder, shared_buffers="512MB")
        self._server.make()
        self._server.start()
        self._name = self._server.database()
        super().__init__(folder)

    def opening(self) -> AbstractAsyncContextManager[Database]:
        """Open the database; its readers' cache is the server's."""
        return postgres.opened(self._server.url(self._name), self._folder, MIGRATIONS)

    def settle(self) -> None:
        """Do what the server's own housekeeping would do: it is off in the tests' servers."""
        self._server.execute("VACUUM ANALYZE", self._name)

    def size_bytes(self) -> int:
        """Bytes of the whole catalogue: entries with all their fields, history and index."""
        query = "SELECT pg_database_size(current_database())"
        ((size,),) = self._runner.run(self._database.fetch(query))
        return int(str(size))

    def close(self) -> None:
        """End the server."""
        super().close()
        self._server.remove()


if __name__ == "__main__":
    contend(DanglianOnPostgres)
