"""From a folder to searchable at the hub, steady: a sheet is dropped while node and hub have worked for a while.

Ours is measured from the moment the file has settled until the hub has applied the last row, which is then found by a
search. The floor moves frames of the same rows that were made beforehand; the peer harvests the same rows from a table.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from node.home import NodeHome
from protocol.analysis import match_query
from tests.bench import oai_harvest, plain_replication
from tests.bench.county import County, county, enrolled, logged, node, sites, until_applied
from tests.bench.figures import Figure, Scale, median
from tests.bench.rows import TITLE, row, rows, write_workbook
from tests.servers import NatsServer


async def measure(scale: Scale, folder: Path) -> Sequence[Figure]:
    """Floor, peer and ours, in this order."""
    floor = median(await floor_rates(scale, folder / "floor"))
    peer = None
    if oai_harvest.available():
        (folder / "peer").mkdir()
        peer = median([await oai_harvest.rate(folder / "peer", scale.rows) for _ in range(min(2, scale.rounds))])
    async with county(folder / "county") as here:
        ours = median(await our_rates(scale, here))
    return [
        Figure(
            bench="steady",
            what=f"folder → searchable at the hub, a sheet of {scale.rows:,} rows",
            unit="rows/s",
            ours=ours,
            floor=floor,
            peer=peer,
            peer_name="OAI-PMH",
            target="≥ 0.5 of the floor, ≥ 2 × OAI-PMH",
        )
    ]


async def floor_rates(scale: Scale, folder: Path) -> list[float]:
    """The raw floor's rates, through a broker of its own."""
    folder.mkdir()
    server = NatsServer(folder / "nats")
    await server.start()
    try:
        return [await plain_replication.rate(folder, server, scale.rows) for _ in range(scale.rounds)]
    finally:
        await server.stop()


async def our_rates(scale: Scale, here: County) -> list[float]:
    """The rates of sheets dropped one after the other, the first of which only warms everything up."""
    (site,) = sites(1)
    (home,) = await enrolled(here, [site])
    sheets = [_sheet(here.folder, number, scale.rows) for number in range(scale.rounds + 1)]
    rates = []
    async with node(home):
        for number, sheet in enumerate(sheets):
            rates.append(await _dropped(here, home, sheet, number, scale.rows))
    return rates[1:]


def _sheet(folder: Path, number: int, count: int) -> Path:
    path = folder / f"sheet-{number}.xlsx"
    write_workbook(path, rows(count, fonds=f"X{number + 1:03d}", seed=number + 1))
    return path


async def _dropped(here: County, home: NodeHome, sheet: Path, number: int, count: int) -> float:
    log = home.root.with_suffix(".log")
    seen = log.stat().st_size
    # Copied under another name and renamed, so that the file is whole when it appears.
    arriving = home.catalogues / f"{sheet.name}.part"
    await asyncio.to_thread(shutil.copyfile, sheet, arriving)
    arriving.rename(home.catalogues / sheet.name)
    settled = await logged(log, "file_settled", seen)
    done = await until_applied(here, home.root.name, (number + 1) * count)
    last = str(row(count, fonds=f"X{number + 1:03d}", seed=number + 1)[TITLE])
    found = found_at_hub(here, last)
    if found != 1:
        raise RuntimeError(f"{found} entries are found under the last row's title")
    return count / (done - settled.at)


def found_at_hub(here: County, words: str) -> int:
    """How many entries the hub's index finds."""
    with closing(sqlite3.connect(f"file:{here.home.database}?mode=ro", uri=True)) as connection:
        statement = "SELECT count(*) FROM search WHERE search MATCH ?"
        return int(connection.execute(statement, (match_query(words),)).fetchone()[0])
