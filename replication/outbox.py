"""The outbox: what a site has minted and the hub has not yet confirmed.

- ``append`` gives events their positions and seals them into frames inside the caller's transaction, so that a change
  and its event are stored together or not at all (promise 2).
- The outbox holds sealed frames: they are signed once, sent as often as needed, and are the same bytes on the wire,
  on a USB stick and in a later proof.
- Reading does not delete. ``forget`` deletes only what a receipt of the hub covers (promise 3), and remembers where the
  frames ended that it deletes: a receiver that is put back to one of those places shows by its digest whether it has
  this history.
- An epoch numbers the events of one database. ``start_epoch`` begins a new one and names those it retires.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import msgspec
from sqlalchemy import Connection, Delete, Insert, Select, Update, bindparam, delete, func, insert, select, update

from protocol.codec import encode_event
from protocol.events import EventHead
from protocol.frames import END_DIGITS, Frame, frame_digest
from protocol.limits import CATCH_UP_ENDS_MAX, FRAME_EVENTS_MAX, FRAME_FILL_BYTES, SEQ_MAX
from replication import wall_clock
from replication.keys import Identity
from replication.seal import seal
from replication.tables import forgotten_frame, outbox
from replication.tables import head as head_table

RETIRED_EPOCHS_MAX = 64
"""Former epochs that a new one names, latest first: the hub stands in one of them, or names the one it stands in."""

FORGOTTEN_SPAN = 100_000
"""Positions behind a receipt over which the digests of forgotten frames are remembered: 200 rows of full frames, a few
megabytes if every frame holds one event. A receiver further behind is described everything anew (``remembers``)."""

EPOCH_BYTES = 8
"""Random bytes in an epoch's name: no two databases of a county will ever draw the same."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where a site's own history stands."""

    epoch: str
    seq: int
    chain: str
    retires: tuple[str, ...] = ()


class SealedFrame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame of the outbox."""

    epoch: str
    previous: int
    last: int
    chain: str
    digest: str
    sealed: bytes


