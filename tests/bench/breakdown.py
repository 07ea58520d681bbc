"""Where the time goes between a settled file and its rows in the hub's index: processor time by step.

The real importer and the real inbox run here, one after the other and without a broker: the first sheet only warms them
up, the second is counted. What the broker and its clients take is in the figures of ``steady``.
"""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import node.importing
import node.indexing
import node.reading
import replication.inbox
from hub import preparation
from hub.application import Application
from hub.storage import store
from node import daemon as node_daemon
from node.catalogues.description import SheetDescription
from node.catalogues.rows import SheetReading
from node.config import BrokerLink, NodeConfig
from node.folders import look_at
from node.history import SiteHistory
from node.home import home_at
from node.ingest import Importer
from node.reading import FileReading
from node.watching import SettledFile, WatchedFolder
from protocol.sites import Site, parse_site
from replication import outbox
from replication.county_key import COUNTY_KEY_BYTES, write_county_key
from replication.database import _Worker, opened
from replication.inbox import Inbox
from replication.outbox import FrameWriter, SealedFrame
from replication.wall_clock import clock_ms
from tests.bench.county import site_code
from tests.bench.figures import Figure, Scale
from tests.bench.plain_replication import new_identity
from tests.bench.rows import TITLE, rows, write_workbook
from tests.bench.stopwatch import Stopwatch

FRAMES_AT_ONCE = 16
"""Frames that the hub takes in one transaction, as its consumer fetches them."""

INSERTS = {"INSERT INTO record": "store", "INSERT INTO entry": "store", "INSERT INTO search": "index"}
"""How statements begin that are steps of their own."""


async def measure(scale: Scale, folder: Path) -> Sequence[Figure]:
    """The node's steps, the hub's steps, and reading a sheet again in which one row changed."""
    site = parse_site(site_code(0))
    writer = FrameWriter(site.code, new_identity(), clock_ms)
    home = home_at(folder / "node")
    home.catalogues.mkdir(parents=True)
    write_county_key(home.county_key, os.urandom(COUNTY_KEY_BYTES))
    config = NodeConfig(site=site.code, name="bench", hub=BrokerLink(urls=("tls://127.0.0.1:1",)))
    async with opened(home.database, node_daemon.MIGRATIONS) as database:
        await database.write(lambda connection: outbox.start_epoch(connection, "bench", ()))
        intaking = node_daemon._intaking(config, home, database, writer, SiteHistory(database))
        (watched,) = intaking.watch.folders
        await _take(intaking.importer, watched, _sheet(folder, 0, scale.rows))
        sheet = _sheet(folder, 1, scale.rows)
        at_node, node_s = _node_steps(), time.process_time()
        with at_node.running():
            await _take(intaking.importer, watched, sheet)
        node_s = time.process_time() - node_s
        again_s = await _read_again(intaking.importer, watched, scale.rows)
        sealed = await database.read(lambda connection: outbox.frames_after(connection, 0, scale.rows))
    at_hub, hub_s = await _applied(folder, site, writer, sealed, scale.rows)
    return [
        *_figures("node", at_node, node_s, scale.rows),
        *_figures("hub", at_hub, hub_s, scale.rows),
        Figure(
            bench="breakdown",
            what=f"node: reading {scale.rows:,} rows again, one of them changed",
            unit="s",
            ours=again_s,
        ),
    ]


def _figures(end: str, counted: Stopwatch, whole_s: float, count: int) -> list[Figure]:
    steps = [*counted.spent_s.items(), ("the rest", whole_s - sum(counted.spent_s.values())), ("all", whole_s)]
    return [
        Figure(bench="breakdown", what=f"{end}: {step}", unit="µs/row", ours=spent_s * 1e6 / count)
        for step, spent_s in steps
    ]


def _sheet(folder: Path, number: int, count: int) -> Path:
    path = folder / f"sheet-{number}.xlsx"
    write_workbook(path, rows(count, fonds=f"X{number + 1:03d}", seed=number + 1))
    return path


async def _take(importer: Importer, watched: WatchedFolder, sheet: Path) -> None:
    placed = watched.place / sheet.name
    shutil.copyfile(sheet, placed)
    look = look_at(placed)
    if look is None:
        raise FileNotFoundError(placed)
    taken = await importer.take(SettledFile(folder=watched, relative=sheet.name, look=look))
    if taken.outcome != "taken" or taken.rejected:
        raise RuntimeError(f"{sheet.name} was not taken as a whole: {taken}")


async def _read_again(importer: Importer, watched: WatchedFolder, count: int) -> float:
    content = [list(cells) for cells in rows(count, fonds="X002", seed=2)]
    content[count // 2][TITLE] = f"{content[count // 2][TITLE]}更正"
    sheet = watched.place.parent / "sheet-1.xlsx"
    write_workbook(sheet, map(tuple, content))
    started = time.perf_counter()
    await _take(importer, watched, sheet)
    return time.perf_counter() - started


def _node_steps() -> Stopwatch:
    steps = Stopwatch()
    steps.watch(FileReading, "__init__", "open the workbook")
    steps.watch(SheetReading, "__iter__", "read rows")
    steps.watch(SheetDescription, "describe", "describe")
    steps.watch(node.importing, "paired", "compare")
    steps.watch(node.importing, "first_version", "mint, encode, digest")
    steps.watch(node.indexing, "index_rows", "cut search terms")
    steps.watch(outbox, "append", "frame: number, compress, sign")
    steps.watch(_Worker, "_step", "commit")
    steps.watch_statements(INSERTS, "other statements")
    return steps


def _hub_steps() -> Stopwatch:
    steps = Stopwatch()
    steps.watch(replication.inbox, "accept", "verify, unpack, decode")
    steps.watch(Application, "prepare", "prepare: read records, columns")
    steps.watch(preparation, "entry_rows", "cut search terms")
    steps.watch(Application, "apply", "apply: fold")
    steps.watch(_Worker, "_step", "commit")
    steps.watch_statements(INSERTS, "other statements")
    return steps


async def _applied(
    folder: Path, site: Site, writer: FrameWriter, frames: Sequence[SealedFrame], count: int
) -> tuple[Stopwatch, float]:
    """Apply all frames; those of the second sheet are counted."""
    async with opened(folder / "hub.db", store.MIGRATIONS) as database:
        inbox = Inbox(database, Application(clock_ms), lambda _: [writer.identity.public_key], clock_ms)
        await _feed(inbox, site, [frame.sealed for frame in frames if frame.last <= count])
        steps, spent_s = _hub_steps(), time.process_time()
        with steps.running():
            await _feed(inbox, site, [frame.sealed for frame in frames if count < frame.last <= 2 * count])
        return steps, time.process_time() - spent_s


async def _feed(inbox: Inbox, site: Site, sealed: Sequence[bytes]) -> None:
    for start in range(0, len(sealed), FRAMES_AT_ONCE):
        await inbox.take(inbox.read([(site, frame) for frame in sealed[start : start + FRAMES_AT_ONCE]]))
