"""Upgrades that are killed: a real process is ended in the middle of a migration and of a rebuild of the index."""

import asyncio
import sqlite3
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from hub.catalogue import ENTRY_COLUMNS
from hub.home import SCHEMA
from hub.searching.search import Query, search
from hub.storage.reindexing import INDEX_VERSION
from protocol.codec import encode_record
from replication.database import opened
from replication.dialects import insert_rows
from replication.migrations import CHUNK_ROWS, REPLICATION
from tests.catalogue import VILLAGE, fictitious
from tests.hubs import MIGRATIONS
from tests.system.programs import PATIENCE_S, until

pytestmark = pytest.mark.timeout(120)

ROWS = 60 * CHUNK_ROWS
ENTRIES = 30_000

SLOWED = """-- chunked: thing.id
UPDATE thing SET visits = visits + 1 WHERE id > :after AND id <= :until AND (
  WITH RECURSIVE step (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM step WHERE i < 400000) SELECT count(*) FROM step
) > 0"""
"""Each chunk counts for a while first: a fast disk would be through before anybody could kill it."""

UPGRADE = """
import asyncio, sys
from pathlib import Path
from replication.dialects import insert_rows
from replication.database import opened

async def main():
    async with opened(Path(sys.argv[1]), [("p", Path(sys.argv[2]))]):
        print("upgraded", flush=True)

asyncio.run(main())
"""

REINDEX = """
import asyncio, sys
from pathlib import Path
from hub.home import SCHEMA
from hub.storage.reindexing import Reindexer
from replication.dialects import insert_rows
from replication.database import opened
from replication.migrations import REPLICATION

async def main():
    async with opened(Path(sys.argv[1]), [REPLICATION, SCHEMA]) as database:
        await Reindexer(database).run()

asyncio.run(main())
"""


async def started(program: str, *arguments: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *map(str, arguments), cwd=Path(__file__).parents[2]
    )


def value(path: Path, sql: str) -> int:
    with closing(sqlite3.connect(path, timeout=20)) as raw:
        try:
            row = raw.execute(sql).fetchone()
        except sqlite3.OperationalError:
            return 0
    return int(row[0]) if row and row[0] is not None else 0


def has_passed(path: Path, rows: int) -> bool:
    return value(path, "SELECT done FROM migration_progress") > rows


async def test_a_migration_that_is_killed_goes_on_and_every_row_is_passed_once(tmp_path: Path) -> None:
    """The statement counts its own visits: a row that two runs passed would say so."""
    folder, path = tmp_path / "schema", tmp_path / "x.db"
    folder.mkdir()
    (folder / "01-first.sql").write_text(
        "CREATE TABLE thing (id INTEGER PRIMARY KEY, visits INTEGER NOT NULL)", encoding="utf-8"
    )
    async with opened(path, [("p", folder)]) as database:
        rows = [(number, 0) for number in range(ROWS)]
        await database.write(lambda c: c.exec_driver_sql("INSERT INTO thing VALUES (?, ?)", rows))
    (folder / "02-second.sql").write_text(SLOWED, encoding="utf-8")
    reached: list[int] = []
    for _ in range(2):
        process = await started(UPGRADE, path, folder)
        await until("the migration to move", partial(has_passed, path, reached[-1] if reached else 0))
        process.kill()
        await process.wait()
        reached.append(value(path, "SELECT done FROM migration_progress"))
    async with opened(path, [("p", folder)]):
        pass

    assert 0 < reached[0] < reached[1] < ROWS
    assert value(path, "SELECT count(*) FROM thing WHERE visits = 1") == ROWS


async def test_a_rebuild_of_the_index_that_is_killed_goes_on_and_searches_are_answered(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    async with opened(path, MIGRATIONS) as database:
        body = encode_record(fictitious(1, title="关于山林承包合同的批复"))
        rows = [
            (
                *(
                    number,
                    VILLAGE.code,
                    1,
                    number.to_bytes(16, "big"),
                    number,
                    0,
                    number,
                    0,
                    "item",
                    "none",
                    "open",
                    "",
                ),
                *("J001", "", None, None, body, None, None, None),
            )
            for number in range(1, ENTRIES + 1)
        ]
        await database.write(lambda c: insert_rows(c, "entry", ENTRY_COLUMNS, rows))
    process = await started(REINDEX, path)
    await until("the rebuild to move", lambda: value(path, "SELECT built_rows FROM catalogue_state"))
    process.kill()
    await process.wait()
    reached = value(path, "SELECT built_rows FROM catalogue_state")
    async with opened(path, [REPLICATION, SCHEMA], read_only=True) as reading:
        during = await reading.read(lambda c: search(c, Query(words="山林")))
    process = await started(REINDEX, path)
    async with asyncio.timeout(PATIENCE_S):
        assert await process.wait() == 0
    async with opened(path, [REPLICATION, SCHEMA], read_only=True) as reading:
        after = await reading.read(lambda c: search(c, Query(words="山林")))

    assert 0 < reached < ENTRIES
    assert during.exact is False
    assert value(path, "SELECT index_version FROM catalogue_state") == INDEX_VERSION
    assert len(after.hits) == 20
