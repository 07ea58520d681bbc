"""PostgreSQL with its trigram index (pg_trgm), as a county would ask it: ILIKE."""

from collections.abc import Iterable
from pathlib import Path

import psycopg

from tests.bench.engines.rounds import Answer, contend
from tests.bench.engines.titles import PAGE_HITS, TOTAL_MAX, Question, Title
from tests.postgres_server import PostgresServer, programs


class TrigramIndex:
    """One table with a GIN index in a server of its own."""

    def __init__(self, _folder: Path) -> None:
        bin_folder = programs()
        if bin_folder is None:
            message = "PostgreSQL is not installed"
            raise SystemExit(message)
        self._server = PostgresServer(bin_folder)
        self._server.make()
        self._server.start()
        self._connection = psycopg.connect(self._server.url(self._server.database()), autocommit=True)

    def build(self, titles: Iterable[Title]) -> float:
        """Copy the titles, then index them."""
        run = self._connection.execute
        run("CREATE EXTENSION pg_trgm")
        run("CREATE TABLE title (number bigint PRIMARY KEY, year int, site text, text text)")
        with self._connection.cursor().copy("COPY title FROM STDIN") as copy:
            for title in titles:
                copy.write_row(title)
        run("CREATE INDEX ON title (year)")
        run("CREATE INDEX ON title (site)")
        run("CREATE INDEX ON title USING gin (text gin_trgm_ops)")
        run("VACUUM ANALYZE title")
        return 0.0

    def size_bytes(self) -> int:
        """Bytes of the table and its indexes."""
        ((size,),) = self._connection.execute("SELECT pg_total_relation_size('title')").fetchall()
        return int(size)

    def answer(self, question: Question) -> Answer:
        """The bounded total, then the newest page."""
        clauses = ["text ILIKE %s"] * len(question.words)
        values: list[object] = [f"%{word}%" for word in question.words]
        if question.without:
            clauses.append("text NOT ILIKE %s")
            values.append(f"%{question.without}%")
        if question.years:
            clauses.append("year BETWEEN %s AND %s")
            values += question.years
        if question.site:
            clauses.append("site = %s")
            values.append(question.site)
        found = f"FROM title WHERE {' AND '.join(clauses)}"
        run = self._connection.execute
        count = f"SELECT count(*) FROM (SELECT 1 {found} LIMIT {TOTAL_MAX}) AS counted"
        ((total,),) = run(count.encode(), values).fetchall()
        page = f"SELECT year, text {found} ORDER BY year DESC, number DESC LIMIT {PAGE_HITS}"
        return Answer(total, [year for year, _ in run(page.encode(), values).fetchall()])

    def close(self) -> None:
        """End the server."""
        self._connection.close()
        self._server.remove()


if __name__ == "__main__":
    contend(TrigramIndex)
