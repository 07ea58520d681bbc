"""The full-text index in PostgreSQL: a vector of terms for each row, with their places, under a GIN index.

The vectors are written out here and not cut by the server: its parser would drop what its locale does not know, which
under "C" is every Chinese character. Terms are those that FTS5's tokenizer ``ascii`` sees, so that both stores find the
same.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import Connection

from replication.dialects import insert_rows

TERM_CHARS_MAX: Final = 500
"""Characters of a term that are told apart: a vector takes 2,046 bytes, and a character of UTF-8 has four at most."""

TERMS_MAX: Final = 16_000
"""Terms of one row that are kept: places beyond 16,383 cannot be told apart, and a vector has a megabyte at most."""

_TERM = re.compile(r"[0-9A-Za-z\u0080-\U0010ffff]+")
_UPPER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_PARTS = re.compile(r'"(?P<phrase>[^"]*)"(?P<prefix>\*?)|(?P<word>AND|OR)')
_NOWHERE = "'\N{REPLACEMENT CHARACTER} '"
_JOINING = {"AND": " & ", "OR": " | "}

_MAKE = (
    "CREATE TABLE search_next (rowid BIGINT PRIMARY KEY, terms TSVECTOR NOT NULL)",
    "CREATE INDEX search_next_terms ON search_next USING gin (terms) WITH (gin_pending_list_limit = 16384)",
)
_EXCHANGE = (
    "DROP TABLE search",
    "ALTER TABLE search_next RENAME TO search",
    "ALTER INDEX search_next_pkey RENAME TO search_pkey",
    "ALTER INDEX search_next_terms RENAME TO search_terms",
)


class PostgresIndex:
    """A table of vectors."""

    joined = "search JOIN entry ON entry.docid = search.rowid"
    matching = "search.terms @@ CAST(? AS tsquery)"

    def question(self, match: str) -> str:
        """Return an expression of FTS5 as one of PostgreSQL's; a phrase without terms finds nothing there either."""
        said = []
        for part in _PARTS.finditer(match):
            if part["word"]:
                said.append(_JOINING[part["word"]])
                continue
            terms = [quoted(term) for term in terms_of(part["phrase"])] or [_NOWHERE]
            said.append(f"({' <-> '.join(terms)}{':*' if part['prefix'] else ''})")
        return "".join(said)

    def write(
        self, connection: Connection, name: str, gone: Collection[tuple[int, str]], new: Collection[tuple[int, str]]
    ) -> None:
        """Take rows out and put others in, also in the place of what stands there (FTS5 would keep both)."""
        doomed = [docid for docid, _ in (*gone, *new)]
        if doomed:
            sql = f"DELETE FROM {name} WHERE rowid = ANY(?)"  # noqa: S608 - one of two names
            connection.exec_driver_sql(sql, (doomed,))
        if new:
            rows = [(docid, vector(terms)) for docid, terms in new]
            insert_rows(connection, name, ("rowid", "terms"), rows)

    def clear(self, connection: Connection) -> None:
        """Empty the present index."""
        connection.exec_driver_sql("TRUNCATE search")

    def make_next(self, connection: Connection) -> None:
        """Make an empty index beside the present one."""
        for statement in _MAKE:
            connection.exec_driver_sql(statement)

    def drop_next(self, connection: Connection) -> None:
        """Drop the index that was being built, if there is one."""
        connection.exec_driver_sql("DROP TABLE IF EXISTS search_next")

    def put_next_in_place(self, connection: Connection) -> None:
        """Have the index that was built take the place of the present one."""
        for statement in _EXCHANGE:
            connection.exec_driver_sql(statement)

    def merge(self, connection: Connection) -> bool:
        """Put the entries that wait in the index's list where they belong; all of them, which is one step."""
        connection.exec_driver_sql("SELECT gin_clean_pending_list('search_terms')")
        return False


def vector(terms: str) -> str:
    """Return terms and their places as PostgreSQL reads a vector."""
    return " ".join(_placed(terms_of(terms)))


def terms_of(text: str) -> list[str]:
    """Return the terms of a text as FTS5's tokenizer ``ascii`` sees them."""
    return [term[:TERM_CHARS_MAX].translate(_UPPER) for term in _TERM.findall(text)[:TERMS_MAX]]


def quoted(term: str) -> str:
    """Return a term so that nothing in it is read as syntax; what ``terms_of`` lets through needs nothing more."""
    return f"'{term}'"


def _placed(terms: Iterable[str]) -> Iterable[str]:
    return (f"'{term}':{place}" for place, term in enumerate(terms, 1))
