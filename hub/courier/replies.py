"""Replies by courier: what the hub sends to a node on a stick.

A reply says all that the hub has to say to one installation, every time anew: its receipt with what it wants, the
outcome of the last comparison, and the admission. It is small, and an old one does no harm.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from hub.courier import couriers
from hub.courier.carried_pages import wanted_of
from hub.draws.brought_pieces import BroughtPieces
from hub.membership import keyring
from hub.membership.enrolment import County, admission_of
from hub.membership.keyring import EnrolledNode
from hub.repair import comparisons
from hub.repair.comparisons import Sameness
from protocol.bundles import FORMAT, Compared, Manifest, Party, Reply
from protocol.errors import Refused
from protocol.sites import Site, parse_site
from protocol.wording import Text
from replication.bundles import write_bundle
from replication.carriage import Written, target_in
from replication.courier_codes import sealed_admission
from replication.courier_letters import Enclosed, enclosed
from replication.database import Database
from replication.inbox import receipt_of
from replication.keys import Identity
from replication.watermarks import Watermark, marks_of

_COMPARED = {Sameness.EQUAL: Compared.EQUAL, Sameness.DIFFERENT: Compared.DIFFERENT}


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes replies."""

    county: County
    identity: Identity
    pieces: BroughtPieces
    """What couriers have brought of pages."""


async def write_replies(
    database: Database, sender: Sender, place: Path, sites: Sequence[Site], now_ms: int
) -> list[Written]:
    """Write a reply for every installation of some sites, or of all that come by courier if none is named.

    Raises:
        Refused: a site has no installation that may speak for it, or nobody comes by courier.
        StorageFull, Retryable: the stick has no room, or cannot be written.

    """
    nodes = await database.read(lambda connection: _addressed(connection, sites))
    written = []
    for node in nodes:
        manifest, post = await database.write(lambda connection, one=node: _reply(connection, sender, one, now_ms))  # type: ignore[misc]
        target = target_in(place, f"hub-to-{node.site}", now_ms)
        size_bytes = write_bundle(target, manifest, sender.identity)
        written.append(
            Written(
                file=str(target),
                site=node.site,
                size_bytes=size_bytes,
                letters=post.count,
                letters_left=post.left,
            )
        )
    return written


def _addressed(connection: Connection, sites: Sequence[Site]) -> list[EnrolledNode]:
    if not sites:
        listed = {one.node for one in couriers.listed(connection)}
        found = [node for node in keyring.nodes(connection) if node.public_key in listed]
        if not found:
            raise Refused(
                Text(zh="还没有站点使用信使包。", en="no site comes by courier yet"),
                Text(
                    zh="请先收取站点写出的信使包（danglian-hub bundle in），或写明站点代码。",
                    en="Take what the sites have written first (danglian-hub bundle in), or name the sites.",
                ),
            )
        return found
    found = []
    for site in sites:
        nodes = keyring.nodes(connection, site=site)
        if not nodes:
            raise Refused(
                Text(zh=f"站点 {site.code} 没有已登记的节点。", en=f"site {site.code} has no enrolled node"),
                Text(
                    zh="请先签发登记码（danglian-hub enrol 站点代码 --courier），收取该站的申请后再写回执。",
                    en="Issue a code (danglian-hub enrol SITE --courier) and take the site's application first.",
                ),
            )
        found += nodes
    return found


def _reply(connection: Connection, by: Sender, node: EnrolledNode, now_ms: int) -> tuple[Manifest, Enclosed]:
    county = by.county
    mark = marks_of(connection, [node.site])[node.site]
    serial = couriers.send(connection, node.public_key, node.site, now_ms)
    heard = couriers.state_of(connection, node.public_key, node.site)
    name = keyring.expected_name(connection, parse_site(node.site))
    post = enclosed(connection, node.site, node.public_key, now_ms)
    manifest = Manifest(
        format=FORMAT,
        sender=Party(site=county.code, key=county.hub_key),
        receiver=Party(site=node.site, key=node.public_key),
        serial=serial,
        made_at_ms=now_ms,
        content=Reply(
            receipt=receipt_of(mark, now_ms),
            heard=heard.serial,
            heard_epoch=heard.epoch,
            heard_confirmed=heard.confirmed,
            compared=_compared(connection, mark),
            admission=sealed_admission(admission_of(county, node.site, name), node.public_key),
            letters=post.sealed,
            pages=wanted_of(connection, node.site, by.pieces),
        ),
    )
    return manifest, post


def _compared(connection: Connection, mark: Watermark) -> Compared:
    last = comparisons.kept(connection).get(mark.site)
    if last is None or not last.holds_at(mark.epoch, mark.position):
        return Compared.NOT_COMPARED
    return _COMPARED.get(last.state, Compared.NOT_COMPARED)
