"""One site's intake for a test: a home, a folder, the real store, and no network."""

import csv
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import Connection

from node.brake import HeldChange, held
from node.config import BrakeBounds, FolderSettings
from node.folders import look_at
from node.ingest import Importer, Taken
from node.intake import Intake
from node.reading import context_of
from node.settling import Look
from node.tables import SCHEMA
from node.watching import FolderWatch, SettledFile, WatchedFolder
from node.withdrawals import Withdrawals
from protocol.codec import decode_event, decode_record
from protocol.events import Event
from protocol.records import Record
from replication import outbox
from replication.database import Database, opened
from replication.keys import Identity, new_seed
from replication.migrations import REPLICATION
from replication.outbox import FrameWriter
from replication.seal import unseal

CODE = "330523108204"
HEADER = ("档号", "题名", "责任者", "文号", "日期", "保管期限", "页数", "密级", "开放标识")


def rows(count: int, first: int = 1) -> list[list[str]]:
    """Return plain, correct rows of an item list, each different from the others."""
    return [
        [
            f"Z109-WS·2011·Y-BGS-{number:04d}",
            f"关于第{number}号林地承包合同的批复",
            "天荒坪镇人民政府",
            f"天政〔2011〕{number}号",
            f"2011{number % 12 + 1:02d}{number % 28 + 1:02d}",
            "永久",
            str(number % 30 + 1),
            "",
            "开放",
        ]
        for number in range(first, first + count)
    ]


def write_csv(path: Path, table: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> None:
    """Write a catalogue as UTF-8 CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as target:
        csv.writer(target).writerows([header, *table])


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s

    def ms(self) -> int:
        """Return the same moment as a wall clock would."""
        return int(self.now_s * 1000)


class NodeSite:
    """The parts that take catalogues in, and what a test wants to know of them."""

    def __init__(
        self, root: Path, database: Database, bounds: BrakeBounds, settings: FolderSettings, code: str = CODE
    ) -> None:
        self.folder = root / settings.path
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock = Clock()
        self.database = database
        # Two sites of one test have keys and ids of their own.
        self.chance = random.Random(1 if code == CODE else int(code[:12]))
        self.writer = FrameWriter(code, Identity(new_seed(self.chance.randbytes(32))), self.clock.ms)
        self.watched = WatchedFolder(settings=settings, place=self.folder, settle_s=2.0)
        self.watch = FolderWatch([self.watched], 900.0, self.clock, lambda: 0.5)
        self.woken = 0
        self.withdrawals = Withdrawals(database, self.writer, bounds, self.wake, self.clock.ms)
        self.importer = Importer(
            database,
            self.writer,
            self.withdrawals,
            root / "spool",
            lambda folder: context_of(code, folder.settings, b"k" * 32),
            self.wake,
            self.clock.ms,
            self.chance.randbytes,
        )
        self.intake = Intake(
            database,
            self.watch,
            self.importer,
            self.withdrawals,
            root / "spool",
            self.clock.ms,
            self.chance.randbytes,
        )

    def wake(self) -> None:
        """Stand in for the publisher."""
        self.woken += 1

    async def take(self, name: str) -> Taken:
        """Take one file as it is now."""
        look = self.look(name)
        return await self.importer.take(SettledFile(folder=self.watched, relative=name, look=look))

    def look(self, name: str) -> Look:
        """Return how a file looks now."""
        look = look_at(self.folder / name)
        assert look is not None
        return look

    async def settle(self, seconds: float = 3.0) -> None:
        """Walk through the folder, wait until everything in it has settled, and take it."""
        for pause_s in (0.0, seconds):
            self.clock.now_s += pause_s
            self.watch.scan_soon()
            await self.intake.step()

    async def records(self) -> dict[str, Record]:
        """Return the listed records by their titles."""
        rows = await self.database.fetch("SELECT body FROM record WHERE standing = 'listed'")
        found = [decode_record(body) for (body,) in rows if isinstance(body, bytes)]
        return {record.title: record for record in found}

    async def standings(self) -> dict[str, int]:
        """Return how many records stand how."""
        counted = await self.database.fetch("SELECT standing, count(*) FROM record GROUP BY standing")
        return {str(standing): int(str(count)) for standing, count in counted}

    async def events(self) -> list[Event]:
        """Return everything that was ever minted, as a receiver would read it."""

        def read(connection: Connection) -> list[Event]:
            frames = outbox.frames_after(connection, 0, 100_000)
            return [
                decode_event(event)
                for sealed in frames
                for event in unseal(sealed.sealed, [self.writer.identity.public_key]).events
            ]

        return await self.database.read(read)

    async def held(self) -> list[HeldChange]:
        """Return what the brake holds."""
        return await self.database.read(held)


@asynccontextmanager
async def node_site(
    root: Path, bounds: BrakeBounds | None = None, settings: FolderSettings | None = None, code: str = CODE
) -> AsyncIterator[NodeSite]:
    """Open a site whose first epoch has begun."""
    root.mkdir(parents=True, exist_ok=True)
    async with opened(root / "node.db", (REPLICATION, SCHEMA)) as database:
        site = NodeSite(root, database, bounds or BrakeBounds(), settings or FolderSettings(), code)
        begun = await database.read(outbox.head)
        if begun is None:
            await database.write(lambda connection: outbox.start_epoch(connection, "e1", ()))
        await site.intake.begin()
        yield site
