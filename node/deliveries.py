"""Writing deliveries: everything that the hub has not confirmed, into files that a courier carries.

One reading of the database sees one state throughout, however long the stick takes: positions, frames and the digest
of what the site publishes belong together. The daemon beside it goes on undisturbed.
"""

import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from node import baseline, couriers, store
from node.carried_pages import FILES_MAX, PageCourier
from node.condition import Condition
from node.config import NodeConfig
from node.couriers import CourierLog
from protocol.beats import Beat
from protocol.bundles import FORMAT, Delivery, FrameMember, Manifest, Party, encode_manifest
from protocol.errors import BadSetting
from protocol.limits import BUNDLE_PARTS_MAX
from protocol.sites import Site
from protocol.wording import Text
from replication import outbox
from replication.bundles import OnMore, size_of, write_bundle
from replication.carriage import Written, next_serial, target_in
from replication.courier_letters import Enclosed, enclosed
from replication.database import Database
from replication.deliveries import frames_from, members_from
from replication.keys import Identity
from replication.letters import HUB_PEER
from replication.outbox import Extent, FrameWriter

OnPart = Callable[[int], OnMore]
"""Told how many bytes the next file has; returns what is told of each piece written."""


class Deliveries:
    """Writes one site's deliveries; made once per command, beside the daemon or without it."""

    def __init__(
        self,
        database: Database,
        config: NodeConfig,
        identity: Identity,
        now_ms: int,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._database = database
        self._free_bytes = free_bytes
        self._config = config
        self._identity = identity
        self._now_ms = now_ms
        # Its clock stands still: catch-up frames that are made twice must be the same twice.
        self._writer = FrameWriter(config.site, identity, lambda: now_ms)

    async def write(self, place: Path, on_part: OnPart) -> list[Written]:
        """Write what is not confirmed into ``place``, a file or a folder, and behind it the pages that were approved.

        Events take more than one file only for huge backlogs; the pages of each order have files of their own.

        Raises:
            BadSetting: the node has never run, or does not know its hub's key.
            StorageFull, Retryable: the stick has no room, or cannot be written.

        """
        await describe_all(self._database, self._writer)
        beat = await Condition(
            self._database,
            self._config.site,
            self._identity.public_key,
            published=lambda: 0,
            importing=lambda: False,
            clock_ms=lambda: self._now_ms,
        ).beat()
        log = await self._database.write(self._numbered)
        # Read in a transaction that writes: the name of this end's memory is made when it is first asked for.
        post = await self._database.write(
            lambda connection: enclosed(connection, HUB_PEER, hub_key_of(self._config), self._now_ms)
        )
        parts = await self._database.read(lambda connection: self._write(connection, log, beat, (place, post), on_part))
        last = parts[-1].last
        await self._database.write(lambda connection: self._remember(connection, last))
        pages = PageCourier(self._database, self._ends, self._identity, self._now_ms, self._free_bytes)
        return parts + await pages.write(place, log.sent_serial + BUNDLE_PARTS_MAX, len(parts), on_part)

    @property
    def _ends(self) -> tuple[Party, Party]:
        """Who writes, and to whom."""
        county = Site(county=self._config.parsed_site.county, town="000", village="000")
        return (
            Party(site=self._config.site, key=self._identity.public_key),
            Party(site=county.code, key=hub_key_of(self._config)),
        )

    def _numbered(self, connection: Connection) -> CourierLog:
        """Take serial numbers for all parts, before anything is written: none is ever used twice."""
        log = couriers.read(connection)
        first = next_serial(log.sent_serial, self._now_ms)
        couriers.write(connection, msgspec.structs.replace(log, sent_serial=first + BUNDLE_PARTS_MAX + FILES_MAX))
        return msgspec.structs.replace(log, sent_serial=first)

    def _remember(self, connection: Connection, last: int) -> None:
        log = couriers.read(connection)
        couriers.write(connection, msgspec.structs.replace(log, sent_at_ms=self._now_ms, sent_last=last))

    def _write(
        self, connection: Connection, log: CourierLog, beat: Beat, stick: tuple[Path, Enclosed], on_part: OnPart
    ) -> list[Written]:
        place, post = stick
        held = outbox.extent(connection)
        if held is None:
            raise never_ran()
        said = _said(connection, held, beat)
        after, written = couriers.begins_at(log, held), list[Written]()
        while (not written or after < held.end.seq) and len(written) < BUNDLE_PARTS_MAX:
            members = members_from(connection, self._writer, store, after)
            begins, ends = (members[0].previous, members[-1].last) if members else (after, after)
            # Letters go with the last file of a huge backlog: only the latest one's word about letters is believed.
            post_here = post if ends >= held.end.seq or len(written) == BUNDLE_PARTS_MAX - 1 else Enclosed()
            manifest = self._manifest(
                msgspec.structs.replace(said, previous=begins, last=ends, letters=post_here.sealed),
                members,
                log.sent_serial + len(written),
            )
            frames = islice(frames_from(connection, self._writer, store, after), len(members))
            target = target_in(place, f"{self._config.site}-to-hub", self._now_ms, len(written))
            tell = on_part(size_of(manifest, encode_manifest(manifest)))
            size_bytes = write_bundle(target, manifest, self._identity, (one.sealed for one in frames), tell)
            written.append(
                Written(
                    file=str(target),
                    site=self._config.site,
                    size_bytes=size_bytes,
                    frames=len(members),
                    previous=begins,
                    last=ends,
                    letters=post_here.count,
                    letters_left=post_here.left,
                )
            )
            after = ends
        return written

    def _manifest(self, delivery: Delivery, members: tuple[FrameMember, ...], serial: int) -> Manifest:
        sender, receiver = self._ends
        return Manifest(
            format=FORMAT,
            sender=sender,
            receiver=receiver,
            serial=serial,
            made_at_ms=self._now_ms,
            content=delivery,
            frames=members,
        )


def _said(connection: Connection, held: Extent, beat: Beat) -> Delivery:
    """Return how the site is at the position where its history stands in this reading."""
    total = baseline.tally(connection)
    return Delivery(
        epoch=held.end.epoch,
        previous=held.end.seq,
        last=held.end.seq,
        confirmed=held.start.seq,
        record_count=total.count,
        digest=total.digest,
        beat=msgspec.structs.replace(
            beat,
            epoch=held.end.epoch,
            seq=held.end.seq,
            outbox_frames=outbox.depth(connection),
            records=total.count,
        ),
    )


async def describe_all(database: Database, writer: FrameWriter) -> int:
    """Carry a baseline that is open to its end, as the daemon would; returns how many steps that took."""
    steps = 0
    while await database.write(lambda connection: _go_on(connection, writer)):
        steps += 1
    return steps


def _go_on(connection: Connection, writer: FrameWriter) -> bool:
    return outbox.head(connection) is not None and baseline.go_on(connection, writer)


def hub_key_of(config: NodeConfig) -> str:
    """Return the public key of the county's hub.

    Raises:
        BadSetting: the settings do not name it.

    """
    if not config.hub.key:
        raise BadSetting(
            Text(zh="node.toml 的 [hub] 中没有 key，无法确认县级枢纽。", en="node.toml has no key under [hub]"),
            Text(
                zh='请向县档案馆索取县级枢纽公钥，写成 key = "U…"。',
                en='Ask the county archive for the public key of its hub and write it as key = "U…".',
            ),
        )
    return config.hub.key


def never_ran() -> BadSetting:
    """Return the error of a node that has nothing to write yet."""
    return BadSetting(
        Text(zh="本站节点还从未运行过，没有可写出的内容。", en="the node has never run: there is nothing to write yet"),
        Text(
            zh="请先运行 danglian-node run，待目录收录后再写出。",
            en="Run danglian-node run first, and write the bundle when the catalogues are taken.",
        ),
    )
