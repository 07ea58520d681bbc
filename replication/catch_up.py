"""Catch-up frames: what a receiver missed, made afresh when the frames themselves are gone.

The outbox forgets what the hub has confirmed. If the hub later needs it again (it was restored from a backup), the
site's records still know the position of their last change: they are a compacted history. What was overtaken by a
later change is left out, so the numbering has holes, which ``previous`` bridges.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from protocol.codec import encode_event
from protocol.events import EventHead
from protocol.frames import frame_digest
from replication.outbox import FrameWriter, Position, SealedFrame, frames_after, groups, head


def catch_up_frames(
    connection: Connection, writer: FrameWriter, after: int, changes: Sequence[EventHead]
) -> list[SealedFrame]:
    """Return frames that bring a receiver from ``after`` to where the outbox begins; nothing is written.

    Args:
        connection: the site's database.
        writer: who seals.
        after: the receiver's position in the present epoch.
        changes: the site's records as events with their own positions, in order, from ``after`` on.

    """
    here = head(connection)
    if here is None:
        return []
    oldest = next(iter(frames_after(connection, 0, 1)), None)
    end, chain = (oldest.previous, oldest.chain) if oldest is not None else (here.seq, here.chain)
    if after >= end:
        return []
    encoded = _encoded([change for change in changes if after < change.seq <= end], after, writer.clock_ms())
    runs = list(groups(encoded)) or [()]
    position = Position(epoch=here.epoch, seq=after, chain="", retires=here.retires)
    lasts = _lasts([change.seq for change in changes if after < change.seq <= end], [len(run) for run in runs], end)
    frames = []
    for run, last in zip(runs, lasts, strict=True):
        sealed = writer.frame(position, last, run, catch_up=True, stands_for=chain if last == end else "")
        frames.append(
            SealedFrame(
                epoch=here.epoch,
                previous=position.seq,
                last=last,
                chain="",
                digest=frame_digest(sealed),
                sealed=sealed,
            )
        )
        position = Position(epoch=here.epoch, seq=last, chain="", retires=here.retires)
    return frames


def _encoded(changes: Sequence[EventHead], after: int, at_ms: int) -> list[bytes]:
    encoded, previous = [], after
    for change in changes:
        encoded.append(encode_event(msgspec.structs.replace(change, previous=previous, at_ms=at_ms)))
        previous = change.seq
    return encoded


def _lasts(seqs: Sequence[int], sizes: Sequence[int], end: int) -> list[int]:
    """Return the last position of each run; the final one also covers what was overtaken behind it."""
    lasts, done = [], 0
    for size in sizes[:-1]:
        done += size
        lasts.append(seqs[done - 1])
    return [*lasts, end]
