"""The full-text index in SQLite: FTS5 without contents, so that rows can be taken out only with the terms they had."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection

from replication.wide_inserts import insert_terms

MERGE_PAGES: Final = 200
"""Pages of the index, of 4 KB each, that one step writes: about 10 ms in which nothing else can be written."""

_MAKE_NEXT = "CREATE VIRTUAL TABLE search_next USING fts5 (terms, content='', columnsize=0, tokenize='ascii')"
_TUNE_NEXT = "INSERT INTO search_next (search_next, rank) SELECT k, v FROM search_config WHERE k <> 'version'"
_FORGET = "INSERT INTO {index} ({index}, rowid, terms) VALUES ('delete', ?, ?)"


class SqliteIndex:
    """FTS5."""

    # Not a plain join: what is found comes first, and in the order of the row ids.
    joined = "search CROSS JOIN entry ON entry.docid = search.rowid"
    matching = "search MATCH ?"

    def question(self, match: str) -> str:
        """Return the expression as it is: it is one of FTS5."""
        return match

    def write(
        self, connection: Connection, name: str, gone: Collection[tuple[int, str]], new: Collection[tuple[int, str]]
    ) -> None:
        """Take rows out and put others in, both in the order of their ids."""
        if gone:
            connection.exec_driver_sql(_FORGET.format(index=name), list(gone))
        insert_terms(connection, name, list(new))

    def clear(self, connection: Connection) -> None:
        """Empty the present index."""
        connection.exec_driver_sql("INSERT INTO search (search) VALUES ('delete-all')")

    def make_next(self, connection: Connection) -> None:
        """Make an empty index beside the present one; what that was told about its merging holds for both."""
        connection.exec_driver_sql(_MAKE_NEXT)
        connection.exec_driver_sql(_TUNE_NEXT)

    def drop_next(self, connection: Connection) -> None:
        """Drop the index that was being built, if there is one."""
        connection.exec_driver_sql("DROP TABLE IF EXISTS search_next")

    def put_next_in_place(self, connection: Connection) -> None:
        """Have the index that was built take the place of the present one."""
        connection.exec_driver_sql("DROP TABLE search")
        connection.exec_driver_sql("ALTER TABLE search_next RENAME TO search")

    def merge(self, connection: Connection) -> bool:
        """Merge some segments; False if there was nothing to merge."""
        before = _changes(connection)
        connection.exec_driver_sql("INSERT INTO search (search, rank) VALUES ('merge', ?)", (MERGE_PAGES,))
        # The statement alone counts as one change.
        return _changes(connection) - before > 1


def _changes(connection: Connection) -> int:
    changes: int = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
    return changes
