"""What it costs to build the search index of a large catalogue anew, at once and beside a hub at work.

    python -m tests.bench.reindex --rows 200000

Prints one line of JSON: seconds and rows a second of both forms, the longest time that a writer had to wait, and the
slowest search meanwhile. Not part of `make bench`: nothing of it lies on the path of the data.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

from sqlalchemy import Connection

from hub.searching.search import Query, search
from hub.storage import reindexing
from hub.storage.reindexing import Reindexer
from hub.tables import catalogue_state
from replication.database import Database, opened
from tests.catalogue import described, fictitious
from tests.hubs import MIGRATIONS, Hub

FRAME_ROWS = 500
FRAMES_AT_ONCE = 16
WORDS = ("林地承包合同", "宅基地审批", "山林权属纠纷", "批复")


async def fill(hub: Hub, rows: int) -> None:
    """Describe records, as a site's first import does."""
    for first in range(1, rows + 1, FRAME_ROWS):
        last = min(rows, first + FRAME_ROWS - 1)
        await hub.tell(*(described(seq, fictitious(seq)) for seq in range(first, last + 1)))


def outdate(connection: Connection) -> None:
    """Make the index that of another version."""
    connection.execute(catalogue_state.update().values(index_version=-1))


async def slowest_search_ms(database: Database, done: asyncio.Event) -> float:
    """Search until something is done; return the slowest answer."""
    slowest_s = 0.0
    while not done.is_set():
        for words in WORDS:
            began = time.perf_counter()
            await database.read(lambda c, words=words: search(c, Query(words=words)))  # type: ignore[misc]
            slowest_s = max(slowest_s, time.perf_counter() - began)
            await asyncio.sleep(0.02)
    return slowest_s * 1000


async def longest_wait_ms(database: Database, done: asyncio.Event) -> float:
    """Write the smallest thing there is until something is done; return the longest wait."""
    longest_s = 0.0
    while not done.is_set():
        began = time.perf_counter()
        await database.write(lambda c: c.exec_driver_sql("UPDATE catalogue_state SET next_serial = next_serial"))
        longest_s = max(longest_s, time.perf_counter() - began)
        await asyncio.sleep(0.05)
    return longest_s * 1000


async def measure(rows: int, folder: Path) -> dict[str, float]:
    """Fill a catalogue and build its index in both ways."""
    async with opened(folder / "hub.db", MIGRATIONS, readers=2) as database:
        await fill(Hub(database), rows)
        await database.write(outdate)
        done = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            searching = tasks.create_task(slowest_search_ms(database, done))
            writing = tasks.create_task(longest_wait_ms(database, done))
            began = time.perf_counter()
            await Reindexer(database).run()
            beside_s = time.perf_counter() - began
            done.set()
        await database.write(outdate)
        reindexing.AT_ONCE_ROWS = rows + 1
        began = time.perf_counter()
        await database.write(reindexing.refresh_index)
        at_once_s = time.perf_counter() - began
    return {
        "rows": rows,
        "beside_s": round(beside_s, 1),
        "beside_rows_a_s": round(rows / beside_s),
        "slowest_search_ms": round(searching.result(), 1),
        "longest_write_wait_ms": round(writing.result(), 1),
        "at_once_s": round(at_once_s, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measure(rows, Path(folder)))))


if __name__ == "__main__":
    main()
