"""A window and a holder without a network: both real stores, letters carried by hand, pages copied instead of drawn."""

import asyncio
import datetime
import hashlib
import io
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from PIL import Image, ImageDraw
from sqlalchemy import Connection, insert

from hub.home import home_at
from hub.membership import keyring_tables
from hub.membership.certificates import new_authority
from hub.window import certificates, copies, serials
from hub.window.certificate_settings import CertificateSettings
from hub.window.copy_orders import CopyOrder, CopyRoutes, CopyWish
from hub.window.copyist import Copyist
from hub.window.imprints import imprint_of
from hub.window.serials import Certificate
from node import consigning
from node.certifying import deciding, orders, page_files, sealing
from node.certifying.deciding import Approval, Fact, Keeper
from node.certifying.orders import SiteOrder
from protocol.consignments import ConsignedFile
from protocol.copies import Product, Refusal
from protocol.records import Record
from protocol.sites import Site
from replication import letters
from replication.database import opened
from replication.keys import Identity, new_seed
from replication.letters import HUB_PEER
from tests.catalogue import described
from tests.hubs import MIGRATIONS, Hub
from tests.node_site import CODE, NodeSite, node_site, rows, write_csv

NOW_MS = 1_790_000_000_000
COUNTY = "330523000000"
TOWNSHIP = "330523108000"
REQUEST = UUID("7c5d1f64-0000-4000-8000-000000000001")
ROUTES = CopyRoutes(county=COUNTY)
CLERK = "chen.yu"


def scan(text: str = "山林承包合同", size: tuple[int, int] = (620, 877), kind: str = "JPEG") -> bytes:
    """Return a picture of a page."""
    picture = Image.new("RGB", size, (246, 240, 224))
    ImageDraw.Draw(picture).text((60, 60), text.encode("ascii", "replace").decode(), fill=(30, 30, 30))
    ImageDraw.Draw(picture).rectangle((50, 120, size[0] - 50, size[1] - 60), outline=(60, 50, 40), width=3)
    kept = io.BytesIO()
    picture.save(kept, kind)
    return kept.getvalue()


