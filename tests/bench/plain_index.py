"""One SQLite table and one bigram index, and nothing else: where the raw floor and the harvest of the peer end."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from protocol.records import Record

COLUMNS = (
    *("record_id", "repository_id", "level", "title", "ref_code", "fonds_no", "category_code", "filing_year"),
    *("org_or_subject", "item_no", "retention", "responsible", "doc_no", "date_raw", "date_edtf", "date_earliest"),
    *("date_latest", "access_status", "page_count", "changed_by"),
)
_TITLE, _RESPONSIBLE = COLUMNS.index("title"), COLUMNS.index("responsible")

CACHE_KIB = 200 * 1024
"""KiB of page cache: the floor is not to be slowed by its disk."""

_MAKE = f"""
CREATE TABLE entry ({COLUMNS[0]} TEXT PRIMARY KEY, {", ".join(COLUMNS[1:])});
CREATE VIRTUAL TABLE found USING fts5(title, responsible, content='', tokenize='unicode61');
"""
_UPSERT = (
    f"INSERT INTO entry VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT (record_id) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in COLUMNS[1:])
)
_INDEX = "INSERT INTO found (rowid, title, responsible) VALUES (?, ?, ?)"

Entry = tuple[str | int | None, ...]


def entry_of(record: Record) -> Entry:
    """A record as a row of the table."""
    return (
        *(str(record.record_id), record.repository_id, record.level.value, record.title, record.ref_code),
        *(record.fonds_no, record.category_code, record.filing_year, record.org_or_subject, record.item_no),
        *(record.retention_as_given, ";".join(record.responsible_parties), record.doc_no, record.date_raw),
        *(record.date_edtf, str(record.date_earliest), str(record.date_latest), record.access_status.value),
        *(record.page_count, record.changed_by),
    )


def bigrams(text: str) -> str:
    """Overlapping pairs of characters, as words."""
    return " ".join([text[at : at + 2] for at in range(len(text) - 1)]) if len(text) > 1 else text


class PlainIndex:
    """The table and its index in one file."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._connection.executescript(_MAKE)
        self.count = 0

    def add(self, entries: Sequence[Entry]) -> None:
        """Store and index some entries in one transaction."""
        self._connection.executemany(_UPSERT, entries)
        self._connection.executemany(
            _INDEX,
            [
                (rowid, bigrams(str(entry[_TITLE])), bigrams(str(entry[_RESPONSIBLE])))
                for rowid, entry in enumerate(entries, self.count + 1)
            ],
        )
        self._connection.commit()
        self.count += len(entries)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def holds(path: Path, words: str) -> int:
    """How many entries a phrase finds."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        ((count,),) = connection.execute("SELECT count(*) FROM found WHERE found MATCH ?", (f'"{bigrams(words)}"',))
        return int(count)
    finally:
        connection.close()