class CatchUp(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a frame a catch-up frame: the fields of that name in ``Frame``."""

    stands_for: str = ""
    ends: tuple[tuple[int, str], ...] | None = None


class FrameWriter:
    """Seals events in the name of one site and node."""

    def __init__(self, site: str, identity: Identity, clock_ms: Callable[[], int] = wall_clock.clock_ms) -> None:
        self.site = site
        self.identity = identity
        self.clock_ms = clock_ms

    def frame(
        self, position: Position, last: int, events: Sequence[bytes], *, catch_up: CatchUp | None = None
    ) -> bytes:
        """Return the sealed frame of some encoded events, one of ``groups``, that follow ``position``."""
        return seal(
            Frame(
                site=self.site,
                node=self.identity.public_key,
                epoch=position.epoch,
                previous=position.seq,
                last=last,
                chain=position.chain,
                catch_up=catch_up is not None,
                stands_for=catch_up.stands_for if catch_up is not None else "",
                retires=position.retires if position.seq == 0 else (),
                events=tuple(msgspec.Raw(event) for event in events),
                ends=catch_up.ends if catch_up is not None else None,
            ),
            self.identity,
        )


def head(connection: Connection) -> Position | None:
    """Return where the site's history stands, or None before its first epoch."""
    row = connection.execute(head_statement()).one_or_none()
    if row is None:
        return None
    return Position(epoch=row.epoch, seq=row.seq, chain=row.chain, retires=tuple(json.loads(row.retires)))


def start_epoch(connection: Connection, epoch: str, retires: Sequence[str]) -> Position:
    """Begin a new epoch at position 0; frames of older epochs leave the outbox, a baseline says it all again.

    ``retires`` names the former epochs, latest first; beyond ``RETIRED_EPOCHS_MAX`` they are no longer named.
    """
    connection.execute(forget_statement(), {"applied": SEQ_MAX})
    connection.execute(outgrown_statement(), {"position": SEQ_MAX})
    retired = tuple(former for former in dict.fromkeys(retires) if former != epoch)[:RETIRED_EPOCHS_MAX]
    first = {"only_row": 1, "epoch": epoch, "seq": 0, "chain": "", "retires": json.dumps(retired)}
    connection.execute(first_head(), first)
    return Position(epoch=epoch, seq=0, chain="", retires=retired)


def append(connection: Connection, writer: FrameWriter, drafts: Sequence[EventHead]) -> range:
    """Give events their positions, seal them, and put the frames into the outbox.

    Args:
        connection: inside the transaction that also stores what the events say.
        writer: who seals.
        drafts: events with ``seq`` and ``previous`` 0, in the order in which they became true.

    Returns:
        The positions given, in the order of the drafts.

    Raises:
        BadValue: an event is larger than ``EVENT_BYTES_MAX``; the caller rejects what it stands for.
        LookupError: the site has no epoch yet.

    """
    start = head(connection)
    if start is None:
        message = "no epoch has been started in this database"
        raise LookupError(message)
    if not drafts:
        return range(start.seq + 1, start.seq + 1)
    at_ms = writer.clock_ms()
    encoded = []
    for seq, draft in enumerate(drafts, start.seq + 1):
        encoded.append(encode_event(msgspec.structs.replace(draft, seq=seq, previous=seq - 1, at_ms=at_ms)))
    position = start
    rows = []
    for group in groups(encoded):
        frame = _sealed(writer, position, group)
        rows.append((frame.last, frame.previous, frame.epoch, frame.chain, frame.digest, frame.sealed))
        position = Position(epoch=start.epoch, seq=frame.last, chain=frame.digest, retires=start.retires)
    connection.exec_driver_sql(
        "INSERT INTO outbox (last, previous, epoch, chain, digest, sealed) VALUES (?, ?, ?, ?, ?, ?)", rows
    )
    connection.execute(moved_head(), {"seq": position.seq, "chain": position.chain})
    return range(start.seq + 1, position.seq + 1)


def groups(encoded: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Divide encoded events into runs that a frame holds: at most 500, and closed when they fill it."""
    begin, filled = 0, 0
    for index, event in enumerate(encoded):
        if index > begin and (index - begin == FRAME_EVENTS_MAX or filled + len(event) > FRAME_FILL_BYTES):
            yield encoded[begin:index]
            begin, filled = index, 0
        filled += len(event)
    if begin < len(encoded):
        yield encoded[begin:]


def _sealed(writer: FrameWriter, position: Position, events: Sequence[bytes]) -> SealedFrame:
    last = position.seq + len(events)
    sealed = writer.frame(position, last, events)
    return SealedFrame(
        epoch=position.epoch,
        previous=position.seq,
        last=last,
        chain=position.chain,
        digest=frame_digest(sealed),
        sealed=sealed,
    )


def frames_after(connection: Connection, position: int, limit: int) -> list[SealedFrame]:
    """Return the frames that end after a position, in order; the first may begin before it."""
    return [
        SealedFrame(
            epoch=row.epoch,
            previous=row.previous,
            last=row.last,
            chain=row.chain,
            digest=row.digest,
            sealed=row.sealed,
        )
        for row in connection.execute(frames_after_statement(), {"position": position, "most": limit})
    ]


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """What part of the site's history the outbox still holds."""

    start: Position
    """Where it begins: what came before can only be caught up on."""
    end: Position
    """Where the history stands."""


def extent(connection: Connection) -> Extent | None:
    """Return what part of the history is still here, or None before the first epoch."""
    end = head(connection)
    if end is None:
        return None
    oldest = connection.execute(oldest_statement()).one_or_none()
    if oldest is None:
        return Extent(start=end, end=end)
    start = Position(epoch=end.epoch, seq=oldest.previous, chain=oldest.chain, retires=end.retires)
    return Extent(start=start, end=end)


def contradicts(connection: Connection, held: Extent, position: int, chain: str) -> bool:
    """Tell whether a receiver that stands at a position with a chain digest has another history than this one.

    Of a receiver between two frames, which has no digest, and of places that are no longer remembered, nothing can be
    told; but a catch-up goes to where the outbox begins, so nobody who has this history stands between two of its
    frames any further on.
    """
    if position > held.end.seq:
        return True
    if not chain:
        return position > 0 and position >= held.start.seq
    for known in (held.start, held.end):
        if known.seq == position:
            return known.chain != chain
    if position > held.start.seq:
        # A position inside of one of our frames is no place where anybody who has this history can stand.
        return connection.execute(digest_statement(), {"position": position}).scalar_one_or_none() != chain
    nearest = connection.execute(forgotten_statement(), {"position": position}).one_or_none()
    return nearest is not None and (nearest.last, nearest.digest) != (position, chain)


def remembers(connection: Connection, position: int) -> bool:
    """Tell whether this site still knows which history a receiver has that stands at a position."""
    held = extent(connection)
    if held is None or position >= held.start.seq:
        return held is not None
    return connection.execute(forgotten_statement(), {"position": position}).one_or_none() is not None


def ends_between(connection: Connection, previous: int, last: int) -> tuple[tuple[int, str], ...] | None:
    """Return where forgotten frames ended from one position on and before another, as ``Frame.ends`` names them.

    None if not all of them are remembered, or if there are more than ``CATCH_UP_ENDS_MAX``.
    """
    if connection.execute(forgotten_statement(), {"position": previous}).one_or_none() is None:
        return None
    span = {"from_position": previous, "to_position": last, "most": CATCH_UP_ENDS_MAX + 1}
    ended = connection.execute(ends_statement(), span).all()
    return tuple((end, digest[:END_DIGITS]) for end, digest in ended) if len(ended) <= CATCH_UP_ENDS_MAX else None


def forget(connection: Connection, applied: int) -> int:
    """Delete the frames that a receipt covers and return how many there were; where they ended is remembered."""
    connection.execute(remember_statement(), {"applied": applied})
    if applied > FORGOTTEN_SPAN:
        connection.execute(outgrown_statement(), {"position": applied - FORGOTTEN_SPAN})
    return connection.execute(forget_statement(), {"applied": applied}).rowcount


def depth(connection: Connection) -> int:
    """Return how many frames wait for a receipt."""
    return connection.execute(select(func.count()).select_from(outbox)).scalar_one()


# Receipts come all day: their statements are built once.


@cache
def head_statement() -> Select[tuple[str, int, str, str]]:
    """Where the site's history stands."""
    return select(head_table.c.epoch, head_table.c.seq, head_table.c.chain, head_table.c.retires)


@cache
def first_head() -> Insert:
    """Begin the site's history anew, at the beginning of an epoch."""
    return insert(head_table).prefix_with("OR REPLACE")


@cache
def moved_head() -> Update:
    """Move the site's history to another ``seq`` and ``chain``."""
    return update(head_table).values(seq=bindparam("seq"), chain=bindparam("chain"))


@cache
def frames_after_statement() -> Select[tuple[object, ...]]:
    """The next frames after ``position``, in order, no more than ``most``."""
    return select(outbox).where(outbox.c.last > bindparam("position")).order_by(outbox.c.last).limit(bindparam("most"))


@cache
def oldest_statement() -> Select[int, str]:
    """Where the first frame that is still here begins."""
    return select(outbox.c.previous, outbox.c.chain).order_by(outbox.c.last).limit(1)


@cache
def digest_statement() -> Select[str]:
    """The digest of the frame that ends at ``position``."""
    return select(outbox.c.digest).where(outbox.c.last == bindparam("position"))


@cache
def forgotten_statement() -> Select[int, str]:
    """The last forgotten frame that ended at ``position`` or before, as far as is remembered."""
    return (
        select(forgotten_frame.c.last, forgotten_frame.c.digest)
        .where(forgotten_frame.c.last <= bindparam("position"))
        .order_by(forgotten_frame.c.last.desc())
        .limit(1)
    )


@cache
def ends_statement() -> Select[int, str]:
    """Where forgotten frames ended between two positions, the first included, no more than ``most``."""
    return (
        select(forgotten_frame.c.last, forgotten_frame.c.digest)
        .where(forgotten_frame.c.last >= bindparam("from_position"), forgotten_frame.c.last < bindparam("to_position"))
        .order_by(forgotten_frame.c.last)
        .limit(bindparam("most"))
    )


@cache
def remember_statement() -> Insert:
    """Keep the digests of everything up to a position that the hub has ``applied``."""
    ended = select(outbox.c.last, outbox.c.digest).where(outbox.c.last <= bindparam("applied"))
    return insert(forgotten_frame).from_select(["last", "digest"], ended)


@cache
def outgrown_statement() -> Delete:
    """What is remembered of frames that ended at ``position`` or before."""
    return delete(forgotten_frame).where(forgotten_frame.c.last <= bindparam("position"))


@cache
def forget_statement() -> Delete:
    """Everything up to a position that the hub has ``applied``."""
    return delete(outbox).where(outbox.c.last <= bindparam("applied"))
