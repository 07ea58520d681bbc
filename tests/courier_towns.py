"""A village that only ever uses sticks, and its county: real stores, real handlers, real bundle files, no line."""

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from hub.courier.carried_pages import PageIntake
from hub.courier.deliveries import Deliveries as HubDeliveries
from hub.decisions.proposal_answers import handlers as proposal_handlers
from hub.home import home_at
from hub.membership.certificates import new_authority
from hub.window import certificates, copies, lookup_reading
from hub.window.certificate_settings import CertificateSettings
from hub.window.copy_orders import CopyOrder, CopyRoutes, CopyWish
from hub.window.copyist import Copyist
from hub.window.imprints import imprint_of
from hub.window.late_answers import window_letters
from hub.window.lookup_views import LookupView
from hub.window.lookups import LookupDesk
from node.certifying import deciding, orders, page_files
from node.certifying.deciding import Approval, Keeper
from node.deliveries import Deliveries as NodeDeliveries
from node.keeper import audit
from node.letter_handlers import letter_handlers
from node.replies import Replies
from protocol.copies import Product
from protocol.records import Record
from replication.asking import Asker
from replication.bundles import read_bundle
from replication.carriage import Carried, Written
from replication.courier_letters import Postman
from tests.certifying import scan
from tests.couriers import COUNTY, HUB_KEY, CountyEnd, VillageEnd, county_end, nothing, village_end
from tests.fakes import FakeBroker
from tests.node_site import CODE, rows, write_csv
from tests.window_county import order

ROUTES = CopyRoutes(county=COUNTY)


