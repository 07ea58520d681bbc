"""Pages of approved orders that couriers bring: opened piece by piece, kept until all are there, then made to paper.

Nothing is believed but the seal: a piece that is damaged, or belongs to another order, does not open. Its page is
named and the other pieces are taken. Pages that nobody here waits for are refused; those that are here change nothing.
"""

import asyncio
from collections.abc import Sequence

from sqlalchemy import Connection

from hub.draws.brought_pieces import BroughtPieces
from hub.window import copies
from hub.window.copy_orders import CopyOrder, CopyState
from protocol.bundles import BundleFault, Pages, PagesWanted
from protocol.consignments import ConsignedFile, Consignment, list_digest, starts_of
from protocol.draws import Sealed, read_head
from protocol.errors import BadBundle, BadFrame, Permanent
from protocol.limits import BUNDLE_PAGES_SPANS_MAX
from protocol.sites import Site
from protocol.wording import Text
from replication.bundles import Bundle, OnMore
from replication.carriage import Carried, Outcome
from replication.database import Database
from replication.keys import Identity
from replication.sealed_chunks import ChunkSeal
from replication.spans import Span, length

AWAITED = (CopyState.APPROVED, CopyState.DRAWING)
"""States of an order whose pages are still to come."""


class PageIntake:
    """Takes files of pages; made once per command, beside the daemon, which makes them to paper."""

    def __init__(self, database: Database, identity: Identity, pieces: BroughtPieces) -> None:
        self._database = database
        self._identity = identity
        self._pieces = pieces

    async def take(self, bundle: Bundle, site: Site, on_pieces: OnMore) -> Carried:
        """Take what is still missing from one file of pages.

        Args:
            bundle: its manifest is signed by whom it names.
            site: of the sender, whose key is on the keyring.
            on_pieces: told of each piece.

        Raises:
            BadBundle: nobody here waits for these pages, or its key is not for this hub.
            StorageFull, Retryable: the disk does not take it; taking it again goes on.

        """
        content = bundle.manifest.content
        if not isinstance(content, Pages):
            message = "no pages"
            raise TypeError(message)
        order = await self._database.read(lambda connection: copies.look_up(connection, content.consignment_id))
        consigned = _awaited(order, site, content)
        if order is None or consigned is None:
            await asyncio.to_thread(self._pieces.clear, content.consignment_id)
            return self._carried(bundle, site, order, Outcome.REPEATED)
        missing = self._pieces.missing(consigned)
        damaged = await asyncio.to_thread(self._open, bundle, content, site, (missing, on_pieces))
        left = self._pieces.missing(consigned)
        brought, total = length(missing) - length(left), consigned.size_bytes
        if brought:
            await self._database.write(lambda c: copies.progress(c, order.copy_id, total - length(left), total))
        outcome = Outcome.TAKEN if brought or damaged else Outcome.REPEATED
        return self._carried(bundle, site, order, outcome, (brought, length(left), _pages_of(consigned.files, damaged)))

    def _open(self, bundle: Bundle, content: Pages, site: Site, wanted: tuple[Sequence[Span], OnMore]) -> list[Span]:
        """Keep the pieces that are missing here and open; return the places of those that do not open."""
        missing, on_pieces = wanted
        seal = self._seal(content, site)
        damaged: list[Span] = []
        for (first, last), sealed in bundle.pieces():
            if any(first < ends and last > begins for begins, ends in missing):
                plain = _opened(seal, content.session, first, sealed)
                if plain is None:
                    damaged.append((first, last))
                else:
                    self._pieces.keep(content.consignment_id, first, plain)
            on_pieces(1)
        return damaged

    def _seal(self, content: Pages, site: Site) -> ChunkSeal:
        try:
            key = self._identity.opened(content.sealed_key)
            return ChunkSeal(key, site.code, content.consignment_id, content.session)
        except Permanent as error:
            raise BadBundle(
                BundleFault.FOREIGN_HUB,
                Text(zh="页面的密钥不是写给本县级枢纽的。", en="the key of the pages is not for this hub"),
                _WRITE_AGAIN,
            ) from error

    def _carried(
        self,
        bundle: Bundle,
        site: Site,
        order: CopyOrder | None,
        outcome: Outcome,
        found: tuple[int, int, tuple[str, ...]] = (0, 0, ()),
    ) -> Carried:
        brought, left, damaged = found
        return Carried(
            file=str(bundle.path),
            outcome=outcome,
            site=site.code,
            made_at_ms=bundle.manifest.made_at_ms,
            order=order.asked.serial if order is not None else "",
            pages_bytes=brought,
            pages_left=left,
            pages_damaged=damaged,
        )


