"""Watermarks: how far each site's history has been applied, and what a newly arrived frame means for it.

``judge`` is the whole decision and pure. The mark itself is moved by compare-and-set, only from the position that was
judged, in the transaction that applies the events (promise 2): a repeat or a gap can never move it.
"""

from collections.abc import Collection
from enum import StrEnum
from functools import cache

import msgspec
from sqlalchemy import Connection, Insert, Select, Update, bindparam, select, update

from protocol.beats import Want
from protocol.frames import END_DIGITS, Frame
from replication.dialects import upsert
from replication.tables import retired_epoch, watermark


class Watermark(msgspec.Struct, frozen=True, kw_only=True):
    """How far one site's history has been applied."""

    site: str
    node: str = ""
    epoch: str = ""
    position: int = 0
    chain: str = ""
    """Digest of the frame that ended at ``position``; empty when a catch-up ended between two frames."""
    want: Want = Want.NOTHING


class Verdict(StrEnum):
    """What a frame means for a watermark."""

    APPLY = "apply"
    """It follows: apply it."""
    NEW_EPOCH = "new_epoch"
    """It begins an epoch that retires the present one: apply it, what came before is replaced by its baseline."""
    REPLAY = "replay"
    """It has been applied already: nothing to do."""
    OLD_EPOCH = "old_epoch"
    """It belongs to an epoch that the site gave up: nothing to do."""
    GAP = "gap"
    """Something before it is missing, or the digest to compare it with: park it and fetch what is missing."""
    FORK = "fork"
    """Two histories claim the same place: a database was restored or copied. Set it aside, ask for a new epoch."""


def judge(mark: Watermark, frame: Frame, digest: str, retired: Collection[str]) -> Verdict:
    """Decide what a frame means for a site's watermark.

    Args:
        mark: where the site stands; position 0 and no epoch when nothing was ever applied.
        frame: the frame, its seal already checked.
        digest: the digest of its sealed bytes.
        retired: epochs that the site has given up.

    """
    if frame.epoch in retired:
        return Verdict.OLD_EPOCH
    if frame.epoch != mark.epoch:
        return _judge_epoch(mark, frame)
    if frame.last <= mark.position:
        contradicts = frame.last == mark.position and mark.chain not in ("", digest) and not frame.catch_up
        return Verdict.FORK if contradicts else Verdict.REPLAY
    if frame.previous > mark.position:
        return Verdict.GAP
    if frame.catch_up:
        return Verdict.FORK if _denies(frame, mark) else Verdict.APPLY
    if not mark.chain and mark.position > 0:
        # Nothing shows whether this frame is of the history that is being caught up on. The catch-up goes on to where
        # a frame ends, and then the digests say.
        return Verdict.GAP
    # Frames never overlap in one history, and each names the one before it.
    follows = frame.previous == mark.position and frame.chain == mark.chain
    return Verdict.APPLY if follows else Verdict.FORK


def _denies(frame: Frame, mark: Watermark) -> bool:
    """Tell whether a catch-up frame shows that its site's history is not the one that a watermark stands in.

    Between two frames there is no digest to compare; a frame without ``ends`` (of version 1.0, or where the site does
    not remember) shows nothing.
    """
    if frame.ends is None or not mark.chain:
        return False
    return dict(frame.ends).get(mark.position) != mark.chain[:END_DIGITS]


def _judge_epoch(mark: Watermark, frame: Frame) -> Verdict:
    if frame.previous > 0:
        return Verdict.GAP
    if not mark.epoch:
        return Verdict.APPLY
    return Verdict.NEW_EPOCH if mark.epoch in frame.retires else Verdict.FORK


def moved(mark: Watermark, frame: Frame, digest: str) -> Watermark:
    """Return the watermark after a frame that was judged ``APPLY`` or ``NEW_EPOCH``."""
    same_epoch = frame.epoch == mark.epoch
    return Watermark(
        site=mark.site,
        node=frame.node,
        epoch=frame.epoch,
        position=frame.last,
        chain=frame.stands_for if frame.catch_up else digest,
        want=mark.want if same_epoch else Want.NOTHING,
    )


def marks_of(connection: Connection, sites: Collection[str]) -> dict[str, Watermark]:
    """Return the watermarks of some sites; a site that nothing was applied for has an empty one."""
    found = {site: Watermark(site=site) for site in sites}
    for row in connection.execute(marks_statement(), {"sites": list(sites)}):
        found[row.site] = Watermark(
            site=row.site,
            node=row.node,
            epoch=row.epoch,
            position=row.position,
            chain=row.chain,
            want=Want(row.want),
        )
    return found


def retired_of(connection: Connection, sites: Collection[str]) -> dict[str, set[str]]:
    """Return the epochs that some sites have given up."""
    found: dict[str, set[str]] = {site: set() for site in sites}
    for row in connection.execute(retired_statement(), {"sites": list(sites)}):
        found[row.site].add(row.epoch)
    return found


def move(connection: Connection, before: Watermark, after: Watermark, now_ms: int) -> bool:
    """Move a watermark by compare-and-set; False when another worker moved it meanwhile."""
    changes: dict[str, object] = {
        "node": after.node,
        "epoch": after.epoch,
        "position": after.position,
        "chain": after.chain,
        "want": after.want.value,
        "moved_at_ms": now_ms,
    }
    if not before.epoch:
        return connection.execute(first_statement(), {"site": after.site, **changes}).rowcount == 1
    judged = {"of_site": before.site, "from_epoch": before.epoch, "from_position": before.position}
    return connection.execute(moved_statement(), {**judged, **changes}).rowcount == 1


def retire(connection: Connection, site: str, epochs: Collection[str]) -> None:
    """Remember epochs that a site has given up."""
    for epoch in epochs:
        connection.execute(retire_statement(), {"site": site, "epoch": epoch})


def set_want(connection: Connection, site: str, want: Want) -> None:
    """Note what the hub needs of a site; the next receipts say so."""
    connection.execute(update(watermark).where(watermark.c.site == site).values(want=want.value))


# Every batch and every sign of life runs these: they are built once.


@cache
def marks_statement() -> Select[tuple[str, str, str, int, str, str]]:
    """The watermarks of some ``sites``."""
    return select(
        watermark.c.site, watermark.c.node, watermark.c.epoch, watermark.c.position, watermark.c.chain, watermark.c.want
    ).where(watermark.c.site.in_(bindparam("sites", expanding=True)))


@cache
def retired_statement() -> Select[str, str]:
    """The epochs that some ``sites`` have given up."""
    return select(retired_epoch.c.site, retired_epoch.c.epoch).where(
        retired_epoch.c.site.in_(bindparam("sites", expanding=True))
    )


@cache
def moved_statement() -> Update:
    """Move a watermark if it still stands where it was judged."""
    return (
        update(watermark)
        .where(
            watermark.c.site == bindparam("of_site"),
            watermark.c.epoch == bindparam("from_epoch"),
            watermark.c.position == bindparam("from_position"),
        )
        .values(
            node=bindparam("node"),
            epoch=bindparam("epoch"),
            position=bindparam("position"),
            chain=bindparam("chain"),
            want=bindparam("want"),
            moved_at_ms=bindparam("moved_at_ms"),
        )
    )


@cache
def first_statement() -> Insert:
    """Make the watermark of a site that nothing was applied for."""
    return upsert(watermark).on_conflict_do_nothing()


@cache
def retire_statement() -> Insert:
    """Note one epoch that a site has given up."""
    return upsert(retired_epoch).on_conflict_do_nothing()
