"""Both ends of a courier's way for a test: a site's real store, the hub's real catalogue, and a folder for a stick."""

import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from sqlalchemy import insert

from hub.courier import couriers as hub_couriers
from hub.courier.deliveries import Deliveries as HubDeliveries
from hub.courier.replies import Sender, write_replies
from hub.draws.brought_pieces import BroughtPieces
from hub.membership import keyring
from hub.membership.enrolment import County
from hub.membership.keyring_tables import enrolled_node
from hub.sites.board import SiteState, board
from node.config import BrokerLink, NodeConfig
from node.deliveries import Deliveries as NodeDeliveries
from node.replies import Replies
from protocol.bundles import Manifest
from protocol.sites import parse_site
from replication.bundles import read_bundle, write_bundle
from replication.carriage import Carried
from replication.database import Database, opened
from replication.keys import Identity
from tests.builders import identity
from tests.hubs import MIGRATIONS, Hub
from tests.node_site import CODE, NodeSite, node_site

COUNTY = "330523000000"
HUB_KEY = identity(77)
DAY_MS = 24 * 3600 * 1000


def nothing(_more: int) -> None:
    """Nobody watches the progress."""


class CountyEnd:
    """The hub without its daemon."""

    def __init__(self, database: Database, root: Path, hub_key: Identity = HUB_KEY) -> None:
        self.database = database
        self.pieces = BroughtPieces(root / "window" / "brought")
        self.hub_key = hub_key
        self.now_ms = 1_790_000_000_000
        self.deliveries = HubDeliveries(database, COUNTY, hub_key.public_key, lambda: self.now_ms)
        self.catalogue = Hub(database)

    async def admit(self, key: str, site: str = CODE, *, revoked: bool = False) -> None:
        """Put a key on the keyring."""
        row = {
            "public_key": key,
            "site": site,
            "name": "",
            "software": "",
            "enrolled_at_ms": 1,
            "revoked_at_ms": 2 if revoked else None,
        }

        await self.database.write(lambda c: c.execute(insert(enrolled_node).values(row)))
        await self.database.write(lambda c: keyring.expect(c, parse_site(site), "某村", datetime.date(2026, 1, 1)))

    async def take(self, path: Path) -> Carried:
        """Take one bundle, a day after the last one."""
        self.now_ms += DAY_MS
        return await self.deliveries.take(read_bundle(path), nothing)

    async def reply(self, stick: Path, site: str = CODE) -> Path:
        """Write the reply for a site that has one installation."""
        self.now_ms += 1000
        county = County(
            code=COUNTY,
            name="某县档案馆",
            hub_key=self.hub_key.public_key,
            county_key=b"k" * 32,
            broker_urls=("tls://127.0.0.1:4222",),
            broker_ca="PEM",
        )
        sender = Sender(county=county, identity=self.hub_key, pieces=self.pieces)
        (written,) = await write_replies(self.database, sender, stick, [parse_site(site)], self.now_ms)
        return Path(written.file)

    async def line(self, site: str = CODE) -> SiteState:
        """Return the site's line of the board, ten days after the last bundle."""
        (found,) = await self.database.read(lambda c: board(c, self.now_ms + 10 * DAY_MS, site_glob=site))
        return found

    async def courier(self, key: str) -> hub_couriers.CourierState:
        """Return what the hub remembers of an installation."""
        return await self.database.read(lambda c: hub_couriers.state_of(c, key, CODE))

    async def titles(self) -> list[str]:
        """Return the titles of everything in the catalogue, sorted."""
        rows = await self.database.fetch("SELECT body FROM entry WHERE body IS NOT NULL")
        return sorted(msgspec.json.decode(body)["title"] for (body,) in rows if isinstance(body, bytes))


class VillageEnd:
    """A site without its daemon."""

    def __init__(self, site: NodeSite, hub_key: Identity = HUB_KEY) -> None:
        self.site = site
        self.database = site.database
        self.identity = site.writer.identity
        self.config = NodeConfig(
            site=CODE, name="某村", hub=BrokerLink(urls=("tls://127.0.0.1:4222",), key=hub_key.public_key)
        )
        self.now_ms = 1_700_000_000_000

    async def write(self, stick: Path) -> Path:
        """Write a delivery, an hour after the last one, by a clock that is years off."""
        self.now_ms += 3_600_000
        deliveries = NodeDeliveries(self.database, self.config, self.identity, self.now_ms)
        (written,) = await deliveries.write(stick, lambda _size: nothing)
        return Path(written.file)

    async def take(self, path: Path) -> Carried:
        """Take one reply."""
        return await Replies(self.database, self.config, self.identity, lambda: self.now_ms).take(read_bundle(path))


def rewritten(path: Path, signer: Identity, **changes: object) -> Path:
    """Write a bundle again with another manifest, signed by somebody; what it holds stays as it was."""
    bundle = read_bundle(path)
    manifest: Manifest = msgspec.structs.replace(bundle.manifest, **changes)
    contents = [sealed for _, sealed in bundle.pieces()] or list(bundle.frames())
    target = path.with_stem(path.stem + "-rewritten")
    write_bundle(target, manifest, signer, contents)
    return target


@asynccontextmanager
async def county_end(root: Path, hub_key: Identity = HUB_KEY) -> AsyncIterator[CountyEnd]:
    """Open a hub with an empty catalogue."""
    root.mkdir(parents=True, exist_ok=True)
    async with opened(root / "hub.db", MIGRATIONS) as database:
        yield CountyEnd(database, root, hub_key)


@asynccontextmanager
async def village_end(root: Path) -> AsyncIterator[VillageEnd]:
    """Open a site whose first epoch has begun."""
    async with node_site(root) as site:
        yield VillageEnd(site)
