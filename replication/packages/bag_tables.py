"""What a bag lists and what lies in it, side by side, in a temporary database: a bag of any size needs the same memory.

SQLite keeps a small one in memory and moves a large one to a temporary file by itself.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from protocol.errors import StorageFull
from protocol.package_paths import normal, same_to_others
from protocol.wording import Text

CACHE_KIB = 8 * 1024
"""KiB of the tables that stay in memory; the rest goes to a temporary file."""

_SCHEMA = f"""
PRAGMA cache_size = -{CACHE_KIB};
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE file (path TEXT PRIMARY KEY, size INTEGER NOT NULL, normal TEXT) WITHOUT ROWID;
CREATE INDEX file_normal ON file (normal) WHERE normal IS NOT NULL;
CREATE TABLE listed (
    path TEXT NOT NULL, manifest INTEGER NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (path, manifest)
) WITHOUT ROWID;
CREATE TABLE hole (path TEXT PRIMARY KEY, address TEXT NOT NULL) WITHOUT ROWID;
"""


class BagTables:
    """Files that are there, and lines that list them, by path within the bag."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add_file(self, path: str, size_bytes: int) -> None:
        """Note a file that is there."""
        plain = normal(path)
        # Nearly every name is in its normal form, and then needs no second line.
        values = (path, size_bytes, None if plain == path else plain)
        self._database.execute("INSERT INTO file VALUES (?, ?, ?)", values)

    def has_file(self, path: str) -> bool:
        """True if there is a file of exactly this name."""
        return self._database.execute("SELECT 1 FROM file WHERE path = ?", (path,)).fetchone() is not None

    def otherwise_written(self, path: str) -> str | None:
        """Return the one unlisted file whose name is the same but for Unicode's normal form."""
        statement = """
            SELECT path
            FROM (SELECT path FROM file WHERE path = ?1 UNION SELECT path FROM file WHERE normal = ?1) AS one
            WHERE NOT EXISTS (SELECT 1 FROM listed WHERE listed.path = one.path) LIMIT 2
        """
        found = self._database.execute(statement, (normal(path),)).fetchall()
        return str(found[0][0]) if len(found) == 1 else None

    def add_listed(self, path: str, manifest: int, digest: str) -> str | None:
        """Note a line of a manifest; return the digest of an earlier line for the same file, if there was one."""
        known = self._database.execute(
            "SELECT digest FROM listed WHERE path = ? AND manifest = ?", (path, manifest)
        ).fetchone()
        if known:
            return str(known[0])
        self._database.execute("INSERT INTO listed VALUES (?, ?, ?)", (path, manifest, digest))
        return None

    def add_hole(self, path: str, address: str) -> None:
        """Note a file that would have to be fetched."""
        self._database.execute("INSERT OR IGNORE INTO hole VALUES (?, ?)", (path, address))

    def totals(self) -> tuple[int, int]:
        """Return the number of files and their bytes."""
        files, size_bytes = self._database.execute("SELECT count(*), coalesce(sum(size), 0) FROM file").fetchone()
        return int(files), int(size_bytes)

    def missing(self) -> Iterator[tuple[str, str]]:
        """Yield what is listed or to be fetched but is not there, with its address, "" where there is none."""
        statement = """
            SELECT DISTINCT wanted.path, coalesce(hole.address, '')
            FROM (SELECT path FROM listed UNION SELECT path FROM hole) AS wanted
            LEFT JOIN hole ON hole.path = wanted.path
            WHERE NOT EXISTS (SELECT 1 FROM file WHERE file.path = wanted.path) ORDER BY wanted.path
        """
        yield from self._database.execute(statement)

    def unlisted(self) -> Iterator[str]:
        """Yield what is there but in no manifest."""
        statement = "SELECT path FROM file WHERE NOT EXISTS (SELECT 1 FROM listed WHERE listed.path = file.path)"
        for (path,) in self._database.execute(statement + " ORDER BY path"):
            yield path

    def not_in_every(self, manifests: int) -> Iterator[str]:
        """Yield what some of so many manifests list and others do not."""
        statement = "SELECT path FROM listed GROUP BY path HAVING count(*) < ? ORDER BY path"
        for (path,) in self._database.execute(statement, (manifests,)):
            yield path

    def clashes(self) -> Iterator[tuple[str, str]]:
        """Yield two names at a time that some system takes for one; of listed names, so that lost ones count too."""
        self._database.create_function("same", 1, same_to_others, deterministic=True)
        statement = """
            SELECT min(path), max(path) FROM (SELECT path FROM listed UNION SELECT path FROM file)
            GROUP BY same(path) HAVING count(*) > 1 ORDER BY 1
        """
        yield from self._database.execute(statement)

    def expected(self) -> Iterator[tuple[str, int, dict[int, str]]]:
        """Yield every listed file that is there: path, size, and its digests by manifest."""
        statement = """
            SELECT file.path, file.size, listed.manifest, listed.digest
            FROM file JOIN listed ON listed.path = file.path ORDER BY file.path, listed.manifest
        """
        path, size = "", 0
        digests: dict[int, str] = {}
        for next_path, next_size, manifest, digest in self._database.execute(statement):
            if next_path != path and digests:
                yield path, size, digests
                digests = {}
            path, size = next_path, next_size
            digests[manifest] = digest
        if digests:
            yield path, size, digests


@contextmanager
def bag_tables() -> Iterator[BagTables]:
    """Open the tables for one bag; they are gone afterwards.

    Raises:
        StorageFull: the folder for temporary files has no room for a bag of so many files.

    """
    try:
        with closing(sqlite3.connect("", isolation_level=None)) as database:
            database.executescript(_SCHEMA)
            database.execute("BEGIN")
            yield BagTables(database)
    except sqlite3.Error as error:
        raise StorageFull(
            Text(zh=f"临时文件夹写不下核对用的表：{error}", en=f"the temporary folder cannot hold the tables: {error}"),
            Text(zh="腾出系统临时文件夹的空间后重试。", en="Make room in that folder, then try again."),
        ) from error
