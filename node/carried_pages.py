"""Pages of approved orders that go by courier: sealed for the hub, in files of their own behind the delivery.

They are repeated state like all that a courier carries: whatever the hub has not called drawn is written again. Where
a stick has no room for all of it, the next one goes on where it ended; only then is anything repeated. A page that is
no longer what the keeper approved is named, and stops nothing but its own order.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node import couriers
from node.certifying import orders
from node.certifying.orders import OrderState
from node.consigning import Offer, offered
from node.couriers import CourierLog
from node.disk_consigning import files_of
from protocol.bundles import FORMAT, PIECE_BYTES, Manifest, Pages, PagesWanted, Party, encode_manifest
from protocol.consignments import FAULT_WORDS, ConsignedFile, FileFault, starts_of
from protocol.draws import HEAD_BYTES, KEY_BYTES, SEAL_BYTES, SESSION_BYTES, Sealed
from protocol.errors import StorageFull
from protocol.limits import BUNDLE_BYTES_MAX
from protocol.wording import Text
from replication.bundles import BLOCK_BYTES, FREE_BYTES_LEFT, OnMore, size_of, write_bundle
from replication.carriage import Written, target_in
from replication.consigned_files import ConsignedFolder, FileUnfit
from replication.database import Database
from replication.keys import Identity, sealed_for
from replication.sealed_chunks import ChunkSeal
from replication.spans import Span, length, merged, without

FILES_MAX = 1_000
"""Files of pages that are written in one go: more than the orders that one site ever has open."""

HEAD_BYTES_MAX = 64 * 1024
"""Bytes that a file of pages has beside its pieces: manifest, signature, and the end of the archive."""

STRETCH_BYTES_MAX = BUNDLE_BYTES_MAX // 2
"""Bytes of pages in one file: with what surrounds each piece it stays under a bundle's bound."""

_PIECE_OVERHEAD = HEAD_BYTES + SEAL_BYTES + 2 * BLOCK_BYTES

OnPart = Callable[[int], OnMore]


class CarriedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An approved order whose pages the hub has not called drawn."""

    offer: Offer
    files: Sequence[ConsignedFile]
    unsent: tuple[Span, ...]
    """What no stick has taken since the hub's last reply."""
    again: tuple[Span, ...]
    """What one has, and the hub has not."""