def wanted_of(connection: Connection, site: str, pieces: BroughtPieces) -> tuple[PagesWanted, ...]:
    """Return what a reply says of a site's pages: of which orders some are here, and what of them is missing."""
    named: list[PagesWanted] = []
    room = BUNDLE_PAGES_SPANS_MAX
    for order in copies.in_state(connection, *AWAITED):
        consigned = order.decision.consignment if order.decision is not None else None
        if order.keeper != site or consigned is None or not pieces.spans(order.copy_id):
            continue
        spans = pieces.missing(consigned)
        room -= 1 + len(spans)
        if room < 0:
            break
        named.append(PagesWanted(consignment_id=order.copy_id, spans=spans))
    return tuple(named)


def _awaited(order: CopyOrder | None, site: Site, content: Pages) -> Consignment | None:
    """Return the pages that an order waits for; None if they are here already, or wanted no more.

    Raises:
        BadBundle: no such order is known, or its approval has not come, or names other pages.

    """
    if order is None or order.keeper != site.code:
        raise _not_awaited(site.code)
    if order.state is CopyState.ASKED:
        raise _early(order)
    consigned = order.decision.consignment if order.decision is not None else None
    if order.state not in AWAITED or consigned is None:
        return None
    if (list_digest(consigned.files), consigned.size_bytes) != (content.list_digest, content.total_bytes):
        raise BadBundle(
            BundleFault.NOT_AWAITED,
            Text(zh="页面与批准时签署的清单不符，未收取。", en="these are not the pages that were approved; not taken"),
            _WRITE_AGAIN,
        )
    return consigned


def _opened(seal: ChunkSeal, session: str, first: int, sealed: bytes) -> bytes | None:
    try:
        head = read_head(sealed)
        belongs = (head.kind, head.session, head.offset) == (Sealed.CHUNK, session, first)
        return seal.opened(head, sealed) if belongs else None
    except BadFrame:
        return None


def _pages_of(files: Sequence[ConsignedFile], damaged: Sequence[Span]) -> tuple[str, ...]:
    """Return the names of the pages in which damaged pieces lie."""
    starts = starts_of(files)
    return tuple(
        listed.path
        for listed, begins, ends in zip(files, starts, starts[1:], strict=False)
        if any(first < ends and last > begins for first, last in damaged)
    )


_WRITE_AGAIN = Text(
    zh="请该站重新写出（danglian-node bundle out）后再带来。",
    en="Have the site write it again (danglian-node bundle out).",
)


def _not_awaited(site: str) -> BadBundle:
    return BadBundle(
        BundleFault.NOT_AWAITED,
        Text(
            zh=f"县级没有向站点 {site} 调取这些页面，未收取。",
            en=f"nobody here has ordered these pages of site {site}; not taken",
        ),
        Text(
            zh="请核对文件；若县级数据库恢复过，请窗口重新提出调取。",
            en="Check the file. If the hub was put back from a backup, have the window order them again.",
        ),
    )


def _early(order: CopyOrder) -> BadBundle:
    return BadBundle(
        BundleFault.OUT_OF_ORDER,
        Text(
            zh=f"{order.asked.serial} 的批准还没有到，页面先到了；未收取任何内容。",
            en=f"the approval of {order.asked.serial} has not come yet; nothing was taken",
        ),
        Text(
            zh="请先收取同一 U 盘上该站的信使包（文件名不含 pages），再收取本文件。",
            en="Take the site's delivery of the same stick first (its name has no “pages” in it), then this file.",
        ),
    )
