"""Known bugs to plant, each against one promise: a simulation that cannot find these proves nothing by finding none.

``python -m tests.simulation --break NAME`` runs schedules with one of them; a test shows that each is caught.
"""

import copy
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from unittest.mock import patch

import msgspec
from sqlalchemy import Connection

import node.baseline
import replication.inbox
import replication.outbox
import replication.publisher
from protocol.beats import Receipt
from protocol.frames import Frame
from replication import outbox
from replication.acceptance import AcceptedFrame, Sink
from replication.inbox import Inbox, ReadFrames, Taken
from replication.outbox import Extent
from replication.precedence import GoOn, undisturbed
from replication.publisher import Publisher
from replication.watermarks import Verdict, Watermark, judge, marks_of

Plant = Callable[[], AbstractContextManager[object]]
_Judge = Callable[[Watermark, Frame, str, Collection[str]], Verdict]


def planted(name: str) -> AbstractContextManager[object]:
    """Have a bug in the product while the context lasts; none for no name."""
    return BREAKS[name].plant() if name else nullcontext()


def theme_for(name: str) -> str:
    """Return the theme of the schedules that are most likely to meet a bug; none for any schedule."""
    return BREAKS[name].theme if name else ""


# At the site


def _forget_on_ack() -> AbstractContextManager[object]:
    """Take the broker's acknowledgement for the hub's receipt (promise 3)."""
    step = Publisher.step

    async def careless(self: Publisher) -> bool:
        more = await step(self)
        await self._database.write(lambda connection: outbox.forget(connection, self.published))
        return more

    return patch.object(Publisher, "step", careless)


def _believe_any_epoch() -> AbstractContextManager[object]:
    """Read a receipt's position as one of the present epoch, whichever it names (promise 5)."""
    take = Publisher._take

    async def careless(self: Publisher, receipt: Receipt) -> None:
        here = await self._database.read(outbox.head)
        await take(self, msgspec.structs.replace(receipt, epoch=here.epoch if here else "", chain=""))

    return patch.object(Publisher, "_take", careless)


def _never_send_again() -> AbstractContextManager[object]:
    """Trust that what the broker acknowledged will arrive (promise 3)."""
    return patch.object(replication.publisher, "RESEND_AFTER_S", math.inf)


def _same_ids_again() -> AbstractContextManager[object]:
    """Send again under the old message ids, which a broker that lost only the message drops as repeats (promise 4)."""

    def careless(self: Publisher, frame: outbox.SealedFrame) -> str:
        return f"{self._site.code}:{frame.epoch}:{frame.previous}-{frame.last}"

    return patch.object(Publisher, "_message_id", careless)


