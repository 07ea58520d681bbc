"""Catch-up frames: what a receiver missed, made afresh when the frames themselves are gone.

The outbox forgets what the hub has confirmed. If the hub later needs it again (it was restored from a backup, or built
anew), the site's records still know the position of their last change: they are a compacted history. What was
overtaken by a later change is left out, so the numbering has holes, which ``previous`` bridges.

Records say what is there, not what is there no more: a receiver that missed the end of a baseline, at which what was
not described is withdrawn, cannot be brought on by catch-up. It gets a new epoch (``publisher``).

A catch-up frame says where the frames ended that it replaces. One that was made for a receiver as it was, and meets one
that has been put back to another history meanwhile, is thereby known.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from protocol.codec import encode_event
from protocol.events import EventHead
from protocol.frames import frame_digest
from protocol.limits import FRAME_EVENTS_MAX
from replication.outbox import CatchUp, FrameWriter, Position, SealedFrame, ends_between, extent, groups


class History(Protocol):
    """The site's records, from which frames that left the outbox can be made again."""

    def changes_after(self, connection: Connection, seq: int, limit: int) -> Sequence[EventHead]:
        """Return what is true now of everything that changed after a position: events in order of their position."""


def catch_up_frames(
    connection: Connection, writer: FrameWriter, history: History, after: int, limit: int
) -> list[SealedFrame]:
    """Return the next frames for a receiver that stands at ``after``; none when the outbox has what follows."""
    frames: list[SealedFrame] = []
    while len(frames) < limit and (frame := catch_up_frame(connection, writer, history, after)):
        frames.append(frame)
        after = frame.last
    return frames


def catch_up_frame(connection: Connection, writer: FrameWriter, history: History, after: int) -> SealedFrame | None:
    """Return the next frame for a receiver that stands at ``after``, or None when the outbox has what follows.

    Nothing is written. The last frame before the outbox begins stands for the whole history up to there.
    """
    held = extent(connection)
    if held is None or after >= held.start.seq:
        return None
    end = held.start
    page = history.changes_after(connection, after, FRAME_EVENTS_MAX)
    changes = [change for change in page if change.seq <= end.seq]
    encoded = _encoded(changes, after, writer.clock_ms())
    first: Sequence[bytes] = next(groups(encoded), ())
    complete = len(page) < FRAME_EVENTS_MAX or len(changes) < len(page)
    closes = complete and len(first) == len(changes)
    last = end.seq if closes else changes[len(first) - 1].seq
    position = Position(epoch=end.epoch, seq=after, chain="", retires=end.retires)
    told = CatchUp(stands_for=end.chain if last == end.seq else "", ends=ends_between(connection, after, last))
    sealed = writer.frame(position, last, first, catch_up=told)
    return SealedFrame(epoch=end.epoch, previous=after, last=last, chain="", digest=frame_digest(sealed), sealed=sealed)


def _encoded(changes: Sequence[EventHead], after: int, at_ms: int) -> list[bytes]:
    encoded, previous = [], after
    for change in changes:
        encoded.append(encode_event(msgspec.structs.replace(change, previous=previous, at_ms=at_ms)))
        previous = change.seq
    return encoded
