"""A giver and a drawer over a bus in memory, with the real stores and the real disk of a test."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid5

from hub.draws.draw_book import Drawing, drawing_of
from hub.draws.drawing import Drawer
from node.carriage_rules import CarriageRules, Pacer
from node.consigning import offer
from node.giving import Giver
from node.night_window import parse_window
from node.tables import SCHEMA as NODE_SCHEMA
from protocol.consignments import ConsignedFile, Consignment
from protocol.sites import parse_site
from replication.database import Database, opened
from replication.keys import Identity, new_seed
from replication.migrations import REPLICATION
from tests.fakes import FakeBroker
from tests.hubs import MIGRATIONS

SITE = parse_site("330523108204")
NOW_MS = 1_790_000_000_000
_NAMES = UUID("0b6fd3c2-6c4a-4a83-9d0a-6a3d1b3f5a10")


def written(root: Path, contents: Mapping[str, bytes], name: str = "1") -> Consignment:
    """Write files under a folder and return the consignment that lists them."""
    for path, content in contents.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    files = tuple(
        ConsignedFile(path=path, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        for path, content in contents.items()
    )
    return Consignment(consignment_id=uuid5(_NAMES, name), files=files)


def some_files(count: int, *, size_max: int = 60_000, seed: int = 1) -> dict[str, bytes]:
    """Return files of many sizes in some folders, one of them empty."""
    chance = random.Random(seed)
    files = {
        f"{number % 7:02d}/扫描件-{number:05d}.jpg": chance.randbytes(chance.randrange(1, size_max))
        for number in range(count)
    }
    return {**files, "00/空.txt": b""}


def there(into: Path) -> dict[str, bytes]:
    """Return every file under a folder."""
    return {path.relative_to(into).as_posix(): path.read_bytes() for path in sorted(into.rglob("*")) if path.is_file()}


class CarriageEnds:
    """Both ends of a carriage, and what a test does to them."""

    def __init__(self, root: Path, broker: FakeBroker, node: Database, hub: Database) -> None:
        self.root = root
        self.broker = broker
        self.node = node
        self.hub = hub
        self.node_bus = broker.bus()
        self.hub_bus = broker.bus()
        self.node_key = Identity(new_seed(b"n" * 32))
        self.hub_key = Identity(new_seed(b"h" * 32))
        self.keys = [self.node_key.public_key]
        self.now_ms = NOW_MS
        self.rules = self.rules_of()
        self.into = root / "held"
        self.progress: list[tuple[int, int]] = []

    def rules_of(self, window: str = "", bytes_a_second: int = 0) -> CarriageRules:
        """Return the rules of a site."""
        return CarriageRules(parse_window(window), "Asia/Shanghai", Pacer(bytes_a_second), lambda: self.now_ms)

    async def offer(self, consigned: Consignment, root: Path, *, any_hour: bool = False) -> None:
        """Offer files at the node."""
        await self.node.write(
            lambda c: offer(c, consigned.consignment_id, consigned.files, root, NOW_MS, any_hour=any_hour)
        )

    @asynccontextmanager
    async def giving(self) -> AsyncIterator[None]:
        """Let the node give for as long as the context lasts."""
        giver = Giver(self.node, self.node_bus, SITE, self.node_key, self.hub_key.public_key, self.rules)
        task = asyncio.create_task(giver.run())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def drawer(self) -> Drawer:
        """Return a drawer of the hub, as after a start."""
        return Drawer(self.hub, self.hub_bus, self.hub_key, lambda _site: self.keys, lambda: self.now_ms)

    async def draw(self, consigned: Consignment) -> None:
        """Draw once."""
        await self.drawer().draw(SITE, consigned.consignment_id, consigned.files, self.into, self.heard)

    def heard(self, done: int, total: int) -> None:
        """Take note of progress."""
        self.progress.append((done, total))

    async def line(self, consigned: Consignment) -> Drawing:
        """Return the line of the book."""
        found = await self.hub.read(lambda connection: drawing_of(connection, SITE.code, consigned.consignment_id))
        assert found is not None
        return found


@asynccontextmanager
async def carriage_ends(root: Path) -> AsyncIterator[CarriageEnds]:
    """Open the stores of both ends."""
    async with (
        opened(root / "node.db", (REPLICATION, NODE_SCHEMA)) as node,
        opened(root / "hub.db", MIGRATIONS) as hub,
    ):
        yield CarriageEnds(root, FakeBroker(), node, hub)