class PageCourier:
    """Writes the pages of one site to a stick; made once per command."""

    def __init__(
        self,
        database: Database,
        ends: tuple[Party, Party],
        identity: Identity,
        now_ms: int,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._database = database
        self._sender, self._receiver = ends
        self._identity = identity
        self._now_ms = now_ms
        self._free_bytes = free_bytes

    async def write(self, place: Path, serial: int, parts: int, on_part: OnPart) -> list[Written]:
        """Write what finds room; one line for each file, and one for each order that finds none or cannot be read.

        Args:
            place: what a person gave, a file or a folder.
            serial: of the first file; the others count on from there.
            parts: files that were written before these in the same go.
            on_part: as for a delivery.

        Raises:
            Retryable: the stick cannot be written.

        """
        written: list[Written] = []
        for order, span, is_again in _turns(await self._database.read(carried_orders)):
            told = self._written(order, span, (place, serial + len(written), parts + len(written)), on_part)
            if told.last > told.previous:
                done = told.previous, told.last
                await self._database.write(lambda c, o=order, d=done: _note(c, o.offer.consignment_id, d))  # type: ignore[misc]
            if told.file or not is_again:
                written.append(told)
            if len(written) == FILES_MAX:
                break
        await self._database.write(_begin_again)
        return written

    def _written(self, order: CarriedOrder, span: Span, file: tuple[Path, int, int], on_part: OnPart) -> Written:
        """Write as much of a stretch as finds room."""
        place, serial, part = file
        nothing = Written(
            file="",
            site=self._sender.site,
            size_bytes=0,
            order=str(order.offer.consignment_id),
            previous=span[0],
            last=span[0],
        )
        first, last = span[0], min(span[1], span[0] + self._room(place))
        if last <= first:
            return msgspec.structs.replace(nothing, left_bytes=length([span]))
        folder = ConsignedFolder(Path(order.offer.root))
        try:
            for listed in _within(order.files, first, last):
                folder.check(listed)
            manifest, seal = self._manifest(order, first, last, serial)
            target = target_in(place, f"{self._sender.site}-to-hub-pages", self._now_ms, part)
            tell = on_part(size_of(manifest, encode_manifest(manifest)))
            pieces = _sealed_pieces(seal, folder, order.files, manifest)
            size_bytes = write_bundle(target, manifest, self._identity, pieces, tell)
        except FileUnfit as unfit:
            return msgspec.structs.replace(nothing, unreadable=_unreadable(order, unfit.fault))
        except StorageFull:
            return msgspec.structs.replace(nothing, left_bytes=length([span]))
        return msgspec.structs.replace(
            nothing, file=str(target), size_bytes=size_bytes, last=last, left_bytes=span[1] - last
        )

    def _room(self, place: Path) -> int:
        """Return how many bytes of pages a stick still takes in one file."""
        folder = place if place.is_dir() else place.parent
        free = self._free_bytes(folder) - FREE_BYTES_LEFT - HEAD_BYTES_MAX
        return min(STRETCH_BYTES_MAX, free // (PIECE_BYTES + _PIECE_OVERHEAD) * PIECE_BYTES)

    def _manifest(self, order: CarriedOrder, first: int, last: int, serial: int) -> tuple[Manifest, ChunkSeal]:
        """Return what a file says, and what seals its pieces: under a key of its own, which the hub alone can open."""
        key, session = os.urandom(KEY_BYTES), os.urandom(SESSION_BYTES).hex()
        content = Pages(
            consignment_id=order.offer.consignment_id,
            list_digest=order.offer.list_digest,
            total_bytes=order.offer.size_bytes,
            first=first,
            last=last,
            session=session,
            sealed_key=sealed_for(self._receiver.key, key),
        )
        manifest = Manifest(
            format=FORMAT,
            sender=self._sender,
            receiver=self._receiver,
            serial=serial,
            made_at_ms=self._now_ms,
            content=content,
        )
        return manifest, ChunkSeal(key, self._sender.site, order.offer.consignment_id, session)


def carried_orders(connection: Connection) -> list[CarriedOrder]:
    """Return the orders whose pages the hub has not called drawn, in the order of their approval."""
    log = couriers.read(connection)
    waiting = []
    for order in orders.in_state(connection, OrderState.APPROVED):
        offer = offered(connection, order.copy_id)
        if offer is not None:
            waiting.append(_carried(connection, offer, log))
    return waiting


def _carried(connection: Connection, offer: Offer, log: CourierLog) -> CarriedOrder:
    wanted = _spans_of(log.pages_wanted, offer.consignment_id)
    wanted = ((0, offer.size_bytes),) if wanted is None else wanted
    unsent = without(wanted, _spans_of(log.pages_written, offer.consignment_id) or ())
    return CarriedOrder(offer=offer, files=files_of(connection, offer), unsent=unsent, again=without(wanted, unsent))


def _turns(waiting: Sequence[CarriedOrder]) -> Iterator[tuple[CarriedOrder, Span, bool]]:
    """Yield the stretches in the order in which they are written, and whether a stick has taken them before."""
    for is_again in (False, True):
        for order in waiting:
            for first, last in order.again if is_again else order.unsent:
                for begins in range(first, last, STRETCH_BYTES_MAX):
                    yield order, (begins, min(begins + STRETCH_BYTES_MAX, last)), is_again


def _spans_of(known: Sequence[PagesWanted], consignment_id: UUID) -> tuple[Span, ...] | None:
    return next((one.spans for one in known if one.consignment_id == consignment_id), None)


def _note(connection: Connection, consignment_id: UUID, span: Span) -> None:
    """Note what a stick has taken."""
    log = couriers.read(connection)
    spans = merged((*(_spans_of(log.pages_written, consignment_id) or ()), span))
    others = (one for one in log.pages_written if one.consignment_id != consignment_id)
    written = (*others, PagesWanted(consignment_id=consignment_id, spans=spans))
    couriers.write(connection, msgspec.structs.replace(log, pages_written=written))


def _begin_again(connection: Connection) -> None:
    """Once sticks have taken all of it, the next one begins anew: one of them may be lost."""
    if not any(one.unsent for one in carried_orders(connection)):
        couriers.write(connection, msgspec.structs.replace(couriers.read(connection), pages_written=()))


def _within(files: Sequence[ConsignedFile], first: int, last: int) -> Iterator[ConsignedFile]:
    starts = starts_of(files)
    for listed, begins, ends in zip(files, starts, starts[1:], strict=False):
        if begins < last and ends > first:
            yield listed


def _sealed_pieces(
    seal: ChunkSeal, folder: ConsignedFolder, files: Sequence[ConsignedFile], manifest: Manifest
) -> Iterator[bytes]:
    content = manifest.content
    for first, last in content.pieces if isinstance(content, Pages) else ():
        yield seal.sealed(Sealed.CHUNK, first, _read(folder, files, first, last))


def _read(folder: ConsignedFolder, files: Sequence[ConsignedFile], first: int, last: int) -> bytes:
    """Return a range of the row of bytes.

    Raises:
        FileUnfit: a page of it is not what the list says.

    """
    starts = starts_of(files)
    return b"".join(
        folder.read(listed, max(first, begins) - begins, min(last, ends) - max(first, begins))
        for listed, begins, ends in zip(files, starts, starts[1:], strict=False)
        if max(first, begins) < min(last, ends)
    )


def _unreadable(order: CarriedOrder, fault: FileFault) -> Text:
    """Say which page of an order cannot be carried."""
    folder = ConsignedFolder(Path(order.offer.root))
    said = FAULT_WORDS[fault]
    for number, listed in enumerate(order.files, 1):
        try:
            folder.check(listed)
        except FileUnfit:
            return Text(zh=f"第 {number} 个页面 {listed.path} {said.zh}", en=f"page {number}, {listed.path}, {said.en}")
    return Text(zh=f"页面{said.zh}", en=f"a page {said.en}")