class Town:
    """Both ends with their letters, and a stick."""

    def __init__(self, village: VillageEnd, county: CountyEnd, root: Path) -> None:
        self.village, self.county = village, county
        self.stick, self.scans, self.home = root / "stick", root / "village" / "scans", home_at(root / "county")
        county_handlers = {
            **window_letters(lambda: county.now_ms),
            **certificates.handlers(lambda: county.now_ms),
            **proposal_handlers(lambda: county.now_ms),
        }
        county.deliveries = HubDeliveries(
            county.database,
            COUNTY,
            HUB_KEY.public_key,
            lambda: county.now_ms,
            Postman(HUB_KEY, county_handlers, lambda: county.now_ms),
            PageIntake(county.database, HUB_KEY, county.pieces),
        )

    async def take(self, path: Path) -> Carried:
        """Take a reply at the village, as ``danglian-node bundle in`` does."""
        village = self.village
        handlers = letter_handlers(village.config, village.identity, lambda: village.now_ms)
        postman = Postman(village.identity, handlers, lambda: village.now_ms)
        replies = Replies(village.database, village.config, village.identity, lambda: village.now_ms, postman)
        return await replies.take(read_bundle(path))

    async def trip(self) -> tuple[Carried, Carried]:
        """Carry a stick from the village to the county and back."""
        brought = await self.county.take(await self.village.write(self.stick))
        return brought, await self.take(await self.county.reply(self.stick))

    async def ask(self, number: int = 1, words: str = "批复") -> UUID:
        """Put a question of the window; nobody is on the line."""
        asked = order(number, words, expires_at_ms=self.county.now_ms + 90 * 24 * 3600 * 1000)
        async with Asker(FakeBroker().bus(), "hub").opened() as asker:
            desk = LookupDesk(self.county.database, asker, lambda: self.county.now_ms, deadline_s=0.2)
            async for _ in desk.start(asked):
                pass
        return asked.lookup_id

    async def view(self, lookup_id: UUID) -> LookupView:
        """Return a question as it stands at the county."""
        found = await self.county.database.read(lambda connection: lookup_reading.view_of(connection, lookup_id))
        assert found is not None
        return found

    async def record(self) -> Record:
        """Return the village's first record."""
        return min((await self.village.site.records()).values(), key=lambda one: one.ref_code)

    async def order_statement(self) -> CopyOrder:
        """Order a statement of one fact of the village's first record."""
        return await self.order(Product.STATEMENT, "登记日期")

    async def order(self, product: Product = Product.CERTIFIED_COPY, *facts: str) -> CopyOrder:
        """Order something of the village's first record."""
        wish = CopyWish(
            request_id=UUID(int=9),
            record_id=(await self.record()).record_id,
            product=product,
            purpose="mediation",
            case_no="安矛调〔2026〕17号",
            requester="mediation",
            facts=facts,
        )
        return await self.county.database.write(
            lambda connection: copies.ask(connection, wish, ROUTES, "lin.min", self.county.now_ms)
        )

    async def copy(self, order: CopyOrder) -> CopyOrder:
        return await self.county.database.read(lambda connection: copies.found(connection, order.copy_id))

    async def reads(self) -> int:
        """Return how many lines the village's audit log has."""
        found = await self.village.database.read(lambda connection: audit.found(connection, limit=99))
        return len(found)

    async def approve_pages(self, order: CopyOrder, sizes: tuple[int, ...]) -> None:
        """Scan so many pages of the record at the village, as many bytes large at least, and approve them."""
        record = await self.record()
        folder = self.scans / record.ref_code
        folder.mkdir(parents=True, exist_ok=True)
        for number, size in enumerate(sizes, 1):
            picture = scan(f"page {number}")
            # Behind the end of a JPEG anything may stand.
            (folder / f"{number:04}.jpg").write_bytes(picture + bytes(max(0, size - len(picture))))
        pages = page_files.find([self.scans], page_files.sought(record, "", "", None))
        keeper = Keeper(site=CODE, who="wang")
        await self.village.database.write(
            lambda connection: deciding.approve(
                connection,
                order.copy_id,
                Approval(pages=pages),
                keeper,
                self.village.identity,
                self.village.now_ms,
            )
        )

    async def site_state(self, order: CopyOrder) -> orders.OrderState:
        """Return where an order stands at the village."""
        found = await self.village.database.read(lambda connection: orders.look_up(connection, order.copy_id))
        assert found is not None
        return found.state

    async def write(self, free_bytes: Callable[[Path], int] = lambda _: 10**12) -> list[Written]:
        """Write a stick at the village with all that finds room."""
        village = self.village
        village.now_ms += 3_600_000
        deliveries = NodeDeliveries(village.database, village.config, village.identity, village.now_ms, free_bytes)
        return await deliveries.write(self.stick, lambda _size: nothing)

    async def brought(self, written: list[Written]) -> list[Carried]:
        """Take what a stick holds at the county."""
        return [await self.county.take(Path(one.file)) for one in written if one.file]

    async def make(self) -> None:
        """Have the hub make to paper what it can; no site is on the line."""

        async def draw(*_: object) -> None:
            await asyncio.Event().wait()

        at = datetime.datetime.fromtimestamp(self.county.now_ms / 1000, datetime.UTC)
        copyist = Copyist(
            self.county.database,
            self.home,
            draw,
            HUB_KEY,
            lambda: imprint_of(CertificateSettings(), "某县档案馆", at),
            lambda: self.county.now_ms,
        )
        async with asyncio.TaskGroup() as tasks:
            await copyist.look(tasks)


@asynccontextmanager
async def town_of(root: Path) -> AsyncIterator[Town]:
    """Open both ends; the county has the village's three records."""
    (root / "stick").mkdir()
    async with village_end(root / "village") as village, county_end(root / "county") as county:
        write_csv(village.site.folder / "a.csv", rows(3))
        await village.site.take("a.csv")
        await county.admit(village.identity.public_key)
        made = Town(village, county, root)
        authority = new_authority(COUNTY, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
        made.home.authority.parent.mkdir(parents=True)
        made.home.authority.write_bytes(authority.certificate)
        made.home.authority_key.write_bytes(authority.key)
        await made.trip()
        yield made
