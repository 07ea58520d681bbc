"""Accepting a frame: from sealed bytes to the events that a sink can apply.

A frame whose seal does not hold is refused as a whole. Inside a good frame each event is read on its own: one that is
unknown or damaged is set aside with its reason, the others are applied (promise 9).
"""

from collections.abc import Collection, Generator, Sequence
from typing import Protocol, TypeVar, cast

import msgspec
from sqlalchemy import Connection

from protocol.codec import decode_event
from protocol.errors import BadFrame, BadValue, UnknownKind
from protocol.events import Event
from protocol.frames import Frame, frame_digest
from protocol.sites import Site
from protocol.wording import Text
from replication.precedence import GoOn, undisturbed
from replication.seal import unseal

Ready = TypeVar("Ready")


class SpoiltEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that could not be read, to be kept in quarantine."""

    seq: int
    fault: str
    reason: Text
    hint: Text
    content: bytes


class AcceptedFrame(msgspec.Struct, kw_only=True):
    """A frame whose seal holds, with its events read; ``prepared`` is the sink's own."""

    site: Site
    frame: Frame
    digest: str
    events: Sequence[Event]
    spoilt: Sequence[SpoiltEvent] = ()
    prepared: object = None

    @property
    def node(self) -> str:
        """Public key of the installation that made the frame."""
        return self.frame.node

    @property
    def epoch(self) -> str:
        """The epoch that numbers the frame's events."""
        return self.frame.epoch

    @property
    def previous(self) -> int:
        """Position before the frame's first event."""
        return self.frame.previous

    @property
    def last(self) -> int:
        """Position of the frame's last event."""
        return self.frame.last


class Sink(Protocol):
    """What becomes of accepted events; the hub's unified catalogue is one."""

    def preparing(self, frame: AcceptedFrame) -> Generator[None, None, object]:
        """Do the work that needs no database, before the transaction; the result is kept in ``frame.prepared``.

        Yields every few milliseconds, for whoever else wants this thread.
        """

    def apply(self, connection: Connection, frames: Sequence[AcceptedFrame], go_on: GoOn = undisturbed) -> None:
        """Apply the frames, which are in order and not yet applied, inside the transaction that moves the watermark.

        What ``go_on`` raises, asked every few milliseconds, ends the transaction.
        """


def whole(preparing: Generator[None, None, Ready]) -> Ready:
    """Prepare a frame at one go and return the result."""
    while True:
        try:
            next(preparing)
        except StopIteration as done:
            return cast("Ready", done.value)


def accept(sealed: bytes, site: Site, keys: Collection[str]) -> AcceptedFrame:
    """Check and read one frame that arrived under ``site``'s subject.

    Raises:
        BadFrame: the seal does not hold, or the frame speaks for another site.

    """
    frame = unseal(sealed, keys)
    if frame.site != site.code:
        raise BadFrame(Text(zh=f"帧冒用站点 {frame.site}。", en=f"a frame of {site.code} claims to be of {frame.site}"))
    events: list[Event] = []
    spoilt: list[SpoiltEvent] = []
    for index, raw in enumerate(frame.events):
        try:
            events.append(_within(frame, decode_event(raw)))
        except (UnknownKind, BadValue) as error:
            fault = "unknown_kind" if isinstance(error, UnknownKind) else "bad_event"
            seq = _seq_of(raw, frame.previous + 1 + index)
            spoilt.append(SpoiltEvent(seq=seq, fault=fault, reason=error.reason, hint=error.hint, content=bytes(raw)))
    return AcceptedFrame(site=site, frame=frame, digest=frame_digest(sealed), events=events, spoilt=spoilt)


def _within(frame: Frame, event: Event) -> Event:
    if not frame.previous < event.seq <= frame.last:
        raise BadValue(Text(zh="事件序号超出所在的帧。", en=f"event {event.seq} lies outside of its frame"))
    return event


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Just enough of an unreadable event to say where it stood."""

    seq: int = 0


def _seq_of(raw: bytes | msgspec.Raw, otherwise: int) -> int:
    try:
        return msgspec.json.decode(raw, type=_Place).seq or otherwise
    except (msgspec.DecodeError, UnicodeDecodeError):
        return otherwise
