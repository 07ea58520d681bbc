"""The node's composition root: which parts there are, in which order they open, and what runs.

The database opens first and says whether it is the one that was here before; then the link, which may stay down for
weeks; then the parts that take catalogues in, send events out and answer. Parts close in reverse.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import structlog

from node import restoration, search, store
from node.brake_answers import brakes_handler
from node.carriage_rules import rules_of
from node.catalogues.context import DescriptionContext
from node.condition import Condition
from node.config import NodeConfig, load
from node.copies import Copies
from node.correspondence import LetterDesk
from node.epochs import Epochs
from node.file_answers import files_handler
from node.giving import Giver
from node.hints import HintSource
from node.history import SiteHistory
from node.home import NodeHome
from node.ingest import Importer
from node.intake import Intake
from node.keeper.answers import lookup_handler
from node.keeper.policy import policy_of
from node.letter_handlers import letter_handlers
from node.ranges import range_handler
from node.reading import context_of
from node.redescribing import redescribe_handler
from node.restoration import Restorer
from node.transfers.custody import CustodyMover
from node.transfers.desk import GivingDesk
from node.transfers.fetching import Fetcher
from node.transfers.kept_fixity import KeptFixity
from node.transfers.office import giver_log, receiver_log
from node.transfers.receiving import ReceivingDesk
from node.watching import FolderWatch, WatchedFolder
from node.withdrawals import Withdrawals
from protocol.beats import Receipt
from protocol.calls import AskFiles, Brakes, Correspond, FetchRange, Lookup, QuestionHead, Redescribe
from protocol.sites import Site
from replication.answering import Handler, answer_calls
from replication.beats import BeatRhythm, hear_receipts, send_beats
from replication.claim import claimed
from replication.connection import Link, LinkSettings, connected, inbox_prefix
from replication.county_key import read_county_key
from replication.database import Database, opened
from replication.keys import load_identity
from replication.migrations import REPLICATION
from replication.outbox import FrameWriter
from replication.publisher import Publisher
from replication.transfer_checks import tools_of
from replication.wall_clock import clock_ms

MIGRATIONS = (REPLICATION, ("node", Path(__file__).with_name("migrations")))
"""The schema of ``node.db``."""

SECONDS_A_MINUTE = 60.0

log = structlog.get_logger(__name__)


def link_settings(config: NodeConfig, home: NodeHome) -> LinkSettings:
    """Return how this node reaches the broker."""
    return LinkSettings(
        urls=config.hub.urls,
        name=f"danglian-node {config.site}",
        inbox_prefix=inbox_prefix(config.parsed_site),
        ca_file=home.authority,
        seed_file=home.seed,
    )


async def serve(home: NodeHome, on_ready: Callable[[], None] = lambda: None, hints: HintSource | None = None) -> None:
    """Run the node of a home until it is cancelled.

    Args:
        home: the node's home.
        on_ready: called once everything runs.
        hints: a watcher that serves all nodes of this process; by default the node has its own.

    Raises:
        BadSetting: a setting or a key is missing or wrong.
        BrokenStore: the database is damaged.

    """
    config = load(home.settings)
    writer = FrameWriter(config.site, load_identity(home.seed), clock_ms)
    with claimed(home.root, "danglian-node"):
        restoration.request_if_lost(home)
        await _serve(config, home, writer, on_ready, hints)


async def _serve(
    config: NodeConfig, home: NodeHome, writer: FrameWriter, on_ready: Callable[[], None], hints: HintSource | None
) -> None:
    async with opened(home.database, MIGRATIONS) as database, connected(link_settings(config, home)) as link:
        if await database.read(lambda connection: restoration.is_due(connection, home.restore_mark)):
            node = writer.identity.public_key
            await Restorer(database, link, config.parsed_site, node, home.restore_mark, clock_ms).run()
        history = SiteHistory(database)
        epochs = Epochs(database, writer, history.moved)
        await epochs.begin(home)
        await history.refresh()
        publisher = Publisher(database, link, writer, config.parsed_site, store, epochs.diverged)
        history.tell(publisher.wake)
        link.on_connected(publisher.reconnected)
        copies = Copies(database, clock_ms)
        intaking = _intaking(config, home, database, writer, history)
        async with asyncio.TaskGroup() as tasks:
            # The outbox starts first, so that what a power cut left waiting leaves before anything new is made.
            tasks.create_task(publisher.run(), name="publisher")
            tasks.create_task(_hear_receipts(link, config.parsed_site, publisher, copies), name="receipts")
            tasks.create_task(copies.run(), name="copies")
            tasks.create_task(epochs.run(), name="baseline")
            tasks.create_task(history.run(), name="history")
            tasks.create_task(intaking.watch.hints(hints), name="hints")
            tasks.create_task(intaking.intake.run(), name="intake")
            giver = Giver(
                database, link, config.parsed_site, writer.identity, config.hub.key, rules_of(config, clock_ms)
            )
            tasks.create_task(giver.run(), name="giving")
            desk = _start_talking(tasks, config, database, link, history, publisher, intaking, writer)
            tasks.create_task(_receive(config, home, database, link, writer, desk.wake), name="receiving")
            fixity = KeptFixity(database, home.kept, config.rhythm.time_zone, clock_ms)
            tasks.create_task(fixity.run(), name="kept fixity")
            log.info("node_ready", site=config.site)
            on_ready()


async def _hear_receipts(link: Link, site: Site, publisher: Publisher, copies: Copies) -> None:
    async def take(receipt: Receipt) -> None:
        await publisher.confirm(receipt)
        await copies.confirm(receipt)

    await hear_receipts(link, site, take, publisher.make_room)


class _Intaking(NamedTuple):
    watch: FolderWatch
    importer: Importer
    intake: Intake


def _intaking(
    config: NodeConfig, home: NodeHome, database: Database, writer: FrameWriter, history: SiteHistory
) -> _Intaking:
    """Return the parts that take catalogues in."""
    folders = [
        WatchedFolder(settings=folder, place=folder.place(home), settle_s=config.settle_of(folder))
        for folder in config.folders
    ]
    county_key = read_county_key(home.county_key)
    watch = FolderWatch(folders, config.rescan_minutes * SECONDS_A_MINUTE)
    withdrawals = Withdrawals(database, writer, config.brake, history.moved, clock_ms)

    def context(folder: WatchedFolder) -> DescriptionContext:
        return context_of(config.site, folder.settings, county_key)

    importer = Importer(database, writer, withdrawals, home.spool, context, history.moved, clock_ms)
    return _Intaking(watch, importer, Intake(database, watch, importer, withdrawals, home.spool, clock_ms))


def _start_talking(
    tasks: asyncio.TaskGroup,
    config: NodeConfig,
    database: Database,
    link: Link,
    history: SiteHistory,
    publisher: Publisher,
    intaking: _Intaking,
    writer: FrameWriter,
) -> LetterDesk:
    """Start what tells others about the site: its answers and its signs of life."""
    site = config.parsed_site
    condition = Condition(
        database,
        site.code,
        writer.identity.public_key,
        published=lambda: publisher.published,
        importing=lambda: intaking.importer.is_busy,
        clock_ms=clock_ms,
        rhythm=config.rhythm.promised,
        faults=lambda: link.faults,
    )
    beat_due = asyncio.Event()
    history.tell(beat_due.set)
    policy = policy_of(config.policy)
    desk = _start_letters(tasks, config, database, history, writer, beat_due.set)
    courtesy = intaking.importer.courtesy
    handlers: dict[type[QuestionHead], Handler] = {
        **courtesy.extended(search.handlers(database, history.position, condition.health)),
        **courtesy.extended({Lookup: lookup_handler(database, policy, clock_ms)}),
        FetchRange: range_handler(database, publisher),
        Redescribe: redescribe_handler(database, writer, history.moved),
        Brakes: brakes_handler(database, clock_ms),
        AskFiles: files_handler(database),
        Correspond: desk.handler(),
    }
    tasks.create_task(answer_calls(link, site, history.position, handlers), name="answers")
    rhythm = BeatRhythm(every_s=config.rhythm.heartbeat_s)
    tasks.create_task(send_beats(link, site, condition.beat, beat_due, rhythm), name="beats")
    return desk


def _start_letters(
    tasks: asyncio.TaskGroup,
    config: NodeConfig,
    database: Database,
    history: SiteHistory,
    writer: FrameWriter,
    beat: Callable[[], None],
) -> LetterDesk:
    """Start what works by letters of the county: lookups, certificates, transfers, proposals."""
    transfers = giver_log(config, writer.identity)
    desk = LetterDesk(database, letter_handlers(config, writer.identity, clock_ms), beat, clock_ms)
    mover = CustodyMover(database, writer, transfers, history.moved, clock_ms)
    tasks.create_task(desk.run(), name="letters")
    tasks.create_task(GivingDesk(database, mover, (config.hub.key,), desk.wake).run(), name="transfers")
    return desk


async def _receive(
    config: NodeConfig, home: NodeHome, database: Database, link: Link, writer: FrameWriter, wake: Callable[[], None]
) -> None:
    """Take what other sites hand over to this one."""
    received, tools = receiver_log(writer.identity), tools_of(config.transfers)
    fetcher = Fetcher(link, config.parsed_site, writer.identity, rules_of(config, clock_ms))
    desk = ReceivingDesk(database, received, fetcher, home.transfers, home.kept, clock_ms, wake, tools)
    async with fetcher.hearing():
        await desk.run()