@contextmanager
def _catch_up_over_anything() -> Iterator[None]:
    """Bring a hub on by changes alone although it missed the end of a baseline (promise 4)."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(replication.outbox, "remembers", lambda _connection, _position: True))
        stack.enter_context(patch.object(node.baseline, "is_known", lambda _connection, _receipt: True))
        yield


@contextmanager
def _forget_where_frames_ended() -> Iterator[None]:
    """Bring a hub on by changes although it may have another history (promise 5)."""

    def careless(connection: Connection, applied: int) -> int:
        return connection.execute(outbox.forget_statement(), {"applied": applied}).rowcount

    with ExitStack() as stack:
        stack.enter_context(patch.object(replication.outbox, "forget", careless))
        stack.enter_context(patch.object(replication.outbox, "remembers", lambda _connection, _position: True))
        yield


# At the hub


def _judging(careless: _Judge) -> AbstractContextManager[object]:
    return patch.object(replication.inbox, "judge", careless)


def _no_epoch_check() -> AbstractContextManager[object]:
    """Compare positions of different epochs (promise 5)."""

    def careless(mark: Watermark, frame: Frame, digest: str, retired: Collection[str]) -> Verdict:
        return judge(msgspec.structs.replace(mark, epoch=frame.epoch), frame, digest, retired)

    return _judging(careless)


def _old_epochs_return() -> AbstractContextManager[object]:
    """Follow an epoch that the site gave up when a late frame of it arrives (promise 5)."""

    def careless(mark: Watermark, frame: Frame, digest: str, _retired: Collection[str]) -> Verdict:
        verdict = judge(mark, frame, digest, ())
        return Verdict.NEW_EPOCH if verdict is Verdict.FORK and frame.epoch != mark.epoch else verdict

    return _judging(careless)


def _instead(of: Verdict) -> AbstractContextManager[object]:
    def careless(mark: Watermark, frame: Frame, digest: str, retired: Collection[str]) -> Verdict:
        verdict = judge(mark, frame, digest, retired)
        return Verdict.APPLY if verdict is of and frame.epoch == mark.epoch else verdict

    return _judging(careless)


def _no_gap_check() -> AbstractContextManager[object]:
    """Apply a frame although something before it is missing (promise 4)."""
    return _instead(Verdict.GAP)


def _no_replay_check() -> AbstractContextManager[object]:
    """Apply a frame again that was applied before (promise 4)."""
    return _instead(Verdict.REPLAY)


@contextmanager
def _no_chain_check() -> Iterator[None]:
    """Compare positions but not the digests of the frames that ended there, at either end (promise 5)."""

    def careless(_connection: Connection, held: Extent, position: int, _chain: str) -> bool:
        return position > held.end.seq

    with _instead(Verdict.FORK), patch.object(replication.outbox, "contradicts", careless):
        yield


@contextmanager
def _judged_beforehand() -> Iterator[None]:
    """Read the watermarks before the transaction: no bug as long as they are moved by compare-and-set."""

    async def take(self: Inbox, frames: ReadFrames, go_on: GoOn = undisturbed) -> Taken:
        sites = list(dict.fromkeys(frame.site.code for frame, _ in frames.accepted))
        before = await self._database.read(lambda connection: marks_of(connection, sites))

        def step(connection: Connection) -> Taken:
            with patch.object(replication.inbox, "marks_of", lambda _connection, _sites: before):
                return self._take(connection, frames, go_on)

        return await self._database.write(step)

    with patch.object(Inbox, "take", take):
        yield


@contextmanager
def _no_compare_and_set() -> Iterator[None]:
    """Judge before the transaction, and move the watermark wherever it stands by then (promises 2 and 4)."""

    def careless(connection: Connection, _before: Watermark, after: Watermark, now_ms: int) -> bool:
        connection.exec_driver_sql(
            "INSERT INTO watermark (site, node, epoch, position, chain, want, moved_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET node = excluded.node, epoch = excluded.epoch, position = excluded.position,"
            " chain = excluded.chain, want = excluded.want, moved_at_ms = excluded.moved_at_ms",
            (after.site, after.node, after.epoch, after.position, after.chain, after.want.value, now_ms),
        )
        return True

    with _judged_beforehand(), patch.object(replication.inbox, "move", careless):
        yield


class _Later:
    """A sink that puts off what it should apply."""

    def __init__(self, sink: Sink) -> None:
        self.preparing = sink.preparing
        self.frames: list[AcceptedFrame] = []

    def apply(self, _connection: Connection, frames: Sequence[AcceptedFrame], _go_on: GoOn = undisturbed) -> None:
        self.frames.extend(frames)


def _two_transactions() -> AbstractContextManager[object]:
    """Move the watermark in one transaction and apply the events in the next (promise 2)."""

    async def careless(self: Inbox, frames: ReadFrames, go_on: GoOn = undisturbed) -> Taken:
        first, later = copy.copy(self), _Later(self._sink)
        first._sink = later
        taken = await self._database.write(lambda connection: first._take(connection, frames, go_on))
        await self._database.write(lambda connection: self._sink.apply(connection, later.frames))
        return taken

    return patch.object(Inbox, "take", careless)


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """A bug, and the schedules that are most likely to meet it."""

    plant: Plant
    theme: str = ""
    """One of ``schedule.THEMES``, or any schedule."""
    is_caught: bool = True

    @property
    def about(self) -> str:
        """What it does."""
        return (self.plant.__doc__ or "").strip()


BREAKS: dict[str, Break] = {
    "forget-on-ack": Break(plant=_forget_on_ack),
    "believe-any-epoch": Break(plant=_believe_any_epoch),
    "never-send-again": Break(plant=_never_send_again, theme="forgotten while the hub is away"),
    "same-ids-again": Break(plant=_same_ids_again, theme="forgotten while the hub is away"),
    "catch-up-over-anything": Break(plant=_catch_up_over_anything, theme="hub put back to a lost disk"),
    "forget-where-frames-ended": Break(plant=_forget_where_frames_ended, theme="hub put back to another history"),
    "no-epoch-check": Break(plant=_no_epoch_check),
    "old-epochs-return": Break(plant=_old_epochs_return, theme="old frames after a lost disk"),
    "no-gap-check": Break(plant=_no_gap_check),
    "no-replay-check": Break(plant=_no_replay_check),
    "no-chain-check": Break(plant=_no_chain_check, theme="site put back while the hub is away"),
    "no-compare-and-set": Break(plant=_no_compare_and_set, theme="repeated while the hub is slow"),
    "two-transactions": Break(plant=_two_transactions, theme="hub crashes"),
    "judged-beforehand": Break(plant=_judged_beforehand, theme="repeated while the hub is slow", is_caught=False),
}
"""By name. The last looks like a bug and is none: it shows that it is the compare-and-set that counts."""
