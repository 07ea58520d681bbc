"""From a folder to searchable at the hub, steady: a sheet is dropped while node and hub have worked for a while.

Ours is measured from the moment the file has settled until the hub has applied the last row, which is then found by a
search. The node's own index follows its events: when it has the last row is told as well, and processor time is counted
up to there. The floor moves frames of the same rows that were made beforehand; the peer harvests the same rows from a
table.
"""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from node.home import NodeHome
from tests.bench import oai_harvest, plain_replication
from tests.bench.county import County, begun, county, enrolled, node, sites, until_applied, until_read
from tests.bench.figures import Figure, Scale, median
from tests.bench.programs import Load, cpu_s
from tests.bench.rows import TITLE, row, rows, write_workbook
from tests.plain_queries import match_query
from tests.servers import NatsServer

READ_S = 300.0
"""Seconds for a sheet to be in the node's own index too."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What one sheet took."""

    rate: float
    """Rows a second, from settled to searchable."""
    node_us: float
    """Microseconds of processor time a row, of the node; then of the hub and of its broker."""
    hub_us: float
    broker_us: float
    own_rate: float = 0.0
    """Rows a second, from settled to searchable at the node too."""
    others_cores: float = 0.0
    """Cores that programs which have no part in this kept busy meanwhile."""


async def measure(scale: Scale, folder: Path) -> Sequence[Figure]:
    """Floor, peer and ours, in this order."""
    floor = await floor_rounds(scale, folder / "floor")
    peer = None
    if oai_harvest.available():
        (folder / "peer").mkdir()
        peer = median([await oai_harvest.rate(folder / "peer", scale.rows) for _ in range(min(2, scale.rounds))])
    async with county(folder / "county") as here:
        ours = await our_rounds(scale, here)
    taken = f"a sheet of {scale.rows:,} rows"
    rate = Figure(
        bench="steady",
        what=f"folder → searchable at the hub, {taken}",
        unit="rows/s",
        ours=median([one.rate for one in ours]),
        floor=median([one.rate for one in floor]),
        peer=peer,
        peer_name="OAI-PMH",
        target="≥ 0.5 of the floor, ≥ 2 × OAI-PMH",
    )
    own = Figure(
        bench="steady",
        what="folder → searchable at the hub and at the node itself",
        unit="rows/s",
        ours=median([one.own_rate for one in ours]),
    )
    cpu = [
        Figure(
            bench="steady",
            what=f"processor time of {name}",
            unit="µs/row",
            ours=median([getattr(one, field) for one in ours]),
            floor=median([getattr(one, field) for one in floor]) or None,
        )
        for name, field in (("the node", "node_us"), ("the hub", "hub_us"), ("the broker", "broker_us"))
    ]
    others = Figure(
        bench="steady",
        what="cores that other programs kept busy meanwhile: above 0.1, the rates say more about them",
        unit="cores",
        ours=median([one.others_cores for one in ours]),
    )
    return [rate, own, *cpu, others]


async def floor_rounds(scale: Scale, folder: Path) -> list[Round]:
    """The raw floor, through a broker of its own; the sink stands where the hub does."""
    folder.mkdir()
    server = NatsServer(folder / "nats")
    await server.start()
    try:
        rounds = []
        for _ in range(scale.rounds):
            before = cpu_s(server.pid)
            rate, sink_s = await plain_replication.rate(folder, server, scale.rows)
            hub_us, broker_us = (spent_s * 1e6 / scale.rows for spent_s in (sink_s, cpu_s(server.pid) - before))
            rounds.append(Round(rate=rate, node_us=0, hub_us=hub_us, broker_us=broker_us))
        return rounds
    finally:
        await server.stop()


async def our_rounds(scale: Scale, here: County) -> list[Round]:
    """Sheets dropped one after the other, the first of which only warms everything up."""
    (site,) = sites(1)
    (home,) = await enrolled(here, [site])
    sheets = [_sheet(here.folder, number, scale.rows) for number in range(scale.rounds + 1)]
    rounds = []
    async with node(home) as program:
        pids = (program.pid, here.hub.pid, here.broker_pid)
        for number, sheet in enumerate(sheets):
            load, begun_at, here_s = Load(), time.monotonic(), time.process_time()
            before = [cpu_s(pid) for pid in pids]
            rate, own_rate = await _dropped(here, home, sheet, number, scale.rows)
            spent_s = [cpu_s(pid) - start for pid, start in zip(pids, before, strict=True)]
            took_s = time.monotonic() - begun_at
            others = load.busy_cores() - (sum(spent_s) + time.process_time() - here_s) / took_s
            node_us, hub_us, broker_us = (one * 1e6 / scale.rows for one in spent_s)
            rounds.append(
                Round(
                    rate=rate,
                    own_rate=own_rate,
                    node_us=node_us,
                    hub_us=hub_us,
                    broker_us=broker_us,
                    others_cores=max(0.0, others),
                )
            )
    return rounds[1:]


def _sheet(folder: Path, number: int, count: int) -> Path:
    path = folder / f"sheet-{number}.xlsx"
    write_workbook(path, rows(count, fonds=f"X{number + 1:03d}", seed=number + 1))
    return path


async def _dropped(here: County, home: NodeHome, sheet: Path, number: int, count: int) -> tuple[float, float]:
    """Return the rows a second to the hub's index, and to the node's as well."""
    site = home.root.name
    before = here.watermark(site)
    await drop(sheet, home)
    settled = await begun(home)
    done = await until_applied(here, site, before + count)
    # A file counts as read when the node's own index has its rows.
    await until_read(home, READ_S)
    done_here = time.time()
    last = str(row(count, fonds=f"X{number + 1:03d}", seed=number + 1)[TITLE])
    found = found_at_hub(here, last)
    if found != 1:
        raise RuntimeError(f"{found} entries are found under the last row's title")
    return count / (done - settled), count / (max(done, done_here) - settled)


async def drop(sheet: Path, home: NodeHome) -> None:
    """Put a sheet into the node's folder; it is whole when it appears under its name."""
    arriving = home.catalogues / f"{sheet.name}.part"
    await asyncio.to_thread(shutil.copyfile, sheet, arriving)
    arriving.replace(home.catalogues / sheet.name)


def found_at_hub(here: County, words: str) -> int:
    """How many entries the hub's index finds."""
    with closing(sqlite3.connect(f"file:{here.home.database}?mode=ro", uri=True)) as connection:
        statement = "SELECT count(*) FROM search WHERE search MATCH ?"
        return int(connection.execute(statement, (match_query(words),)).fetchone()[0])
