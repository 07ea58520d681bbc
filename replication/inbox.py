"""The inbox: takes sealed frames of many sites, in whatever order they come, and applies each exactly once.

- Frames are read and prepared outside of the transaction; the transaction then judges each against its site's
  watermark, applies what follows, and moves the watermarks (promises 2 and 4).
- A frame that came too early is parked on disk, so that its message can be acknowledged; when what was missing arrives
  it is taken up. Parking is bounded: what does not fit is dropped, for its site keeps it until it has a receipt.
- A frame that cannot be right is put into quarantine, and the site is asked for a new epoch if its history forked.

The caller acknowledges the messages after ``take`` returns, sends the receipts, and fetches the gaps.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache

import msgspec
from sqlalchemy import Connection, Delete, Insert, Select, bindparam, delete, func, or_, select

from protocol.beats import Receipt, Want
from protocol.errors import BadFrame, Retryable
from protocol.events import BaselineMarked, BaselinePhase
from protocol.frames import frame_digest
from protocol.sites import Site, parse_site
from protocol.wording import Text
from replication.acceptance import AcceptedFrame, Sink, SpoiltEvent, accept, whole
from replication.database import Database
from replication.dialects import upsert
from replication.precedence import GoOn, undisturbed
from replication.quarantine import BAD_FRAME, FORK, WHOLE_FRAME_SEQ, set_all_aside, set_aside
from replication.tables import parked_frame
from replication.watermarks import Verdict, Watermark, judge, marks_of, move, moved, retire, retired_of, set_want

PARKED_FRAMES_MAX = 64
"""Frames of one site that may wait for missing ones: four times what a node keeps in flight."""

_FORK = Text(
    zh="同一站点出现两份互相矛盾的历史（数据库可能被恢复或复制）。",
    en="two histories of one site contradict each other: a database was restored or copied",
)
_FORK_HINT = Text(
    zh="系统已要求该站点启用新纪元并重新上报；请确认该站没有两台电脑同时使用同一密钥。",
    en="The site was asked to start a new epoch and describe everything again; make sure no two PCs use its key.",
)


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Events of a site that are missing before something that has arrived."""

    site: Site
    epoch: str
    after: int


class Taken(msgspec.Struct, kw_only=True):
    """What became of a batch of frames."""

    receipts: dict[str, Receipt]
    gaps: list[Gap] = []
    applied_events: int = 0
    verdicts: dict[Verdict, int] = {}
    quarantined: int = 0
    took_s: float = 0.0
    """Seconds that the batch kept this hub busy, reading and storing; 0 where nobody measured."""


class ReadFrames(msgspec.Struct, kw_only=True):
    """Frames that were read, and those whose seal does not hold."""

    accepted: list[tuple[AcceptedFrame, bytes]]
    refused: list[tuple[Site, SpoiltEvent]]


