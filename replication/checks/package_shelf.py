"""The entries and files of a package under the checks, in a temporary database: a package of any size needs one memory.

SQLite keeps a small package in memory and moves a large one to a temporary file by itself. Entries stand there as they
were written, files with what the checks find out about each: its entry, its pages, the digest that proved it.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from protocol.attaching import codes_of, entries_of, names_of, stated_names
from protocol.errors import StorageFull
from protocol.package_entries import PackageEntry, PackageFile
from protocol.whole_codes import whole_code
from protocol.wording import Text

CACHE_KIB: Final = 8 * 1024
"""KiB of the shelf that stay in memory; the rest goes to a temporary file."""

_SCHEMA: Final = f"""
PRAGMA cache_size = -{CACHE_KIB};
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE entry (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE code (whole TEXT NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (whole, entry)) WITHOUT ROWID;
CREATE TABLE stated (
    name TEXT NOT NULL, entry INTEGER NOT NULL, given TEXT NOT NULL, is_there INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (name, entry)
) WITHOUT ROWID;
CREATE INDEX stated_of ON stated (entry);
CREATE TABLE said (
    field TEXT NOT NULL, value TEXT NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (field, value)
) WITHOUT ROWID;
CREATE TABLE contested (whole TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE file (
    number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, is_record INTEGER NOT NULL,
    entry INTEGER, pages INTEGER, proven BLOB
);
CREATE INDEX file_of ON file (entry, number);
"""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(PackageEntry)


class Shelf:
    """What is in one package; the numbers of entries and files are their places in the order in which they were put."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self._database.execute("BEGIN")
        self.entries = ShelvedEntries(self._database)
        self.files = ShelvedFiles(self._database, self.entries)

    def close(self) -> None:
        """Forget everything."""
        self._database.close()


class ShelvedEntries:
    """The entries of a package, in their order."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[PackageEntry]:
        for number in range(self._count):
            yield self[number]

    def __getitem__(self, number: int) -> PackageEntry:
        ((body,),) = _run(self._database, "SELECT body FROM entry WHERE number = ?", (number,))
        return _decoder.decode(body)

    def put(self, entry: PackageEntry, said: Mapping[str, str]) -> None:
        """Put the next entry, with what its fields say that no two entries may say alike."""
        number = self._count
        self._count += 1
        _run(self._database, "INSERT INTO entry VALUES (?, ?)", (number, _encoder.encode(entry)))
        for whole in codes_of(entry):
            _run(self._database, "INSERT INTO code VALUES (?, ?)", (whole, number))
        for folded, given in stated_names(entry).items():
            _run(self._database, "INSERT INTO stated (name, entry, given) VALUES (?, ?, ?)", (folded, number, given))
        for one in said.items():
            _run(self._database, _SAID_AGAIN, one)

    def drop(self) -> None:
        """Forget the entries: their catalogue cannot be read to its end."""
        self._count = 0
        for statement in ("DELETE FROM entry", "DELETE FROM code", "DELETE FROM stated", "DELETE FROM said"):
            _run(self._database, statement)

    def repeated(self) -> Mapping[tuple[str, str], int]:
        """Return how often values stand in the catalogue that stand there more than once."""
        found = _run(self._database, "SELECT field, value, times FROM said WHERE times > 1")
        return {(field, value): times for field, value, times in found}

    def stating(self, name: str) -> list[int]:
        """Return the numbers of the entries that state a name."""
        found = _run(self._database, "SELECT entry FROM stated WHERE name = ? ORDER BY entry", (name,))
        return [entry for (entry,) in found]

    def coded(self, whole: str) -> list[int]:
        """Return the numbers of the entries that have a code."""
        found = _run(self._database, "SELECT entry FROM code WHERE whole = ? ORDER BY entry", (whole,))
        return [entry for (entry,) in found]

    def absent_names(self, number: int) -> list[str]:
        """Return the names that an entry states and that no file and no folder has."""
        statement = "SELECT given FROM stated WHERE entry = ? AND NOT is_there ORDER BY given"
        return [given for (given,) in _run(self._database, statement, (number,))]


class ShelvedFiles:
    """The files of a package, each with the entry that it belongs to."""

    def __init__(self, database: sqlite3.Connection, entries: ShelvedEntries) -> None:
        self._database = database
        self._entries = entries
        self._count = 0

    def put(self, file: PackageFile, *, is_record: bool) -> None:
        """Put the next file; one of the records is given its entry, if one alone claims it."""
        entry = self._entry_of(file) if is_record else None
        values = (self._count, file.path, file.size_bytes, is_record, entry)
        self._count += 1
        _run(self._database, "INSERT INTO file (number, path, size, is_record, entry) VALUES (?, ?, ?, ?, ?)", values)

    def _entry_of(self, file: PackageFile) -> int | None:
        for name in names_of(file.path):
            _run(self._database, "UPDATE stated SET is_there = 1 WHERE name = ? AND NOT is_there", (name,))
        found = entries_of(file.path, self._entries.stating, self._entries.coded)
        if len(found) > 1:
            contested = whole_code(self._entries[found[0]].ref_code)
            _run(self._database, "INSERT OR IGNORE INTO contested VALUES (?)", (contested,))
        return found[0] if len(found) == 1 else None

    def of_kind(self, *, are_records: bool) -> Iterator[tuple[PackageFile, int | None]]:
        """Yield the files of the records, or those kept beside, each with the number of its entry."""
        last = -1
        while rows := _run(self._database, _NEXT_FILES, (last, are_records)):
            for _number, path, size, entry in rows:
                yield PackageFile(path=path, size_bytes=size), entry
            last = rows[-1][0]

    def of_entry(self, entry: int) -> list[tuple[PackageFile, int | None]]:
        """Return the files of an entry, each with its pages as far as they are known."""
        statement = "SELECT path, size, pages FROM file WHERE entry = ? ORDER BY number"
        found = _run(self._database, statement, (entry,))
        return [(PackageFile(path=path, size_bytes=size), pages) for path, size, pages in found]

    def totals(self, *, are_records: bool | None = None) -> tuple[int, int]:
        """Return the number of files and their bytes: of the records, of what is kept beside, or (None) of both."""
        statement = "SELECT count(*), coalesce(sum(size), 0) FROM file WHERE ?1 IS NULL OR is_record = ?1"
        ((count, size),) = _run(self._database, statement, (are_records,))
        return count, size

    def is_contested(self, whole: str) -> bool:
        """True for a code of which several entries claim a file."""
        return bool(_run(self._database, "SELECT 1 FROM contested WHERE whole = ?", (whole,)))

    def strays(self, most: int) -> tuple[int, list[str]]:
        """Return how many files of the records belong to no entry, and the paths of the first."""
        ((count,),) = _run(self._database, "SELECT count(*) FROM file WHERE is_record AND entry IS NULL")
        statement = "SELECT path FROM file WHERE is_record AND entry IS NULL ORDER BY path LIMIT ?"
        return count, [path for (path,) in _run(self._database, statement, (most,))]

    def note_pages(self, path: str, pages: int | None) -> None:
        """Note how many pages a file has."""
        _run(self._database, "UPDATE file SET pages = ? WHERE path = ?", (pages, path))

    def note_proven(self, path: str, digest: bytes) -> None:
        """Note the beginning of the digest by which a file was proven."""
        _run(self._database, "UPDATE file SET proven = ? WHERE path = ?", (digest, path))

    def proven(self, path: str) -> bytes | None:
        """Return the beginning of the digest by which a file was proven; None for one that was not."""
        found = _run(self._database, "SELECT proven FROM file WHERE path = ?", (path,))
        return found[0][0] if found else None


_SAID_AGAIN: Final = "INSERT INTO said VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1"
_NEXT_FILES: Final = (
    "SELECT number, path, size, entry FROM file WHERE number > ? AND is_record = ? ORDER BY number LIMIT 500"
)


def _run(database: sqlite3.Connection, statement: str, values: Sequence[object] = ()) -> list[Any]:
    try:
        return database.execute(statement, values).fetchall()
    except sqlite3.Error as error:
        raise StorageFull(
            Text(zh=f"临时文件夹写不下核对用的表：{error}", en=f"the temporary folder cannot hold the tables: {error}"),
            Text(zh="腾出系统临时文件夹的空间后重试。", en="Make room in that folder, then try again."),
        ) from error
