"""What the hub remembers of installations that come by courier: the latest delivery of each, and the latest reply.

A node is listed here once it was admitted by courier, or has brought a delivery. The board reads it, so that a site
that nobody expects on the line is not called offline; replies name the latest delivery, so that the node can tell an
old receipt from a hub that was put back.
"""

import msgspec
from sqlalchemy import Connection, Select, select, update

from hub.membership.keyring_tables import courier, enrolled_node
from protocol.bundles import Delivery, Manifest
from protocol.county_time import day_of
from protocol.wording import Text
from replication.carriage import next_serial
from replication.dialects import upsert


class CourierState(msgspec.Struct, frozen=True, kw_only=True):
    """One installation that comes by courier."""

    node: str
    site: str
    serial: int = 0
    """Of the latest delivery seen, taken or not."""
    epoch: str = ""
    confirmed: int = 0
    made_at_ms: int = 0
    taken_serial: int = 0
    """Of the latest delivery that was taken; 0 if none was."""
    taken_at_ms: int = 0
    sent_serial: int = 0
    sent_at_ms: int = 0


def listed_statement() -> Select[tuple[object, ...]]:
    """Select what is known of installations that may still speak, in the order of their sites."""
    joined = courier.join(enrolled_node, enrolled_node.c.public_key == courier.c.node)
    return select(courier).select_from(joined).where(enrolled_node.c.revoked_at_ms.is_(None)).order_by(courier.c.site)


def listed(connection: Connection) -> list[CourierState]:
    """Return every installation that comes by courier and may still speak."""
    rows = connection.execute(listed_statement())
    return [msgspec.convert(row, CourierState, from_attributes=True) for row in rows]


def state_of(connection: Connection, node: str, site: str) -> CourierState:
    """Return what is known of one installation; an empty state if it never came by courier."""
    row = connection.execute(select(courier).where(courier.c.node == node)).one_or_none()
    return (
        CourierState(node=node, site=site) if row is None else msgspec.convert(row, CourierState, from_attributes=True)
    )


def expect(connection: Connection, node: str, site: str) -> None:
    """List an installation from now on; one that is listed keeps what is known of it."""
    blank = msgspec.structs.asdict(CourierState(node=node, site=site))
    connection.execute(upsert(courier).values(blank).on_conflict_do_nothing())


def hear(connection: Connection, manifest: Manifest, delivery: Delivery) -> CourierState:
    """Note that a delivery was seen, whatever becomes of it, and return what is known of its sender."""
    node, site = manifest.sender.key, manifest.sender.site
    expect(connection, node, site)
    connection.execute(
        update(courier)
        .where(courier.c.node == node, courier.c.serial < manifest.serial)
        .values(
            serial=manifest.serial,
            epoch=delivery.epoch,
            confirmed=delivery.confirmed,
            made_at_ms=manifest.made_at_ms,
        )
    )
    return state_of(connection, node, site)


def take(connection: Connection, node: str, serial: int, now_ms: int) -> None:
    """Note that a delivery was taken."""
    connection.execute(update(courier).where(courier.c.node == node).values(taken_serial=serial, taken_at_ms=now_ms))


def send(connection: Connection, node: str, site: str, now_ms: int) -> int:
    """Note that a reply is written, and return its serial number."""
    expect(connection, node, site)
    serial = next_serial(state_of(connection, node, site).sent_serial, now_ms)
    connection.execute(update(courier).where(courier.c.node == node).values(sent_serial=serial, sent_at_ms=now_ms))
    return serial


def has_last_word(courier_at_ms: int | None, seen_at_ms: int | None) -> bool:
    """Tell whether the last that was heard of a site that comes by courier came on a stick.

    Nobody waits for it on the line then; once it is heard there, it is a site like any other.
    """
    return (courier_at_ms or 0) >= (seen_at_ms or 0)


def not_on_the_line(courier_at_ms: int | None, *, was_equal: bool | None = None) -> Text:
    """Say why a site that comes by courier is not asked, and of when its copy is.

    Args:
        courier_at_ms: when its last bundle was taken; None before the first.
        was_equal: how that bundle compared with what is held here; None if it was not compared.

    """
    if courier_at_ms is None:
        return Text(zh="靠信使往来，尚未收到信使包", en="comes by courier, no bundle yet")
    when = day_of(courier_at_ms).isoformat()
    then = {None: Text(zh="", en=""), True: _EQUAL_THEN, False: _DIFFERED_THEN}[was_equal]
    return Text(zh=f"靠信使往来，截至 {when}{then.zh}", en=f"comes by courier, as of {when}{then.en}")


_EQUAL_THEN = Text(zh="，当时一致", en=": in sync then")
_DIFFERED_THEN = Text(zh="，当时不一致", en=": differed then")


def last_taken(connection: Connection) -> dict[str, int | None]:
    """Return the sites that come by courier, each with the moment of its last delivery, or None before the first."""
    found: dict[str, int | None] = {}
    for one in listed(connection):
        latest = max(found.get(one.site) or 0, one.taken_at_ms)
        found[one.site] = latest or None
    return found
