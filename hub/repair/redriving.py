"""Re-driving: what was set aside is read again, by this version, and applied at the place where it always belonged.

An older hub sets aside the kinds that it does not know; after an upgrade they are understood. Order is by position, not
by arrival (promise 4), so that a late event falls into its place and an overtaken one changes nothing. Nothing leaves
the quarantine but in the transaction that applies it, or once the same history is applied anyway.
"""

import asyncio
from collections.abc import Callable, Collection
from enum import StrEnum

import msgspec
import structlog
from sqlalchemy import Connection, select

from hub.preparation import UNREADABLE_RECORD
from hub.tables import site_epoch
from protocol.codec import decode_event
from protocol.errors import BadValue, DanglianError, Retryable
from protocol.events import Described, Event
from protocol.frames import Frame
from protocol.sites import parse_site
from protocol.wording import Text
from replication import quarantine
from replication.acceptance import AcceptedFrame, Sink, whole
from replication.database import Database
from replication.inbox import Inbox
from replication.quarantine import NOT_KEPT, Quarantined, is_frame
from replication.watermarks import Verdict

REDRIVEN_AT_ONCE = 50
"""Things read from the quarantine in one go: 13 MB if all are full frames."""

MUST_NOT_TRAVEL = "must_not_travel"
"""Fault of a secret record, of which nothing is kept."""

log = structlog.get_logger(__name__)


class Redriven(StrEnum):
    """What became of one thing."""

    APPLIED = "applied"
    OVERTAKEN = "overtaken"
    """The same history, or a later one, is applied already; it was let go."""
    KEPT = "kept"
    """It still cannot be applied, and stays."""


REDRIVEN = {
    Redriven.APPLIED: Text(zh="已补入目录", en="applied"),
    Redriven.OVERTAKEN: Text(zh="已被后来的内容取代", en="overtaken"),
    Redriven.KEPT: Text(zh="仍留在隔离区", en="still in quarantine"),
}


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was tried again."""

    id: int
    site: str
    outcome: Redriven
    reason: Text = Text(zh="", en="")
    """Why it stays."""


class Redriver:
    """Tries again what is in quarantine; ``run`` does so once for all of it."""

    def __init__(self, database: Database, sink: Sink, inbox: Inbox) -> None:
        self._database = database
        self._sink = sink
        self._inbox = inbox

    async def run(self) -> None:
        """Try everything once, as after an upgrade; the rest of the program goes on meanwhile."""
        try:
            attempts = await self.retry()
        except Retryable as error:
            # The next start tries again, and so does the command.
            log.warning("redriving_put_off", reason=error.reason.en)
            return
        moved = sum(one.outcome is not Redriven.KEPT for one in attempts)
        if attempts:
            log.info("quarantine_redriven", released=moved, kept=len(attempts) - moved)

    async def retry(
        self,
        ids: Collection[int] | None = None,
        site: str = "",
        on_attempt: Callable[[Attempt], None] = lambda _: None,
    ) -> list[Attempt]:
        """Try some things again, or all, in the order in which they came.

        Raises:
            Retryable: the database is busy or full; what was tried before stays as it is now.

        """
        attempts: list[Attempt] = []
        after = 0
        while page := await self._database.read(lambda c, after=after: quarantine.oldest(c, after, REDRIVEN_AT_ONCE)):  # type: ignore[misc]
            after = page[-1].id
            for one in page:
                if (ids is None or one.id in ids) and site in ("", one.site):
                    attempts.append(await self._retry_one(one))
                    on_attempt(attempts[-1])
            await asyncio.sleep(0)
        return attempts

    async def retry_named(self, ids: Collection[int]) -> list[Attempt]:
        """Try a few things again that are known by their numbers; what is gone meanwhile is left out.

        Raises:
            Retryable: the database is busy or full; what was tried before stays as it is now.

        """
        found = await self._database.read(lambda connection: quarantine.named(connection, ids))
        return [await self._retry_one(one) for one in found]

    async def _retry_one(self, one: Quarantined) -> Attempt:
        try:
            if one.fault == NOT_KEPT:
                # It only says that there was more; if there is again, it comes back.
                await self._database.write(lambda connection: quarantine.release(connection, one))
                return Attempt(id=one.id, site=one.site, outcome=Redriven.OVERTAKEN)
            if is_frame(one.fault):
                return await self._retry_frame(one)
            return await self._retry_event(one)
        except Retryable:
            raise
        except DanglianError as error:
            return Attempt(id=one.id, site=one.site, outcome=Redriven.KEPT, reason=error.reason)

    async def _retry_frame(self, one: Quarantined) -> Attempt:
        frames = self._inbox.read([(parse_site(one.site), one.content)])
        if frames.refused:
            return _kept(one, frames.refused[0][1].reason)
        taken = await self._inbox.take(frames)
        if taken.verdicts.get(Verdict.FORK):
            return _kept(one, one.reason)
        await self._database.write(lambda connection: quarantine.release(connection, one))
        applied = taken.applied_events > 0
        return Attempt(id=one.id, site=one.site, outcome=Redriven.APPLIED if applied else Redriven.OVERTAKEN)

    async def _retry_event(self, one: Quarantined) -> Attempt:
        if one.fault == MUST_NOT_TRAVEL:
            return _kept(one, one.reason)
        frame = _frame_of(one, _event_of(one))
        frame.prepared = whole(self._sink.preparing(frame))

        def apply(connection: Connection) -> bool:
            known = select(site_epoch.c.ordinal).where(site_epoch.c.site == one.site, site_epoch.c.epoch == one.epoch)
            if connection.execute(known).first() is None:
                # Numbered only now, an old epoch would count as the newest.
                return False
            # What it closes or withdraws takes effect also where the rest still cannot be read.
            self._sink.apply(connection, [frame])
            if not frame.spoilt:
                quarantine.release(connection, one)
            return True

        if not await self._database.write(apply):
            return _kept(one, _EPOCH_UNKNOWN)
        if frame.spoilt:
            return _kept(one, frame.spoilt[0].reason)
        return Attempt(id=one.id, site=one.site, outcome=Redriven.APPLIED)


_EPOCH_UNKNOWN = Text(zh="县级枢纽不认识它所属的纪元。", en="the hub does not know the epoch that it belongs to")


def _kept(one: Quarantined, reason: Text) -> Attempt:
    return Attempt(id=one.id, site=one.site, outcome=Redriven.KEPT, reason=reason)


def _event_of(one: Quarantined) -> Event:
    if one.fault == UNREADABLE_RECORD:
        return Described(seq=one.seq, previous=one.seq - 1, at_ms=0, record=msgspec.Raw(one.content))
    event = decode_event(one.content)
    if event.seq != one.seq:
        raise BadValue(Text(zh="事件序号超出所在的帧。", en=f"event {event.seq} was set aside as {one.seq}"))
    return event


def _frame_of(one: Quarantined, event: Event) -> AcceptedFrame:
    frame = Frame(
        site=one.site,
        node="",
        epoch=one.epoch,
        previous=one.seq - 1,
        last=one.seq,
        events=(msgspec.Raw(one.content),),
    )
    return AcceptedFrame(site=parse_site(one.site), frame=frame, digest="", events=[event])
