"""Deliveries by courier: what a bundle takes out of the outbox, and how it enters the inbox at the other end.

Both use the same code as the way over the network: frames of the outbox, or catch-up frames where those are gone; the
inbox and its watermarks. So a bundle and the network may overtake each other in any order and come to the same.
Before anything enters the inbox the whole bundle is checked, and one that does not follow what is here is refused.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from enum import StrEnum

import msgspec
from sqlalchemy import Connection

from protocol.bundles import BundleFault, Delivery, FrameMember
from protocol.errors import BadBundle
from protocol.limits import BUNDLE_BYTES_MAX, BUNDLE_FRAMES_MAX
from protocol.sites import Site
from protocol.wording import Text
from replication import outbox
from replication.bundles import Bundle
from replication.catch_up import History, catch_up_frame
from replication.consumer import FETCH_FRAMES
from replication.inbox import Inbox, Taken
from replication.outbox import FrameWriter, SealedFrame
from replication.watermarks import Verdict, Watermark

COURTESY_S = 0.02
"""Seconds between two transactions of a bundle: the daemon beside the command gets its turn to write."""


# Out of the outbox


def frames_from(connection: Connection, writer: FrameWriter, history: History, after: int) -> Iterator[SealedFrame]:
    """Yield every frame that a receiver at ``after`` needs, in order: catch-up frames first where the others are gone.

    Run twice in one transaction by a writer whose clock stands still, it yields the same bytes twice.
    """
    while (missed := catch_up_frame(connection, writer, history, after)) is not None:
        yield missed
        after = missed.last
    while frames := outbox.frames_after(connection, after, FETCH_FRAMES):
        yield from frames
        after = frames[-1].last


def members_from(connection: Connection, writer: FrameWriter, history: History, after: int) -> tuple[FrameMember, ...]:
    """Return the list of as many frames after a position as one bundle holds."""
    members: list[FrameMember] = []
    size_bytes = 0
    for frame in frames_from(connection, writer, history, after):
        size_bytes += len(frame.sealed)
        if len(members) == BUNDLE_FRAMES_MAX or size_bytes > BUNDLE_BYTES_MAX:
            break
        members.append(
            FrameMember(previous=frame.previous, last=frame.last, size_bytes=len(frame.sealed), digest=frame.digest)
        )
    return tuple(members)


# Into the inbox


class Arrival(StrEnum):
    """What a delivery means where it arrives."""

    FOLLOWS = "follows"
    """It has something new."""
    REPEATED = "repeated"
    """All of it was applied before, by courier or over the network."""
    OLD_EPOCH = "old_epoch"
    """It is of an epoch that the site gave up."""


class Delivered(msgspec.Struct, kw_only=True):
    """What became of a delivery's frames."""

    frames: int = 0
    """Frames that were looked at; those before the watermark need no look."""
    events: int = 0
    """Events that were applied now."""
    quarantined: int = 0
    """Events that could not be read and were set aside."""
    forked: bool = False


def arrival(mark: Watermark, retired: Collection[str], delivery: Delivery) -> Arrival:
    """Decide what a delivery means for a site's watermark.

    Raises:
        BadBundle: something before it is missing here.

    """
    if delivery.epoch in retired:
        return Arrival.OLD_EPOCH
    applied = mark.position if delivery.epoch == mark.epoch else 0
    if delivery.previous > applied:
        raise _put_back(delivery, applied) if delivery.confirmed > applied else _out_of_order(delivery, applied)
    return Arrival.REPEATED if delivery.epoch == mark.epoch and delivery.last <= applied else Arrival.FOLLOWS


async def take_frames(
    bundle: Bundle, site: Site, mark: Watermark, inbox: Inbox, on_frames: Callable[[int], None]
) -> Delivered:
    """Put the frames of a checked bundle through the inbox, some at a time; done again after a crash, it goes on.

    Raises:
        BadBundle: the file changed since it was checked, or the site's history contradicts what arrived before.
        Retryable: the file or the database cannot be used now; what was applied before stays.

    """
    done = Delivered()
    first = _first_needed(bundle, mark)
    on_frames(first)
    batch: list[bytes] = []
    for sealed in bundle.frames(first):
        batch.append(sealed)
        if len(batch) == FETCH_FRAMES:
            await _take(inbox, site, batch, done)
            on_frames(len(batch))
            batch = []
    if batch:
        await _take(inbox, site, batch, done)
        on_frames(len(batch))
    return done


def _first_needed(bundle: Bundle, mark: Watermark) -> int:
    """Return the number of the first frame that ends at the watermark or after it: there a fork would show."""
    content = bundle.manifest.content
    if not isinstance(content, Delivery) or content.epoch != mark.epoch:
        return 0
    return sum(member.last < mark.position for member in bundle.manifest.frames)


async def _take(inbox: Inbox, site: Site, batch: Sequence[bytes], done: Delivered) -> None:
    taken: Taken = await inbox.take(inbox.read((site, sealed) for sealed in batch))
    done.frames += len(batch)
    done.events += taken.applied_events
    done.quarantined += taken.quarantined
    if taken.verdicts.get(Verdict.FORK):
        raise forked()
    await asyncio.sleep(COURTESY_S)


def _out_of_order(delivery: Delivery, applied: int) -> BadBundle:
    return BadBundle(
        BundleFault.OUT_OF_ORDER,
        Text(
            zh=f"顺序不对：此包从位置 {delivery.previous} 之后开始，县级只收到 {applied}；未收取任何内容。",
            en=f"out of order: it begins after position {delivery.previous}, and only {applied} has arrived;"
            " nothing was taken",
        ),
        Text(
            zh="请先收取该站较早的信使包；若已丢失，请该站重新写出（danglian-node bundle out），"
            "新包含有全部未确认的内容。",
            en="Take the site's earlier bundle first. If it is lost, have the site write a new one (danglian-node"
            " bundle out): that holds everything that is not confirmed yet.",
        ),
    )


def _put_back(delivery: Delivery, applied: int) -> BadBundle:
    return BadBundle(
        BundleFault.OUT_OF_ORDER,
        Text(
            zh=f"县级曾确认到 {delivery.confirmed}，现在只有 {applied}（县级数据库可能被恢复过）；未收取任何内容。",
            en=f"the hub had confirmed up to {delivery.confirmed} and now has {applied}: it was put back; nothing was"
            " taken",
        ),
        Text(
            zh="请写出给该站的回执（danglian-hub bundle out）并带去；该站下一个信使包会补齐缺少的内容。",
            en="Write the reply for that site (danglian-hub bundle out) and carry it there: its next bundle brings what"
            " is missing.",
        ),
    )


def forked() -> BadBundle:
    """Return the error of a delivery whose history is another than the one that arrived before."""
    return BadBundle(
        BundleFault.FORKED,
        Text(
            zh="此包与先前收到的历史互相矛盾（该站数据库可能被恢复或复制），已隔离；已有目录未改动。",
            en="it contradicts the history that arrived before: the site's database was restored or copied; it was set"
            " aside, and the catalogue is unchanged",
        ),
        Text(
            zh="请写出给该站的回执（danglian-hub bundle out）并带去：该站会重新完整上报。",
            en="Write the reply for that site (danglian-hub bundle out) and carry it there: it will describe everything"
            " anew.",
        ),
    )