class Inbox:
    """Applies frames to a sink through one database; made once per process that applies."""

    def __init__(
        self,
        database: Database,
        sink: Sink,
        keys: Callable[[Site], Collection[str]],
        clock_ms: Callable[[], int],
        guard: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._guard = guard
        """Looks, first of all in each transaction, whether we may still apply; raises if not."""
        self._sink = sink
        self._keys = keys
        self._clock_ms = clock_ms

    def read(self, arrived: Iterable[tuple[Site, bytes]]) -> ReadFrames:
        """Check, decode and prepare frames; needs no database and may run beside ``take``."""
        found = ReadFrames(accepted=[], refused=[])
        for site, sealed in arrived:
            for _ in self.reading(found, site, sealed):
                pass
        return found

    def reading(self, found: ReadFrames, site: Site, sealed: bytes) -> Iterator[None]:
        """Read one frame as ``read`` does, into what was found so far, and yield every few milliseconds."""
        try:
            frame = accept(sealed, site, self._keys(site))
        except BadFrame as error:
            found.refused.append((site, _refusal(sealed, error)))
            return
        yield
        frame.prepared = yield from self._sink.preparing(frame)
        found.accepted.append((frame, sealed))

    async def take(self, frames: ReadFrames, go_on: GoOn = undisturbed) -> Taken:
        """Apply what follows, park what came early, set aside what is wrong; on disk when this returns.

        Args:
            frames: what was read.
            go_on: asked every few milliseconds; what it raises ends the transaction, and nothing was changed.

        Raises:
            Retryable: the database is busy or full, or another worker applied the same site; nothing was changed.

        """
        return await self._database.write(lambda connection: self._take(connection, frames, go_on))

    def _take(self, connection: Connection, frames: ReadFrames, go_on: GoOn) -> Taken:
        self._guard(connection)
        now_ms = self._clock_ms()
        sites = list(dict.fromkeys(frame.site.code for frame, _ in frames.accepted))
        batch = _Batch(marks_of(connection, sites), retired_of(connection, sites))
        for frame, sealed in frames.accepted:
            self._judge(connection, batch, frame, sealed, now_ms)
        self._take_up_parked(connection, batch)
        if batch.follow:
            self._sink.apply(connection, batch.follow, go_on)
        for site, spoilt in frames.refused:
            set_aside(connection, site.code, "", spoilt, now_ms)
        batch.quarantined += len(frames.refused)
        for frame in batch.follow:
            set_all_aside(connection, frame.site.code, frame.epoch, frame.spoilt, now_ms)
            batch.quarantined += len(frame.spoilt)
        _move_all(connection, batch, now_ms)
        return batch.taken(_gaps(connection, batch), now_ms)

    def _judge(self, connection: Connection, batch: "_Batch", frame: AcceptedFrame, sealed: bytes, now_ms: int) -> None:
        verdict = batch.judge(frame)
        if verdict is Verdict.GAP:
            _park(connection, frame, sealed, now_ms)
        elif verdict is Verdict.FORK:
            code = frame.site.code
            spoilt = SpoiltEvent(seq=frame.last, fault=FORK, reason=_FORK, hint=_FORK_HINT, content=sealed)
            set_aside(connection, code, frame.epoch, spoilt, now_ms)
            set_want(connection, code, Want.NEW_EPOCH)
            batch.wanted(code, Want.NEW_EPOCH)
            batch.quarantined += 1

    def _take_up_parked(self, connection: Connection, batch: "_Batch") -> None:
        # In the order of their places: a parked frame may free the next. Those that are not due are not even read: the
        # full parking place of one site would cost every other site a second at each of its frames.
        for code in batch.touched:
            for row in connection.execute(parked_statement(), {"of_site": code}).all():
                if batch.is_ahead(code, row.epoch, row.previous):
                    continue
                name = {"of_site": code, "named": row.digest}
                if self._take_up(batch, code, connection.execute(parked_content_statement(), name).scalar_one()):
                    connection.execute(unpark_statement(), name)

    def _take_up(self, batch: "_Batch", code: str, sealed: bytes) -> bool:
        site = parse_site(code)
        try:
            frame = accept(sealed, site, self._keys(site))
        except BadFrame:
            # Its key was revoked while it waited: the site's present key will send what is missing.
            return True
        if batch.look(frame) is Verdict.GAP:
            return False
        if batch.judge(frame) in (Verdict.APPLY, Verdict.NEW_EPOCH):
            frame.prepared = whole(self._sink.preparing(frame))
        return True


class _Batch:
    """The watermarks of one transaction as they move, and the frames that follow."""

    def __init__(self, marks: dict[str, Watermark], retired: dict[str, set[str]]) -> None:
        self.before = marks
        self.after = dict(marks)
        self.retired = retired
        self.newly_retired: dict[str, set[str]] = {}
        self.follow: list[AcceptedFrame] = []
        self.touched = list(marks)
        self.verdicts: dict[Verdict, int] = {}
        self.quarantined = 0

    def look(self, frame: AcceptedFrame) -> Verdict:
        """Return what a frame would mean now."""
        code = frame.site.code
        return judge(self.after[code], frame.frame, frame.digest, self.retired[code])

    def is_ahead(self, code: str, epoch: str, previous: int) -> bool:
        """Tell whether a frame with this place certainly lacks something before it."""
        mark = self.after[code]
        return epoch not in self.retired[code] and previous > (mark.position if epoch == mark.epoch else 0)

    def judge(self, frame: AcceptedFrame) -> Verdict:
        """Decide what a frame means, and move the site's mark if it follows."""
        verdict = self.look(frame)
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        if verdict in (Verdict.APPLY, Verdict.NEW_EPOCH):
            code = frame.site.code
            # Also where nothing was applied before: what still arrives of the epochs that it names is old.
            self.retired[code].update(frame.frame.retires)
            self.newly_retired.setdefault(code, set()).update(frame.frame.retires)
            self.after[code] = moved(self.after[code], frame.frame, frame.digest)
            if self.after[code].want is Want.BASELINE and _opens_baseline(frame):
                self.wanted(code, Want.NOTHING)
            self.follow.append(frame)
        return verdict

    def wanted(self, code: str, want: Want) -> None:
        """Note what the hub needs of a site from here on."""
        self.after[code] = msgspec.structs.replace(self.after[code], want=want)

    def taken(self, gaps: list[Gap], now_ms: int) -> Taken:
        """Return what became of the batch."""
        return Taken(
            receipts={code: receipt_of(mark, now_ms) for code, mark in self.after.items()},
            gaps=gaps,
            applied_events=sum(len(frame.events) for frame in self.follow),
            verdicts=self.verdicts,
            quarantined=self.quarantined,
        )


def _opens_baseline(frame: AcceptedFrame) -> bool:
    return any(isinstance(event, BaselineMarked) and event.phase is BaselinePhase.BEGIN for event in frame.events)


def receipt_of(mark: Watermark, now_ms: int) -> Receipt:
    """Return what the hub tells a site about its watermark."""
    return Receipt(
        site=mark.site, epoch=mark.epoch, applied=mark.position, chain=mark.chain, want=mark.want, at_ms=now_ms
    )


def _move_all(connection: Connection, batch: _Batch, now_ms: int) -> None:
    for code, mark in batch.after.items():
        if mark == batch.before[code] or (mark.epoch, mark.position) == (
            batch.before[code].epoch,
            batch.before[code].position,
        ):
            continue
        if not move(connection, batch.before[code], mark, now_ms):
            raise Retryable(Text(zh="另一个进程刚处理过同一站点。", en=f"another worker has just applied {code}"))
        retire(connection, code, batch.newly_retired.get(code, set()))


def _park(connection: Connection, frame: AcceptedFrame, sealed: bytes, now_ms: int) -> None:
    """Keep a frame that came too early; if there is no room, in the place of one that is less likely to be needed."""
    place = {"of_site": frame.site.code, "at_epoch": frame.epoch, "at_previous": frame.previous}
    held: int = connection.execute(parked_count_statement(), {"of_site": frame.site.code}).scalar_one()
    if held >= PARKED_FRAMES_MAX:
        spare = connection.execute(spare_statement(), place).scalar_one_or_none()
        if spare is None:
            return
        connection.execute(unpark_statement(), {"of_site": frame.site.code, "named": spare})
    waiting = {
        "site": frame.site.code,
        "epoch": frame.epoch,
        "previous": frame.previous,
        "digest": frame.digest,
        "sealed": sealed,
        "parked_at_ms": now_ms,
    }
    connection.execute(park_statement(), waiting)


def _gaps(connection: Connection, batch: _Batch) -> list[Gap]:
    gaps = []
    for code, epoch in connection.execute(parked_epochs_statement(), {"sites": batch.touched}):
        mark = batch.after[code]
        gaps.append(Gap(site=parse_site(code), epoch=epoch, after=mark.position if epoch == mark.epoch else 0))
    return gaps


@cache
def parked_statement() -> Select[str, str, int]:
    """The places of a site's frames that wait for missing ones, in their order."""
    return (
        select(parked_frame.c.digest, parked_frame.c.epoch, parked_frame.c.previous)
        .where(parked_frame.c.site == bindparam("of_site"))
        .order_by(parked_frame.c.previous)
    )


@cache
def parked_content_statement() -> Select[bytes]:
    """One frame of a site that waits."""
    return select(parked_frame.c.sealed).where(
        parked_frame.c.site == bindparam("of_site"), parked_frame.c.digest == bindparam("named")
    )


@cache
def parked_count_statement() -> Select[int]:
    """How many frames of a site wait."""
    return select(func.count()).select_from(parked_frame).where(parked_frame.c.site == bindparam("of_site"))


@cache
def spare_statement() -> Select[str]:
    """The frame of a site that makes room for one at ``at_epoch`` and ``at_previous``, if any should.

    One of another epoch, which may never begin: a site that lives in it sends its frames again. Else one further on.
    """
    other = parked_frame.c.epoch != bindparam("at_epoch")
    return (
        select(parked_frame.c.digest)
        .where(
            parked_frame.c.site == bindparam("of_site"),
            or_(other, parked_frame.c.previous > bindparam("at_previous")),
        )
        .order_by(other.desc(), parked_frame.c.previous.desc())
        .limit(1)
    )


@cache
def park_statement() -> Insert:
    """Keep a frame that came too early, once."""
    return upsert(parked_frame).on_conflict_do_nothing()


@cache
def unpark_statement() -> Delete:
    """Let go of a frame that is taken up."""
    return delete(parked_frame).where(
        parked_frame.c.site == bindparam("of_site"), parked_frame.c.digest == bindparam("named")
    )


@cache
def parked_epochs_statement() -> Select[str, str]:
    """The sites, of some, that have frames waiting, and the epochs of those frames."""
    chosen = parked_frame.c.site.in_(bindparam("sites", expanding=True))
    return select(parked_frame.c.site, parked_frame.c.epoch).where(chosen).distinct()


def _refusal(sealed: bytes, error: BadFrame) -> SpoiltEvent:
    # Named by content, so that the same bad frame is kept once while different ones are all kept.
    return SpoiltEvent(
        seq=WHOLE_FRAME_SEQ,
        fault=f"{BAD_FRAME}:{frame_digest(sealed)[:16]}",
        reason=error.reason,
        hint=error.hint,
        content=sealed,
    )