class Window:
    """The window, the holder, and what lies between them."""

    def __init__(self, root: Path, hub: Hub, site: NodeSite, record: Record) -> None:
        self.root = root
        self.hub = hub
        self.site = site
        self.record = record
        self.home = home_at(root / "hub")
        self.scans = root / "node" / "scans"
        self.node_seed, self.county_seed = new_seed(b"n" * 32), new_seed(b"h" * 32)
        self.key = Identity(self.node_seed)
        self.county_key = Identity(self.county_seed)
        self.now_ms = NOW_MS
        self.drawn: list[Path] = []
        self.spoil: Callable[[Path], None] = lambda _: None
        """What happens to the pages on their way."""
        self.settings = CertificateSettings()

    async def write(self, step: Callable[..., object], *arguments: object) -> object:
        """Run a step of the hub."""
        return await self.hub.database.write(lambda connection: step(connection, *arguments))

    async def ask(self, product: Product = Product.CERTIFIED_COPY, **more: object) -> CopyOrder:
        """Order a copy or a statement of the record."""
        wish = CopyWish(
            request_id=REQUEST,
            record_id=self.record.record_id,
            product=product,
            purpose="山林权属调解",
            case_no="安矛调〔2026〕17号",
            requester="organ",
            **more,  # type: ignore[arg-type]
        )
        return await self.hub.database.write(
            lambda connection: copies.ask(connection, wish, ROUTES, CLERK, self.now_ms)
        )

    async def post(self) -> None:
        """Carry the letters of both ends until nobody has anything to say."""
        hub_handlers = certificates.handlers(lambda: self.now_ms)
        node_handlers = sealing.handlers(self.key, lambda: self.now_ms)
        ends = (self.hub.database, CODE, hub_handlers), (self.site.database, HUB_PEER, node_handlers)
        moved = True
        while moved:
            moved = False
            for (giver, peer, _), (taker, giver_name, handlers) in (ends, ends[::-1]):
                due, _ = await giver.read(lambda connection, p=peer: letters.due(connection, p, self.now_ms))  # type: ignore[misc]
                if not due:
                    continue
                moved = True
                ids = await taker.write(
                    lambda connection, g=giver_name, d=due, h=handlers: letters.take(connection, g, d, h, self.now_ms)  # type: ignore[misc]
                )
                await giver.write(lambda connection, p=peer, i=ids: letters.confirm(connection, p, i))  # type: ignore[misc]

    async def at_site(self, order: CopyOrder) -> SiteOrder:
        """Return the order as the site holds it."""
        found = await self.site.database.read(lambda connection: orders.look_up(connection, order.copy_id))
        assert found is not None
        return found

    async def approve(self, order: CopyOrder, facts: dict[int, Fact] | None = None, source: str = "") -> SiteOrder:
        """Approve an order as the keeper does."""
        pages = None
        if order.asked.product is Product.CERTIFIED_COPY:
            sought = page_files.sought(self.record, order.asked.ref_code, "", None)
            pages = page_files.find([self.scans], sought, order.asked.pages)
        approval = Approval(pages=pages, facts=facts or {}, source=source)
        keeper = Keeper(site=CODE, who="wang")
        return await self.site.database.write(
            lambda connection: deciding.approve(connection, order.copy_id, approval, keeper, self.key, self.now_ms)
        )

    async def refuse(self, order: CopyOrder, refusal: Refusal, note: str = "") -> SiteOrder:
        """Refuse an order as the keeper does."""
        keeper = Keeper(site=CODE, who="wang")
        return await self.site.database.write(
            lambda connection: deciding.refuse(connection, order.copy_id, refusal, note, keeper, self.now_ms)
        )

    async def draw(
        self,
        _: Site,
        consignment_id: UUID,
        files: Sequence[ConsignedFile],
        into: Path,
        progress: Callable[[int, int], None],
    ) -> None:
        """Copy what the site offers: in the place of the line, which has tests of its own."""
        offer = await self.site.database.read(lambda connection: consigning.offered(connection, consignment_id))
        assert offer is not None
        for one in files:
            (into / one.path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(offer.root) / one.path, into / one.path)
        self.drawn.append(into)
        self.spoil(into)
        progress(sum(one.size_bytes for one in files), sum(one.size_bytes for one in files))

    def copyist(self) -> Copyist:
        """Return the hub's copyist."""
        return Copyist(
            self.hub.database,
            self.home,
            self.draw,
            self.county_key,
            lambda: imprint_of(
                self.settings, "某县档案馆", datetime.datetime.fromtimestamp(NOW_MS / 1000, datetime.UTC)
            ),
            lambda: self.now_ms,
        )

    async def work(self) -> None:
        """Let the copyist do once whatever can be done."""
        async with asyncio.TaskGroup() as tasks:
            await self.copyist().look(tasks)

    async def found(self, order: CopyOrder) -> CopyOrder:
        """Return an order as it stands."""
        return await self.hub.database.read(lambda connection: copies.found(connection, order.copy_id))

    async def made(self, order: CopyOrder) -> CopyOrder:
        """Bring an approved order to its sealed PDF."""
        await self.post()
        await self.work()
        await self.post()
        await self.work()
        await self.post()
        return await self.found(order)

    async def certificate(self, serial: str) -> Certificate:
        """Return a serial of the register."""
        return await self.hub.database.read(lambda connection: serials.found(connection, serial))

    async def pdf(self, serial: str) -> bytes:
        """Return a certificate's PDF."""
        return certificates.pdf_of(self.home, await self.certificate(serial))

    def put_pages(self, count: int, **more: object) -> None:
        """Put scans into the folder of the record."""
        folder = self.scans / self.record.ref_code
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, count + 1):
            (folder / f"{number:04}.jpg").write_bytes(scan(f"page {number}", **more))  # type: ignore[arg-type]


@asynccontextmanager
async def window(root: Path) -> AsyncIterator[Window]:
    """Open a window and a holder with one record of some pages."""
    write_csv(root / "node" / "catalogues" / "目录.csv", rows(3))
    (root / "hub").mkdir()
    async with node_site(root / "node") as site, opened(home_at(root / "hub").database, MIGRATIONS) as database:
        await site.settle()
        record = next(iter((await site.records()).values()))
        hub = Hub(database)
        await hub.tell(described(1, record))
        made = Window(root, hub, site, record)
        await database.write(lambda connection: _enrolled(connection, made.key.public_key))
        authority = new_authority(COUNTY, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
        made.home.authority.parent.mkdir(parents=True)
        made.home.authority.write_bytes(authority.certificate)
        made.home.authority_key.write_bytes(authority.key)
        made.put_pages(record.page_count or 1)
        yield made


def _enrolled(connection: Connection, key: str) -> None:
    for site, name in ((CODE, "某村档案室"), (COUNTY, "某县档案馆"), (TOWNSHIP, "某乡档案室")):
        connection.execute(
            insert(keyring_tables.expected_site).values(site=site, name=name, expected_since="2026-01-01")
        )
    values = {"public_key": key, "site": CODE, "name": "PC", "software": "1", "enrolled_at_ms": NOW_MS}
    connection.execute(insert(keyring_tables.enrolled_node).values(values))


def digest(content: bytes) -> str:
    """Return a content's SHA-256."""
    return hashlib.sha256(content).hexdigest()
