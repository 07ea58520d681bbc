"""The outbox: what a site has minted and the hub has not yet confirmed.

- ``append`` gives events their positions and seals them into frames inside the caller's transaction, so that a change
  and its event are stored together or not at all (promise 2).
- The outbox holds sealed frames: they are signed once, sent as often as needed, and are the same bytes on the wire,
  on a USB stick and in a later proof.
- Reading does not delete. ``forget`` deletes only what a receipt of the hub covers (promise 3).
- An epoch numbers the events of one database. ``start_epoch`` begins a new one and names those it retires.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec
from sqlalchemy import Connection, Delete, Select, Update, delete, func, insert, select, update

from protocol.codec import encode_event
from protocol.events import EventHead
from protocol.frames import Frame, frame_digest
from protocol.limits import FRAME_EVENTS_MAX, FRAME_FILL_BYTES
from replication.keys import Identity
from replication.seal import seal
from replication.tables import head as head_table
from replication.tables import outbox

RETIRED_EPOCHS_MAX = 64
"""Former epochs that a new one names, latest first: the hub stands in one of them, or names the one it stands in."""

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


class FrameWriter:
    """Seals events in the name of one site and node."""

    def __init__(
        self, site: str, identity: Identity, clock_ms: Callable[[], int] = lambda: time.time_ns() // 10**6
    ) -> None:
        self.site = site
        self.identity = identity
        self.clock_ms = clock_ms

    def frame(
        self, position: Position, last: int, events: Sequence[bytes], *, catch_up: bool = False, stands_for: str = ""
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
                catch_up=catch_up,
                stands_for=stands_for,
                retires=position.retires if position.seq == 0 else (),
                events=tuple(msgspec.Raw(event) for event in events),
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
    connection.execute(delete(outbox))
    connection.execute(delete(head_table))
    retired = tuple(former for former in dict.fromkeys(retires) if former != epoch)[:RETIRED_EPOCHS_MAX]
    connection.execute(insert(head_table).values(only_row=1, epoch=epoch, seq=0, chain="", retires=json.dumps(retired)))
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
    connection.execute(moved_head(position))
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
        for row in connection.execute(frames_after_statement(position, limit))
    ]


def digest_at(connection: Connection, position: int) -> str | None:
    """Return the chain digest at a position, if this site still knows it."""
    here = head(connection)
    if here is not None and here.seq == position:
        return here.chain
    return connection.execute(select(outbox.c.digest).where(outbox.c.last == position)).scalar_one_or_none()


def contradicts(connection: Connection, position: int, chain: str) -> bool:
    """Tell whether a receiver that stands at a position with a chain digest holds another history than this one.

    Where the frames that ended there are gone, or where the receiver stands between two frames, nothing can be told.
    """
    here = head(connection)
    if here is None or position > here.seq:
        return True
    begins = start(connection)
    if not chain or begins is None or position < begins.seq:
        return False
    known = begins.chain if position == begins.seq else digest_at(connection, position)
    # A position inside one of our frames is no place where anybody who has this history can stand.
    return known != chain


def start(connection: Connection) -> Position | None:
    """Return the position that the outbox begins at; what came before it can only be caught up on."""
    here = head(connection)
    if here is None:
        return None
    oldest = connection.execute(oldest_statement()).one_or_none()
    if oldest is None:
        return here
    return Position(epoch=here.epoch, seq=oldest.previous, chain=oldest.chain, retires=here.retires)


def forget(connection: Connection, applied: int) -> int:
    """Delete the frames that a receipt covers and return how many there were."""
    return connection.execute(forget_statement(applied)).rowcount


def depth(connection: Connection) -> int:
    """Return how many frames wait for a receipt."""
    return connection.execute(select(func.count()).select_from(outbox)).scalar_one()


def head_statement() -> Select[tuple[str, int, str, str]]:
    """Where the site's history stands."""
    return select(head_table.c.epoch, head_table.c.seq, head_table.c.chain, head_table.c.retires)


def moved_head(position: Position) -> Update:
    """Move the site's history to a position."""
    return update(head_table).values(epoch=position.epoch, seq=position.seq, chain=position.chain)


def frames_after_statement(position: int, limit: int) -> Select[tuple[object, ...]]:
    """The next frames after a position, in order."""
    return select(outbox).where(outbox.c.last > position).order_by(outbox.c.last).limit(limit)


def oldest_statement() -> Select[tuple[int, str]]:
    """Where the first frame that is still here begins."""
    return select(outbox.c.previous, outbox.c.chain).order_by(outbox.c.last).limit(1)


def forget_statement(applied: int) -> Delete:
    """Everything up to a position that the hub has applied."""
    return delete(outbox).where(outbox.c.last <= applied)
