"""The keeper's desk: what a person at the site does with orders, by command or on the local page."""

import getpass
from collections.abc import Mapping
from pathlib import Path

import msgspec

from node.certifying import deciding, orders, page_files
from node.certifying.deciding import Approval, Fact, Keeper
from node.certifying.orders import OrderState, SiteOrder
from node.certifying.page_files import FoundPages, Sought
from node.config import NodeConfig
from node.home import NodeHome
from node.tables import SCHEMA
from protocol.copies import Product, Refusal
from protocol.errors import BadValue, DanglianError
from protocol.wording import Text
from replication.database import Database, opened
from replication.keys import load_identity
from replication.migrations import REPLICATION
from replication.wall_clock import clock_ms


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One order with the pages that were found for it."""

    order: SiteOrder
    pages: FoundPages | None = None
    trouble: Text | None = None
    """Why no pages were found."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a keeper says with an approval."""

    facts: Mapping[int, Fact] = {}
    source: str = ""
    note: str = ""
    despite_remarks: bool = False
    """The pages were compared with the paper."""


class KeeperDesk:
    """Orders at one site's home; works beside the daemon and without it."""

    def __init__(self, home: NodeHome, settings: NodeConfig, origin: str) -> None:
        self._home = home
        self._settings = settings
        self._origin = origin

    async def listed(self, *, with_past: bool = False) -> list[SiteOrder]:
        """Return the orders that wait, or all of them."""
        async with opened(self._home.database, (), read_only=True) as database:
            return await database.read(lambda connection: orders.listed(connection, with_past=with_past))

    async def shown(self, name: str) -> Shown:
        """Return one order and the pages that would be approved.

        Raises:
            BadValue: there is no such order.

        """
        async with opened(self._home.database, (), read_only=True) as database:
            order, sought = await _looked_up(database, name)
        if order.asked.product is not Product.CERTIFIED_COPY or order.state is not OrderState.WAITING:
            return Shown(order=order)
        try:
            return Shown(order=order, pages=page_files.find(self._roots(), sought, order.asked.pages, self._spool))
        except DanglianError as error:
            return Shown(order=order, trouble=error.reason)

    async def approved(self, name: str, answer: Answer) -> Shown:
        """Approve an order.

        Raises:
            BadValue: it does not wait, its pages differ from what the catalogue says, or its facts are not answered.
            BadFile: a page cannot be certified.

        """
        async with opened(self._home.database, (REPLICATION, SCHEMA)) as database:
            order, sought = await _looked_up(database, name)
            pages = None
            if order.asked.product is Product.CERTIFIED_COPY and order.state is OrderState.WAITING:
                pages = page_files.find(self._roots(), sought, order.asked.pages, self._spool)
                _check_remarks(pages, despite=answer.despite_remarks)
            approval = Approval(pages=pages, facts=answer.facts, source=answer.source, note=answer.note)
            identity, now_ms = load_identity(self._home.seed), clock_ms()
            decided = await database.write(
                lambda connection: deciding.approve(
                    connection, order.copy_id, approval, self._keeper(), identity, now_ms
                )
            )
            return Shown(order=decided, pages=pages)

    async def refused(self, name: str, refusal: Refusal, note: str) -> Shown:
        """Refuse an order.

        Raises:
            BadValue: it does not wait, or "other" is given without a word.

        """
        async with opened(self._home.database, (REPLICATION, SCHEMA)) as database:
            order, _ = await _looked_up(database, name)
            now_ms = clock_ms()
            decided = await database.write(
                lambda connection: deciding.refuse(connection, order.copy_id, refusal, note, self._keeper(), now_ms)
            )
            return Shown(order=decided)

    def _roots(self) -> list[Path]:
        return [one.place(self._home) for one in self._settings.scans]

    @property
    def _spool(self) -> Path:
        """Where files of several pages are taken apart."""
        return self._home.root / "pages"

    def _keeper(self) -> Keeper:
        return Keeper(site=self._settings.site, who=getpass.getuser(), origin=self._origin)


async def _looked_up(database: Database, name: str) -> tuple[SiteOrder, Sought]:
    order = await database.read(lambda connection: orders.named(connection, name))
    record, volume_code = await database.read(lambda connection: orders.record_of(connection, order))
    return order, page_files.sought(record, order.asked.ref_code, volume_code, order.asked.page_count)


def _check_remarks(pages: FoundPages, *, despite: bool) -> None:
    if despite or not pages.remarks:
        return
    raise BadValue(
        Text(zh="；".join(one.zh for one in pages.remarks) + "。", en="; ".join(one.en for one in pages.remarks)),
        Text(
            zh="核对原件后，加 --despite-remarks（网页上勾选“已核对”）批准；或补扫、或拒绝。",
            en="Compare with the paper, then approve with --despite-remarks (tick “compared” on the page); or refuse.",
        ),
    )
